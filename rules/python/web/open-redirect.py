from urllib.parse import urlparse

import flask
from aiohttp import web
from django.http import HttpResponseRedirect
from django.shortcuts import redirect as django_redirect
from django.utils.http import url_has_allowed_host_and_scheme
from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from flask import Flask, abort, redirect, request, url_for

app = Flask(__name__)
router = APIRouter()
PAGES = {"home": "/", "cart": "/cart"}


@app.route("/login")
def login():
    target = request.args.get("next", "/")
    # ruleid: open-redirect
    return redirect(target, code=303)


@app.route("/go/<path:url>")
def go(url):
    # ruleid: open-redirect
    return flask.redirect(f"https://{url}")


@app.route("/logout")
def logout():
    # ruleid: open-redirect
    return redirect(request.form["return_to"] or url_for("home"))


def leave(request):
    # ruleid: open-redirect
    return HttpResponseRedirect(request.GET["next"].strip())


class SignIn:
    def post(self, request):
        after = request.POST.get("after")
        if after:
            # ruleid: open-redirect
            return django_redirect(after)
        return django_redirect("home")


@router.get("/out")
async def out(url: str):
    # ruleid: open-redirect
    return RedirectResponse(url=url)


async def moved(request):
    # ruleid: open-redirect
    raise web.HTTPFound(location=request.query["to"])


@app.route("/jump")
def jump():
    response = flask.make_response("", 302)
    # ruleid: open-redirect
    response.headers["Location"] = request.args["to"]
    return response


@app.route("/home")
def home():
    # ok: open-redirect
    return redirect(url_for("profile", name=request.args["name"]))


@app.route("/user")
def user():
    # ok: open-redirect
    return redirect("/user/" + request.args["name"])


@app.route("/search")
def search():
    # ok: open-redirect
    return redirect(f"https://search.example/find?q={request.args['q']}")


@app.route("/page")
def page():
    # ok: open-redirect
    return redirect(PAGES.get(request.args["page"], "/"))


@app.route("/checked")
def checked():
    target = request.args["next"]
    if urlparse(target).netloc:
        abort(400)
    # ok: open-redirect
    return redirect(target)


def checked_view(request):
    target = request.GET.get("next", "/")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        # ok: open-redirect
        return HttpResponseRedirect(target)
    # ok: open-redirect
    return HttpResponseRedirect("/")


def change_language(request):
    target = request.POST.get("next")
    if target and not url_has_allowed_host_and_scheme(url=target, allowed_hosts={request.get_host()}):
        target = None
    # ok: open-redirect
    return HttpResponseRedirect(target or "/")


@app.route("/listed")
def listed():
    target = request.args["next"]
    if target not in {"/", "/cart"}:
        abort(400)
    # ok: open-redirect
    return redirect(target)


def reload(request):
    # ok: open-redirect
    return HttpResponseRedirect(request.path)
