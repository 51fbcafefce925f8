import flask
import markupsafe
from flask import request, url_for
from markupsafe import Markup, escape
from markupsafe import Markup as M

SEPARATOR = "<hr>"


class Markdown:
    def Markup(self, text):
        return text


def badge(user):
    # ruleid: markup-from-strings
    return Markup(f"<span class='badge'>{user.name}</span>")


def link(label, target):
    # ruleid: markup-from-strings
    return M('<a href="%s">%s</a>' % (target, label))


def bold(text):
    # ruleid: markup-from-strings
    return markupsafe.Markup("<b>{}</b>".format(text))


def bold_named(label):
    # ruleid: markup-from-strings
    return Markup('<b>{label}</b>'.format(label=label))


def row(cells):
    html = "<tr>"
    for cell in cells:
        html += "<td>" + cell + "</td>"
    # ruleid: markup-from-strings
    return Markup(html)


class Note:
    def __init__(self, text):
        self.text = text

    def __html__(self):
        content = f"<p>{self.text}</p>"
        # ruleid: markup-from-strings
        return Markup(
            content,
        )


def echo():
    # ruleid: markup-from-strings
    return Markup(request.args["message"])


def notify(name):
    # ruleid: markup-from-strings
    flask.flash(Markup("Saved <em>" + name + "</em>"))


badge_for = {
    # ruleid: markup-from-strings
    "admin": lambda user: Markup(f"<i>{user}</i>"),
}


def safe_bold(text):
    # ok: markup-from-strings
    return Markup("<b>{}</b>").format(text)


def safe_link(label, target):
    # ok: markup-from-strings
    return Markup('<a href="%s">%s</a>') % (target, label)


def rule():
    # ok: markup-from-strings
    return Markup("<hr class='wide'>")


def separated():
    # ok: markup-from-strings
    return Markup(f"<div>{SEPARATOR}</div>")


def escaped(name):
    # ok: markup-from-strings
    return Markup(f"<b>{escape(name)}</b><a href='{url_for('home')}'>home</a>")


def converted(value, markdown):
    # ok: markup-from-strings
    return Markdown().Markup(f"<b>{value}</b>") + markdown.Markup(f"{value}")


def joined(parts):
    # ok: markup-from-strings
    return Markup("<br>").join(parts)
