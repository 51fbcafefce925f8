"""The hidden last line of everything that is posted, by which a later run knows what it says and what is settled.

Text of a pull request may hold something that looks like a marker. Ours is the last line, which nothing from outside
ever is, and it has a form of its own: known keys, each once, values of hexadecimal digits only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

_ID = re.compile(r"[0-9a-f]{8,64}")
_LINE = re.compile(r"<!-- nootropic:v1((?: [a-z]{1,16}=[0-9a-f]{1,64}){1,8}) -->")
_COMMENT_KEYS = frozenset({"finding", "suggestion", "block", "fixed"})
_SUMMARY_KEYS = frozenset({"summary", "settled"})
_REPLY_KEYS = frozenset({"reply", "comment", "done", "effect"})


@dataclass(frozen=True, slots=True)
class Marker:
    """What a comment on a line says of itself.

    `finding`, `suggestion`: keys (see `key`), None without a fix. `is_block`: the fix is offered to be applied in the
    page, so it holds for exactly the commented lines. `fixed`: the head at which the finding was seen to be gone.
    """

    finding: str
    suggestion: str | None = None
    is_block: bool = False
    fixed: str | None = None

    def __str__(self) -> str:
        fields = {"finding": self.finding, "suggestion": self.suggestion, "block": "1" if self.is_block else None}
        return _line({**fields, "fixed": self.fixed})


@dataclass(frozen=True, slots=True)
class SummaryMarker:
    """What the summary says of itself. `settled`: the digest of what was posted completely; None until it was."""

    settled: str | None = None

    def __str__(self) -> str:
        return _line({"summary": "1", "settled": self.settled})


@dataclass(frozen=True, slots=True)
class ReplyMarker:
    """What a reply in the conversation says of itself.

    `reply`: a hash of what it answers, so that the same command is answered in the same place. `comment`: the number of
    the newest comment that it answers. `is_done`: nothing is left to do for that one. `has_effect`: it tells of
    something that was changed for that one, which stays said.
    """

    reply: str
    comment: int
    is_done: bool = False
    has_effect: bool = False

    def __str__(self) -> str:
        flags = {"done": "1" if self.is_done else None, "effect": "1" if self.has_effect else None}
        return _line({"reply": self.reply, "comment": f"{self.comment:x}", **flags})


def key(identity: str) -> str:
    """An id as it stands in a marker: itself where it is hexadecimal, as ours are, otherwise its hash."""
    return identity if _ID.fullmatch(identity) else digest([identity])


def digest(parts: Iterable[str]) -> str:
    """A hash of texts, as 20 hexadecimal digits."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:20]


def parse_marker(body: str) -> Marker | None:
    """The marker of a comment on a line, or None."""
    fields = _fields(body, _COMMENT_KEYS)
    if fields is None or "finding" not in fields or fields.get("block", "1") != "1":
        return None
    return Marker(fields["finding"], fields.get("suggestion"), "block" in fields, fields.get("fixed"))


def parse_summary_marker(body: str) -> SummaryMarker | None:
    """The marker of a summary, or None; by it a forge finds the comment to edit among those it wrote itself."""
    fields = _fields(body, _SUMMARY_KEYS)
    return SummaryMarker(fields.get("settled")) if fields is not None and fields.get("summary") == "1" else None


def parse_reply_marker(body: str) -> ReplyMarker | None:
    """The marker of a reply in the conversation, or None."""
    fields = _fields(body, _REPLY_KEYS)
    if fields is None or not {"reply", "comment"} <= fields.keys():
        return None
    if any(fields.get(flag, "1") != "1" for flag in ("done", "effect")):
        return None
    return ReplyMarker(fields["reply"], int(fields["comment"], 16), "done" in fields, "effect" in fields)


def _line(fields: dict[str, str | None]) -> str:
    text = "".join(f" {name}={value}" for name, value in fields.items() if value is not None)
    return f"<!-- nootropic:v1{text} -->"


def _fields(body: str, known: frozenset[str]) -> dict[str, str] | None:
    # Forges give bodies back with other line ends, and without white space at the end.
    found = _LINE.fullmatch(body.rstrip(" \t\r\n").rpartition("\n")[2])
    if found is None:
        return None
    pairs = [field.partition("=")[::2] for field in found[1].split()]
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) and fields.keys() <= known else None
