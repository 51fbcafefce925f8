"""Statements with commands and queries, written in the many ways people write them.

Templates hold one command or query each; what has to be learnt here is to take any of them apart. Each generator draws
a statement with real expressions in it and writes both sides: the string built from parts, and the list of arguments or
the query with placeholders. Where no such fix is right (a pipe, a table's name), the answer is that there is none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_PROGRAMS = (
    "git ls cp mv rm tar gzip ffmpeg convert chmod chown mount umount ping curl wget docker kubectl make pip npm rsync ssh scp "
    "systemctl service ip iptables mysql psql redis-cli nmap openssl unzip zip find grep du df kill useradd dd lsof python node "
    "java gcc cmake pdftotext pandoc sox inkscape gs nvidia-smi adb xdg-open hg svn tesseract soffice montage"
).split()
_WORDS = (
    "-l -a -r -f -v -n -p --force --quiet --all --no-cache -rf -xzf -czf -i -y --depth 1 -o -d --user status log pull push clone "
    "checkout add commit show build run exec install start stop restart -q 644 755 root -t 10 /tmp /etc/hosts origin HEAD master"
).split()
_TABLES = "users accounts orders items sessions posts logs events files jobs tasks products invoices comments messages nodes".split()
_COLUMNS = "id name email owner token status kind path key value created title parent_id user_id amount state hash slug".split()


@dataclass(frozen=True, slots=True)
class Written:
    """A statement in both forms; `safe` equals `unsafe` where no fix is right. `start`..`end`: what is flagged, 0-based."""

    rule_id: str
    unsafe: str
    safe: str
    imports: tuple[str, ...]
    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Hole:
    text: str


_Part = str | _Hole


def written(random_: random.Random, expressions: Sequence[str], names: Sequence[str]) -> Written:
    """One statement of some kind."""
    draw = _Draw(random_, expressions, names)
    return random_.choice((_shell, _shell, _system, _query, _query, _query, _orm_query))(draw)


@dataclass(frozen=True, slots=True)
class _Draw:
    random_: random.Random
    expressions: Sequence[str]
    names: Sequence[str]

    def expression(self) -> str:
        simple = self.random_.random() < 0.5
        for _attempt in range(50):
            text = self.random_.choice(self.names if simple else self.expressions)
            if not re.search(r"[\"'{}\\%#]|lambda|await|yield|:=", text):
                return text
        return "value"

    def word(self, words: Sequence[str]) -> str:
        return self.random_.choice(words)

    def chance(self, probability: float) -> bool:
        return self.random_.random() < probability

    def name(self) -> str:
        return self.random_.choice(self.names)


def _joined(draw: _Draw, parts: Sequence[_Part], quote: str) -> str:
    """The parts as one string expression, in one of the four ways strings are built."""
    holes = [part.text for part in parts if isinstance(part, _Hole)]
    way = draw.word(("f", "f", "f", "%", "format", "+"))
    if not holes:
        return quote + "".join(str(part) for part in parts) + quote
    if way == "f":
        return "f" + quote + "".join(p if isinstance(p, str) else "{" + p.text + "}" for p in parts) + quote
    if way == "%":
        text = "".join(p.replace("%", "%%") if isinstance(p, str) else "%s" for p in parts)
        values = holes[0] if len(holes) == 1 and re.fullmatch(r"[\w.]+", holes[0]) else f"({', '.join(holes)}{',' * (len(holes) == 1)})"
        return f"{quote}{text}{quote} % {values}"
    if way == "format":
        return quote + "".join(p if isinstance(p, str) else "{}" for p in parts) + quote + f".format({', '.join(holes)})"
    return " + ".join(quote + p + quote if isinstance(p, str) else p.text for p in parts if p != "")


def _literal(parts: Sequence[_Part], quote: str) -> str:
    """One argument: a plain string, a bare expression, or an f-string of both."""
    if len(parts) == 1 and isinstance(parts[0], _Hole):
        return parts[0].text
    if all(isinstance(part, str) for part in parts):
        return quote + "".join(str(part) for part in parts) + quote
    return "f" + quote + "".join(p if isinstance(p, str) else "{" + p.text + "}" for p in parts) + quote


def _command(draw: _Draw) -> tuple[list[_Part], list[list[_Part]], bool]:
    """A command line as parts, as arguments, and whether only a shell can run it."""
    arguments: list[list[_Part]] = [[draw.word(_PROGRAMS)]]
    for _word in range(draw.random_.randint(0, 3)):
        arguments.append([draw.word(_WORDS)])
    for _hole in range(draw.random_.choice((1, 1, 1, 2, 2, 3))):
        hole = _Hole(draw.expression())
        place = draw.random_.randint(1, len(arguments))
        prefix = draw.word(("--output=", "--file=", "/var/lib/", "user@", "if=", "--name="))
        arguments.insert(place, [prefix, hole] if draw.chance(0.2) else [hole, draw.word((".txt", "/data", ".png", ":/tmp"))] if draw.chance(0.15) else [hole])
    parts: list[_Part] = []
    for number, argument in enumerate(arguments):
        quoted = "'" if draw.chance(0.15) and any(isinstance(p, _Hole) for p in argument) else ""
        for piece in (" " * bool(number) + quoted, *argument, quoted):
            if isinstance(piece, str) and parts and isinstance(parts[-1], str):
                parts[-1] = parts[-1] + piece
            elif piece:
                parts.append(piece)
    needs_shell = draw.chance(0.12)
    if needs_shell:
        tail = draw.word((" | grep -v done", " > out.txt", " && echo ok", " 2>&1", " || true", " *.log", "; sync"))
        if parts and isinstance(parts[-1], str):
            parts[-1] = parts[-1] + tail
        else:
            parts.append(tail)
    return parts, arguments, needs_shell


def _shell(draw: _Draw) -> Written:
    parts, arguments, needs_shell = _command(draw)
    quote = draw.word(('"', '"', "'")) if not any("'" in str(p) for p in parts) else '"'
    style = draw.word(("subprocess", "subprocess", "sp", ""))
    function = draw.word(("run", "call", "check_call", "check_output", "Popen"))
    called = f"{style}.{function}" if style else function
    imported = {"subprocess": "import subprocess", "sp": "import subprocess as sp", "": f"from subprocess import {function}"}[style]
    more = draw.random_.sample(("text=True", "cwd=" + draw.name(), "stdout=subprocess.PIPE", "env=" + draw.name(), "timeout=60"), draw.random_.randint(0, 2))
    more += ["check=True"] * (function == "run")
    before = draw.random_.randint(0, len(more))
    unsafe = [_joined(draw, parts, quote), *more[:before], "shell=True", *more[before:]]
    safe = ["[" + ", ".join(_literal(a, quote) for a in arguments) + "]", *more]
    return _call(draw, "subprocess-shell-true", called, unsafe, unsafe if needs_shell else safe, (imported,))


def _system(draw: _Draw) -> Written:
    parts, arguments, needs_shell = _command(draw)
    quote = draw.word(('"', "'")) if not any("'" in str(p) for p in parts) else '"'
    unsafe = [_joined(draw, parts, quote)]
    safe = ["[" + ", ".join(_literal(a, quote) for a in arguments) + "]"]
    made = _call(draw, "os-system-command", "os.system", unsafe, unsafe if needs_shell else safe, ("import os", "import subprocess"))
    if needs_shell:
        return made
    return Written(made.rule_id, made.unsafe, made.safe.replace("os.system(", "subprocess.call(", 1), made.imports, made.start, made.end)


def _call(draw: _Draw, rule_id: str, called: str, unsafe: Sequence[str], safe: Sequence[str], imports: tuple[str, ...]) -> Written:
    """A statement that makes the call, on one line or on several."""
    prefix = draw.word(("", "", f"{draw.name()} = ", "return ", f"self.{draw.name()} = "))
    is_long = sum(map(len, unsafe)) > 70
    wide = draw.chance(0.6 if is_long else 0.12)
    comma = "," if wide else ""

    def write(function: str, arguments: Sequence[str]) -> str:
        if not wide:
            return f"{prefix}{function}({', '.join(arguments)})"
        return "\n".join([f"{prefix}{function}(", *(f"    {a}," for a in arguments[:-1]), f"    {arguments[-1]}{comma}", ")"])

    bad = write(called, unsafe)
    lines = bad.split("\n")
    start, end = (0, len(prefix)), (len(lines) - 1, len(lines[-1]))
    if draw.chance(0.75):  # Rules about tainted text flag the text, others the whole call.
        inner = len("text(") if unsafe[0].startswith("text(") else 0
        column = (4 if wide else len(prefix) + len(called) + 1) + inner
        start, end = (int(wide), column), (int(wide), column + len(unsafe[0]) - inner - bool(inner))
    return Written(rule_id, bad, write(called, safe), imports, start, end)


def _conditions(draw: _Draw) -> tuple[list[_Part], list[str], bool]:
    """A query with holes, the hole's expressions, and whether one stands where no parameter can."""
    table, column = draw.word(_TABLES), draw.word(_COLUMNS)
    verb = draw.word(("select", "select", "select", "delete", "update", "insert"))
    count = draw.random_.choice((1, 1, 1, 2, 2, 3))
    holes = [draw.expression() for _hole in range(count)]
    in_table = draw.chance(0.1)
    place: list[_Part] = [_Hole(draw.expression())] if in_table else [table]
    if verb == "insert":
        names = ", ".join(draw.random_.sample(_COLUMNS, count))
        parts: list[_Part] = ["INSERT INTO ", *place, f" ({names}) VALUES ("]
        for number, hole in enumerate(holes):
            parts += [", " * bool(number), *_quoted(draw, hole)]
        return _merged([*parts, ")"]), holes, in_table
    head = {"select": f"SELECT {draw.word((column, '*', 'count(*)', column + ', id'))} FROM ", "delete": "DELETE FROM "}.get(verb)
    start: list[_Part] = [head, *place, " WHERE "] if head else ["UPDATE ", *place, f" SET {column} = 1 WHERE "]
    for number, hole in enumerate(holes):
        start += [draw.word((" AND ", " OR ")) * bool(number) + draw.word(_COLUMNS) + draw.word((" = ", " = ", " > ", " LIKE "))]
        start += _quoted(draw, hole)
    tail = draw.word(("", "", "", " ORDER BY id", " LIMIT 1", ";"))
    return _merged([*start, tail]), holes, in_table


def _quoted(draw: _Draw, hole: str) -> list[_Part]:
    return ["'", _Hole(hole), "'"] if draw.chance(0.6) else [_Hole(hole)]


def _merged(parts: Sequence[_Part]) -> list[_Part]:
    out: list[_Part] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] = out[-1] + part
        elif part != "":
            out.append(part)
    return out


def _with_placeholders(parts: Sequence[_Part], mark: Callable[[int], str]) -> str:
    text, count = "", 0
    for part in parts:
        if isinstance(part, _Hole):
            count += 1
            text = text.removesuffix("'") + mark(count)
        else:
            text += part.removeprefix("'") if count and text.endswith(mark(count)) else part
    return text


def _query(draw: _Draw) -> Written:
    parts, holes, in_table = _conditions(draw)
    quote = '"'
    is_sqlite = draw.chance(0.4)
    imported = "import sqlite3" if is_sqlite else draw.word(("import psycopg2", "import pymysql", "import MySQLdb", ""))
    mark = "?" if is_sqlite else "%s"
    receiver = draw.word(("cursor", "cur", "conn", "db", "self.cursor", "self.db", "connection", "c", "self._conn", draw.name()))
    called = f"{receiver}.execute"
    unsafe = [_joined(draw, parts, quote)]
    values = "(" + ", ".join(holes) + ("," if len(holes) == 1 else "") + ")"
    safe = [quote + _with_placeholders(parts, lambda _n: mark) + quote, values]
    return _call(draw, "sql-built-from-strings", called, unsafe, unsafe if in_table else safe, (imported,) if imported else ())


def _orm_query(draw: _Draw) -> Written:
    parts, holes, in_table = _conditions(draw)
    quote = '"'
    if draw.chance(0.5):
        called = f"{draw.word(('Person', 'Entry', 'Order', 'User', 'Item'))}.objects.raw"
        safe = [quote + _with_placeholders(parts, lambda _n: "%s") + quote, "[" + ", ".join(holes) + "]"]
        unsafe = [_joined(draw, parts, quote)]
        return _call(draw, "django-raw-sql", called, unsafe, unsafe if in_table else safe, ())
    names = [f"p{number}" for number in range(1, len(holes) + 1)]
    receiver = draw.word(("session", "db.session", "conn", "self.session", "connection"))
    query = quote + _with_placeholders(parts, lambda n: f":p{n}") + quote
    values = "{" + ", ".join(f'"{name}": {hole}' for name, hole in zip(names, holes, strict=True)) + "}"
    unsafe = [f"text({_joined(draw, parts, quote)})"]
    safe = [f"text({query})", values]
    return _call(draw, "sqlalchemy-text-from-strings", f"{receiver}.execute", unsafe, unsafe if in_table else safe, ("from sqlalchemy import text",))
