"""Answers that must satisfy a JSON schema."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from nootropic_bot.models.base import BadAnswer, Message, Request
from nootropic_bot.models.jsonanswers import checked_json, instructed
from tests.models.contract import SCHEMA

USER = Message("user", "Mend x = 1")


@pytest.mark.parametrize(
    "text",
    ['{"ok": true}', ' {"ok": true}\n', '```json\n{"ok": true}\n```', '```\n{"ok": true}\n```\n', '``` json\n{"ok": true}```']
)  # fmt: skip
def test_json_is_taken_out_of_its_fence(text: str) -> None:
    if text.startswith("``` json"):
        with pytest.raises(BadAnswer):
            checked_json(text, SCHEMA)
    else:
        assert checked_json(text, SCHEMA) == '{"ok": true}'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("yes", "not JSON: yes"),
        ('{"ok": tru', "not JSON"),
        ('Sure! {"ok": true}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"ok": "yes"}', "at ok"),
        ("{}", "schema"),
        ("[]", "schema"),
        ('{"ok": true, "x": 1}', "schema"),
        ('{"ok": "\\u001b[31m::error::"}', "schema"),
    ],
)
def test_answer_that_is_something_else(text: str, words: str) -> None:
    with pytest.raises(BadAnswer, match=words) as caught:
        checked_json(text, SCHEMA)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_nothing_that_a_schema_refers_to_is_fetched() -> None:
    from referencing.exceptions import Unresolvable

    with pytest.raises(Unresolvable):
        checked_json("{}", {"$ref": "http://127.0.0.1:1/schema.json"})


def test_schema_is_said_at_the_end_of_the_system_message() -> None:
    request = Request(messages=(Message("system", "Be brief."), USER), json_schema=SCHEMA)
    told = instructed(request)
    assert told.messages[0].content.startswith("Be brief.\n\n")
    assert json.loads(told.messages[0].content.splitlines()[-1]) == SCHEMA
    assert told.messages[1:] == (USER,)
    assert replace(told, messages=request.messages) == request


def test_schema_is_said_in_a_message_of_its_own_where_there_is_none() -> None:
    told = instructed(Request(messages=(USER,), json_schema=SCHEMA))
    assert [message.role for message in told.messages] == ["system", "user"]


@pytest.mark.parametrize("request_", [Request(messages=(USER,)), Request(prompt=("x",), json_schema=SCHEMA)])
def test_others_stay_as_they_are(request_: Request) -> None:
    assert instructed(request_) is request_
