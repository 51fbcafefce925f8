import re
import re as rx
from re import compile as pattern, fullmatch, search

# ruleid: catastrophic-regex
WORDS = re.compile(r"^(\w+\s?)*$")

# ruleid: catastrophic-regex
QUOTED = pattern('"([^"\\\\]+|\\\\.)*"')

# ruleid: catastrophic-regex
MAIL = rx.compile(
    r"^([a-zA-Z0-9]+[._-]?)*@[a-z]+$",
    rx.IGNORECASE,
)

# ruleid: catastrophic-regex
NAME = re.compile(r"^(([a-z])+.)+[A-Z]([a-z])+$")

# ruleid: catastrophic-regex
WORD = re.compile(r"^(([a-zA-Z0-9])+)+$")

NUMBERS = r"^(?:\d+)+$"


def is_number(text):
    # ruleid: catastrophic-regex
    return re.match(NUMBERS, text) is not None


def is_name(text):
    # ruleid: catastrophic-regex
    return bool(fullmatch(r"([a-z]+)*", text))


def strip_comment(text):
    # ruleid: catastrophic-regex
    return re.sub(r"/\*(.|\s)*?\*/", "", text)


def fields(lines):
    # ruleid: catastrophic-regex
    return [search(r"^(.*,)+(\d+)$", line) for line in lines]


class Route:
    # ruleid: catastrophic-regex
    PATH = re.compile(r"^/(?P<parts>(?:[\w-]+/?)+)/edit$")

    def tokens(self, text):
        # ruleid: catastrophic-regex
        return re.split(r"(?:(?:\s*)*);", text)


def keep(frame):
    # ruleid: catastrophic-regex
    return frame[frame["name"].str.match(r"^([A-Z]*)*-")]


# ok: catastrophic-regex
DOTTED = re.compile(r"^(\w+\.)+\w+$")

# ok: catastrophic-regex
VERSION = re.compile(r"^\d+(?:\.\d+)*$")

# ok: catastrophic-regex
STRING = re.compile(r'"([^"\\]|\\.)*"')

# ok: catastrophic-regex
CHOICE = re.compile(r"^(?:GET|PUT|POST)+$")


def words(text):
    # ok: catastrophic-regex
    return re.findall(r"(\w+)+", text)


def is_set(text):
    # ok: catastrophic-regex
    return re.match(r"^(\w|\d)+$", text)


def literal_parens(text):
    # ok: catastrophic-regex
    return re.match(r"\(x+\)+$", text)


def possessive(text):
    # ok: catastrophic-regex
    return re.match(r"^(\w++)+$", text)


def words_of(line):
    # ok: catastrophic-regex
    return re.match(r"^(\s+\w+)*$", line)


def replaced(text):
    # ok: catastrophic-regex
    return text.replace("(a+)+$", "")
