"""The Markdown form: readable, inert, and never over the limit without saying what is missing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from nootropic_bot.escape import is_hidden
from nootropic_bot.markdown import MAX_CHARS, render_markdown
from nootropic_bot.records import Finding, NotScanned, Suppression
from tests.support.reports import HOSTILE, everyday, hostile, make_finding, make_report, make_source, make_suggestion


def parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or []]


def test_an_everyday_report() -> None:
    text = render_markdown(everyday()[0])
    assert text.startswith("## nootropic-bot: 3 findings in 2 files\n\n| errors |")
    assert "| 2 | 1 | 0 | 1 | 1 | 1 | 0.4 |" in text
    assert text.index("### `src/app.py`") < text.index("`none-comparison`") < text.index("### `src/old.py`")
    assert "[CWE-89](https://cwe.mitre.org/data/definitions/89.html)" in text
    assert "*Principle: Keep code and data apart*" in text
    assert "<details><summary>Proved fix by rule</summary>\n\nscope ✓ · parse ✓" in text
    assert "⚠️ Unproved suggestion by rule, never applied" in text
    assert "- names failed: undefined: foo\n- gone not run: an earlier check failed\n" in text
    assert "- info `import-os` at `src/old.py:1`: suppressed by nosemgrep" in text
    assert "- error `sql-built-from-strings` at `src/other.py:9`: outside the change" in text


def test_diffs_are_in_their_fences_and_details_are_closed() -> None:
    tokens = parse(render_markdown(everyday()[0]))
    fences = [token for token in tokens if token.type == "fence"]
    assert [token.info for token in fences] == ["diff", "diff"]
    assert "+    cursor.execute" in fences[0].content
    html = "".join(token.content for token in tokens if token.type == "html_block")
    assert html.count("<details>") == html.count("</details>") == 3


def test_a_clean_report_is_short() -> None:
    text = render_markdown(make_report())
    assert text.startswith("## nootropic-bot: no findings\n")
    assert "###" not in text


def test_incomplete_comes_first() -> None:
    report = make_report(
        [make_finding()], incomplete_reasons=("a.py: time-out",), not_scanned=(NotScanned("b.bin", "binary file"),)
    )
    text = render_markdown(report)
    assert text.index("> [!WARNING]") < text.index("- a.py: time-out") < text.index("| errors |")
    assert "- `b.bin`: binary file" in text
    assert "no findings in what was analysed" in render_markdown(make_report(incomplete_reasons=("x",)))


def test_what_was_not_scanned_is_named_in_a_complete_report() -> None:
    text = render_markdown(make_report(not_scanned=(NotScanned("b.bin", "binary file"),)))
    assert "**Not scanned:**\n\n- `b.bin`: binary file\n" in text
    assert "[!WARNING]" not in text


def test_a46_hostile_data_is_inert() -> None:
    text = render_markdown(hostile()[0])
    tokens = parse(text)
    assert not [char for char in text if is_hidden(char) and char not in "\n\ufe0f"]
    html = [token.content for token in tokens if token.type == "html_block"]
    assert all(re.fullmatch(r"(<details><summary>[\w ⚠\ufe0f,]+</summary>|</details>)\n?", block) for block in html), (
        html
    )
    children = inline(tokens)
    assert not [child for child in children if child.type in ("image", "html_inline")]
    links = [child.attrs["href"] for child in children if child.type == "link_open"]
    assert set(links) == {"https://cwe.mitre.org/data/definitions/89.html"}
    prose = " ".join(child.content for child in children if child.type == "text")
    assert not re.search(r"@\w|#\d|://|www\.\w|<script", prose.replace("script>alert", "").replace("<", ""))


def test_a45_hostile_code_stays_in_its_fence() -> None:
    tokens = parse(render_markdown(hostile()[0]))
    fences = [token for token in tokens if token.type == "fence"]
    assert len(fences) == 3
    assert "+`````\n" in fences[0].content
    assert fences[0].content.rstrip().endswith("````")


@settings(deadline=None)
@given(st.lists(st.sampled_from(["```", "  ````", "~~~", "\r```", "</details>", "@team", "y"]), min_size=1, max_size=8))
def test_a45_any_diff_stays_in_its_fence(lines: list[str]) -> None:
    source = make_source("a.txt", "x\n")
    replacement = "".join(f"{line}\n" for line in lines)
    finding = make_finding("a.txt", 1, suggestion=make_suggestion(source, (1, 1, replacement)))
    tokens = parse(render_markdown(make_report([finding])))
    assert [token.type for token in tokens].count("fence") == 1
    assert tokens[-1].content.startswith("</details>")


def many(number: int, **more: object) -> list[Finding]:
    suggestion = make_suggestion(make_source("src/app.py", "x = 1\n"), (1, 1, "y = 2\n"))
    return [
        make_finding(
            path=f"src/package_{n % 7}/module.py",
            line=n + 1,
            id=f"{n:020}",
            severity=("error", "warning", "info")[n % 3],
            suggestion=suggestion,
            **more,
        )
        for n in range(number)
    ]


def test_a47_four_hundred_findings_fit_and_each_is_named() -> None:
    text = render_markdown(make_report(many(400)))
    assert len(text) <= MAX_CHARS
    for n in range(400):
        path = f"src/package_{n % 7}/module.py"
        is_full = re.search(rf"line {n + 1}, column", text)
        assert is_full or f"at `{path}:{n + 1}`" in text
    stated = re.search(r"### (\d+) more not shown in full", text)
    assert stated
    assert int(stated[1]) + len(re.findall(r"line \d+, column", text)) == 400


def test_a47_the_severest_are_shown_in_full() -> None:
    text = render_markdown(make_report(many(60)), max_chars=8_000)
    full = re.findall(r"\*\*(error|warning|info)\*\* · ", text)
    assert full
    assert set(full) == {"error"}
    assert text.count("<details>") == text.count("</details>")


def test_a47_what_can_not_even_be_named_is_counted() -> None:
    text = render_markdown(make_report(many(2_000, message="m" * 3_000)))
    assert len(text) <= MAX_CHARS
    stated = re.search(r"### (\d+) more not shown in full", text)
    unnamed = re.search(r"- … and (\d+) more\n", text)
    assert stated
    assert unnamed
    assert int(stated[1]) == int(unnamed[1]) + len(re.findall(r"^- \w+ `.*` at `", text, re.MULTILINE))
    assert int(stated[1]) + len(re.findall(r"line \d+, column", text)) == 2_000


def test_a47_one_giant_finding_is_cut_and_says_so() -> None:
    text = render_markdown(make_report([make_finding(message="word " * 100_000)]))
    assert len(text) < 5_000
    assert "(498000 more characters)" in text


def test_a47_suppressed_ones_count_too() -> None:
    findings = many(800, suppressed=Suppression("configuration", "because " * 20))
    text = render_markdown(make_report(findings))
    assert len(text) <= MAX_CHARS
    assert "### 800 more not shown in full" in text


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 30), st.integers(0, 30), st.integers(1_000, 20_000))
def test_a47_the_limit_holds(findings: int, reasons: int, skipped: int, limit: int) -> None:
    report = make_report(
        [*many(findings), *hostile()[0].findings],
        incomplete_reasons=tuple(f"{n}: {HOSTILE}" for n in range(reasons)),
        not_scanned=tuple(NotScanned(f"{n}{HOSTILE}", HOSTILE) for n in range(skipped)),
    )
    text = render_markdown(report, max_chars=limit)
    assert len(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    named = len(re.findall(r"line \d+, column", text))
    stated = re.search(r"### (\d+) more not shown in full", text)
    assert named + int(stated[1] if stated else 2) == findings + len(hostile()[0].findings)


@pytest.mark.parametrize("limit", [0, 1, 10, 200])
def test_even_an_absurd_limit_holds(limit: int) -> None:
    assert len(render_markdown(everyday()[0], max_chars=limit)) <= limit
