import urllib.request
from urllib.parse import urljoin, urlparse

import aiohttp
import httpx
import requests
import requests as http
from fastapi import APIRouter
from flask import Flask, abort, request
from pydantic import BaseModel
from requests import get as fetch

app = Flask(__name__)
router = APIRouter()
API_URL = "https://api.example.com"
FEEDS = {"news": "https://news.example.com/feed"}
IMAGE_HOSTS = {"images.example.com"}


class HookRequest(BaseModel):
    url: str


@app.route("/preview")
def preview():
    url = request.args.get("url")
    # ruleid: ssrf-from-request
    return http.get(url, timeout=5).text


@app.route("/proxy", methods=["POST"])
def proxy():
    # ruleid: ssrf-from-request
    return fetch("http://" + request.form["host"] + "/status").content


@app.route("/avatar")
def avatar():
    target = urljoin(API_URL, request.args["path"])
    session = requests.Session()
    # ruleid: ssrf-from-request
    return session.get(target, timeout=5).content


def import_feed(request):
    # ruleid: ssrf-from-request
    with urllib.request.urlopen(request.POST["feed"]) as reply:
        return reply.read()


class Webhooks:
    def ping(self):
        body = self.request.data
        return requests.request(
            # ruleid: ssrf-from-request
            "POST", url=body["callback"], json={"ping": True}, timeout=5
        )


@router.post("/hooks")
async def add_hook(hook: HookRequest):
    async with httpx.AsyncClient() as client:
        # ruleid: ssrf-from-request
        reply = await client.post(hook.url, json={"hello": "hook"})
    return reply.status_code


@router.get("/fetch")
async def fetch_page(url: str):
    async with aiohttp.ClientSession() as session:
        # ruleid: ssrf-from-request
        async with session.get(url) as reply:
            return await reply.text()


@app.route("/port")
def port():
    # ruleid: ssrf-from-request
    return {"up": httpx.head(f"https://{request.args['host']}/").is_success}


@app.route("/user")
def user():
    # ok: ssrf-from-request
    return requests.get(f"https://api.example.com/users/{request.args['name']}", timeout=5).text


@app.route("/search")
def search():
    # ok: ssrf-from-request
    return requests.get("https://api.example.com/search", params={"q": request.args["q"]}, timeout=5).text


@app.route("/orders")
def orders():
    # ok: ssrf-from-request
    return requests.get(f"{API_URL}/orders/{request.args['number']}", timeout=5).text


@app.route("/feed")
def feed():
    # ok: ssrf-from-request
    return requests.get(FEEDS[request.args["name"]], timeout=5).text


@app.route("/image")
def image():
    url = request.args["url"]
    parsed = urlparse(url)
    if parsed.scheme != "https" or parsed.hostname not in IMAGE_HOSTS:
        abort(400)
    # ok: ssrf-from-request
    return requests.get(url, timeout=5).content


@app.route("/listed")
def listed():
    host = request.args["host"]
    if host not in IMAGE_HOSTS:
        abort(400)
    # ok: ssrf-from-request
    return requests.get(f"https://{host}/", timeout=5).content


@app.route("/setting")
def setting():
    # ok: ssrf-from-request
    return {"value": app.config.get(request.args["name"])}


def notify(url):
    # ok: ssrf-from-request
    return requests.post(url, json={"done": True}, timeout=5)
