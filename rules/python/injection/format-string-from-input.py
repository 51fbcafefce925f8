import string
import sys
from string import Formatter, Template

from flask import Flask, request
from flask import request as current

app = Flask(__name__)
FORMATS = {"short": "{user}", "long": "{user} ({mail})"}


@app.route("/greet")
def greet():
    # ruleid: format-string-from-input
    return request.args.get("text", "Hello").format(user=app)


@app.route("/greet-safely")
def greet_safely():
    # ok: format-string-from-input
    return "Hello {}".format(request.args["name"])


class Preview:
    def post(self, request):
        template = request.POST["template"]
        # ruleid: format-string-from-input
        return template.format(order=self.order)

    def map(self, request):
        # ruleid: format-string-from-input
        return ("Dear customer, " + request.data["text"]).format_map({"order": self.order})

    def template(self, request):
        # ok: format-string-from-input
        return Template(request.POST["template"]).safe_substitute(order=self.order)


@app.route("/lines/<layout>")
def lines(layout):
    # ruleid: format-string-from-input
    return "".join(layout.format(row=row) for row in app.rows)


def tool(records):
    # ruleid: format-string-from-input
    print(string.Formatter().format(sys.argv[1], records=records))
    layout = input("layout: ")
    formatter = Formatter()
    return [
        # ruleid: format-string-from-input
        formatter.vformat(layout, (), {"record": record}) for record in records
    ]


@app.post("/static")
def static_method():
    # ruleid: format-string-from-input
    return str.format(current.json["text"], app=app)


def chosen(name):
    # ok: format-string-from-input
    return FORMATS[current.args["kind"]].format(user=name, mail="")


def layout_of(layout, name):
    # ok: format-string-from-input
    return layout.format(name)


def log_line(formatter, name):
    # ok: format-string-from-input
    return formatter.format(current.args["name"], name)
