"""Data can't act: not on a terminal, not on a CI runner, not on GitHub's Markdown."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from nootropic_bot import escape
from tests.support.reports import HOSTILE

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
LIVELY_PARTS = [*"`~<>[]()!@#1a:/_*-+=|$&;.\\\n\r\t \x1b\u202e\udcff", "::", "##[", "www.", "GH-1", "<script>", "```"]
LIVELY = st.lists(st.sampled_from(LIVELY_PARTS), max_size=30).map("".join)


def github() -> MarkdownIt:
    """GitHub's dialect, with HTML on, as far as markdown-it-py speaks it."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def runner_obeys(log: str) -> list[str]:
    """The lines that GitHub's runner would try as commands (ActionCommand.TryParseV2 and TryParse)."""
    lines = re.split(r"\r\n|\r|\n", log)
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本 😀", "plain é 日本 😀"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\x07b\x7f\x9b", "a\\x07b\\x7f\\x9b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u200bb\ufeffc\u2060", "a\\u200bb\\ufeffc\\u2060"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud83d", "\\ud83d"),
        ("a\rb\u2028c\x85d", "a\\rb\\u2028c\\x85d"),
        ("nb\xa0sp", "nb\\xa0sp"),
        ("日本\u3000語", "日本\u3000語"),
        ("\u3164 = 1", "\\u3164 = 1"),
        ("x\ufe0f\U000e0101", "x\\ufe0f\\U000e0101"),
        ("⚠\ufe0f", "⚠\ufe0f"),
        ("\U000e0041", "\\U000e0041"),
        ("a\tb\nc", "a\tb\nc"),
    ],
)
def test_visible_shows_what_would_hide(text: str, shown: str) -> None:
    assert escape.visible(text) == shown


def test_one_line_and_code_lay_out_tabs_and_line_feeds() -> None:
    assert escape.one_line("a\tb\nc") == "a\\tb\\nc"
    assert escape.code("\tif x:\x1b[31m") == "    if x:\\x1b[31m"
    assert escape.code("::std::move") == "::std::move"


@settings(deadline=None)
@given(ANY_TEXT)
@example(HOSTILE)
def test_visible_leaves_nothing_hidden(text: str) -> None:
    for show in (escape.visible, escape.one_line, escape.code):
        shown = show(text)
        assert not any(escape.is_hidden(char) for char in shown if char not in "\t\n\ufe0f")
        shown.encode("utf-8")
    assert "\n" not in escape.one_line(text) + escape.code(text)


@settings(deadline=None)
@given(st.one_of(LIVELY, ANY_TEXT))
@example("  ::stop-commands::x")
@example("\xa0::debug::x")
@example("a\n\t::debug::x")
@example("###[error]x")
@example("::::")
@example(":\r:debug::x")
@example("#\r#\r[error]x")
def test_a3_shown_text_is_no_command(text: str) -> None:
    for show in (escape.visible, escape.one_line, escape.defuse_lines):
        assert not runner_obeys(show(text).replace("\r", ""))
    assert "##[" not in escape.code(text)


def test_a3_colours_do_not_hide_a_command() -> None:
    assert escape.defuse_lines("\x1b[1m  \x1b[31m::debug::x\x1b[0m") == "\x1b[1m  \x1b[31m\\x3a:debug::x\x1b[0m"


def test_other_runners_commands_are_defused() -> None:
    assert escape.visible("x ##vso[task.setvariable]y ##teamcity[z]") == (
        "x \\x23#vso[task.setvariable]y \\x23#teamcity[z]"
    )


def test_defuse_keeps_ordinary_text() -> None:
    text = "a::b\n# comment [x]\n## heading\nstd::string x;"
    assert escape.defuse_lines(text) == text


def test_a3_workflow_command() -> None:
    command = escape.workflow_command("error", "50%\r\n::stop-commands::x\x1b", {"file": "a:b,c%\n.py", "line": 3})
    assert command == "::error file=a%3Ab%2Cc%25%0A.py,line=3::50%25%0D%0A::stop-commands::x\\x1b"


@settings(deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_a3_workflow_command_is_one_line_that_reads_back(message: str, value: str) -> None:
    line = escape.workflow_command("warning", message, {"title": value, "line": 1})
    assert not re.search(r"[\r\n]", line)
    head, _, data = line.removeprefix("::warning ").partition("::")
    assert head.count(",") == 1
    assert "::" not in head
    assert data == escape.workflow_command("x", message).removeprefix("::x::")


def _shape(tokens: list) -> set[str]:
    kinds = set()
    for token in tokens:
        kinds.add(token.type)
        kinds |= _shape(token.children or [])
    return kinds


INERT = {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "code_inline"}


@settings(deadline=None)
@given(st.one_of(LIVELY, ANY_TEXT))
@example(HOSTILE)
@example("1. x")
@example("2) x")
@example("- [ ] x")
@example("    indented")
@example("a ``b` c")
@example("\\`x`")
@example("=== x")
@example("&#64;team &commat;team")
def test_a46_markdown_text_is_inert(text: str) -> None:
    shown = escape.markdown_text(text)
    assert "\n" not in shown
    assert _shape(github().parse(shown)) <= INERT


@settings(deadline=None)
@given(st.one_of(LIVELY, ANY_TEXT))
@example("@team fixes #1, GH-1, o/r#12 https://x.example www.x.example mail@x.example")
def test_a46_nothing_is_mentioned_or_linked(text: str) -> None:
    """GitHub looks at the text nodes of the rendered page, code apart."""
    for token in github().parse(escape.markdown_text(text)):
        for child in token.children or []:
            if child.type == "text":
                assert not re.search(r"@[\w-]|#\d|\bGH-\d|://|www\.\w", child.content, re.IGNORECASE)


def test_markdown_text_keeps_balanced_code() -> None:
    assert escape.markdown_text("use `a_b`, not `@c`") == "use `a_b`, not `@c`"
    assert escape.markdown_text("an odd ` one_two") == "an odd \\` one\\_two"


@settings(deadline=None)
@given(st.one_of(LIVELY, ANY_TEXT))
@example("``")
@example("`a")
@example(" a ")
@example("a\n\nb")
def test_markdown_code_is_one_code_span(text: str) -> None:
    tokens = github().parse(f"x {escape.markdown_code(text)} y")
    children = tokens[1].children or []
    shown = escape.code(text, tab="\\t").replace("\\x23#", "##")
    if not text.strip():
        return
    assert [child.type for child in children] == ["text", "code_inline", "text"]
    if "##" not in text:
        assert children[1].content == shown.replace("\t", "\\t")


def test_markdown_code_in_a_table_keeps_its_cell() -> None:
    cell = escape.markdown_code("a|b\\|c", in_table=True)
    html = github().render(f"| h | i |\n|---|---|\n| {cell} | z |\n")
    assert "<code>a|b\\|c</code>" in html
    assert html.count("<td>") == 2


FENCES = st.lists(
    st.sampled_from(["```", "````", " ```", "   `````", "~~~", "\r```", "x", "", "`", "</details>"]), max_size=12
)


@settings(deadline=None)
@given(FENCES.map("\n".join), st.sampled_from(["", "diff", "suggestion"]))
@example("a\r```\r@team", "suggestion")
def test_a45_a_fence_closes_where_it_should(content: str, info: str) -> None:
    tokens = github().parse(f"before\n\n{escape.fence(content, info)}\nafter\n")
    assert [token.type for token in tokens] == [
        *("paragraph_open", "inline", "paragraph_close"),
        "fence",
        *("paragraph_open", "inline", "paragraph_close"),
    ]
    assert tokens[3].info == info
    assert tokens[3].content.rstrip("\n") == content.replace("\r", "\n").rstrip("\n")
    assert tokens[5].content == "after"


def test_diff_lines_leave_out_the_carriage_returns_of_a_crlf_file() -> None:
    diff = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\n\\ No newline at end of file\n"
    assert escape.diff_lines(diff) == [
        "--- a/x",
        "+++ b/x",
        "@@ -1,2 +1,2 @@",
        " a",
        "-b",
        "+c",
        "\\ No newline at end of file",
    ]


def test_diff_lines_show_a_changed_line_end() -> None:
    assert escape.diff_lines("@@ -1 +1 @@\n-a\r\n+a\n")[1:] == ["-a\\r", "+a"]
    assert escape.diff_lines("") == []


def test_is_utf8() -> None:
    assert escape.is_utf8(None)
    assert escape.is_utf8(io.StringIO())
    assert escape.is_utf8(io.TextIOWrapper(io.BytesIO(), encoding="UTF8"))
    assert not escape.is_utf8(io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
