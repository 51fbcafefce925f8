"""Commands and queries: what a drawn statement says stays the same in its safe form, for harmless values.

The statements are run: with a `subprocess`, an `os` and a database cursor that keep what they are given. Commands are
compared as a shell would take them apart, queries as a driver would put them together.
"""

from __future__ import annotations

import ast
import random
import re
import shlex
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nootropic_bot.learn.commandlines import shell_call, system_call
from nootropic_bot.learn.queries import orm_call, query_call
from nootropic_bot.learn.strings import Draw, Written, words
from nootropic_bot.learn.synthetic import written
from tests.learn.code import material

_NAMES = ("alpha", "beta_2", "Gamma")
_EXPRESSIONS = ("alpha", "holder.value", "holder.call(alpha)", "table[alpha]", "table[0:2]", "holder.call(beta_2, 3)")
_TAIL = re.compile(r"(?s) (\| grep -v done|> out\.txt|&& echo ok|2>&1|\|\| true|\*\.log)$|; sync$")


class _Kept:
    """Stands for every function that a statement may call."""

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self.PIPE = "PIPE"

    def __getattr__(self, name: str) -> Any:
        return self if not name.startswith("__") else object.__getattribute__(self, name)

    def __call__(self, *args: Any, **more: Any) -> str:
        self.calls.append((args, more))
        return "done"


class _Table:
    def __getitem__(self, key: object) -> str:
        return "cell"


def _run(snippet: str, value: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the call of the statement was given, with `value` for each name."""
    kept = _Kept()
    called = "run call check_call check_output Popen subprocess sp os cursor cur conn db connection c session"
    space: dict[str, Any] = dict.fromkeys([*words(called), "Person", "Entry", "Order", "User", "Item"], kept)
    space |= dict.fromkeys(_NAMES, value) | {
        "shlex": shlex,
        "PIPE": "PIPE",
        "table": _Table(),
        "text": lambda query: query,
    }
    space["holder"] = SimpleNamespace(value=value, call=lambda *_args: value)
    snippet = re.sub(r"^\w+ = ", "", snippet)  # The name may occur among the values, too.
    for name in _NAMES:  # A receiver may be any name, and is a value elsewhere in the same statement.
        snippet = re.sub(rf"(^|= |return ){name}\.execute\(", r"\1cursor.execute(", snippet)
    body = "\n".join("    " + line for line in snippet.split("\n"))
    exec(f"def statement(self):\n{body}\n", space)
    space["statement"](kept)
    return kept.calls[-1]


def _drawn(seed: int, kind: Any = None) -> Written:
    random_ = random.Random(seed)
    return kind(Draw(random_, _EXPRESSIONS, _NAMES)) if kind else written(random_, _EXPRESSIONS, _NAMES)


@pytest.mark.parametrize("kind", [shell_call, system_call])
def test_a_command_means_the_same_without_a_shell(kind: Any) -> None:
    """The old string, taken apart as a shell does, is the new list; with a tail, the string itself stays the same."""
    tails = 0
    for seed in range(400):
        made = _drawn(seed, kind)
        before, more_before = _run(made.unsafe, "value")
        after, more_after = _run(made.safe, "value")
        if isinstance(after[0], str):
            tails += 1
            assert shlex.split(after[0]) == shlex.split(before[0]), made
            assert _TAIL.search(after[0]), made
            assert more_after == more_before, made
        else:
            assert after[0] == shlex.split(before[0]), made
            assert {**more_after, "shell": True} == {**more_before, "shell": True}, made
            assert "shell" not in more_after, made
    assert 20 < tails < 100


_NASTY = ("a b", "x; rm -rf /", "$(reboot)", "it's", '"', "*", "", "--option", "back\\slash", "café", "%s {} {0}")


@pytest.mark.parametrize("kind", [shell_call, system_call])
def test_no_value_breaks_out_of_a_safe_command(kind: Any) -> None:
    for seed in range(200):
        made = _drawn(seed, kind)
        harmless, _more = _run(made.safe, "QQQ")
        value = _NASTY[seed % len(_NASTY)]
        nasty, _more = _run(made.safe, value)
        if isinstance(nasty[0], str):
            words = shlex.split(_TAIL.sub("", harmless[0]))
            assert shlex.split(_TAIL.sub("", nasty[0])) == [word.replace("QQQ", value) for word in words], made
        else:
            assert nasty[0] == [word.replace("QQQ", value) for word in harmless[0]], made


def test_a_command_that_needs_a_shell_keeps_it() -> None:
    for seed in range(600):
        made = _drawn(seed, shell_call)
        needs = any(
            tail in made.unsafe for tail in (" | grep", " > out", " && echo", " 2>&1", " || true", " *.log", "; sync")
        )
        assert needs == ("shell=True" in made.safe) == ("shlex.quote(" in made.safe), made


def _values(made: Written, value: str) -> tuple[str, list[Any]]:
    args, _more = _run(made.safe, value)
    assert len(args) == 2, made
    query, given_ = args
    if isinstance(given_, dict):
        names = re.findall(r":(\w+)", query)
        assert sorted(names) == sorted(given_), made
        return re.sub(r":\w+", "?", query), [given_[name] for name in names]
    assert isinstance(given_, list if ".raw(" in made.safe else tuple), made
    marks = {mark for mark in ("?", "%s") if mark in query}
    assert len(marks) == 1, made
    return query.replace("%s", "?"), list(given_)


@pytest.mark.parametrize("kind", [query_call, orm_call])
def test_a_query_means_the_same_with_placeholders(kind: Any) -> None:
    """As many placeholders as parameters; with the parameters put in, the old query comes back."""
    unfixed = 0
    for seed in range(500):
        made = _drawn(seed, kind)
        if made.safe == made.unsafe:
            unfixed += 1
            continue
        (before, *rest), _more = _run(made.unsafe, "value")
        assert not rest
        query, values = _values(made, "value")
        assert query.count("?") == len(values), made
        for each in values:
            query = query.replace("?", str(each), 1)
        assert query == before.replace("'", ""), made
        assert "'" not in query
    assert 20 < unfixed < 100


def test_a_query_has_no_fix_only_where_a_name_is_no_value() -> None:
    for seed in range(600):
        made = _drawn(seed, query_call)
        args, _more = _run(made.unsafe, "QQQ")
        table = re.search(r"(?:FROM|INTO|UPDATE) (\S+)", args[0])
        # Without one of these words it is a definition, which takes no parameters at all.
        is_drawn = table is None or table[1] in ("QQQ", "cell")
        assert is_drawn == (made.safe == made.unsafe), made


def test_the_placeholder_is_the_driver_s() -> None:
    for seed in range(300):
        made = _drawn(seed, query_call)
        if made.safe != made.unsafe:
            assert ("?" in made.safe) == (made.imports == ("import sqlite3",)), made


def test_a_thousand_statements_of_real_expressions_parse() -> None:
    random_, found = random.Random(9), material()
    kinds: Counter[str] = Counter()
    for _round in range(1000):
        made = written(random_, found.expressions, found.names)
        kinds[made.rule_id] += 1
        for snippet in (made.unsafe, made.safe):
            body = "\n".join("    " + line for line in snippet.split("\n"))
            ast.parse("\n".join([*made.imports, f"def f(self):\n{body}\n"]))
    assert set(kinds) == {
        "subprocess-shell-true",
        "os-system-command",
        "sql-built-from-strings",
        "django-raw-sql",
        "sqlalchemy-text-from-strings",
    }


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_the_flagged_part_is_the_call_or_its_text(seed: int) -> None:
    made = _drawn(seed)
    lines = made.unsafe.split("\n")[made.start[0] : made.end[0] + 1]
    lines[-1] = lines[-1][: made.end[1]]
    lines[0] = lines[0][made.start[1] :]
    flagged = ast.parse("\n".join(lines), mode="eval").body
    assert isinstance(flagged, ast.Call | ast.JoinedStr | ast.BinOp), made
    if made.start[0] == made.end[0] == 0 and isinstance(flagged, ast.Call):
        assert made.unsafe.endswith(lines[0]) or lines[0].endswith(")"), made


def test_strings_are_built_and_quoted_in_all_ways() -> None:
    """Each way of building a string occurs, in both kinds of quotes, and on one line as well as on several."""
    texts = [_drawn(seed).unsafe for seed in range(400)]
    for way in ('f"', "f'", '" % ', "' % ", ".format(", '" + ', "' + ", "str("):
        assert sum(way in text for text in texts) > 3, way
    assert sum("\n" in text for text in texts) > 40


def test_the_same_seed_draws_the_same() -> None:
    assert [_drawn(seed) for seed in range(50)] == [_drawn(seed) for seed in range(50)]
    assert len({_drawn(seed).unsafe for seed in range(200)}) > 190
