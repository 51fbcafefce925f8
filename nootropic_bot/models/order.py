"""Write `[models] order` into `nootropic.toml`, when that is one plain line; else leave the file to its author.

The rest of the file stays as it is, comments included. The result is read again: when anything but the order would
read differently, nothing is written.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

_TABLE = re.compile(r"^\[models\][ \t]*(?:#.*)?$", re.MULTILINE)
_NEXT_TABLE = re.compile(r"^\[", re.MULTILINE)
_ORDER = re.compile(r"^([ \t]*order[ \t]*=[ \t]*)\[[^\]\n#]*\]", re.MULTILINE)


def order_line(order: Sequence[str]) -> str:
    """The line as it stands in the configuration."""
    return f"order = {_array(order)}"


def with_order(text: str, order: Sequence[str]) -> str | None:
    """The configuration with this order; None when that takes more than changing or adding one line."""
    before = _parse(text)
    changed = _edit(text, order)
    after = _parse(changed)
    if before is None or after is None or not isinstance(after.get("models"), dict):
        return None
    expected = {**before, "models": {**before.get("models", {}), "order": list(order)}}
    return changed if after == expected else None


def _edit(text: str, order: Sequence[str]) -> str:
    table = _TABLE.search(text)
    if table is None:
        end = "" if not text or text.endswith("\n") else "\n"
        gap = "\n" if text.strip() else ""
        return f"{text}{end}{gap}[models]\n{order_line(order)}\n"
    following = _NEXT_TABLE.search(text, table.end())
    stop = following.start() if following else len(text)
    body = text[table.end() : stop]
    line = _ORDER.search(body)
    if line is None:
        return f"{text[: table.end()]}\n{order_line(order)}{body}{text[stop:]}"
    changed = body[: line.start()] + line[1] + _array(order) + body[line.end() :]
    return text[: table.end()] + changed + text[stop:]


def _array(order: Sequence[str]) -> str:
    return f"[{', '.join(json.dumps(name) for name in order)}]"


def _parse(text: str) -> dict[str, Any] | None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):  # A number of thousands of digits, arrays within arrays within arrays.
        return None
