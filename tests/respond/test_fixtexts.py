"""What is written about fixes, at its limits."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from nootropic_bot.host import File
from nootropic_bot.respond.fixtexts import commit_message, explained, patch_to_take
from nootropic_bot.respond.grammar import Command
from nootropic_bot.respond.patching import Fix, Patched, patch
from nootropic_bot.respond.plan import Plan
from tests.support.reports import make_finding, make_source, make_suggestion

PLAN = Plan(7, 1, "mona", 5, Command("fix"), "a" * 40, "b" * 40)


def fix(text: str, new: str, *, path: str = "a.py", rule_id: str = "some-rule", **more: str) -> Patched:
    source = make_source(path, text)
    suggestion = make_suggestion(source, (1, 1, new), **more)
    made = patch(
        [Fix(make_finding(path, 1, rule_id=rule_id, suggestion=suggestion), suggestion)],
        {path: File(path, text.encode(), "0" * 40)},
    )
    assert len(made.files) == 1
    return made


def code_of(markdown: str) -> str:
    """The code block of a text, as a reader of Markdown sees it."""
    (block,) = (token for token in MarkdownIt().parse(markdown) if token.type == "fence")
    return block.content


def test_a_patch_is_shown_as_it_is() -> None:
    made = fix("x = `1`\n```\n\tkeep\n", "x = 1\n")
    assert code_of(patch_to_take(PLAN, made, "https://x/y", 60_000)) == made.diff
    assert "\tkeep\n" in made.diff


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\x1b[31m", "\r"])
def test_a30_a_patch_that_would_hide_something_is_not_shown(hidden: str) -> None:
    text = patch_to_take(PLAN, fix(f"x = '{hidden}'\n", "x = 1\n"), "https://x/y", 60_000)
    assert hidden not in text
    assert "```" not in text
    assert "--apply" in text


def test_a47_a_patch_that_does_not_fit_is_not_cut() -> None:
    made = fix("x = 1\n", f"x = '{'z' * 5_000}'\n")
    text = patch_to_take(PLAN, made, "https://x/y", 2_000)
    assert len(text) <= 2_000
    assert "don't fit into a comment" in text
    assert "zzzz" not in text


def test_a47_an_explanation_leaves_the_fix_out_before_anything_else() -> None:
    source = make_source("a.py", "x = 1\n")
    finding = make_finding("a.py", 1, suggestion=make_suggestion(source, (1, 1, f"x = '{'z' * 5_000}'\n")))
    assert "zzzz" in explained(finding, None, 60_000)
    short = explained(finding, None, 3_000)
    assert len(short) <= 3_000
    assert "Its fix is left out here" in short
    assert finding.message in short
    assert len(explained(finding, None, 100)) <= 100


@pytest.mark.parametrize(
    ("path", "rule_id"),
    [
        ("fixes #1.py", "x"),
        ("a.py", "closes GH-12"),
        ("@team/a.py", "x"),
        ("a [skip ci].py", "x"),
        ("a\nCo-authored-by: e <e@x>.py", "x"),
        ("https://github.example/o/r/issues/1.py", "x"),
    ],
)
def test_a46_a_commit_message_closes_mentions_and_claims_nothing(path: str, rule_id: str) -> None:
    message = commit_message(PLAN, fix("x\n", "y\n", path=path, rule_id=rule_id), "mona <5+mona@users.noreply.x>")
    head = message.partition("Nootropic-Command:")[0]
    for live in ("#1", "GH-", "@", "[skip", "Co-authored", "://"):
        assert live not in head
    assert message.count("Co-authored-by: ") == 1
    assert f"Proved on {'a' * 40}" in message
