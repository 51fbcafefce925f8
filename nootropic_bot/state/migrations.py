"""Numbered migrations of records: what lifts the data of an older schema to the next one. Append only.

Records are never rewritten: a line keeps the schema it was written with, and is lifted whenever it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Migration = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]

# Entry n lifts (kind, data) from schema n + 1 to schema n + 2; `schema.SCHEMA` is their number plus one.
MIGRATIONS: tuple[Migration, ...] = ()


def lift(
    kind: str, data: Mapping[str, Any], schema: int, migrations: Sequence[Migration] = MIGRATIONS
) -> Mapping[str, Any]:
    """Data of a kind, written with an older schema, as the current one has it."""
    for migration in migrations[schema - 1 :]:
        data = migration(kind, data)
    return data
