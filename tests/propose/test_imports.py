"""Import repair: what is added, where, and what is left alone."""

from __future__ import annotations

import pytest

from nootropic_bot.diff import apply_edits
from nootropic_bot.propose.importplaces import with_imports
from nootropic_bot.propose.imports import repair_imports
from nootropic_bot.records import Edit, FileAnalysis, Match, Position, Proposal, Rule
from nootropic_bot.resources import bundled_rules
from nootropic_bot.rulefiles import find_rule_files, load_rules
from nootropic_bot.source import decode
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.checks import static_checks

RULE = Rule("r", "error", "m", ("python",), imports=("from ast import literal_eval",))


def repaired(before: str, line: int, new: str) -> str:
    """The file after the edit of one line and the imports it needs."""
    source = decode("a.py", before.encode())
    edits, _needs = repair_imports(source, Edit("a.py", line, line, new), RULE)
    return "".join(apply_edits(source.lines, edits))


def test_a_standard_library_module_is_imported_after_its_like() -> None:
    before = '"""Doc."""\nfrom __future__ import annotations\n\nimport os\n\nx = f()\n'
    expected = '"""Doc."""\nfrom __future__ import annotations\n\nimport os\nimport secrets\n\nx = secrets.f()\n'
    assert repaired(before, 6, "x = secrets.f()\n") == expected


def test_the_rule_says_how_a_name_is_imported() -> None:
    assert repaired("import os\nx = eval(s)\n", 2, "x = literal_eval(s)\n") == (
        "import os\nfrom ast import literal_eval\n\nx = literal_eval(s)\n"
    )


def test_a_file_without_imports_gets_one_at_its_top() -> None:
    assert repaired("x = f()\n", 1, "x = json.f()\n").startswith("import json\n")


def test_windows_line_ends_are_kept() -> None:
    result = repaired("import os\r\n\r\nx = f()\r\n", 3, "x = json.f()\r\n")
    assert result == "import json\r\nimport os\r\n\r\nx = json.f()\r\n"


def test_an_import_that_exists_is_not_repeated() -> None:
    assert repaired("import json\nx = f()\n", 2, "x = json.f()\n") == "import json\nx = json.f()\n"


def test_an_import_inside_a_function_does_not_count() -> None:
    before = "import os\n\n\ndef g():\n    import json\n\n\nx = f()\n"
    assert repaired(before, 8, "x = json.f()\n").startswith("import json\nimport os\n")


PLACES = {
    "in alphabetical order": (
        "import json\nimport sys\n\nx = 1\n",
        "import os",
        "import json\nimport os\nimport sys\n\nx = 1\n",
    ),
    "before what is not of the standard library": (
        "import numpy as np\nx = 1\n",
        "import os",
        "import os\n\nimport numpy as np\nx = 1\n",
    ),
    "after the future": (
        "from __future__ import annotations\nx = 1\n",
        "import os",
        "from __future__ import annotations\n\nimport os\n\nx = 1\n",
    ),
    "before the from statements": ("from typing import Any\n", "import os", "import os\nfrom typing import Any\n"),
    "a name joins its module": ("from a import b, d\n", "from a import c", "from a import b, c, d\n"),
    "a name joins a line of its own": (
        "from a import (\n    b,  # why\n    d,\n)\n",
        "from a import e",
        "from a import (\n    b,  # why\n    d,\n    e,\n)\n",
    ),
    "names without order stay": ("from a import d, b\n", "from a import c", "from a import d, b, c\n"),
    "constants and classes first": (
        "from a import ONE, Two, three\n",
        "from a import Other",
        "from a import ONE, Other, Two, three\n",
    ),
    "a comment above stays above": (
        "import numpy\n# why torch\nimport torch\n",
        "import os",
        "import os\n\nimport numpy\n# why torch\nimport torch\n",
    ),
    "statements on one line": ("import sys; x = 1\n", "import os", "import os\nimport sys; x = 1\n"),
    "above a decorator": (
        "import sys\n@f\ndef g(): pass\n",
        "from a import b",
        "import sys\nfrom a import b\n\n@f\ndef g(): pass\n",
    ),
    "below a form feed": (
        "import sys\n\x0c\ndef g(): pass\n",
        "import os",
        "import os\nimport sys\n\x0c\ndef g(): pass\n",
    ),
    "without a last line end": ("import sys\nx = 1", "import os", "import os\nimport sys\nx = 1"),
    "a file without imports": ('"""Doc."""\nx = 1\n', "import os", '"""Doc."""\nimport os\n\nx = 1\n'),
}


@pytest.mark.parametrize("name", PLACES)
def test_an_import_stands_where_an_import_sorter_wants_it(name: str) -> None:
    text, statement, expected = PLACES[name]
    assert with_imports(text, [statement]) == expected


def test_the_proof_accepts_a_name_that_joins_an_import() -> None:
    """Widening `from datetime import datetime` is no change of another statement."""
    source = decode("a.py", b"from datetime import datetime\n\nnow = datetime.now()\n")
    edit = Edit("a.py", 3, 3, "now = datetime.now(timezone.utc)\n")
    rule = Rule("r", "error", "m", ("python",), imports=("from datetime import timezone",))
    edits, needs = repair_imports(source, edit, rule)
    assert "".join(apply_edits(source.lines, edits)).startswith("from datetime import datetime, timezone\n")
    match = Match("r", Position(3, 7), Position(3, 21), 37, 51, "m", "s")
    checks = static_checks(Case(source, match, FileAnalysis(), Proposal("f", edits, "rule", needs=needs)))
    assert [check for check in checks if check.status != "passed"] == []


@pytest.mark.parametrize(
    "widened",
    [
        "from datetime import timezone",
        "from datetime import datetime as date, timezone",
        "from other import datetime, timezone",
    ],
)
def test_an_import_that_loses_a_name_is_another_statement(widened: str) -> None:
    source = decode("a.py", b"from datetime import datetime\n\nnow = datetime.now()\n")
    edits = (Edit("a.py", 1, 1, widened + "\n"), Edit("a.py", 3, 3, "now = datetime.now(timezone.utc)\n"))
    match = Match("r", Position(3, 7), Position(3, 21), 37, 51, "m", "s")
    checks = static_checks(Case(source, match, FileAnalysis(), Proposal("f", edits, "rule")))
    assert any(check.status == "failed" for check in checks)


@pytest.mark.parametrize("new", ["x = numpy.f()\n", "x = undefined_helper()\n"])
def test_what_is_not_known_is_never_guessed(new: str) -> None:
    assert "import numpy" not in repaired("x = f()\n", 1, new)
    assert "import undefined_helper" not in repaired("x = f()\n", 1, new)


@pytest.mark.parametrize(
    ("rule_id", "before", "new", "imported"),
    [
        ("http-header-injection", "import tornado.web\nf(x)\n", "f(quote(x))\n", "from urllib.parse import quote"),
        ("html-response-from-strings", "import flask\nf(x)\n", "f(escape(x))\n", "from html import escape"),
        ("html-response-from-strings", "import markupsafe\nf(x)\n", "f(escape(x))\n", "from markupsafe import escape"),
        (
            "html-response-from-strings",
            "from django import db\nf(x)\n",
            "f(escape(x))\n",
            "from django.utils.html import",
        ),
        # A package that this file can do without.
        (
            "html-response-from-strings",
            "try: import markupsafe\nexcept ImportError: markupsafe = None\nf(x)\n",
            "f(escape(x))\n",
            "from html import escape",
        ),
        (
            "html-response-from-strings",
            "if sys.platform == 'win32': import django\nf(x)\n",
            "f(escape(x))\n",
            "from html import escape",
        ),
        (
            "ldap-filter-injection",
            "try: import ldap3\nexcept ImportError: pass\nf(x)\n",
            "f(escape_filter_chars(x))\n",
            None,
        ),
        # Of a package that may not be there, of two that are, or without an example: the proof will refuse the name.
        ("ldap-filter-injection", "import os\nf(x)\n", "f(escape_filter_chars(x))\n", None),
        ("html-response-from-strings", "import markupsafe, django\nf(x)\n", "f(escape(x))\n", None),
        ("http-header-injection", "import os\nf(x)\n", "f(escape(x))\n", None),
        # The examples import these as well, but no fix of theirs brings them in.
        ("http-header-injection", "import flask\nf(x)\n", "f(make_response(x))\n", None),
    ],
)
def test_what_the_rules_examples_bring_in_is_imported_from_where_this_file_can(
    rule_id: str, before: str, new: str, imported: str | None
) -> None:
    rule = load_rules(find_rule_files(bundled_rules()), None).by_id[rule_id]
    source = decode("a.py", before.encode())
    last = len(source.lines)
    edits, needs = repair_imports(source, Edit("a.py", last, last, new), rule)
    made = "".join(apply_edits(source.lines, edits))
    if imported is None:
        assert (made, needs) == ("".join(source.lines[:-1]) + new, {})
    else:
        assert imported in made
        assert [each.startswith(imported) for each in needs.values()] == [True]


@pytest.mark.parametrize(
    ("before", "new", "first"),
    [
        ("from hashlib import md5\nx = md5(y)\n", "x = sha256(y)\n", "from hashlib import md5, sha256\n"),
        ("from tempfile import mktemp\nx = mktemp()\n", "x = mkdtemp()\n", "from tempfile import mkdtemp, mktemp\n"),
        # Not of that module, not in place of its name, not for sure, or of a module that may run anything.
        ("from hashlib import md5\nx = md5(y)\n", "x = sha257(y)\n", None),
        ("from hashlib import md5\nx = md5(y)\n", "x = sha256(md5(y))\n", None),
        ("from hashlib import md5 as m\nx = m(y)\n", "x = sha256(y)\n", None),
        ("from .hashlib import md5\nx = md5(y)\n", "x = sha256(y)\n", None),
        ("from antigravity import fly\nx = fly(y)\n", "x = geohash(y)\n", None),
    ],
)
def test_a_name_in_place_of_its_neighbour_comes_from_the_same_module(before: str, new: str, first: str | None) -> None:
    head = before.splitlines(keepends=True)[0]
    assert repaired(before, 2, new).startswith(first or head)
    assert repaired(before, 2, new).endswith(new)
    if first is None:
        assert repaired(before, 2, new) == head + new


def test_names_that_the_author_wrote_are_not_taken_for_modules() -> None:
    """`token` is a module of the standard library, and a common variable."""
    assert (
        repaired("def g(token):\n    return f(token)\n", 2, "    return h(token)\n")
        == "def g(token):\n    return h(token)\n"
    )


def test_another_language_is_left_alone() -> None:
    source = decode("a.js", b"x = f()\n")
    edit = Edit("a.js", 1, 1, "x = json.f()\n")
    assert repair_imports(source, edit, RULE) == ((edit,), {})
