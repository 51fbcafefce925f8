from http.server import BaseHTTPRequestHandler
from urllib.parse import quote

import requests
from django.http import HttpResponse
from flask import Flask, Response, make_response, request
from flask import request as req
from starlette.responses import JSONResponse

app = Flask(__name__)
THEMES = {"d": "dark", "l": "light"}


@app.route("/theme")
def theme():
    response = make_response("done")
    # ruleid: http-header-injection
    response.headers["X-Theme"] = request.args["theme"]
    # ok: http-header-injection
    response.headers["X-Theme"] = THEMES[request.args["theme"]]
    # ok: http-header-injection
    response.headers["X-Name"] = quote(request.args["name"])
    # ok: http-header-injection
    response.headers["X-Page"] = str(int(request.args["page"]))
    return response


@app.route("/report/<title>")
def report(title):
    disposition = "attachment; filename=%s.csv" % title
    # ruleid: http-header-injection
    return Response("a,b", headers={"Content-Disposition": disposition})


@app.get("/lang")
def language():
    wanted = req.cookies.get("lang")
    response = make_response("done")
    # ruleid: http-header-injection
    response.headers.add("Content-Language", wanted)
    if wanted not in ("de", "en"):
        return "unknown", 404
    # ok: http-header-injection
    response.headers.set("Content-Language", wanted)
    # ok: http-header-injection
    requests.get("https://api.test/", headers={"Accept-Language": wanted})
    return response


def download(request):
    response = HttpResponse(content_type="text/csv")
    # ruleid: http-header-injection
    response["Content-Disposition"] = f"attachment; filename={request.GET['name']}"
    # ok: http-header-injection
    response["Content-Length"] = len(request.body)
    return response


class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        # ruleid: http-header-injection
        self.send_header("X-Origin", self.headers["Origin"])
        # ok: http-header-injection
        self.send_header("Content-Type", "text/plain")
        self.end_headers()


async def trace(request):
    return JSONResponse(
        {"done": True},
        headers={
            "Cache-Control": "no-store",
            # ruleid: http-header-injection
            "X-Trace": request.headers.get("x-trace", ""),
        },
    )
