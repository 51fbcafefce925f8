"""Rules that can't say anything about a file are kept away from it.

A rule may name texts without which a file can't hold a finding (`metadata.nootropic.requires`): `os.system` is not
called in a file without the word `system`, whatever the aliases. Looking for a word costs microseconds, a taint rule on
a long file a second. The export tells the engine which rules a file is open to by the folders it lies in,
`=3=/=7=/app.py`, and each gated rule includes its own folder only; a rule that is open to no file is not even given to
the engine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from nootropic_bot.records import Rule

Gate = tuple[str, ...]
_PATTERN = "re:"


class Gates:
    """The gates of one scan; `folder` is asked for every target before `narrow`."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._of_rule: list[Gate] = [rule.requires for rule in rules]
        distinct = dict.fromkeys(gate for gate in self._of_rule if gate)
        self._numbers = {gate: number for number, gate in enumerate(distinct)}
        self._tests = [[_test(part) for part in gate] for gate in self._numbers]
        self._open: set[int] = set()

    def folder(self, content: bytes) -> str:
        """The folders for a target, each with a slash; empty when no rule is gated."""
        passed = [number for number, tests in enumerate(self._tests) if all(test(content) for test in tests)]
        self._open.update(passed)
        return "".join(f"={number}=/" for number in passed)

    def narrow(self, engine_file: bytes) -> bytes | None:
        """The merged rules without those that no target is open to, the others kept to their folders; None: no rule."""
        if not self._numbers:
            return engine_file
        kept = []
        for body, gate in zip(json.loads(engine_file)["rules"], self._of_rule, strict=True):
            number = self._numbers.get(gate)
            if number is None:
                kept.append(body)
            elif number in self._open:
                kept.append({**body, "paths": {"include": [f"**/={number}=/**"]}})
        return json.dumps({"rules": kept}).encode() if kept else None


def _test(part: str) -> Callable[[bytes], bool]:
    """One condition: a choice of texts, or a regular expression after `re:`, which is a hundred times slower."""
    if part.startswith(_PATTERN):
        pattern = re.compile(part.removeprefix(_PATTERN).encode())
        return lambda content: pattern.search(content) is not None
    needles = [text.encode() for text in part.split("|")]
    return lambda content: any(needle in content for needle in needles)
