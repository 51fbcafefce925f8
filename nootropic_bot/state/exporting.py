"""All records as text: JSON lines as they are stored, or a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, get_type_hints

from nootropic_bot.state.index import Index
from nootropic_bot.state.schema import KINDS
from nootropic_bot.state.views import oldest_first

_ENVELOPE = ("id", "kind", "schema", "writer", "clock", "at")
# A spreadsheet takes a text that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_jsonl(index: Index, kind: str | None) -> Iterator[str]:
    """The stored lines, in the order of the records."""
    for _id, line in index.lines(oldest_first(index, kind)):
        yield f"{line.decode()}\n"


def to_csv(index: Index, kind: str | None) -> Iterator[str]:
    """A header and a row for every record; a nested value is JSON, a text that looks like a formula follows a `'`."""
    kinds = [KINDS[kind]] if kind else list(KINDS.values())
    columns = list(dict.fromkeys(name for each in kinds for name in get_type_hints(each)))
    yield _row([*_ENVELOPE, *columns])
    for _id, line in index.lines(oldest_first(index, kind)):
        record = json.loads(line)
        data = record["data"]
        yield _row([*(_cell(record[name]) for name in _ENVELOPE), *(_cell(data.get(name)) for name in columns)])


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _row(values: list[Any]) -> str:
    stream = io.StringIO()
    # All quoted: a lone carriage return would begin a row of its own.
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(values)
    return stream.getvalue()
