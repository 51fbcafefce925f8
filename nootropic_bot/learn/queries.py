"""Database queries put together from strings, and the same with placeholders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nootropic_bot.learn.strings import WAYS, Draw, Hole, Part, Written, call, joined, merged, tuple_of, words

_TABLES = words(
    "users accounts orders items sessions posts logs events files jobs tasks products invoices comments messages nodes"
)
_COLUMNS = words(
    "id name email owner token status kind path key value created title parent_id user_id amount state hash slug"
)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A query with holes, what stands in each hole that is a value, by column, and whether a parameter can."""

    parts: list[Part]
    values: list[tuple[str, str]]
    has_no_fix: bool


_DEFINITIONS = (
    "CREATE DATABASE ",
    "DROP DATABASE ",
    "DROP TABLE ",
    "DROP TABLE IF EXISTS ",
    "TRUNCATE TABLE ",
    "USE ",
    "CREATE TABLE ",
    "ALTER TABLE ",
    "CREATE SCHEMA ",
    "VACUUM ",
    "PRAGMA table_info ",
    "DESCRIBE ",
)
_ENDINGS = ("", "", "", ";", " CASCADE", " (id INTEGER PRIMARY KEY, name TEXT)", " ADD COLUMN name TEXT")


def _definition(draw: Draw) -> _Statement:
    """A statement about a table or a database, whose name no parameter can give."""
    verb = draw.word(_DEFINITIONS)
    return _Statement(merged([verb if draw.chance(0.6) else verb.lower(), draw.hole(), draw.word(_ENDINGS)]), [], True)


def _conditions(draw: Draw) -> _Statement:
    if draw.chance(0.08):
        return _definition(draw)
    count = draw.random_.choice((1, 1, 1, 2, 2, 3))
    first, *columns = draw.random_.sample(_COLUMNS, count + 1)
    holes = [draw.hole() for _hole in range(count)]
    values = [(column, hole.text) for column, hole in zip(columns, holes, strict=True)]
    in_table = draw.chance(0.1)
    place: Part = Hole(draw.expression()) if in_table else draw.word(_TABLES)
    verb = draw.word(("select", "select", "select", "delete", "update", "insert"))
    if verb == "insert":
        parts: list[Part] = ["INSERT INTO ", place, f" ({', '.join(columns)}) VALUES ("]
        for number, hole in enumerate(holes):
            parts += [", " * bool(number), *_quoted(draw, hole)]
        return _Statement(merged([*parts, ")"]), values, in_table)
    shown = draw.word((first, "*", "count(*)", first + ", " + columns[0]))
    start: list[Part] = {
        "select": ["SELECT ", shown, " FROM ", place],
        "delete": ["DELETE FROM ", place],
        "update": ["UPDATE ", place, " SET ", first, " = 1"],
    }[verb]
    start.append(" WHERE ")
    for number, (column, hole) in enumerate(zip(columns, holes, strict=True)):
        start += [draw.word((" AND ", " OR ")) * bool(number) + column + draw.word((" = ", " = ", " > ", " LIKE "))]
        start += _quoted(draw, hole)
    tail = draw.word(("", "", "", " ORDER BY id", " LIMIT 1", ";"))
    return _Statement(merged([*start, tail]), values, in_table)


def _quoted(draw: Draw, hole: Hole) -> list[Part]:
    return ["'", hole, "'"] if draw.chance(0.6) else [hole]


def _with_placeholders(parts: Sequence[Part], marks: Sequence[str]) -> str:
    """The query with a mark in place of each hole and of the quotes around it."""
    text, done = "", 0
    for part in parts:
        if isinstance(part, Hole):
            text = text.removesuffix("'") + marks[done]
            done += 1
        else:
            text += part.removeprefix("'") if done else part
    return text


def query_call(draw: Draw) -> Written:
    """A cursor's `execute`, of a driver that the imports may tell."""
    query, quote = _conditions(draw), '"'
    is_sqlite = draw.chance(0.4)
    imported = "import sqlite3" if is_sqlite else draw.word(("import psycopg2", "import pymysql", "import MySQLdb", ""))
    names = ("cursor", "cur", "conn", "db", "self.cursor", "self.db", "connection", "c", "self._conn", draw.name())
    called = f"{draw.word(names)}.execute"
    unsafe = [joined(draw.word(WAYS), query.parts, quote)]
    safe = unsafe
    if not query.has_no_fix:
        text = _with_placeholders(query.parts, ["?" if is_sqlite else "%s"] * len(query.values))
        safe = [quote + text + quote, tuple_of([value for _column, value in query.values])]
    return call(draw, "sql-built-from-strings", (called, called), unsafe, safe, (imported,) if imported else ())


def orm_call(draw: Draw) -> Written:
    """Raw SQL through Django or SQLAlchemy."""
    query, quote = _conditions(draw), '"'
    text = joined(draw.word(WAYS), query.parts, quote)
    if draw.chance(0.5):
        called = f"{draw.word(('Person', 'Entry', 'Order', 'User', 'Item'))}.objects.raw"
        unsafe = safe = [text]
        if not query.has_no_fix:
            marked = _with_placeholders(query.parts, ["%s"] * len(query.values))
            safe = [quote + marked + quote, "[" + ", ".join(value for _column, value in query.values) + "]"]
        return call(draw, "django-raw-sql", (called, called), unsafe, safe, ())
    called = f"{draw.word(('session', 'db.session', 'conn', 'self.session', 'connection'))}.execute"
    unsafe = safe = [f"text({text})"]
    if not query.has_no_fix:
        marked = _with_placeholders(query.parts, [":" + column for column, _value in query.values])
        values = "{" + ", ".join(f'"{column}": {value}' for column, value in query.values) + "}"
        safe = [f"text({quote}{marked}{quote})", values]
    imported = ("from sqlalchemy import text",)
    return call(draw, "sqlalchemy-text-from-strings", (called, called), unsafe, safe, imported)
