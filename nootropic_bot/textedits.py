"""What a fix brings into a file, as the state keeps it: by code points, without the words that the file has already.

`text_edits` writes them, `line_edits` reads them back.
"""

from __future__ import annotations

import bisect
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nootropic_bot.escape import valid_text
from nootropic_bot.records import Edit
from nootropic_bot.source import Source
from nootropic_bot.state.redact import MIN_SECRET, find_secrets
from nootropic_bot.state.schema import TextEdit

_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
_MAX_COMPARISONS = 100_000


def text_edits(source: Source, edits: Iterable[Edit]) -> tuple[list[TextEdit], int]:
    """What a fix brings in, by code points of the decoded file, and how many secrets were taken out of it.

    A secret is looked for in whole lines, where its surroundings tell it, and then taken out of the part that is kept.
    """
    found: list[TextEdit] = []
    redacted = 0
    starts = [0]
    for line in source.lines:
        starts.append(starts[-1] + len(line))
    for edit in edits:
        hidden = {secret for secret, _kind in find_secrets(edit.replacement)}
        start = starts[edit.start_line - 1]
        for change in _changes(source.text[start : starts[edit.end_line]], edit.replacement, start):
            text = change["text"]
            if any(secret in text or (len(text) >= MIN_SECRET and text in secret) for secret in hidden):
                redacted += 1
                change = {"start": change["start"], "end": change["end"], "text": "[redacted]"}
            found.append(change)
    return found, redacted


def line_edits(source: Source, edits: Sequence[Mapping[str, Any]]) -> tuple[Edit, ...]:
    """Whole-line edits from recorded ones: those that touch the same lines become one.

    Raises:
        ValueError: they overlap, or lie outside the file.
    """
    starts = [0]
    for line in source.lines:
        starts.append(starts[-1] + len(line))
    size = len(source.text)
    # Stretches of whole lines: where they begin and end, and their new text so far.
    found: list[tuple[int, int, str]] = []
    done = 0
    for edit in sorted(edits, key=lambda e: (e["start"], e["end"])):
        start, end = edit["start"], edit["end"]
        if not done <= start <= end <= size or not source.lines:
            raise ValueError("the recorded edits overlap or lie outside the file")
        low, high = starts[_line_at(starts, start)], starts[_line_at(starts, max(start, end - 1)) + 1]
        if found and low < found[-1][1]:
            low, earlier, text = found.pop()
            # The rest of the line, taken over as it was, is edited here.
            text = text[: len(text) - (earlier - start)] + _new_text(source, edit)
            high = max(high, earlier)
        else:
            text = source.text[low:start] + _new_text(source, edit)
        found.append((low, high, text + source.text[end:high]))
        done = end
    return tuple(
        Edit(source.path, _line_at(starts, a) + 1, _line_at(starts, max(a, b - 1)) + 1, t) for a, b, t in found
    )


def _changes(before: str, after: str, offset: int) -> Iterator[TextEdit]:
    """The changed tokens of `before`, which begins at a code point of the file, and what takes their place.

    A word that the fix moves or repeats is kept as a place in the file, not as text.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    places = [offset]
    for token in old:
        places.append(places[-1] + len(token))
    words = {token: place for token, place in zip(old, places, strict=False) if token[0].isalnum() or token[0] == "_"}
    for i, j, k, m in _opcodes(old, new):
        text, copies = "", []
        for token in new[k:m]:
            if token in words:
                copies.append((len(text), words[token], words[token] + len(token)))
            else:
                text += token
        edit: TextEdit = {"start": places[i], "end": places[j], "text": valid_text(text)}
        if copies:
            edit["copies"] = copies
        yield edit


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """What differs: `old[i:j]` becomes `new[k:m]`; one stretch where a comparison would cost too much."""
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    end, stop = len(old) - last, len(new) - last
    if (end - first) * (stop - first) > _MAX_COMPARISONS:
        yield first, end, first, stop
        return
    matcher = difflib.SequenceMatcher(None, old[first:end], new[first:stop], autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            yield first + i, first + j, first + k, first + m


def _new_text(source: Source, edit: Mapping[str, Any]) -> str:
    """The new text of a recorded edit, with the words that it takes from the file."""
    text = edit["text"]
    parts: list[str] = []
    position = 0
    for at, start, end in edit.get("copies", ()):
        if not (position <= at <= len(text) and 0 <= start <= end <= len(source.text)):
            raise ValueError("a recorded edit copies from outside the file")
        parts += (text[position:at], source.text[start:end])
        position = at
    return "".join((*parts, text[position:]))


def _line_at(starts: Sequence[int], offset: int) -> int:
    """The 0-based line that holds a code point; the end of the file belongs to the last line."""
    return max(0, min(bisect.bisect_right(starts, offset) - 1, len(starts) - 2))
