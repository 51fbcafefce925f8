"""Import repair: what is added, where, and what is left alone."""

from __future__ import annotations

import pytest

from nootropic_bot.diff import apply_edits
from nootropic_bot.propose.imports import repair_imports
from nootropic_bot.records import Edit, Rule
from nootropic_bot.source import decode

RULE = Rule("r", "error", "m", ("python",), imports=("from ast import literal_eval",))


def repaired(before: str, line: int, new: str) -> str:
    """The file after the edit of one line and the imports it needs."""
    source = decode("a.py", before.encode())
    edits, _needs = repair_imports(source, Edit("a.py", line, line, new), RULE)
    return "".join(apply_edits(source.lines, edits))


def test_a_standard_library_module_is_imported_after_the_last_import() -> None:
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
    assert result == "import os\r\nimport json\r\n\r\nx = json.f()\r\n"


def test_an_import_that_exists_is_not_repeated() -> None:
    assert repaired("import json\nx = f()\n", 2, "x = json.f()\n") == "import json\nx = json.f()\n"


def test_an_import_inside_a_function_does_not_count() -> None:
    before = "import os\n\n\ndef g():\n    import json\n\n\nx = f()\n"
    assert repaired(before, 8, "x = json.f()\n").startswith("import os\nimport json\n")


@pytest.mark.parametrize("new", ["x = numpy.f()\n", "x = undefined_helper()\n"])
def test_what_is_not_known_is_never_guessed(new: str) -> None:
    assert "import numpy" not in repaired("x = f()\n", 1, new)
    assert "import undefined_helper" not in repaired("x = f()\n", 1, new)


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
