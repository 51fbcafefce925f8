import string

# ruleid: strip-multichar-suffix
PACKAGE = __file__.rstrip(".py")
EXTENSION = ".json"


def stem(path, names):
    # ruleid: strip-multichar-suffix
    name = path.name.rstrip('.tar.gz')
    # ruleid: strip-multichar-suffix
    if name.lower().rstrip("_test") in names:
        # ruleid: strip-multichar-suffix
        return name.rstrip(EXTENSION)
    # ruleid: strip-multichar-suffix
    return sorted(names, key=lambda entry: entry.rstrip(" GmbH"))


class Host:
    def __init__(self, host):
        # ruleid: strip-multichar-suffix
        self.host = (
            host
            .rstrip(".local")
        )
        # ruleid: strip-multichar-suffix
        self.short = host.strip("http://")


def safe(text, number, chars):
    # ok: strip-multichar-suffix
    line = text.rstrip("\r\n") + text.rstrip() + text.rstrip(" \t,;")
    # ok: strip-multichar-suffix
    stem = text.removesuffix(".txt")
    # ok: strip-multichar-suffix
    digits = text.rstrip("0123456789") + text.rstrip(string.ascii_letters)
    # ok: strip-multichar-suffix
    size = number.rstrip("KMGT").rstrip("lLuU") + number.rstrip("0.")
    # ok: strip-multichar-suffix
    hexa = number.rstrip("abcdef") + text.rstrip("s")
    # ok: strip-multichar-suffix
    return line, stem, digits, size, hexa, text.rstrip(chars)
