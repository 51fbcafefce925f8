from django.utils import safestring
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.safestring import mark_safe as trust

ICON = "<i class='icon'></i>"


class OrderAdmin:
    def thumbnail(self, order):
        # ruleid: django-mark-safe
        return mark_safe(f'<img src="{order.image}" width="80">')

    def title_link(self, order):
        # ruleid: django-mark-safe
        return trust('<a href="%s">%s</a>' % (order.url, order.title))

    def colour(self, order):
        # ruleid: django-mark-safe
        return format_html('<span style="color: {}">x</span>'.format(order.colour))

    def note(self, order):
        html = "<p>" + order.note + "</p>"
        # ruleid: django-mark-safe
        return safestring.mark_safe(html)


def badge(user):
    # ruleid: django-mark-safe
    return SafeString("<b>{name}</b>".format(name=user.name))


def echo(request):
    # ruleid: django-mark-safe
    return mark_safe(request.GET["message"])


def listing(names):
    html = ""
    for name in names:
        html += f"<li>{name}</li>"
    # ruleid: django-mark-safe
    return mark_safe(html)


def mixed(user, when):
    # ruleid: django-mark-safe
    return format_html(f"<b>{user.name}</b> since {{}}", when)


def icon():
    # ok: django-mark-safe
    return mark_safe("<i class='icon'></i>")


def icon_in_box():
    # ok: django-mark-safe
    return mark_safe(f"<div>{ICON}</div>")


def safe_badge(user):
    # ok: django-mark-safe
    return format_html("<b>{}</b>", user.name)


def safe_note(order):
    # ok: django-mark-safe
    return format_html("<p>{}</p>", f"{order.day}: {order.note}")


def escaped(name):
    # ok: django-mark-safe
    return mark_safe("<b>" + escape(name) + "</b>")


def safe_listing(names):
    # ok: django-mark-safe
    return format_html_join("", "<li>{}</li>", ((name,) for name in names))


def other_mark(document, name):
    # ok: django-mark-safe
    return document.mark_safe(f"<b>{name}</b>")
