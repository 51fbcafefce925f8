from fastapi import FastAPI, File, UploadFile
from flask import request
from flask import request as http

MAX_PHOTO = 5_000_000
api = FastAPI()


@api.post("/photo")
async def photo(upload: UploadFile):
    # ruleid: read-whole-upload-unbounded
    return store(await upload.read())


@api.post("/scan")
async def scan(name: str, page: UploadFile = File(...)):
    # ruleid: read-whole-upload-unbounded
    data = await page.read()
    return store(data, name)


@api.post("/bill")
def bill(page: UploadFile):
    # ruleid: read-whole-upload-unbounded
    return store(page.file.read())


def flask_stream():
    # ruleid: read-whole-upload-unbounded
    return store(request.stream.read())


def flask_file():
    # ruleid: read-whole-upload-unbounded
    text = http.files["rows"].read().decode("utf-8")
    return store(text)


def flask_variable():
    upload = request.files.get("rows")
    # ruleid: read-whole-upload-unbounded
    return store(upload.read())


class PhotoView:
    def post(self, request):
        photo = request.FILES["photo"]
        # ruleid: read-whole-upload-unbounded
        return store(photo.read())


@api.post("/limited")
async def limited(upload: UploadFile):
    # ok: read-whole-upload-unbounded
    return store(await upload.read(MAX_PHOTO))


@api.post("/checked")
async def checked(upload: UploadFile):
    if upload.size is None or upload.size > MAX_PHOTO:
        raise ValueError("photo too large")
    # ok: read-whole-upload-unbounded
    return store(await upload.read())


def flask_checked():
    if (request.content_length or 0) > MAX_PHOTO:
        raise ValueError("too large")
    # ok: read-whole-upload-unbounded
    return store(request.stream.read())


def django_checked(request):
    photo = request.FILES["photo"]
    if photo.size > MAX_PHOTO:
        raise ValueError("photo too large")
    # ok: read-whole-upload-unbounded
    return store(photo.read())


def local_file(path):
    with open(path, "rb") as source:
        # ok: read-whole-upload-unbounded
        return store(source.read())
