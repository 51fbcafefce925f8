import string
from pathlib import Path

import jinja2
from flask import Flask, render_template, render_template_string, request
from flask import render_template_string as render_source
from jinja2 import Environment
from jinja2.sandbox import SandboxedEnvironment
from mako.template import Template as MakoTemplate

app = Flask(__name__)
env = Environment(autoescape=True)
GREETING = "<p>Hello {{ name }}</p>"


@app.route("/hello")
def hello():
    name = request.args.get("name", "you")
    # ruleid: template-injection
    return render_template_string(f"<p>Hello {name}</p>")


@app.route("/hello-safely")
def hello_safely():
    # ok: template-injection
    return render_template_string(GREETING, name=request.args.get("name", "you"))


@app.errorhandler(404)
def missing(error):
    page = "<h1>Not found</h1><p>%s</p>" % request.url
    # ruleid: template-injection
    return render_source(page), 404


class Letters:
    def __init__(self, environment):
        self.env = environment

    def compose(self, body, name):
        # ruleid: template-injection
        return self.env.from_string(body).render(name=name)

    def mako(self, order):
        # ruleid: template-injection
        return MakoTemplate(text="Order {}".format(order.note)).render()

    def many(self, notes):
        # ruleid: template-injection
        return [jinja2.Template("<li>" + note + "</li>").render() for note in notes]

    def from_user(self, source):
        return (
            Environment()
            # a user's own signature
            .overlay()
        ), jinja2.Template(
            # ruleid: template-injection
            source,
            autoescape=True,
        )


def from_file(path, name):
    # ok: template-injection
    template = jinja2.Template(Path(path).read_text(encoding="utf-8"))
    with open(path, encoding="utf-8") as stream:
        # ok: template-injection
        other = env.from_string(stream.read())
    # ok: template-injection
    return template.render(name=name) + other.render(name=name) + render_template("page.html", name=name)


def sandboxed(source, name):
    sandbox = SandboxedEnvironment()
    # ok: template-injection
    return sandbox.from_string(source).render(name=name)


def plain(source, name):
    # ok: template-injection
    return string.Template(source).safe_substitute(name=name)
