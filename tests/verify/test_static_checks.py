"""The checks of the proof that need no scanner: what each lets through and what it stops."""

from __future__ import annotations

import pytest

from tests.support.cases import failed, make_case

MODULE = '''\
"""Doc."""
import os


def load(path, mode="r", *, strict=False):
    """Load."""
    data = read(path, mode)  # keep me
    other = read(path)
    return data


class Store:
    def close(self):
        if self.handle == None:
            return
        self.handle.close()
'''


def change(old: str, new: str, at: str | None = None, **kwargs: object) -> dict[str, str]:
    """What fails when `old` becomes `new`; the finding covers `at`, by default the first line of `old`."""
    return failed(make_case(MODULE, MODULE.replace(old, new), at or old.strip().split("\n")[0], **kwargs))  # type: ignore[arg-type]


def test_a_change_inside_the_statement_passes() -> None:
    assert change("data = read(path, mode)", "data = read_safely(path, mode)") == {}


def test_a_change_of_a_compound_statements_head_passes() -> None:
    assert change("self.handle == None", "self.handle is None") == {}


def test_a_statement_may_become_two() -> None:
    assert (
        change("    other = read(path)\n", "    checked = path\n    other = read(checked, path)\n", "read(path)") == {}
    )


def test_a_guard_at_the_start_of_the_body_passes() -> None:
    before = 'def f(items=[]):\n    """Doc."""\n    return items\n'
    after = 'def f(items=None):\n    """Doc."""\n    if items is None:\n        items = []\n    return items\n'
    assert failed(make_case(before, after, "[]")) == {}


def test_a_parameter_that_is_called_like_a_way_around_is_no_more_than_that() -> None:
    before = "def prepare(self, globals={}):\n    return globals\n"
    guard = "    if globals is None:\n        globals = {}\n"
    after = f"def prepare(self, globals=None):\n{guard}    return globals\n"
    assert failed(make_case(before, after, "{}")) == {}
    # In the head it is not known yet, nor is another one's.
    for spoilt in (after.replace("=None", "=globals()"), after.replace("= {}", "= vars()")):
        assert "it brings in" in failed(make_case(before, spoilt, "{}"))["bounded"]


def test_a_parameter_is_known_in_every_block_of_its_function() -> None:
    """`globals` names an argument in the old line, so only the new line reads it."""
    inner = (
        "def prepare(x, globals):\n    for y in x:\n        if y:\n            y = pick(x, globals=1)\n    return y\n"
    )
    nested = "def prepare(x, *, globals):\n    def inner(y):\n        y = pick(x, globals=1)\n        return y\n    return inner\n"
    head = "def prepare(x, **globals):\n    if pick(x, globals=1):\n        return x\n"
    for before in (inner, nested, head):
        assert failed(make_case(before, before.replace("=1", "=globals"), "pick(x, globals=1)")) == {}
    # Another function's is not known here, nor is one of a method beside this one.
    elsewhere = "def other(globals):\n    return globals\n\n\ny = pick(x, globals=1)\n"
    method = "class A:\n    def a(self, globals): ...\n    def b(self, x):\n        y = pick(x, globals=1)\n"
    for before in (elsewhere, method):
        case = make_case(before, before.replace("=1", "=globals"), "pick(x, globals=1)")
        assert failed(case)["bounded"] == "it brings in `globals`"


def test_a_parameter_of_a_lambda_is_none_of_the_function() -> None:
    before = "def prepare(x, key=lambda vars: vars, kinds=[]):\n    return kinds\n"
    guard = "    if kinds is None:\n        kinds = vars(x)\n"
    after = before.replace("[]", "None").replace("    return", f"{guard}    return")
    assert failed(make_case(before, after, "[]"))["bounded"] == "it brings in `vars`"
    # In the lambda itself it is its own, as it is in a new one.
    for new in ("lambda vars: vars", "lambda vars: [vars]", "lambda *vars: vars"):
        assert failed(make_case(before, before.replace("[]", new), "[]")) == {}
    assert "bounded" in failed(make_case(before, before.replace("[]", "lambda x=vars(): x"), "[]"))


def test_an_import_at_module_level_passes() -> None:
    after = MODULE.replace("import os\n", "import os\nimport secrets\n").replace(
        "read(path, mode)", "secrets.read(path, mode)"
    )
    case = make_case(MODULE, after, "read(path, mode)", needs={"secrets": "import secrets"})
    assert failed(case) == {}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("    other = read(path)\n    return data\n", "    return data\n", "beyond", id="deletes-neighbour"),
        pytest.param("    return data\n", "    return None\n", "beyond", id="changes-neighbour"),
        pytest.param("    def close(self):\n", "    def close(self):\n        pass\n\n    def x(self):\n", "beyond", id="adds-method"),
        pytest.param("        self.handle.close()\n", "        self.handle.close()\n        self.x()\n", "beyond", id="adds-statement"),
    ],
)  # fmt: skip
def test_scope_stops_changes_elsewhere(old: str, new: str, says: str) -> None:
    assert says in change(old, new, "read(path, mode)")["scope"]


def test_scope_stops_a_guard_that_is_no_guard() -> None:
    before = "def f(items=[]):\n    return items\n"
    assert "scope" in failed(make_case(before, "def f(items=[]):\n    items = list(items)\n    return items\n", "[]"))


@pytest.mark.parametrize("mark", ["# nosemgrep", "# noqa: S602", "# type: ignore", "# pylint: disable=all", "# nosec"])
def test_a24_scope_stops_marks_that_silence_a_checker(mark: str) -> None:
    assert "adds" in change("other = read(path)", f"other = read(path)  {mark}")["scope"]


def test_a24_a_mark_that_was_there_may_stay() -> None:
    before = "x = read(path)  # noqa: S1\n"
    assert failed(make_case(before, "x = load(path)  # noqa: S1\n", "read(path)")) == {}


@pytest.mark.parametrize("path", [".github/scripts/x.py", "vendor/.git/x.py"])
def test_a23_scope_stops_forbidden_paths(path: str) -> None:
    assert "may not be touched" in failed(make_case("x = f(a)\n", "x = g(a)\n", "f(a)", path=path))["scope"]


def test_parse_stops_what_does_not_parse() -> None:
    assert "line 7" in change("data = read(path, mode)", "data = read(path, mode")["parse"]


def test_parse_stops_characters_that_the_encoding_lacks() -> None:
    from nootropic_bot.records import Edit, FileAnalysis, Match, Proposal
    from nootropic_bot.source import decode
    from nootropic_bot.verify.case import Case
    from nootropic_bot.verify.proof import prove

    source = decode("a.py", b"# coding: latin-1\nx = f('\xe9')\n")
    match = Match("rule", source.at(18), source.at(27), 18, 27, "m", "s")
    proposal = Proposal("f", (Edit("a.py", 2, 2, "x = g('\u20ac')\n"),), "rule")
    (verdict,) = prove([Case(source, match, FileAnalysis((match,)), proposal)], lambda _sources: [])
    assert not verdict.is_verified
    assert next(c for c in verdict.checks if c.name == "parse").status == "failed"
    assert {c.status for c in verdict.checks if c.name in ("gone", "nothing_new")} == {"not_run"}


def test_names_stops_an_import_that_was_not_added() -> None:
    case = make_case(MODULE, MODULE.replace("read(path, mode)", "json.read(path, mode)"), "read(path, mode)",
                     needs={"json": "import json"})  # fmt: skip
    assert "could not be added" in failed(case)["names"]


@pytest.mark.parametrize(
    "rival",
    ["secrets = load_all()\n", "import mysecrets as secrets\n", "def secrets(): ...\n", "def g(secrets): ...\n"],
)
def test_names_stops_a_name_that_means_something_else_here(rival: str) -> None:
    before = f"{rival}token = choice(letters)\n"
    after = f"import secrets\n{rival}token = secrets.choice(letters)\n"
    assert (
        "already means"
        in failed(make_case(before, after, "choice(letters)", needs={"secrets": "import secrets"}))["names"]
    )


def test_names_stops_a_builtin_that_the_file_redefines() -> None:
    before = "def isinstance(a, b): ...\nok = type(x) == int\n"
    after = "def isinstance(a, b): ...\nok = isinstance(x, int)\n"
    assert "redefined" in failed(make_case(before, after, "type(x) == int"))["names"]


@pytest.mark.parametrize(
    "new",
    ["load(path, mode, *, strict=False)", "load(path, mode='r', strict=False)", "load(mode='r', path=None, *, strict=False)",
     "load(path, mode='r', *, strict)", "load(path, mode='r', *rest, strict=False)"],
)  # fmt: skip
def test_signature_stops_changed_parameters(new: str) -> None:
    assert "load" in change('load(path, mode="r", *, strict=False)', new, '"r"')["signature"]


def test_signature_lets_a_default_value_change() -> None:
    assert change('mode="r"', 'mode="rb"', '"r"') == {}


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("    pass  # keep me\n", "nothing"),
        ("    ...  # keep me\n", "nothing"),
        ("    data = None  # keep me\n", "nothing is left"),
        ("    result = read(path, mode)  # keep me\n", "no longer assigned"),
        ("    data = getattr(io, 're' + 'ad')(path, mode)  # keep me\n", "getattr"),
        ("    data = __import__('io').read(path, mode)  # keep me\n", "__import__"),
        ("    data = load_all(path, mode)\n", "comment"),
    ],
)
def test_a24_bounded_stops_deleting_and_hiding(new: str, says: str) -> None:
    assert says in change("    data = read(path, mode)  # keep me\n", new, "read(path, mode)")["bounded"]


def test_bounded_stops_a_rewrite_beyond_recognition() -> None:
    essay = "    data = read(path, mode, " + ", ".join(f"x{i}=f({i})" for i in range(60)) + ")  # keep me\n"
    assert "parts" in change("    data = read(path, mode)  # keep me\n", essay, "read(path, mode)")["bounded"]


def test_other_languages_are_not_called_proved() -> None:
    checks = failed(make_case("eval(x);\n", "JSON.parse(x);\n", "eval(x)", path="a.js"))
    assert checks.keys() == {"parse", "names", "signature", "bounded"}


def test_a_decorator_belongs_to_its_function_head() -> None:
    before = "@retry(times=None)\ndef f():\n    return 1\n"
    assert failed(make_case(before, before.replace("None", "3"), "None")) == {}


def test_an_except_clause_is_a_head() -> None:
    before = "try:\n    f()\nexcept:\n    g()\n"
    assert failed(make_case(before, before.replace("except:", "except Exception:"), "except:")) == {}


def test_two_statements_on_one_line_are_told_apart() -> None:
    before = "a = f(x); b = g(y)\n"
    assert failed(make_case(before, "a = h(x); b = g(y)\n", "f(x)")) == {}
    assert "scope" in failed(make_case(before, "a = f(x); b = h(y)\n", "f(x)"))


# A handler that does nothing.

HANDLER = """\
import logging
log = logging.getLogger(__name__)


def close(parts):
    for part in parts:
        try:
            part.close()
        except Exception:
            pass
"""


@pytest.mark.parametrize("report", ['log.exception("not closed")', 'logging.warning("not closed", exc_info=True)'])
def test_an_idle_handler_may_report_the_error(report: str) -> None:
    after = HANDLER.replace("            pass", f"            {report}")
    assert failed(make_case(HANDLER, after, "except Exception:", source_of_fix="model")) == {}


def test_a_handler_that_goes_on_may_report_the_error_first() -> None:
    before = HANDLER.replace("pass", "continue")
    after = before.replace("            continue", '            log.exception("not closed")\n            continue')
    assert failed(make_case(before, after, "except Exception:", source_of_fix="model")) == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pass", "os.remove(part)"),  # no report
        ("pass", 'log.exception("x")\n            os.remove(part)'),
        ("pass", "return"),
        ("continue", 'log.exception("x")'),  # what followed the `try` would run now
        ("continue", 'continue\n            log.exception("x")'),
        ("raise", 'log.exception("x")'),
    ],
)
def test_anything_else_in_a_handler_is_out_of_scope(old: str, new: str) -> None:
    before = HANDLER.replace("pass", old)
    after = before.replace(f"            {old}", f"            {new}")
    assert "scope" in failed(make_case(before, after, "except Exception:", source_of_fix="model"))


def test_only_the_flagged_handler_may_report() -> None:
    before = HANDLER.replace("except Exception:", "except OSError:\n            pass\n        except Exception:")
    after = before.replace("            pass", '            log.exception("x")', 1)
    assert "scope" in failed(make_case(before, after, "except Exception:", source_of_fix="model"))


# Statements that a model puts beside the fixed one.


@pytest.mark.parametrize("added", ["print(mode)", "import shutil", "from shutil import rmtree"])
def test_a_model_puts_no_call_and_no_import_beside_the_statement(added: str) -> None:
    after = MODULE.replace("    other = read(path)\n", f"    {added}\n    other = read_safely(path)\n")
    reason = failed(make_case(MODULE, after, "read(path)", source_of_fix="model"))
    assert "beside the statement" in reason["bounded"]


def test_a_rules_own_fix_may_put_a_call_beside_the_statement() -> None:
    after = MODULE.replace("    other = read(path)\n", "    check(path)\n    other = read_safely(path)\n")
    assert failed(make_case(MODULE, after, "read(path)")) == {}


# What a model leaves out.

QUERY = """\
import subprocess


def rows(db, name, path):
    found = db.execute(f"SELECT id FROM item WHERE name = '{name}'").fetchall()
    subprocess.run(f"gzip --keep --level=9 {path}", shell=True)
    return found
"""
SQL = "f\"SELECT id FROM item WHERE name = '{name}'\""
COMMAND = 'f"gzip --keep --level=9 {path}"'


@pytest.mark.parametrize(
    ("old", "new", "at", "reason"),
    [
        (f"{SQL}).fetchall()", '"SELECT id FROM item WHERE name = ?", (name,))', SQL, "`.fetchall()`"),
        (SQL, '"SELECT id FROM item", (name,)', SQL, "`WHERE`"),
        (f"{COMMAND}, shell=True", '["gzip", "--level=9", path]', COMMAND, "`--keep`"),
    ],
)
def test_a_model_loses_no_result_and_no_word(old: str, new: str, at: str, reason: str) -> None:
    case = make_case(QUERY, QUERY.replace(old, new), at, source_of_fix="model")
    assert reason in failed(case)["bounded"]


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        (SQL, '"SELECT id FROM item WHERE name = ?", (name,)', SQL),
        (f"{COMMAND}, shell=True", '["gzip", "--keep", "--level=9", path]', COMMAND),
        (f"{COMMAND}, shell=True", '["gzip", "--keep", "--level", "9", path]', COMMAND),
    ],
)
def test_words_may_move_and_quotes_may_go(old: str, new: str, at: str) -> None:
    assert failed(make_case(QUERY, QUERY.replace(old, new), at, source_of_fix="model")) == {}
