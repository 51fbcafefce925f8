"""Data shown as text: nothing in a finding, a path or a line of code drives a terminal, a CI log or GitHub's Markdown.

Text from a pull request is data (attack rows A3, A45, A46). Three readers act on what they are shown:

- terminals, on escape sequences, and people, on what bidirectional and invisible characters hide: `visible`,
  `one_line`, `code`;
- CI runners, on workflow commands in the log: `defuse_lines`, `workflow_command`;
- GitHub, on mentions, references, links and HTML: `markdown_text`, `markdown_code`, `fence`.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Mapping
from typing import TextIO

# Letters and marks that print as nothing, which `str.isprintable` lets pass: grapheme joiner, Hangul and Khmer
# fillers, Mongolian and other variation selectors, the empty Braille cell. Malware has been written in them.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_EMOJI_SELECTOR = "\ufe0f"
_IDEOGRAPHIC_SPACE = "\u3000"
_SHORT_ESCAPES = {"\r": "\\r", "\n": "\\n", "\t": "\\t"}

# GitHub's runner obeys `::command::` after any leading white space, and the older `##[command]` anywhere in a line;
# Azure's obeys `##vso[`, TeamCity `##teamcity[`. To be sure, colours and carriage returns between count as nothing.
_COMMAND_AT_START = re.compile(r"^((?:\x1b\[[0-9;]*m|[^\S\n])*):(?=\r*:)", re.MULTILINE)
COMMAND_ANYWHERE = re.compile(r"#(?=\r*#[\w\r]*\[)")

_MARKDOWN_PUNCTUATION = re.compile(r"[\\`*_\[\]<>|~]|(?<!&)#|^[-+=]")
_LIST_NUMBER = re.compile(r"^(\d+)(?=[.)])")
# `@name`, `#1`, `GH-1`, `https://`, `www.`: what GitHub turns into mentions, references and links. Its parser looks for
# `www.` and what follows before it reads entities, so that one is split before the dot.
_LINKED = re.compile(r"@(?=[\w.-])|#(?=\d)|(?<=GH)-(?=\d)|:(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_NOTHING = "&#8203;"
_BACKTICKS = re.compile("`+")


def is_hidden(char: str) -> bool:
    """Whether a character prints as nothing, moves the cursor, or changes the order in which others are read."""
    if char.isascii():
        return not char.isprintable()
    return (not char.isprintable() and char != _IDEOGRAPHIC_SPACE) or _INVISIBLE.match(char) is not None


def is_utf8(stream: TextIO | None) -> bool:
    """Whether a stream takes every character; one without an encoding holds text itself."""
    return codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name == "utf-8"


def visible(text: str) -> str:
    """Text to stand anywhere, also at the start of a line. Tabs and line feeds stay, for the caller to lay out."""
    return defuse_lines(_reveal(text, keep="\t\n"))


def valid_text(text: str) -> str:
    """A text as records hold it: its bytes that are not UTF-8 are written out."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def one_line(text: str) -> str:
    """`visible` on one line: tabs and line feeds are shown as escapes too. For paths, ids and reasons."""
    return defuse_lines(_reveal(text))


def code(line: str, tab: str = "    ") -> str:
    """A line of code without its line end, to stand behind a gutter."""
    return COMMAND_ANYWHERE.sub(r"\\x23", _reveal(line, keep="\t")).replace("\t", tab)


def is_shown_as_is(text: str) -> bool:
    """Whether nothing in lines of code would be shown as an escape, so that what is read is what there is."""
    return _reveal(text, keep="\t\n") == text


def diff_lines(diff: str) -> list[str]:
    """The lines of a unified diff as `code`; in a file of CRLF lines the carriage returns are left out, as noise."""
    if not diff:
        return []
    lines = diff.removesuffix("\n").split("\n")
    # A last line without a line end has no carriage return in any file.
    content = [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if line[:1] in ("+", "-", " ") and not line.startswith(("+++ ", "--- ")) and following[:1] != "\\"
    ]
    if content and all(line.endswith("\r") for line in content):
        lines = [line.removesuffix("\r") for line in lines]
    return [code(line) for line in lines]


def defuse_lines(text: str) -> str:
    """No line of `text` is a command to a CI runner. For whole outputs: wrapping may bring data to a line's start."""
    return COMMAND_ANYWHERE.sub(r"\\x23", _COMMAND_AT_START.sub(r"\1\\x3a", text))


def _reveal(text: str, keep: str = "") -> str:
    if text.isascii() and text.isprintable():
        return text
    shown = []
    previous = ""
    for char in text:
        is_emoji_selector = char == _EMOJI_SELECTOR and unicodedata.category(previous or " ") == "So"
        is_shown = char in keep or is_emoji_selector or not is_hidden(char)
        shown.append(char if is_shown else _escaped(char))
        previous = char
    return "".join(shown)


def _escaped(char: str) -> str:
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    point = ord(char)
    if 0xDC80 <= point <= 0xDCFF:  # A byte that is not UTF-8, as `surrogateescape` keeps it.
        point -= 0xDC00
    return f"\\x{point:02x}" if point <= 0xFF else f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def workflow_command(command: str, message: str, properties: Mapping[str, str | int] | None = None) -> str:
    """One GitHub workflow command, as `::error file=a.py,line=1::message`; neither text can end it or start another."""
    given = ",".join(f"{key}={_property(str(value))}" for key, value in (properties or {}).items())
    return f"::{command}{' ' if given else ''}{given}::{_command_data(message)}"


def _command_data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return COMMAND_ANYWHERE.sub(r"\\x23", _reveal(escaped, keep="\t"))


def _property(text: str) -> str:
    return _command_data(text).replace(":", "%3A").replace(",", "%2C")


def markdown_text(text: str) -> str:
    """Data as one line of GitHub Markdown that links, mentions and closes nothing; of formatting, only `code` is left.

    GitHub looks for mentions and references in the rendered page, where a backslash is gone, so they are split by a
    space of no width.
    """
    shown = " ".join(_reveal(text, keep="\t\n").split())
    if "``" in shown or shown.count("`") % 2:
        return _literal(shown)
    parts = shown.split("`")
    return "".join(markdown_code(part) if index % 2 else _literal(part) for index, part in enumerate(parts))


def _literal(shown: str) -> str:
    escaped = _LINKED.sub(lambda found: found.group() + _NOTHING, shown.replace("&", "&amp;")).replace("$", "&#36;")
    # In the entities just made, `#` follows `&`; in the data no `&` is left before a `#`.
    return _LIST_NUMBER.sub(r"\1\\", _MARKDOWN_PUNCTUATION.sub(lambda found: "\\" + found.group(), escaped))


def markdown_code(text: str, *, in_table: bool = False) -> str:
    """Data as a code span, where GitHub looks for nothing."""
    shown = _reveal(text)
    if not shown.strip():
        return "(empty)"
    ticks = "`" * (_longest_run(shown) + 1)
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{padding}{shown.replace('|', chr(92) + '|') if in_table else shown}{padding}{ticks}"


def fence(text: str, info: str = "") -> str:
    """A fenced code block that ends where it should: its fence is longer than any run of backticks inside (row A45)."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    end = "" if not text or text.endswith("\n") else "\n"
    return f"{ticks}{info}\n{text}{end}{ticks}\n"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
