"""Commands in comments: what is one, what is none, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nootropic_bot.respond.grammar import MAX_REASON, Command, NotUnderstood, parse

ID = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/nootropic", Command("help")),
        ("/nootropic help", Command("help")),
        ("/nootropic review", Command("review")),
        ("/nootropic   review  \nplease", Command("review")),
        ("/nootropic status\r\n", Command("status")),
        ("/nootropic fix", Command("fix")),
        (f"/nootropic fix {ID}", Command("fix", ID)),
        (f"/nootropic apply {ID}", Command("apply", ID)),
        (f"/nootropic apply {ID[:8]}", Command("apply", ID[:8])),
        (f"/nootropic explain {ID}abcd", Command("explain", f"{ID}abcd")),
        (f"/nootropic fp {ID} generated  code, see #3", Command("fp", ID, "generated code, see #3")),
        ("/nootropic ignore yaml-unsafe-load", Command("ignore", "yaml-unsafe-load")),
        (f"/nootropic feedback {ID} up", Command("feedback", ID, vote="up")),
        (f"/nootropic feedback {ID} down", Command("feedback", ID, vote="down")),
    ],
)
def test_commands(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "",
        "thanks!",
        "please run /nootropic review",
        "> /nootropic review",
        "```\n/nootropic review\n```",
        "`/nootropic review`",
        "    /nootropic review",
        " /nootropic review",
        "\t/nootropic review",
        "\n/nootropic review",
        "<!-- /nootropic review -->",
        "/nootropical review",
        "/Nootropic review",
        "\u200b/nootropic review",
        "/nootropic\u200b review",
        "text\u2028/nootropic review",
    ],
)
def test_a12_what_only_speaks_of_commands_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "/nootropic --api-base=https://evil.example review",
        "/nootropic review --api-base=https://evil.example",
        "/nootropic rev",
        "/nootropic REVIEW",
        "/nootropic review 2",
        "/nootropic apply",
        "/nootropic apply --all",
        f"/nootropic apply {ID} {ID}",
        "/nootropic apply ../../etc/passwd",
        "/nootropic apply 0123",
        "/nootropic apply $(id)",
        f"/nootropic apply {ID.upper()}",
        "/nootropic fix everything",
        "/nootropic fp",
        f"/nootropic fp {ID}",
        "/nootropic ignore",
        "/nootropic ignore -rf",
        "/nootropic ignore a b",
        "/nootropic ignore a/../b",
        f"/nootropic feedback {ID}",
        f"/nootropic feedback {ID} upwards",
        f"/nootropic feedback {ID} up down",
        "/nootropic status now",
        "/nootropic help;id",
    ],
)
def test_a14_anything_else_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        parse(text)
    assert "`" in str(refused.value)


def test_a_refusal_repeats_nothing_of_the_comment() -> None:
    """What it says is posted: a mention or a link must not come in that way."""
    with pytest.raises(NotUnderstood) as refused:
        parse("/nootropic @everyone<img> [x](https://evil.example)")
    assert "evil" not in str(refused.value)
    assert "@" not in str(refused.value)


def test_a_word_that_is_nearly_right_is_named() -> None:
    with pytest.raises(NotUnderstood, match="`explain`"):
        parse("/nootropic explian 0123abcd")


def test_reasons_are_one_short_line_without_control_characters() -> None:
    command = parse(f"/nootropic fp {ID} a\x1b[31m\u202eb " + "x" * 1000)
    assert command is not None
    assert command.reason is not None
    assert len(command.reason) <= MAX_REASON
    assert command.reason.isprintable()


@given(st.text())
def test_any_comment_is_a_command_none_or_refused(text: str) -> None:
    for comment in (text, f"/nootropic {text}"):
        try:
            command = parse(comment)
        except NotUnderstood:
            continue
        assert command is None or comment.startswith("/nootropic")
