"""The text form: what a person reads, in every kind of terminal, with friendly and hostile data."""

from __future__ import annotations

import io
import os
import pty
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nootropic_bot.codeframe import code_frame, diff_rows
from nootropic_bot.escape import is_hidden
from nootropic_bot.records import NotScanned, Position, Report, Suppression
from nootropic_bot.source import Source
from nootropic_bot.terminal import render_text
from tests.support.reports import (
    APP,
    HOSTILE,
    everyday,
    hostile,
    make_finding,
    make_report,
    make_source,
    make_suggestion,
)
from tests.test_escape import runner_obeys

ANSI = re.compile(r"\x1b\[[0-9;]*m")
VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


class Terminal(io.StringIO):
    """A stream that says it is a terminal; its size comes from COLUMNS."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


def plain(report: Report, sources: dict[str, Source] | None = None, **more: bool) -> str:
    return render_text(report, sources=sources or {}, **more)


def test_an_everyday_report_reads_as_intended() -> None:
    text = plain(*everyday())
    finding = text[text.index("●") : text.index("● src/app.py:11")]
    assert finding.rstrip() == (
        "● src/app.py:6:5  error  sql-built-from-strings  [CWE-89]\n"
        "  A value is put into the text of this SQL statement, so whoever supplies the value can change what\n"
        "  the statement does. Leave a placeholder in the statement and pass the value in the parameters\n"
        "  argument.\n"
        "  principle: Keep code and data apart\n"
        "\n"
        "    5 │     cursor = connection.cursor()\n"
        "    6 │     cursor.execute(f\"SELECT id, email FROM users WHERE name = '{name}'\")\n"
        f"      │     {'^' * 68}\n"
        "    7 │     return cursor.fetchall()\n"
        "\n"
        "  proved: scope ✓ parse ✓ names ✓ signature ✓ bounded ✓ gone ✓ nothing new ✓  by rule\n"
        "    5 │       cursor = connection.cursor()\n"
        "    6 │ -     cursor.execute(f\"SELECT id, email FROM users WHERE name = '{name}'\")\n"
        '    6 │ +     cursor.execute("SELECT id, email FROM users WHERE name = ?", (name,))\n'
        "    7 │       return cursor.fetchall()"
    )
    assert text.endswith(
        "3 findings in 2 files: 2 errors, 1 warning · 1 proved fix · 1 suppressed · 1 outside the change · 0.4 s\n"
        "  nootropic-bot review --apply  writes the proved fixes\n"
        "  nootropic-bot explain sql-built-from-strings  says more about a rule\n"
        "  nootropic-bot review --show-all  lists what is outside the change\n"
    )


def test_findings_are_grouped_by_file() -> None:
    text = plain(*everyday())
    headings = [line for line in text.splitlines() if "───" in line]
    assert [heading.split()[0] for heading in headings] == ["src/app.py", "src/old.py"]
    assert {len(heading) for heading in headings} == {100}


def test_a_clean_report_is_one_line() -> None:
    assert plain(make_report()) == "✓ no findings · 0.4 s\n"


def test_clean_but_incomplete_is_not_called_clean() -> None:
    text = plain(make_report(incomplete_reasons=("src/app.py: the engine timed out",)))
    assert text.startswith("incomplete\n  src/app.py: the engine timed out\n\n")
    assert "no findings in what was analysed · incomplete · 0.4 s" in text
    assert "✓" not in text


def test_what_was_not_scanned_is_listed_and_counted() -> None:
    items = tuple(NotScanned(f"big{n}.bin", "binary file") for n in range(12))
    text = plain(make_report(not_scanned=items))
    assert "not scanned\n  big0.bin  binary file\n" in text
    assert "… and 2 more; --format json lists them all" in text
    assert "12 files not scanned" in text


def test_an_unproved_suggestion_says_so_and_why() -> None:
    text = plain(*everyday())
    assert (
        "  unproved: by rule, never applied\n    ✗ names: undefined: foo\n    – gone not run: an earlier check failed\n"
        in text
    )
    assert text.count("proved: scope") == 1


def test_a_model_is_named_with_its_confidence() -> None:
    app = make_source("src/app.py", APP)
    suggestion = make_suggestion(app, (1, 1, "import os\n"), source="model", model="fixer@3", confidence=0.875)
    text = plain(make_report([make_finding(suggestion=suggestion)]))
    assert "nothing new ✓  by model fixer@3, confidence 0.88\n" in text


def test_a_suppressed_finding_takes_one_line() -> None:
    mark = Suppression("configuration", "we accept this", "2030-01-01")
    text = plain(make_report([make_finding(suppressed=mark)]), {"src/app.py": make_source("src/app.py", APP)})
    line = "  src/app.py:6:5  suppressed  sql-built-from-strings  configuration: we accept this (until 2030-01-01)\n"
    assert line in text
    assert "│" not in text
    assert text.endswith("✓ no findings · 1 suppressed · 0.4 s\n")


def test_what_is_outside_the_change_is_counted_or_shown() -> None:
    report = make_report([make_finding(in_scope=False, message="old news")])
    assert "old news" not in plain(report)
    assert "✓ no findings · 1 outside the change · 0.4 s" in plain(report)
    shown = plain(report, show_all=True)
    assert "[CWE-89]  outside the change\n  old news\n" in shown
    assert "--show-all" not in shown


def test_hints_can_be_left_out() -> None:
    assert "nootropic-bot" not in plain(*everyday(), hints=False)


def test_a_hint_can_be_pasted_into_a_shell() -> None:
    assert "explain 'a; rm -rf $HOME'" in plain(make_report([make_finding(rule_id="a; rm -rf $HOME")]))


def test_without_sources_there_is_no_frame() -> None:
    report, _sources = everyday()
    assert "│     cursor.execute" not in plain(report).replace("│ -", "").replace("│ +", "")


def test_a_report_of_other_lines_than_the_source_has_no_frame() -> None:
    report = make_report([make_finding(line=99)])
    assert "│" not in plain(report, {"src/app.py": make_source("src/app.py", APP)})


def test_colours_change_nothing_but_colours() -> None:
    report, sources = everyday()
    coloured = render_text(report, sources=sources, stream=Terminal())
    assert "\x1b[1;31m  error" in coloured
    assert "\x1b[32m" in coloured
    assert ANSI.sub("", coloured) == plain(report, sources)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    report, sources = everyday()
    assert "\x1b" not in render_text(report, sources=sources, stream=Terminal())


def test_no_colour_in_a_pipe_unless_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    report, sources = everyday()
    assert "\x1b" not in render_text(report, sources=sources, stream=io.StringIO())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in render_text(report, sources=sources, stream=io.StringIO())
    assert "\x1b" not in render_text(report, sources=sources), "a file has no colours, whatever the environment says"


def test_ascii_where_the_stream_takes_no_more() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    report, sources = everyday()
    text = render_text(report, sources=sources, stream=stream)
    assert "proved: scope ok parse ok" in text
    assert "* src/app.py:6:5  error" in text
    assert "    6 | -     cursor" in text
    assert not set("✓│─●…·") & set(text)


def test_a_real_terminal_gives_its_width_and_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    leader, follower = pty.openpty()
    try:
        with open(follower, "w", encoding="utf-8") as stream:
            report, sources = everyday()
            text = render_text(report, sources=sources, stream=stream)
    finally:
        os.close(leader)
    assert "\x1b[" in text
    rows = [line for line in ANSI.sub("", text).splitlines() if "│" in line or "─" in line]
    assert rows
    assert max(map(len, rows)) <= 72


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_hostile_data_drives_nothing(encoding: str) -> None:
    report, sources = hostile()
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    text = render_text(report, sources=sources, stream=stream, show_all=True)
    assert not [char for char in text if is_hidden(char) and char != "\n"]
    assert not runner_obeys(text)
    assert "src/caf\\xe9/na\\xffme.py:3:5" in text
    assert "\\x1b[2J" in text


def test_hostile_data_adds_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    report, sources = hostile()
    text = render_text(report, sources=sources, stream=Terminal(), show_all=True)
    assert "\x1b" not in ANSI.sub("", text)
    assert not runner_obeys(ANSI.sub("", text))


def test_markup_in_data_is_only_text() -> None:
    report = make_report(
        [make_finding(message="[red]x[/red] :warning: [link=http://e.example]y[/link]", rule_id="[bold]r")]
    )
    text = plain(report)
    assert "[red]x[/red] :warning: [link=http://e.example]y[/link]" in text
    assert "[bold]r" in text


def test_a_wrapped_message_starts_no_line_with_a_command() -> None:
    text = plain(make_report([make_finding(message="x" * 97 + " ::stop-commands::y " * 9)]))
    assert "\\x3a:stop-commands::y" in text
    assert not runner_obeys(text)


def test_the_frame_of_a_long_line_is_cropped_around_the_place() -> None:
    source = make_source("a.py", f"x = [{'1, ' * 200}BAD(), {'2, ' * 200}]\ny = 2\n")
    column = source.text.index("BAD") + 1
    rows = code_frame(make_finding("a.py", 1, start=Position(1, column), end=Position(1, column + 5)), source, 60)
    code, marks, after = (row.text for row in rows)
    assert len(code) <= 60
    assert code.startswith("…")
    assert code.endswith("…")
    assert code[marks.index("^") : marks.rindex("^") + 1] == "BAD()"
    assert after == ""


def test_the_frame_counts_cells_not_characters() -> None:
    source = make_source("a.py", "\tx = '日本語' + bad\n")
    column = source.text.index("bad") + 1
    rows = code_frame(make_finding("a.py", 1, start=Position(1, column), end=Position(1, column + 3)), source, 80)
    assert rows[0].text == "    x = '日本語' + bad"
    assert rows[1].text == " " * (4 + len("x = '") + 6 + len("' + ")) + "^^^"


def test_a_long_finding_is_shown_in_part() -> None:
    source = make_source("a.py", "".join(f"line{n}\n" for n in range(1, 31)))
    rows = code_frame(make_finding("a.py", 2, start=Position(2, 1), end=Position(20, 3)), source, 80)
    assert [row.number for row in rows] == [1, 2, None, *range(3, 10), None, 21]
    assert rows[2].text == "^^^^^"
    assert rows[-2].skipped == 11


def test_a_finding_that_ends_before_a_line_starts_does_not_hold_it() -> None:
    source = make_source("a.py", "a\nb\nc\nd\n")
    rows = code_frame(make_finding("a.py", 2, start=Position(2, 1), end=Position(3, 1)), source, 80)
    assert [(row.number, row.is_finding) for row in rows] == [(1, False), (2, True), (None, True), (3, False)]


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=()), max_size=120),
    st.integers(1, 8),
    st.integers(1, 130),
    st.integers(0, 3),
    st.integers(1, 130),
    st.integers(20, 60),
)
def test_any_frame_fits(text: str, line: int, column: int, more: int, end: int, width: int) -> None:
    from rich.cells import cell_len

    source = Source("a.txt", b"", text, "utf-8", b"", text)
    finding = make_finding("a.txt", line, start=Position(line, column), end=Position(line + more, end))
    for row in code_frame(finding, source, width):
        assert cell_len(row.text) <= width or set(row.text.lstrip()) == {"^"}
        assert not any(is_hidden(char) for char in row.text if char != "\ufe0f")


def test_the_rows_of_a_diff_have_line_numbers() -> None:
    source = make_source("a.py", "".join(f"l{n}\n" for n in range(1, 30)))
    suggestion = make_suggestion(source, (1, 1, "import os\nl1\n"), (5, 6, ""), (20, 20, "new\n"))
    rows = [(row.number, row.sign, row.text) for row in diff_rows(suggestion.diff)]
    assert rows == [
        (1, "+", "import os"), (1, " ", "l1"),
        (None, "", ""),
        (4, " ", "l4"), (5, "-", "l5"), (6, "-", "l6"), (7, " ", "l7"),
        (None, "", ""),
        (19, " ", "l19"), (20, "-", "l20"), (19, "+", "new"), (21, " ", "l21"),
    ]  # fmt: skip


def test_a_deleted_line_of_dashes_is_no_file_header() -> None:
    source = make_source("a.sql", "-- x\n++ y\nz\n")
    rows = diff_rows(make_suggestion(source, (1, 2, "")).diff)
    assert [(row.sign, row.text) for row in rows] == [("-", "-- x"), ("-", "++ y"), (" ", "z")]


def test_crlf_and_a_missing_line_end_are_shown_calmly() -> None:
    report, sources = hostile()
    text = render_text(replace(report, findings=report.findings[-2:]), sources=sources)
    part = text[text.index("windows.py:2:5") :]
    assert "    2 │ - if y == None:\n    2 │ + if y is None:\n" in part
    assert "      │ \\ No newline at end of file\n" in part
    assert "\\r" not in part.split("incomplete")[0]


def test_long_lines_of_a_diff_are_folded_not_lost() -> None:
    source = make_source("a.py", "x = 1\n")
    suggestion = make_suggestion(source, (1, 1, f"x = '{'abc' * 80}'\n"))
    text = plain(make_report([make_finding("a.py", 1, suggestion=suggestion)]))
    added = [line[8:] for line in text[text.index("    1 │ +") :].splitlines() if "│" in line]
    assert "".join(line.removeprefix("+").removeprefix(" ").strip() for line in added) == f"x = '{'abc' * 80}'"


def test_edits_elsewhere_show_their_path() -> None:
    source = make_source("other.py", "x = 1\n")
    suggestion = make_suggestion(source, (1, 1, "x = 2\n"))
    text = plain(make_report([make_finding("a.py", 1, suggestion=suggestion)]))
    assert "b/other.py" in text


def test_hostile_text_is_long_enough_to_mean_something() -> None:
    assert {"\x1b", "\u202e", "\n", "@", "`"} <= set(HOSTILE)
