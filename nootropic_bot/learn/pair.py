"""One training pair: a prompt and the answer to it, and how it is stored."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from nootropic_bot.learn.expansion import Filled
from nootropic_bot.models.base import Prompt, Special
from nootropic_bot.models.fixer import answer_parts, encode
from nootropic_bot.records import Match
from nootropic_bot.source import decode
from nootropic_bot.window import Mark, changes_of, window_of


@dataclass(frozen=True, slots=True)
class Pair:
    """One example. `source` is one of the four of `pairs.py`; `package` says whose code it borrows, if one's."""

    rule_id: str
    source: str
    package: str
    prompt: Prompt
    answer: Prompt

    def to_json(self) -> str:
        """One line; control tokens are objects."""
        parts = {"prompt": _plain(self.prompt), "answer": _plain(self.answer)}
        return json.dumps({"rule": self.rule_id, "source": self.source, "package": self.package, **parts})


def _plain(prompt: Prompt) -> list[object]:
    return [{"special": part.token} if isinstance(part, Special) else part for part in prompt]


def from_json(line: str) -> Pair:
    """What `to_json` wrote."""
    data = json.loads(line)

    def parts(name: str) -> Prompt:
        return tuple(Special(each["special"]) if isinstance(each, dict) else each for each in data[name])

    return Pair(data["rule"], data["source"], data["package"], parts("prompt"), parts("answer"))


def make_pair(rule_id: str, origin: tuple[str, str], weakness: str, code: Filled) -> Pair | None:
    """A pair from the unsafe and the safe text of a file; None where the change does not lie in the window.

    `origin`: the pair's source and package.
    """
    try:
        source = decode("corpus.py", code.unsafe.encode())
    except (ValueError, UnicodeError):
        return None
    window = window_of(source, Match(rule_id, code.start, code.end, 0, 0, weakness, ""))
    if window is None:
        return None
    if hash_of(code.unsafe) % 8 == 0:  # Other people's rules flag other ranges: now and then the whole statement.
        last = len(window.items) - 1
        window = replace(window, start=Mark(0, 0), end=Mark(last, len(window.items[last].text)))
    changes = changes_of(window, source.lines, code.safe.splitlines(keepends=True))
    if changes is None or window.start == window.end:  # What is flagged is not among the lines shown.
        return None
    answer = answer_parts(tuple(window.abridged(change) for change in changes))
    return Pair(rule_id, *origin, encode(weakness, window), answer)


def hash_of(text: str) -> int:
    """A number that is the same in every run."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).digest(), "big")
