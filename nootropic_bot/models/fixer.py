"""The language of the bundled fixer: how a finding is put to it, and how its answer is read.

    <|weakness|>what is wrong<|uses|>imports and logger<|before|>lines<|code|><|1|>line<|2|>line …<|after|>lines<|fix|>
    answer: <|2|>new text of line 2<|4|><|+|>text put after line 4 … <|end|>

The flagged text stands between `<|[|>` and `<|]|>`. An answer names only the lines that change, and of these `<|<|>`
stands for what comes before the flagged text and `<|>|>` for what comes after it; an empty one says that no fix is
known. Text of the file is tokenized as text, whatever it spells: only `Special` parts become control tokens (rows A19
and A20 of the attack corpus). It is not a prompt for people to edit but the format that the weights were trained on, so
it has a version of its own, `FORMAT`, that stands in the model file.
"""

from __future__ import annotations

import re

from nootropic_bot.models.base import BadAnswer, Prompt, Special
from nootropic_bot.window import MAX_ITEMS, Change, Window

FORMAT = "fixer/v1"
WEAKNESS, USES, BEFORE, CODE, AFTER, FIX = (
    Special(f"<|{name}|>") for name in ("weakness", "uses", "before", "code", "after", "fix")
)
OPEN, CLOSE, KEEP, END, PAD = (Special(f"<|{name}|>") for name in ("[", "]", "+", "end", "pad"))
HEAD, TAIL = Special("<|<|>"), Special("<|>|>")
LINES = tuple(Special(f"<|{number}|>") for number in range(1, MAX_ITEMS + 1))
SPECIALS = (PAD, WEAKNESS, USES, BEFORE, CODE, AFTER, FIX, OPEN, CLOSE, KEEP, END, HEAD, TAIL, *LINES)

_MAX_WEAKNESS = 240
_NUMBER = re.compile(r"<\|(\d{1,2})\|>")


def encode(weakness: str, window: Window) -> Prompt:
    """The prompt for one finding. Its first two parts depend on the rule alone, so their state can be reused."""
    parts: list[str | Special] = [WEAKNESS, shorten(weakness), USES, "\n".join(window.uses)]
    parts += [BEFORE, "\n".join(window.before), CODE]
    for number, item in enumerate(window.items):
        parts += [LINES[number], *_marked(window, number, item.text)]
    parts += [AFTER, "\n".join(window.after), FIX]
    return tuple(part for part in parts if part != "")


def shorten(weakness: str) -> str:
    """At most 240 characters, cut after a sentence where there is one."""
    text = " ".join(weakness.split())
    if len(text) <= _MAX_WEAKNESS:
        return text
    cut = text[:_MAX_WEAKNESS]
    stop = cut.rfind(". ")
    return cut[: stop + 1] if stop > _MAX_WEAKNESS // 3 else cut.rsplit(" ", 1)[0]


def _marked(window: Window, number: int, text: str) -> list[str | Special]:
    """An item's text with the marks that lie in it."""
    places: list[tuple[int, Special]] = []
    if window.start.item == number:
        places.append((window.start.col, OPEN))
    if window.end.item == number:
        places.append((window.end.col, CLOSE))
    parts: list[str | Special] = []
    done = 0
    for col, special in places:
        parts += [text[done:col], special]
        done = max(col, done)
    return [part for part in (*parts, text[done:]) if part != ""]


def answer_parts(changes: tuple[Change, ...]) -> Prompt:
    """The answer that asks for these changes, as the model is trained to write it."""
    parts: list[str | Special] = []
    for change in changes:
        parts += [LINES[change.item], *([KEEP] if change.keep else []), *([HEAD] if change.head else [])]
        parts += [change.text, *([TAIL] if change.tail else [])]
    return tuple(part for part in (*parts, END) if part != "")


def decode(answer: str) -> tuple[Change, ...]:
    """The changes that an answer asks for; none when it knows no fix.

    Raises:
        BadAnswer: it does not follow the format.
    """
    text = answer.removesuffix(END.token)
    pieces = _NUMBER.split(text)
    if pieces[0].strip():
        raise BadAnswer("the answer does not begin with a line")
    changes = []
    for number, body in zip(pieces[1::2], pieces[2::2], strict=True):
        keep = body.startswith(KEEP.token)
        rest = body[len(KEEP.token) :] if keep else body
        head, tail = rest.startswith(HEAD.token), rest.endswith(TAIL.token)
        rest = rest[len(HEAD.token) * head : len(rest) - len(TAIL.token) * tail]
        if (keep and (head or tail)) or any(special.token in rest for special in SPECIALS):
            raise BadAnswer("the answer holds control tokens where text should be")
        changes.append(Change(int(number) - 1, rest, keep, head, tail))
    return tuple(changes)
