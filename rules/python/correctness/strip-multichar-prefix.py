import string

# ruleid: strip-multichar-prefix
MODULE = __name__.lstrip("src.")
PREFIX = "refs/heads/"


def clean(url, names):
    # ruleid: strip-multichar-prefix
    host = url.lstrip('https://')
    # ruleid: strip-multichar-prefix
    if host.lower().lstrip("www.") in names:
        # ruleid: strip-multichar-prefix
        return host.lstrip(PREFIX)
    # ruleid: strip-multichar-prefix
    return sorted(names, key=lambda entry: entry.lstrip("test_"))


class Header:
    def __init__(self, value, path):
        # ruleid: strip-multichar-prefix
        self.token = (
            value
            .lstrip("Bearer ")
        )
        # ruleid: strip-multichar-prefix
        self.path = path.lstrip("/api/")


def safe(text, number, chars):
    # ok: strip-multichar-prefix
    line = text.lstrip("\r\n") + text.lstrip() + text.lstrip(" \t#")
    # ok: strip-multichar-prefix
    host = text.removeprefix("https://")
    # ok: strip-multichar-prefix
    digits = text.lstrip("0123456789") + text.lstrip(string.ascii_letters)
    # ok: strip-multichar-prefix
    path = text.lstrip("./") + text.lstrip("/") + number.lstrip("-+0")
    # ok: strip-multichar-prefix
    hexa = number.lstrip("abcdef") + text.lstrip("v") + text.lstrip("rbRB")
    # ok: strip-multichar-prefix
    return line, host, digits, path, hexa, text.lstrip(chars)
