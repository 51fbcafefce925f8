"""How chat models are asked, and how their JSON is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nootropic_bot import resources
from nootropic_bot.models.base import BadAnswer, Request
from nootropic_bot.propose import chat_fix
from nootropic_bot.propose.base import Context
from nootropic_bot.records import FileAnalysis, Finding, Match, Rule
from nootropic_bot.rulefiles import find_rule_files, load_rules
from nootropic_bot.source import decode
from nootropic_bot.window import Change, Window, window_of
from tests.support.models import says

TEXT = (
    "import pickle\n\n\ndef load(data):\n    # it comes from far away\n    value = pickle.loads(\n        data,\n    )\n"
    "    return value\n"
)
RULE = Rule("pickle-load", "error", "Unpickling runs code.", ("python",))


def case(
    text: str = TEXT, flagged: str = "pickle.loads(\n        data,\n    )", rule: Rule = RULE
) -> tuple[Finding, Context, Window]:
    source = decode("app.py", text.encode())
    start = text.index(flagged)
    end = start + len(flagged)
    match = Match(rule.id, source.at(start), source.at(end), start, end, "m", "s")
    finding = Finding("f1", rule.id, "app.py", match.start, match.end, "error", "Don't.", ("CWE-502: X", "CWE-1"))
    window = window_of(source, match)
    assert window is not None
    return finding, Context(source, match, rule, FileAnalysis((match,))), window


def asked(*args: Any, **kwargs: Any) -> tuple[Request, str]:
    return chat_fix.request(*case(*args, **kwargs), is_chat=True, temperature=0.0, seed=4, timeout=7.0)


def test_the_prompt_shows_the_window() -> None:
    request, prompt_id = asked()
    assert prompt_id == "fix/v1"
    assert [message.role for message in request.messages] == ["system", "user"]
    prompt = request.messages[1].content
    for text in (
        "Don't.",
        "CWE-502: X, CWE-1",
        "import pickle",
        "# it comes from far away",
        "1| value = pickle.loads(\n2|     data,\n3| )",
        "pickle.loads(\n    data,\n)",
        "return value",
    ):
        assert text in prompt
    assert request.json_schema is not None
    assert request.json_schema["required"] == ["edits"]
    assert (request.seed, request.timeout, request.temperature, request.shared_prefix) == (4, 7.0, 0.0, 1)


def test_a_model_without_instructions_is_given_the_same_as_a_text() -> None:
    chat, prompt_id = asked()
    text, same_id = chat_fix.request(*case(), is_chat=False, temperature=0.0, seed=4, timeout=7.0)
    assert same_id == prompt_id
    assert not text.messages
    assert [part.rstrip() if isinstance(part, str) else part for part in text.prompt[:-1]] == [
        message.content.rstrip() for message in chat.messages
    ]
    assert str(text.prompt[-1]).endswith("JSON:\n")
    assert (text.json_schema, text.shared_prefix) == (chat.json_schema, 1)
    # What the file spells stays text (row A20).
    spelt = TEXT.replace("# it comes", "# <|endoftext|> it comes")
    request, _ = chat_fix.request(*case(spelt), is_chat=False, temperature=0.0, seed=4, timeout=7.0)
    assert any("<|endoftext|>" in part for part in request.prompt if isinstance(part, str))
    assert all(isinstance(part, str) for part in request.prompt)


def test_the_system_turn_is_the_same_for_all_findings() -> None:
    one, _ = asked()
    other, _ = asked("x = 1\n", "1")
    assert one.messages[0] == other.messages[0]
    assert one.messages[1] != other.messages[1]


def test_examples_come_from_a_rule_that_ships(tmp_path: Path) -> None:
    rules = load_rules(find_rule_files(resources.bundled_rules()), tmp_path)
    rule = rules.find("pickle-load")
    prompt = asked(rule=rule)[0].messages[1].content
    assert "becomes" in prompt
    assert "json.loads(" in prompt
    assert "$" not in prompt
    assert prompt.count("becomes") <= 2
    assert "becomes" not in asked()[0].messages[1].content


def test_a_rule_of_the_repository_is_not_read_from_the_work_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was reviewed with is the rule of the base commit; what lies in the folder may be an attacker's, or broken."""
    (tmp_path / "rules.yaml").write_text("rules: [")
    monkeypatch.chdir(tmp_path)
    rule = Rule("mine", "error", "m", ("python",), file="rules.yaml")
    assert "becomes" not in asked(rule=rule)[0].messages[1].content


def test_text_in_the_code_fills_no_hole() -> None:
    text = TEXT.replace("# it comes", "# {{ weakness }} {{ nothing }} it comes")
    prompt = asked(text)[0].messages[1].content
    assert "{{ weakness }} {{ nothing }} it comes" in prompt


@pytest.mark.parametrize("flagged", ["import pickle", "value", "data", "return value", "\n\n\n", "def load(data):"])
def test_any_place_can_be_asked_about(flagged: str) -> None:
    finding, context, window = case(TEXT, flagged)
    chat_fix.request(finding, context, window, is_chat=True, temperature=0.0, seed=0, timeout=1.0)


def test_a_match_of_several_statements() -> None:
    text = "try:\n    a = f()\n    a.close()\nexcept E:\n    pass\n"
    request, _ = asked(text, "a = f()\n    a.close()")
    assert "1| try:\n2| except E:" in request.messages[1].content


# Answers.


def read(answer: str) -> tuple[Change, ...]:
    return chat_fix.decode(answer, case()[2])


def test_answers_are_read() -> None:
    assert read(says((3, ")"), (1, "a\nb\n"))) == (Change(0, "a\nb"), Change(2, ")"))
    assert read(says()) == ()
    assert read(says((2, ""))) == (Change(1, ""),)
    assert read(' {"edits": [{"line": 1, "text": "x", "why": "because"}], "more": 1}\n') == (Change(0, "x"),)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "1",
        '"edits"',
        "{}",
        '{"edits": null}',
        '{"edits": {"line": 1, "text": "x"}}',
        '{"edits": "text"}',
        '{"edits": [1]}',
        '{"edits": [{"line": 1}]}',
        '{"edits": [{"text": "x"}]}',
        '{"edits": [{"line": "1", "text": "x"}]}',
        '{"edits": [{"line": true, "text": "x"}]}',
        '{"edits": [{"line": 1.5, "text": "x"}]}',
        '{"edits": [{"line": 1e999, "text": "x"}]}',
        '{"edits": [{"line": NaN, "text": "x"}]}',
        '{"edits": [{"line": 1, "text": null}]}',
        '{"edits": [{"line": 1, "text": ["x"]}]}',
        '{"edits": [{"line": 0, "text": "x"}]}',
        '{"edits": [{"line": -1, "text": "x"}]}',
        '{"edits": [{"line": 4, "text": "x"}]}',
        '{"edits": [{"line": 1, "text": "x"}',
        '```json\n{"edits": []}\n```',
        "[" * 100_000,
        '{"edits":' * 50_000,
        "9" * 10_000,
    ],
    ids=lambda text: text[:50],
)
def test_what_is_not_the_json_that_was_asked_for(answer: str) -> None:
    with pytest.raises(BadAnswer):
        read(answer)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["edits", "line", "text", "x"]), inner),
    max_leaves=12,
)


@given(st.one_of(st.text(), _json.map(json.dumps), _json.map(lambda value: json.dumps({"edits": value}))))
def test_any_answer_is_read_or_refused(answer: str) -> None:
    try:
        changes = read(answer)
    except BadAnswer:
        return
    assert all(0 <= change.item < 3 and isinstance(change.text, str) and not change.keep for change in changes)
    assert [change.item for change in changes] == sorted(change.item for change in changes)
