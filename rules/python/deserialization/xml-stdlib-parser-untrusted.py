import io
import xml.dom.minidom
import xml.etree.ElementTree as ET
import xml.sax
from http.server import BaseHTTPRequestHandler
from urllib.request import urlopen
from xml.dom import minidom, pulldom
from xml.etree.ElementTree import XMLPullParser, fromstring
from xml.parsers import expat

import aiohttp
import defusedxml.ElementTree as SafeET
import httpx
import requests
from flask import Flask, request

app = Flask(__name__)


@app.post("/orders")
def receive_order():
    # ruleid: xml-stdlib-parser-untrusted
    root = ET.fromstring(request.data)
    return {"id": root.findtext("id")}


@app.post("/upload")
def receive_upload():
    upload = request.files["table"]
    # ruleid: xml-stdlib-parser-untrusted
    tree = ET.parse(upload.stream)
    return str(len(list(tree.iter())))


def receive_django(request):
    body = request.body.decode("utf-8")
    # ruleid: xml-stdlib-parser-untrusted
    return minidom.parseString(body).documentElement.tagName


async def receive_starlette(request):
    body = await request.body()
    # ruleid: xml-stdlib-parser-untrusted
    return fromstring(body).tag


def read_feed(url):
    response = requests.get(url, timeout=10)
    response.raise_for_status()
    # ruleid: xml-stdlib-parser-untrusted
    return [e.text for _, e in ET.iterparse(io.BytesIO(response.content))]


def read_remote(url):
    with urlopen(url, timeout=10) as answer:
        # ruleid: xml-stdlib-parser-untrusted
        return xml.dom.minidom.parse(answer)


async def read_async(url):
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            # ruleid: xml-stdlib-parser-untrusted
            return ET.XML(await answer.text())


class Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        size = int(self.headers["Content-Length"])
        # ruleid: xml-stdlib-parser-untrusted
        xml.sax.parseString(self.rfile.read(size), self.server.handler)


def read_stream(connection):
    parser = XMLPullParser(["end"])
    while chunk := connection.recv(4096):
        # ruleid: xml-stdlib-parser-untrusted
        parser.feed(chunk)
    return parser


def read_expat(url):
    parser = expat.ParserCreate()
    # ruleid: xml-stdlib-parser-untrusted
    parser.Parse(httpx.get(url).content, True)


def read_pull(url):
    session = requests.Session()
    text = session.get(url, timeout=5).text
    # ruleid: xml-stdlib-parser-untrusted
    return pulldom.parseString(text)


@app.post("/safe")
def receive_safely():
    # ok: xml-stdlib-parser-untrusted
    return SafeET.fromstring(request.data).tag


@app.post("/refused")
def receive_refusing():
    body = request.get_data()
    if b"<!DOCTYPE" in body:
        raise ValueError("document type declarations are not accepted")
    # ok: xml-stdlib-parser-untrusted
    return ET.fromstring(body).tag


def read_own_file(path):
    # ok: xml-stdlib-parser-untrusted
    return ET.parse(path).getroot()


def constant():
    # ok: xml-stdlib-parser-untrusted
    return ET.fromstring("<settings><depth>3</depth></settings>")


def test_feed(client):
    response = client.get("/feed.xml")
    # ok: xml-stdlib-parser-untrusted
    assert ET.fromstring(response.content).tag == "feed"


def count_items(url, template):
    answer = requests.get(url, timeout=5)
    # ok: xml-stdlib-parser-untrusted
    return ET.fromstring(template % len(answer.content))
