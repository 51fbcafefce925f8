import importlib
import importlib as loader
import os
import runpy
import sys
from importlib import import_module

from django.utils.module_loading import import_string
from flask import Flask, request

app = Flask(__name__)
EXPORTERS = {"csv": "exporters.comma", "html": "exporters.page"}


@app.route("/export")
def export():
    # ruleid: dynamic-import-from-input
    exporter = importlib.import_module("exporters." + request.args["format"])
    return exporter.run()


@app.route("/export-safely")
def export_safely():
    # ok: dynamic-import-from-input
    exporter = importlib.import_module(EXPORTERS[request.args["format"]])
    return exporter.run()


@app.route("/checked")
def checked():
    wanted = request.args["format"]
    if wanted not in EXPORTERS:
        return "unknown format", 404
    # ok: dynamic-import-from-input
    return importlib.import_module(f"exporters.{wanted}").run()


@app.route("/plugins/<name>")
def plugin(name):
    # ruleid: dynamic-import-from-input
    return __import__(f"plugins.{name}").page()


class Hooks:
    def post(self, request):
        # ruleid: dynamic-import-from-input
        handler = import_string(request.data["handler"])
        return handler(request)

    async def receive(self, request):
        body = await request.json()
        # ruleid: dynamic-import-from-input
        return [import_module(step["module"]).run(body) for step in body["steps"]]


def ask():
    return loader.import_module(
        # ruleid: dynamic-import-from-input
        input("module: ").strip(),
    )


def main():
    # ruleid: dynamic-import-from-input
    runpy.run_module(sys.argv[1], run_name="__main__")


def fixed(name):
    # ok: dynamic-import-from-input
    json = importlib.import_module("json")
    # ok: dynamic-import-from-input
    settings = importlib.import_module(os.environ["APP_SETTINGS"])
    # ok: dynamic-import-from-input
    return json, settings, importlib.import_module(f"plugins.{name}")
