"""Source files as text: decoded as their language would, and normalised for the scanner.

CPython runs code that Semgrep does not see: behind a lone carriage return, spelt in full-width letters, in
UTF-7, after a byte order mark (row A29 of the attack corpus; all four were measured). So the scanner gets
`scan_text`: decoded per PEP 263, identifiers in NFKC as PEP 3131 demands, line ends as the universal newlines
of the tokenizer. `Source.position` leads back to the place in the original file.

Lines are git's: they end at line feeds.
"""

from __future__ import annotations

import bisect
import codecs
import io
import re
import tokenize
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from nootropic_bot.constants import PYTHON_SUFFIXES
from nootropic_bot.records import Position

_UTF8_FAMILY = frozenset({"utf-8", "utf8", "ascii", "us-ascii"})
_WORD = re.compile(r"[^\W\d]\w*")
_LINE_END = re.compile(r"\r\n?")
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class Undecodable(ValueError):
    """The bytes are no text that the language's own reader would accept; the message says why."""


@dataclass(frozen=True, slots=True)
class _Shift:
    """From `scan_offset` on, the original offset is `original_offset` plus the distance."""

    scan_offset: int
    original_offset: int


@dataclass(frozen=True)
class Source:
    """One decoded file. `text` has its original line ends and no byte order mark."""

    path: str
    raw: bytes
    text: str
    encoding: str
    bom: bytes
    scan_text: str
    shifts: tuple[_Shift, ...] = ()

    @cached_property
    def lines(self) -> list[str]:
        """The lines of `text`, each with its line end."""
        return split_lines(self.text)

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts

    @cached_property
    def is_faithful(self) -> bool:
        """Whether encoding `text` gives the original bytes back; where it doesn't, no fix is offered."""
        try:
            return self.encode(self.text) == self.raw
        except UnicodeError:
            return False

    @property
    def is_python(self) -> bool:
        """Whether the deep checks apply."""
        return is_python_path(self.path)

    @cached_property
    def newline(self) -> str:
        """The line end that most lines use."""
        crlf = self.text.count("\r\n")
        return "\r\n" if crlf * 2 > self.text.count("\n") else "\n"

    def encode(self, text: str) -> bytes:
        """`text` as the file's bytes.

        Raises:
            UnicodeError: a character does not exist in the file's encoding.
        """
        return self.bom + text.encode(self.encoding, "surrogateescape" if self.encoding == "utf-8" else "strict")

    def original_offset(self, scan_offset: int) -> int:
        """The code-point offset into `text` that belongs to one into `scan_text`."""
        if not self.shifts:
            return scan_offset
        index = bisect.bisect_right(self.shifts, scan_offset, key=lambda shift: shift.scan_offset) - 1
        if index < 0:
            return scan_offset
        shift = self.shifts[index]
        return shift.original_offset + scan_offset - shift.scan_offset

    def position(self, scan_offset: int) -> Position:
        """Line and column in the original file for an offset into `scan_text`."""
        return self.at(self.original_offset(scan_offset))

    def at(self, offset: int) -> Position:
        """Line and column for an offset into `text`."""
        offset = min(offset, len(self.text))
        line = min(bisect.bisect_right(self._line_starts, offset), max(len(self.lines), 1))
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def offset(self, position: Position) -> int:
        """The code-point offset into `text` of a position."""
        return self.offset_of_line(position.line) + position.col - 1

    def offset_of_line(self, line: int) -> int:
        """The code-point offset into `text` at which a line starts; the line after the last one starts at the end."""
        return self._line_starts[min(line - 1, len(self.lines))]


def is_python_path(path: str) -> bool:
    """Whether a path names Python source."""
    return path.endswith(PYTHON_SUFFIXES)


def split_lines(text: str) -> list[str]:
    """Lines as git counts them, each with its line end; `"".join` gives `text` back."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def decode(path: str, raw: bytes) -> Source:
    """Decode a file as its language's own reader would.

    Raises:
        Undecodable: it is binary, a Git LFS pointer, or declares an encoding that doesn't hold.
    """
    if raw.startswith(_LFS_POINTER):
        raise Undecodable("Git LFS pointer, the content is not in this repository")
    is_python = is_python_path(path)
    encoding, bom = _python_encoding(raw) if is_python else _plain_encoding(raw)
    if encoding == "utf-8" and b"\0" in raw:
        raise Undecodable("binary file (it holds NUL bytes)")
    errors = "surrogateescape" if encoding == "utf-8" else "strict"
    try:
        text = raw[len(bom) :].decode(encoding, errors)
    except (UnicodeError, ValueError) as error:
        raise Undecodable(f"not valid {encoding}, the encoding it declares") from error
    if "\0" in text:
        raise Undecodable("binary file (it holds NUL bytes)")
    scan_text, shifts = _normalise(text, is_python)
    return Source(path, raw, text, encoding, bom, scan_text, shifts)


def _plain_encoding(raw: bytes) -> tuple[str, bytes]:
    for bom, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if raw.startswith(bom):
            return encoding, bom
    return "utf-8", codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""


def _python_encoding(raw: bytes) -> tuple[str, bytes]:
    bom = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    head = io.BytesIO(raw[len(bom) :])
    # A cookie may stand behind a lone carriage return, which ends a line for CPython too.
    lines = iter(re.split(rb"(?<=\r)(?!\n)|(?<=\n)", head.getvalue(), maxsplit=2)[:2])
    try:
        name = tokenize.detect_encoding(lambda: next(lines))[0]
    except SyntaxError as error:
        if "invalid or missing encoding" in str(error):
            return "utf-8", bom  # The bytes are not UTF-8; they are kept, and the parse check speaks.
        raise Undecodable(f"the encoding it declares is unknown: {error}") from error
    info = codecs.lookup(name)
    if info.name in _UTF8_FAMILY:
        return "utf-8", bom
    if bom:
        raise Undecodable(f"it starts with a UTF-8 byte order mark but declares {name}")
    try:
        "".encode(info.name)
    except LookupError as error:  # CPython refuses codecs that don't make text (`hex`, `rot13`).
        raise Undecodable(f"{name} is not a text encoding") from error
    return info.name, bom


def _normalise(text: str, is_python: bool) -> tuple[str, tuple[_Shift, ...]]:
    has_returns = "\r" in text
    if not has_returns and (text.isascii() or not is_python):
        return text, ()
    replacements = [(m.start(), m.end(), "\n") for m in _LINE_END.finditer(text)] if has_returns else []
    if is_python and not text.isascii():
        replacements += _compatible_identifiers(text)
        replacements.sort()
    if not replacements:
        return text, ()
    parts: list[str] = []
    shifts: list[_Shift] = []
    position = length = 0
    for start, end, new in replacements:
        parts += (text[position:start], new)
        length += start - position + len(new)
        position = end
        shifts.append(_Shift(length, end))
    parts.append(text[position:])
    return "".join(parts), tuple(shifts)


def _compatible_identifiers(text: str) -> list[tuple[int, int, str]]:
    """Words that NFKC changes. String literals are changed too, which costs a fix there but hides nothing."""
    found = []
    for match in _WORD.finditer(text):
        word = match.group()
        if not word.isascii() and (normal := unicodedata.normalize("NFKC", word)) != word:
            found.append((match.start(), match.end(), normal))
    return found
