"""The `examples` of a rule: templates of unsafe and safe code with typed holes, and their expansion.

One source, four uses: tests of the rule, its documentation, few-shot examples in prompts, and, expanded over real
code, training pairs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from nootropic_bot.errors import UsageError

HoleType = Literal["expr", "name", "str", "int", "block"]
Side = Literal["unsafe", "safe"]

# What `rules test` fills in: one simple and several awkward values a type.
SAMPLES: Mapping[HoleType, tuple[str, ...]] = {
    "expr": ("payload", "request_data['key']", "build_value(a, b)", "self.settings.value"),
    "name": ("handle", "conn2"),
    "str": ("'report-2024'", '"a b"'),
    "int": ("7", "4096"),
    "block": ("log_event(item)\nprocess(item)",),
}
_SNIPPET = re.compile(r"(?m)^([ \t]*)\$SNIPPET[ \t]*$")


@dataclass(frozen=True, slots=True)
class Example:
    """One template: `unsafe` code, the `safe` code that replaces it, what stands around both, and typed holes."""

    unsafe: str
    safe: str
    setup: str
    holes: Mapping[str, HoleType]

    def expand(self, side: Side, values: Mapping[str, str]) -> str:
        """A whole file: the setup with the snippet in it, holes filled with `values`."""
        snippet = (self.unsafe if side == "unsafe" else self.safe).rstrip("\n")
        for hole in sorted(self.holes, key=len, reverse=True):
            snippet = _fill(snippet, hole, values[hole], is_block=self.holes[hole] == "block")
        place = _SNIPPET.search(self.setup)
        if place is None:
            return "\n".join(filter(None, (self.setup.rstrip("\n"), snippet))) + "\n"
        return self.setup[: place.start()] + _indent(snippet, place[1]) + self.setup[place.end() :].rstrip("\n") + "\n"

    def samples(self, side: Side) -> list[str]:
        """Expansions with every sample value at least once."""
        count = max((len(SAMPLES[kind]) for kind in self.holes.values()), default=1)
        return [
            self.expand(side, {h: SAMPLES[kind][n % len(SAMPLES[kind])] for h, kind in self.holes.items()})
            for n in range(count)
        ]


def parse_examples(rule_id: str, metadata: Mapping[str, Any]) -> list[Example]:
    """The examples of a rule's metadata.

    Raises:
        UsageError: an example lacks a side or has a hole of an unknown type.
    """
    own = metadata.get("nootropic")
    entries = own.get("examples", []) if isinstance(own, dict) else []
    examples = []
    for entry in entries:
        holes = entry.get("holes") or {}
        unknown = sorted({str(kind) for kind in holes.values()} - set(get_args(HoleType)))
        if unknown or not {"unsafe", "safe"} <= entry.keys():
            problem = f"the hole type {unknown[0]!r}" if unknown else "an example without `unsafe` or `safe`"
            raise UsageError(f"rule {rule_id}: {problem}", "see docs/writing-rules.md")
        examples.append(Example(str(entry["unsafe"]), str(entry["safe"]), str(entry.get("setup", "")), holes))
    return examples


def _fill(snippet: str, hole: str, value: str, *, is_block: bool) -> str:
    if is_block:
        snippet = re.sub(rf"(?m)^([ \t]*)\${hole}$", lambda match: _indent(value, match[1]), snippet)
    return snippet.replace(f"${hole}", value)


def _indent(text: str, prefix: str) -> str:
    return "\n".join(prefix + line if line.strip() else line for line in text.split("\n"))
