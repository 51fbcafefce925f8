import os
import shutil
import uuid
from pathlib import Path
from typing import List

import aiofiles
import flask
from fastapi import APIRouter, File, UploadFile
from flask import Flask, current_app, request
from werkzeug.utils import secure_filename

app = Flask(__name__)
router = APIRouter()
UPLOADS = Path("/srv/uploads")


@app.route("/upload", methods=["POST"])
def upload():
    f = request.files["file"]
    # ruleid: upload-filename-unsanitised
    f.save(os.path.join(current_app.config["UPLOAD_FOLDER"], f.filename))
    return "stored"


@app.post("/avatar")
def avatar():
    picture = flask.request.files.get("picture")
    if not picture:
        return "missing", 400
    name = picture.filename.lower()
    destination = "%s/%s" % ("/srv/avatars", name)
    # ruleid: upload-filename-unsanitised
    picture.save(destination)
    return "stored"


@app.post("/many")
def many():
    for item in request.files.getlist("items"):
        # ruleid: upload-filename-unsanitised
        with open(UPLOADS / item.filename, "wb") as out:
            shutil.copyfileobj(item.stream, out)
    return "stored"


@router.post("/scan")
async def scan(document: UploadFile = File(...)):
    # ruleid: upload-filename-unsanitised
    async with aiofiles.open(f"/srv/scans/{document.filename}", "wb") as out:
        await out.write(await document.read())


@router.post("/batch")
async def batch(documents: List[UploadFile]):
    for document in documents:
        target = UPLOADS.joinpath(document.filename)
        # ruleid: upload-filename-unsanitised
        target.write_bytes(await document.read())


class Gallery:
    def add(self, image):
        # ruleid: upload-filename-unsanitised
        image.save("/srv/gallery/" + image.filename)


@app.post("/form")
def from_form():
    form = build_form()
    # ruleid: upload-filename-unsanitised
    form.photo.data.save(os.path.join("/srv/photos", form.photo.data.filename))


@app.post("/safe-upload")
def safe_upload():
    f = request.files["file"]
    # ok: upload-filename-unsanitised
    f.save(os.path.join("/srv/uploads", secure_filename(f.filename)))


@app.post("/own-name")
def own_name():
    f = request.files["file"]
    extension = os.path.splitext(f.filename)[1]
    # ok: upload-filename-unsanitised
    f.save(os.path.join("/srv/uploads", uuid.uuid4().hex + extension))


@router.post("/bare")
async def bare(document: UploadFile):
    name = Path(document.filename).name
    # ok: upload-filename-unsanitised
    with open(UPLOADS / name, "wb") as out:
        out.write(await document.read())


@router.post("/listed")
async def listed(document: UploadFile):
    name = document.filename
    if name not in {"terms.pdf", "prices.pdf"}:
        return {"error": "unknown document"}
    # ok: upload-filename-unsanitised
    with open(UPLOADS / name, "wb") as out:
        out.write(await document.read())


def reopen(handler):
    # ok: upload-filename-unsanitised
    return open(os.path.join("/srv/spool", handler.filename), "rb")


@app.post("/fixed")
def fixed():
    f = request.files["file"]
    log_upload(f.filename)
    # ok: upload-filename-unsanitised
    f.save("/srv/uploads/latest.bin")
