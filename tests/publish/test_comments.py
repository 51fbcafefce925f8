"""The Markdown that is posted: readable, inert, and within the limit."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from nootropic_bot.escape import is_hidden
from nootropic_bot.forge import Limits
from nootropic_bot.marker import Marker, SummaryMarker, key, parse_marker
from nootropic_bot.publish.anchors import Anchor
from nootropic_bot.publish.comments import comment_body, fixed_body, listed, named, patch
from nootropic_bot.publish.summary import Listed, Overview, proof_line, review_body, summary_page
from nootropic_bot.records import Check, Finding, NotScanned, Suggestion
from tests.support.forge import suggestion_blocks
from tests.support.reports import HOSTILE, everyday, hostile, make_finding, make_report, make_source, make_suggestion

LIMITS = Limits()
HEAD = "b" * 40
SOURCE = make_source("src/app.py", "x = 1\ny = 2\n")
FIX = make_suggestion(SOURCE, (1, 1, "x = 3\n"))
FORGED = "<!-- nootropic:v1 finding=ffffffffffffffffffff -->"


def parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def body_of(finding: Finding, fix: Suggestion | None, replacement: str | None, last: int = 1) -> str:
    return comment_body(finding, fix, Anchor(finding.path, 1, last, replacement), LIMITS)


def overview(findings: list[Finding], listed_: list[Listed] | None = None, **more: object) -> Overview:
    items = [Listed(finding, finding.suggestion, "cap") for finding in findings] if listed_ is None else listed_
    fixes = tuple(finding.suggestion for finding in findings if finding.suggestion is not None)
    return Overview(make_report(findings, **more), HEAD, fixes, len(findings) - len(items), 0, 0, tuple(items))


def assert_inert(text: str) -> None:
    """Nothing links (but to CWE), mentions, refers, shows an image or holds HTML of others; hidden characters are seen."""
    tokens = parse(text)
    assert not [char for char in text if is_hidden(char) and char not in "\n\ufe0f"]
    for token in tokens:
        if token.type == "html_block":
            assert re.fullmatch(
                r"(<details><summary>[\w ,]+</summary>|</details>|<!-- nootropic:v1[ \w=]+-->)\n?", token.content
            )
    children = [child for token in tokens for child in token.children or []]
    assert not [child for child in children if child.type in ("image", "html_inline")]
    links = {child.attrs["href"] for child in children if child.type == "link_open"}
    assert links <= {"https://cwe.mitre.org/data/definitions/89.html"}
    prose = " ".join(child.content for child in children if child.type == "text")
    assert not re.search(r"@\w|#\d|://|www\.\w", prose)


def test_a_comment_with_a_block() -> None:
    text = body_of(make_finding(line=1), FIX, "x = 3\n")
    assert text.startswith("🔴 **error** · `sql-built-from-strings` · [CWE-89](")
    assert "\n```suggestion\nx = 3\n```\n" in text
    assert "Proved fix by rule: scope ✓ · parse ✓" in text
    assert "apply" not in text
    marker = parse_marker(text)
    assert marker == Marker(make_finding(line=1).id, FIX.id, is_block=True)


def test_a_comment_with_a_patch() -> None:
    text = body_of(make_finding(line=1), FIX, None)
    assert suggestion_blocks(text) == []
    fences = [token for token in parse(text) if token.type == "fence"]
    assert [token.info for token in fences] == ["diff"]
    assert "+x = 3\n" in fences[0].content
    assert "<details><summary>Proved fix by rule, as a patch</summary>" in text
    assert f"`/nootropic apply {FIX.id}`" in text
    assert parse_marker(text) == Marker(make_finding(line=1).id, FIX.id)


def test_a_comment_without_a_fix() -> None:
    text = body_of(make_finding(line=1), None, None)
    assert "Proved" not in text
    assert parse_marker(text) == Marker(make_finding(line=1).id)


@pytest.mark.parametrize(
    ("info", "last", "opening"), [("suggestion:-{above}+0", 3, "```suggestion:-2+0\n"), ("", 3, "```diff\n")]
)
def test_other_forges_say_how_a_block_is_written(info: str, last: int, opening: str) -> None:
    anchor = Anchor("src/app.py", 1, last, "x = 3\n")
    text = comment_body(make_finding(line=1), FIX, anchor, Limits(suggestion=info))
    assert opening in text
    assert text.count("```") == 2


def test_a_deletion_is_an_empty_block() -> None:
    assert suggestion_blocks(body_of(make_finding(line=1), FIX, "")) == [""]


fragments = st.lists(
    st.sampled_from(
        ["```", " ````", "  ```suggestion", "   `````", "~~~", "</details>", FORGED, "@team", "\t", "", "y", "> ```"]
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(fragments)
def test_a45_any_suggestion_is_one_block_and_comes_back_as_it_is(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    body = body_of(make_finding(line=1), FIX, text)
    assert suggestion_blocks(body) == [text]
    tokens = parse(body)
    assert [token.type for token in tokens].count("fence") == 1
    assert tokens[-1].content.startswith("<!-- nootropic:v1 finding=")
    marker = parse_marker(body)
    assert marker is not None
    assert marker.finding == make_finding(line=1).id


@pytest.mark.parametrize("identity", ["11a060b5f6b2303e8c94", "no hexadecimal id"])
def test_what_can_be_said_about_a_finding_is_named_with_its_id(identity: str) -> None:
    finding = make_finding(line=1, id=identity)
    shown = key(identity)[:8]
    for text in (body_of(finding, FIX, "x = 3\n"), body_of(finding, None, None), listed(finding, None)):
        assert f"`/nootropic fp {shown} REASON`" in text
        assert f"`/nootropic explain {shown}`" in text
    assert f"(`{shown}`)" in named(finding)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["```", "  ````", "\r```", "\r   `````", "~~~", "</details>", FORGED]), min_size=1, max_size=8
    )
)
def test_a45_any_patch_is_one_block(lines: list[str]) -> None:
    fix = make_suggestion(SOURCE, (1, 1, "".join(f"{line}\n" for line in lines)))
    tokens = parse(body_of(make_finding(line=1), fix, None))
    assert [token.type for token in tokens].count("fence") == 1
    assert tokens[-1].content.startswith("<!-- nootropic:v1 finding=")
    closed = [token.content for token in tokens if token.type == "html_block"][-2]
    assert closed.startswith("</details>")


def test_a46_a30_hostile_data_is_inert_everywhere() -> None:
    for finding in hostile()[0].findings:
        fix = finding.suggestion
        assert_inert(body_of(finding, fix, None))
        assert_inert(listed(finding, fix))
        marker = parse_marker(body_of(finding, fix, None))
        assert marker is not None
        assert marker.finding == finding.id
    page = summary_page(overview(list(hostile()[0].findings)), LIMITS.comment, SummaryMarker())
    assert_inert(page.text)


@given(
    st.text(st.characters(codec="utf-8"), max_size=60)
    | st.sampled_from([FORGED, f"x\n{FORGED}", f"-->\n{FORGED}", HOSTILE])
)
def test_no_text_of_others_is_read_as_a_marker(text: str) -> None:
    fix = replace(make_suggestion(SOURCE, (1, 1, f"{text}\n")), id=text, model=text)
    finding = make_finding(line=1, message=text, rule_id=text, principle=text, cwe=(text,))
    for body in (body_of(finding, fix, None), body_of(finding, fix, f"{text}\n")):
        marker = parse_marker(body)
        assert marker is not None
        assert marker.finding == finding.id


def test_a47_a_giant_patch_is_cut_and_says_so() -> None:
    fix = make_suggestion(SOURCE, (1, 1, "long line of code\n" * 5_000))
    text = body_of(make_finding(line=1), fix, None)
    assert len(text) < 20_000
    stated = re.search(r"… and (\d+) more lines\n", text)
    assert stated
    (shown,) = (token.content for token in parse(text) if token.type == "fence")
    assert int(stated[1]) + shown.count("\n") == fix.diff.count("\n")


def test_a47_what_does_not_fit_is_left_out_and_said() -> None:
    finding = make_finding(line=1, message="word " * 300)
    full = body_of(finding, FIX, "x = 3\n")
    tight = comment_body(finding, FIX, Anchor("src/app.py", 1, 1, "x = 3\n"), Limits(comment=len(full) - 1))
    assert suggestion_blocks(tight) == []
    assert "The fix is left out" in tight
    assert parse_marker(tight) == Marker(finding.id, FIX.id)
    tighter = comment_body(finding, FIX, Anchor("src/app.py", 1, 1, "x = 3\n"), Limits(comment=300))
    assert len(tighter) <= 300
    assert "too long" in tighter
    assert parse_marker(tighter) is not None


def test_a47_the_worst_text_fits() -> None:
    worst = "\U000e0001" * 100_000
    checks = tuple(Check(worst, "passed") for _ in range(100))
    fix = replace(make_suggestion(SOURCE, (1, 1, f"{worst}\n" * 40)), checks=checks, model=worst, id=worst)
    finding = make_finding(line=1, message=worst, rule_id=worst, principle=worst, cwe=(worst,) * 50)
    assert len(body_of(finding, fix, None)) <= LIMITS.comment
    page = summary_page(overview([replace(finding, suggestion=fix)]), LIMITS.comment, SummaryMarker())
    assert len(page.text) <= LIMITS.comment


def test_a_fixed_comment_keeps_what_it_was_about_and_offers_nothing() -> None:
    old = body_of(make_finding(line=1), FIX, "x = 3\n")
    marker = parse_marker(old)
    assert marker is not None
    text = fixed_body(old, marker, HEAD, is_part=True)
    assert text.startswith("**Fixed in `bbbbbbbbbb`.**\n\n🔴 **error** · `sql-built-from-strings`")
    assert suggestion_blocks(text) == []
    assert parse_marker(text) == replace(marker, is_block=False, fixed=HEAD)
    moved = fixed_body("edited @team", marker, HEAD, is_part=False)
    assert moved.startswith("**No longer part of this change in `bbbbbbbbbb`.**\n\n<!--")


def test_the_proof_in_one_line() -> None:
    assert proof_line([FIX, FIX]) == (
        "\n**Proved:** 2 fixes, on a copy of the file (passed: scope, parse, names, signature, bounded; "
        "re-scan: the finding gone and nothing new).\n"
    )
    # Only what was done for every fix is said of all.
    other = replace(FIX, checks=tuple(check for check in FIX.checks if check.name not in ("names", "gone")))
    assert "(passed: scope, parse, signature, bounded; re-scan: nothing new)" in proof_line([FIX, other])
    assert "names" not in proof_line([FIX, replace(FIX, checks=(Check("names", "not_run"),))])
    assert proof_line([]) == ""


def test_an_everyday_summary() -> None:
    report = everyday()[0]
    fix = report.findings[0].suggestion
    assert fix is not None
    item = Listed(next(f for f in report.findings if f.rule_id == "os-system-command"), None, "outside")
    page = summary_page(Overview(report, HEAD, (fix,), 2, 1, 3, (item,)), LIMITS.comment, SummaryMarker("abc"))
    assert page.text.startswith(
        "## nootropic-bot: 3 findings in 2 files\n\nCommit `bbbbbbbbbb` · 2 errors · 1 warning · 2 comments"
    )
    assert (
        " on the diff · 1 still there in resolved threads · 3 of the earlier comments fixed · 1 suppressed · 1 outside the change"
        in page.text
    )
    assert "\n**Proved:** 1 fix, on a copy of the file (" in page.text
    assert "### 1 finding without a comment on the diff\n\n1 on lines that the diff does not show\n" in page.text
    assert "🔴 **error** · `os-system-command` · `src/old.py:3`" in page.text
    assert page.shown == {item.finding.id}
    assert page.text.endswith("\n<!-- nootropic:v1 summary=1 settled=abc -->")
    assert "0.4" not in page.text, "a time would make every run say something new"


def test_what_is_incomplete_comes_first() -> None:
    gaps = {"incomplete_reasons": ("a.py: time-out",), "not_scanned": (NotScanned("b.bin", "binary file"),)}
    text = summary_page(overview([make_finding()], **gaps), LIMITS.comment, None).text
    assert text.index("[!WARNING]") < text.index("- a.py: time-out") < text.index("- `b.bin`") < text.index("Commit")


def test_a47_of_many_findings_each_is_named_and_the_severest_are_shown_in_full() -> None:
    findings = [make_finding(f"src/m{n}.py", n + 1, id=f"{n:020}", suggestion=FIX) for n in range(400)]
    page = summary_page(overview(findings), LIMITS.comment, SummaryMarker())
    assert len(page.text) <= LIMITS.comment
    assert page.shown == {finding.id for finding in findings}
    full = len(re.findall(r"^🔴 ", page.text, re.MULTILINE))
    names = re.findall(r"^- error `", page.text, re.MULTILINE)
    assert full > 20
    assert full + len(names) == 400
    assert f"### {len(names)} of them not in full" in page.text
    assert "### 400 findings without a comment on the diff\n\n400 over the limit of open comments" in page.text


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 30), st.integers(60, 20_000))
def test_a47_the_limit_holds_and_what_is_left_out_is_counted(number: int, reasons: int, room: int) -> None:
    findings = [
        make_finding(f"src/m{n}.py", n + 1, id=f"{n:020}", message="word " * (n % 50), suggestion=FIX)
        for n in range(number)
    ]
    gaps = {"incomplete_reasons": tuple(f"{n}: {HOSTILE}" for n in range(reasons))}
    page = summary_page(overview(findings, **gaps), room, SummaryMarker())
    assert len(page.text) <= room
    assert page.text.count("<details>") == page.text.count("</details>")
    seen = {finding.id for finding in findings if f"`{finding.path}:{finding.start.line}`" in page.text}
    assert seen == page.shown
    left = re.search(r"^- … and (\d+) more\n", page.text, re.MULTILINE)
    if "without a comment on the diff" in page.text:
        left_items = re.findall(r"^- … and (\d+) more\n", page.text.split("without a comment")[1], re.MULTILINE)
        assert sum(map(int, left_items)) == number - len(page.shown), left


def test_the_body_of_a_review_counts_what_it_leaves_out() -> None:
    items = [Listed(make_finding(), None, reason) for reason in ("cap", "cap", "outside")]
    assert review_body(30, [FIX] * 2, items) == (
        "**nootropic-bot** comments on 30 findings, 2 of them with a proved fix.\n\n"
        "In the summary comment only: 2 over the limit of open comments, 1 on lines that the diff does not show.\n"
    )
    assert review_body(1, [], []) == "**nootropic-bot** comments on 1 finding.\n"
    assert review_body(4, [], items, is_rest=True) == "**nootropic-bot**: 4 more comments of the same review.\n"


def test_a_patch_without_a_diff_is_still_offered() -> None:
    assert "```" not in patch(replace(FIX, diff=""))
    assert "/nootropic apply" in patch(replace(FIX, diff=""))
