"""What is posted, as GitHub's own parser reads it: one block a suggestion, all closed, nothing live from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nootropic_bot.errors import RemoteError
from nootropic_bot.escape import markdown_code, markdown_text
from nootropic_bot.forge import Limits
from nootropic_bot.host import Target
from nootropic_bot.markdown import render_markdown
from nootropic_bot.marker import Marker
from nootropic_bot.publish.anchors import Anchor
from nootropic_bot.publish.check import make_check
from nootropic_bot.publish.comments import comment_body, fixed_body, listed
from nootropic_bot.publish.plan import Policy, ranked
from nootropic_bot.publish.summary import Listed, Overview, review_body, summary_page
from nootropic_bot.records import NotScanned, Report
from nootropic_bot.respond import answers
from nootropic_bot.respond.choosing import Unclear
from nootropic_bot.respond.fixtexts import explained
from nootropic_bot.state.views import Triage
from tests.support.gfm import Page
from tests.support.reports import HOSTILE, everyday, hostile, make_finding, make_source, make_suggestion

LIMITS = Limits()
HEAD = "b" * 40
REPORTS = {"everyday": everyday()[0], "hostile": hostile()[0]}
# What of HTML our texts may hold, whatever the data is.
TAGS = frozenset(
    ["p", "br", "h2", "h3", "ul", "li", "em", "strong", "code", "pre", "a", "details", "summary", "blockquote", "table", "thead", "tbody", "tr", "th", "td"]
)  # fmt: skip
LINKS = re.compile(r"https://cwe\.mitre\.org/data/definitions/\d+\.html")
PIECES = [
    "www.", "evil.example", "http", "https", "://", "ftp", "mailto:", "xmpp:", "a@b.example", "@", ".", "-", "/", "@team", "#1",
    "GH-1", "[x](", "](y)", ")", "![", "<", ">", "<img src=x>", "<!--", "-->", "`", "``", "```suggestion", "\n", " ", "~~", "**",
    "_", "|", "---", "\\", "&", "&#64;", "&lt;", "$", ":tada:", "[!WARNING]", "- [ ] ", "1. ", "+ ", "==", "\u200b", "a", "0",
]  # fmt: skip


def overview(report: Report) -> Overview:
    found = ranked(report, Policy())
    fixes = tuple(finding.suggestion for finding in found if finding.suggestion is not None)
    items = tuple(Listed(finding, finding.suggestion, "outside") for finding in found)
    return Overview(report, HEAD, fixes, 1, 1, 1, items)


def published(report: Report) -> Iterator[str]:
    """Everything that `publish` writes about a report."""
    whole = overview(report)
    yield review_body(3, whole.fixes, whole.listed)
    for room in (LIMITS.comment, 3_000, 1_500):
        yield summary_page(whole, room, None).text
    yield make_check(whole, [item.finding for item in whole.listed], Policy(), LIMITS).summary
    yield render_markdown(report)
    yield render_markdown(report, max_chars=2_500)
    for finding in report.findings:
        body = comment_body(finding, finding.suggestion, None, LIMITS)
        yield body
        yield listed(finding, finding.suggestion)
        yield fixed_body(body, Marker("ab" * 10), HEAD, is_part=True)
        yield explained(finding, None, LIMITS.comment)


def answered(data: str) -> Iterator[str]:
    """Every answer, with the same text wherever one holds data."""
    pull = Target(7, HEAD, "a" * 40, data, data, data)
    decision = Triage("a" * 64, data, None, None, data, data, None, "2026-01-01T00:00:00Z", 7)
    yield answers.help_text()
    yield answers.denied(data)
    yield answers.over_quota(data)
    yield answers.closed(is_merged=False)
    yield answers.never_posted(data, {data: data})
    yield answers.no_such_rule(data, [data, f"{data}2"], None)
    yield answers.no_such_rule(data, [data], data)
    yield answers.failed("That did not work:", RemoteError(data, data))
    yield answers.unclear(Unclear(data, {data: data}, {data: data}), "finding")
    yield answers.unclear(Unclear(data, {}, {f"{data}{number}": data for number in range(30)}), "finding")
    yield answers.marked_as_false_positive(replace(make_finding(), rule_id=data, path=data), data, data)
    yield answers.ignored(data, 7, data)
    yield answers.thanked(data, "up")
    yield answers.settled_thread(data, "Marked as a false positive", data, data)
    yield answers.status_text(pull, answers.Standing(None, [decision] * 30, 3))


def assert_as_intended(text: str) -> Page:
    page = Page.of(text)
    assert page.tags.keys() <= TAGS, page.tags
    assert page.attributes <= {("a", "href"), ("pre", "lang"), ("th", "align"), ("td", "align")}
    assert (page.unbalanced, page.open) == ([], [])
    assert page.tags["details"] == page.tags["summary"]
    assert all(LINKS.fullmatch(link) for link in page.links), page.links
    assert set(page.blocks) <= {"diff", ""}
    prose = "\n".join(page.prose)
    assert not re.search(r"@[\w-]|#\d|\bGH-\d|://|www\.", prose), prose
    return page


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("is_complete", [True, False])
def test_a46_everything_published_reads_as_intended(name: str, is_complete: bool) -> None:
    report = REPORTS[name]
    if not is_complete:
        missing = (NotScanned("a|b`c.py", HOSTILE),)
        report = replace(report, complete=False, incomplete_reasons=(HOSTILE,), not_scanned=missing)
    pages = [assert_as_intended(text) for text in published(report)]
    assert sum(page.tags["details"] for page in pages) > len(report.findings)


@pytest.mark.parametrize("data", ["plain", HOSTILE, "www.evil.example", "<details>", "```suggestion\nx\n```"])
def test_a46_every_answer_reads_as_intended(data: str) -> None:
    for text in answered(data):
        page = assert_as_intended(text)
        assert not page.links
        assert not page.blocks


def test_the_help_is_one_table_that_is_closed() -> None:
    page = assert_as_intended(answers.help_text())
    assert page.tags["table"] == 1
    assert page.tags["tr"] == 1 + answers.help_text().count("| `/nootropic ")


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(["x = 1", "```", "````suggestion", "~~~", "</details>", "<!-- a -->", "@team #1"]), min_size=1
    )
)
def test_a45_a_suggestion_is_one_block_with_exactly_its_lines(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    fix = make_suggestion(make_source("src/app.py", "x = 0\ny = 2\n"), (1, 1, text))
    body = comment_body(make_finding(line=1), fix, Anchor("src/app.py", 1, 1, text), LIMITS)
    page = Page.of(body)
    assert page.blocks == ["suggestion"]
    assert list(page.code_of("suggestion")) == [text]
    assert page.open == []
    assert [each.split()[0] for each in page.comments] == ["nootropic:v1"]


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join))
@example("see www.evil.example/a?b=c")
@example("a@.b.example")
def test_a46_no_data_is_live(data: str) -> None:
    for text in (f"Found: {markdown_text(data)}\n", f"- {markdown_text(data)}\n", f"- {markdown_code(data)}: x\n"):
        page = assert_as_intended(text)
        assert not page.links
        assert not page.comments
        assert page.tags.keys() <= {"p", "ul", "li", "code"}


def test_a_link_of_the_data_would_be_noticed() -> None:
    """The checks above can fail."""
    for text in (
        "www.evil.example",
        "<img src=x>",
        "<details><summary>x</summary>",
        "@team",
        "fixes #1",
        "[a](https://b.example)",
    ):
        with pytest.raises(AssertionError):
            assert_as_intended(text)
