import html
from http.server import BaseHTTPRequestHandler

import requests
import tornado.web
from django.http import HttpResponse, HttpResponseNotFound, JsonResponse
from django.shortcuts import render
from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from flask import Flask, Response, jsonify, make_response, render_template, request
from markupsafe import escape

app = Flask(__name__)
router = APIRouter()


@app.route("/hello")
def hello():
    name = request.args.get("name", "stranger")
    # ruleid: html-response-from-strings
    return f"<h1>Hello {name}</h1>"


@app.route("/echo", methods=["POST"])
def echo():
    # ruleid: html-response-from-strings
    return request.form["text"]


@app.route("/search")
def search():
    query = request.args["q"].strip()
    page = "<p>Nothing found for " + query + "</p>"
    # ruleid: html-response-from-strings
    return page, 404


@app.route("/card")
def card():
    # ruleid: html-response-from-strings
    response = make_response("<div>%s</div>" % request.args["title"])
    response.headers["X-Frame-Options"] = "DENY"
    return response


@app.get("/user/<name>")
def user(name):
    # ruleid: html-response-from-strings
    return "<b>{}</b>".format(name)


def missing(request):
    # ruleid: html-response-from-strings
    return HttpResponseNotFound(f"<p>{request.GET['page']} does not exist</p>")


class CommentView:
    def post(self, request):
        text = request.POST["text"]
        # ruleid: html-response-from-strings
        return HttpResponse("<blockquote>" + text + "</blockquote>", status=201)


@router.get("/title")
async def title(title: str):
    # ruleid: html-response-from-strings
    return HTMLResponse(content=f"<title>{title}</title>")


class GreetHandler(tornado.web.RequestHandler):
    def get(self):
        # ruleid: html-response-from-strings
        self.write("<h1>%s</h1>" % self.get_argument("name"))


@app.route("/safe-hello")
def safe_hello():
    # ok: html-response-from-strings
    return f"<h1>Hello {escape(request.args['name'])}</h1>"


@app.route("/template")
def template():
    # ok: html-response-from-strings
    return render_template("hello.html", name=request.args["name"])


@app.route("/json")
def as_json():
    # ok: html-response-from-strings
    return jsonify(name=request.args["name"])


@app.route("/dict")
def as_dict():
    data = {"name": request.args["name"]}
    # ok: html-response-from-strings
    return data


@app.route("/text")
def as_text():
    # ok: html-response-from-strings
    return Response(request.args["name"], mimetype="text/plain")


@app.route("/count")
def count():
    number = int(request.args["n"])
    # ok: html-response-from-strings
    return f"<p>{number * 2}</p>"


@app.route("/proxied")
def proxied():
    reply = requests.get(request.args["feed"], timeout=5)
    # ok: html-response-from-strings
    return reply.content


def view(request):
    # ok: html-response-from-strings
    return render(request, "view.html", {"name": request.GET["name"]})


def quoted(request):
    # ok: html-response-from-strings
    return HttpResponse("<p>" + html.escape(request.GET["name"]) + "</p>")


@router.get("/plain")
async def plain(name: str):
    # ok: html-response-from-strings
    return f"Hello {name}"
