import base64
import bz2
import gzip
import io
import json
import lzma
import zipfile
import zlib
from gzip import decompress as gunzip
from http.server import BaseHTTPRequestHandler

import flask
from fastapi import APIRouter, Request, UploadFile
from flask import Flask, request

app = Flask(__name__)
router = APIRouter()
LIMIT = 5_000_000


@app.route("/events", methods=["POST"])
def events():
    # ruleid: decompression-unbounded
    return json.loads(gunzip(request.data))


@app.route("/metrics", methods=["POST"])
def metrics():
    raw = flask.request.get_data()
    if flask.request.headers.get("Content-Encoding") == "deflate":
        # ruleid: decompression-unbounded
        raw = zlib.decompress(raw, wbits=-zlib.MAX_WBITS)
    return store(raw)


@router.post("/traces")
async def traces(request: Request):
    body = await request.body()
    # ruleid: decompression-unbounded
    return {"size": len(lzma.decompress(body))}


@router.post("/archive")
async def archive(upload: UploadFile):
    # ruleid: decompression-unbounded
    with zipfile.ZipFile(io.BytesIO(await upload.read())) as bundle:
        return {name: len(bundle.read(name)) for name in bundle.namelist()}


def import_view(request):
    # ruleid: decompression-unbounded
    bundle = zipfile.ZipFile(request.FILES["bundle"])
    bundle.extractall("/srv/imports")
    packed = base64.b64decode(request.POST["state"])
    # ruleid: decompression-unbounded
    return bz2.decompress(packed)


class Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        # ruleid: decompression-unbounded
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            self.server.store(stream.read())


@app.route("/bounded", methods=["POST"])
def bounded():
    # ok: decompression-unbounded
    return store(zlib.decompressobj().decompress(request.data, LIMIT))


@app.route("/bounded-gzip", methods=["POST"])
def bounded_gzip():
    # ok: decompression-unbounded
    with gzip.GzipFile(fileobj=request.stream) as stream:
        return store(stream.read(LIMIT))


@router.post("/checked")
async def checked(upload: UploadFile):
    # ok: decompression-unbounded
    with zipfile.ZipFile(upload.file) as bundle:
        if sum(info.file_size for info in bundle.infolist()) > LIMIT:
            raise ValueError("too large")
        bundle.extractall("/srv/imports")


@router.post("/names")
async def names(upload: UploadFile):
    # ok: decompression-unbounded
    with zipfile.ZipFile(upload.file) as bundle:
        return bundle.namelist()


def load_cache(path):
    with open(path, "rb") as stream:
        # ok: decompression-unbounded
        return json.loads(gzip.decompress(stream.read()))


def roundtrip(text):
    # ok: decompression-unbounded
    return zlib.decompress(zlib.compress(text.encode()))
