import json
import os
import shutil
from os.path import join as path_join
from pathlib import Path
from typing import Optional

import aiofiles
import flask
from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import FileResponse
from flask import Flask, abort, request, send_file, send_from_directory
from http.server import BaseHTTPRequestHandler
from werkzeug.utils import safe_join, secure_filename

app = Flask(__name__)
api = FastAPI()
router = APIRouter()
BASE_DIR = Path("/srv/data").resolve()
TEMPLATES = {"invoice": "/srv/templates/invoice.html"}


@app.route("/download")
def download():
    name = request.args.get("name", "")
    # ruleid: path-traversal-from-request
    return send_file(os.path.join("/srv/data", name), as_attachment=True)


@app.route("/page/<path:page>")
def page(page):
    # ruleid: path-traversal-from-request
    with open(f"/srv/pages/{page}.md", encoding="utf-8") as stream:
        return stream.read()


@app.route("/settings", methods=["POST"])
def load_settings():
    body = flask.request.get_json()
    # ruleid: path-traversal-from-request
    return json.load(open(path_join("/srv/settings", body["profile"] + ".json")))


def export(request):
    chosen = request.GET.get("file").strip()
    full = os.path.abspath(os.path.join("/srv/exports", chosen))
    # ruleid: path-traversal-from-request
    os.remove(full)


class AvatarView:
    def delete(self, request):
        shutil.rmtree(
            # ruleid: path-traversal-from-request
            "/srv/avatars/%s" % request.POST["user"],
            ignore_errors=True,
        )

    def show(self):
        target = Path("/srv/avatars") / self.request.query_params["user"]
        # ruleid: path-traversal-from-request
        return target.read_bytes()


@api.get("/files")
async def get_file(path: str, size: int = 0):
    # ruleid: path-traversal-from-request
    return FileResponse(path=f"/srv/files/{path}")


@router.get("/logs")
async def read_log(day: Optional[str] = None):
    # ruleid: path-traversal-from-request
    async with aiofiles.open("/var/log/app/{}.log".format(day)) as stream:
        return await stream.read()


class StaticHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        # ruleid: path-traversal-from-request
        with open("static" + self.path, "rb") as stream:
            self.wfile.write(stream.read())


def views_with_path(request, filename):
    # ruleid: path-traversal-from-request
    return (BASE_DIR / filename).open("rb")


@app.route("/thumb")
def thumb():
    # ok: path-traversal-from-request
    return send_file(safe_join("/srv/thumbs", request.args["name"]))


@app.route("/attachment/<name>")
def attachment(name):
    # ok: path-traversal-from-request
    return send_from_directory("/srv/attachments", name)


@app.route("/upload", methods=["POST"])
def store():
    name = secure_filename(request.form["name"])
    # ok: path-traversal-from-request
    with open(os.path.join("/srv/uploads", name), "wb") as stream:
        stream.write(request.get_data())


@app.route("/report")
def report():
    name = request.args["name"]
    # ok: path-traversal-from-request
    return send_file(os.path.join("/srv/reports", os.path.basename(name)))


@app.route("/template")
def template():
    kind = request.args["kind"]
    # ok: path-traversal-from-request
    return open(TEMPLATES.get(kind, "/srv/templates/default.html")).read() + open(TEMPLATES[kind]).read()


@app.route("/checked")
def checked():
    target = (BASE_DIR / request.args["name"]).resolve()
    if not target.is_relative_to(BASE_DIR):
        abort(404)
    # ok: path-traversal-from-request
    return target.read_text(encoding="utf-8")


@app.route("/prefix")
def prefix():
    target = os.path.realpath(os.path.join("/srv/data", request.args["name"]))
    if os.path.commonpath(["/srv/data", target]) != "/srv/data":
        abort(404)
    # ok: path-traversal-from-request
    with open(target, encoding="utf-8") as stream:
        return stream.read()


@app.route("/listed")
def listed():
    name = request.args["name"]
    if name not in ("terms.txt", "privacy.txt"):
        abort(404)
    # ok: path-traversal-from-request
    return send_file("/srv/legal/" + name)


@api.get("/invoice")
async def invoice(number: int):
    # ok: path-traversal-from-request
    return FileResponse(f"/srv/invoices/{number}.pdf")


@api.get("/document")
async def document(key: str, size: int = 0):
    record = find_document(key)
    if record is None:
        raise HTTPException(status_code=404)
    # ok: path-traversal-from-request
    return FileResponse(record.path)


def save_body():
    # ok: path-traversal-from-request
    with open("/srv/inbox/last.bin", "wb") as stream:
        stream.write(request.data)


def rebuild(name):
    # ok: path-traversal-from-request
    return open(os.path.join("/srv/data", name)).read()
