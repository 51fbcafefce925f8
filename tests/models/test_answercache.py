"""The exact cache of answers: what makes two questions the same, what is kept, and what damage does (nothing)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nootropic_bot.models.answercache import AnswerCache, question_id
from nootropic_bot.models.base import Answer, Message, Request, Special

CHAT = Request(messages=(Message("system", "fix"), Message("user", "x = 1")), max_tokens=50)
RAW = Request(prompt=(Special("<fix>"), "x = 1"), stop=(Special("</fix>"),))
ANSWER = Answer("x = 2\u2028\udcff", "m@1", "stop", 0.5, 10, 3, 1.25, ("the context was halved",))


@pytest.fixture
def cache(tmp_path: Path) -> AnswerCache:
    return AnswerCache(tmp_path / "answers")


def entries(cache_folder: Path) -> list[Path]:
    return sorted(cache_folder.glob("*.json"))


@pytest.mark.parametrize("request_", [CHAT, RAW])
def test_the_same_question_gets_the_same_answer_without_its_time(request_: Request, tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "answers")
    assert cache.get(request_, "f") is None
    cache.put(request_, "f", ANSWER)
    assert cache.get(request_, "f") == replace(ANSWER, seconds=0.0)
    assert AnswerCache(tmp_path / "answers").get(request_, "f") == replace(ANSWER, seconds=0.0)
    assert cache.get(request_, "another adapter") is None


def test_whatever_changes_an_answer_makes_another_question() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    turned = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}
    questions = [
        CHAT,
        RAW,
        replace(CHAT, messages=(Message("user", "fix"), Message("user", "x = 1"))),
        replace(CHAT, messages=(Message("system", "fixx"), Message("user", " = 1"))),
        replace(CHAT, max_tokens=51),
        replace(CHAT, temperature=0.5),
        replace(CHAT, temperature=0.5, seed=1),
        replace(CHAT, stop=("\n",)),
        replace(CHAT, grammar="root ::= [a-z]"),
        replace(CHAT, json_schema=schema),
        # The model has to write the keys in this order.
        replace(CHAT, json_schema=turned),
        replace(RAW, prompt=("<fix>", "x = 1")),
        replace(RAW, prompt=(Special("<fix>"), "x = ", "1")),
        replace(RAW, stop=("</fix>",)),
    ]
    names = {question_id(question, "f") for question in questions}
    assert None not in names
    assert len(names) == len(questions)


def test_what_changes_no_answer_makes_no_other_question() -> None:
    for question in (CHAT, RAW):
        same = [replace(question, timeout=1), replace(question, shared_prefix=1), replace(question, seed=9)]
        assert {question_id(each, "f") for each in same} == {question_id(question, "f")}, "greedy: no seed is used"
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    frozen = MappingProxyType({"type": "object", "properties": MappingProxyType({"a": {"type": "string"}})})
    assert question_id(replace(CHAT, json_schema=schema), "f") == question_id(replace(CHAT, json_schema=frozen), "f")


def test_a_time_out_asks_the_same_question(cache: AnswerCache) -> None:
    cache.put(CHAT, "f", ANSWER)
    assert cache.get(replace(CHAT, timeout=0.001), "f") is not None


@pytest.mark.parametrize("seed", [-1, 2**32 - 1])
def test_random_answers_are_not_kept(cache: AnswerCache, seed: int, tmp_path: Path) -> None:
    request = replace(CHAT, temperature=0.7, seed=seed)
    cache.put(request, "f", ANSWER)
    assert cache.get(request, "f") is None
    assert not (tmp_path / "answers").exists()
    seeded = replace(request, seed=7)
    cache.put(seeded, "f", ANSWER)
    assert cache.get(seeded, "f") is not None


def test_answers_that_were_cut_off_are_not_kept(cache: AnswerCache, tmp_path: Path) -> None:
    cache.put(CHAT, "f", replace(ANSWER, finish="length"))
    assert cache.get(CHAT, "f") is None
    assert not (tmp_path / "answers").exists()


def test_an_entry_holds_the_answer_and_not_the_question(cache: AnswerCache, tmp_path: Path) -> None:
    cache.put(replace(CHAT, messages=(Message("user", "password = hunter2"),)), "f", Answer("x", "m@1"))
    (entry,) = entries(tmp_path / "answers")
    assert b"hunter2" not in entry.read_bytes() + os.fsencode(entry.name)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_is_a_miss_and_is_mended_by_the_next_answer(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("answers")
    cache = AnswerCache(folder)
    cache.put(CHAT, "f", Answer("if a <= b:", "m@1", "stop", 0.5, 10, 3))
    (entry,) = entries(folder)
    raw = bytearray(entry.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del raw[at:]
    entry.write_bytes(raw)
    found = cache.get(CHAT, "f")
    # A key's name may change its case only by breaking it; what is found is what was put in, or nothing.
    assert found in (None, Answer("if a <= b:", "m@1", "stop", 0.5, 10, 3))
    cache.put(CHAT, "f", Answer("mended", "m@1"))
    assert cache.get(CHAT, "f") == Answer("mended", "m@1")


@pytest.mark.parametrize("content", ["[]", "3", '{"answer": 3}', '{"answer": "{}", "sha256": "0"}', "[" * 100_000])
def test_what_is_no_entry_is_a_miss(cache: AnswerCache, content: str, tmp_path: Path) -> None:
    cache.put(CHAT, "f", ANSWER)
    (entry,) = entries(tmp_path / "answers")
    entry.write_text(content)
    assert cache.get(CHAT, "f") is None


def test_an_entry_of_another_version_is_a_miss(cache: AnswerCache, tmp_path: Path) -> None:
    import hashlib
    import json

    cache.put(CHAT, "f", ANSWER)
    (entry,) = entries(tmp_path / "answers")
    for body in ('{"text": "x"}', '{"text": "x", "remarks": [], "mood": 1}', "[]", '"x"'):
        entry.write_text(json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "answer": body}))
        assert cache.get(CHAT, "f") is None


def test_a_full_cache_drops_the_oldest(tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    cache = AnswerCache(folder, max_bytes=8 * 4096)
    for number in range(20):
        cache.put(replace(CHAT, max_tokens=number + 1), "f", ANSWER)
        for age, entry in enumerate(sorted(entries(folder), key=lambda path: path.stat().st_mtime_ns)):
            os.utime(entry, ns=(age, age))
        assert sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.iterdir()) <= 8 * 4096
    kept = [n for n in range(20) if cache.get(replace(CHAT, max_tokens=n + 1), "f") is not None]
    assert kept == list(range(20 - len(kept), 20))
    assert 5 <= len(kept) <= 8


def test_the_bound_holds_for_what_others_wrote(tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    first, second = (AnswerCache(folder, max_bytes=6 * 4096) for _ in range(2))
    for number in range(12):
        (first if number % 2 else second).put(replace(CHAT, max_tokens=number + 1), "f", ANSWER)
    AnswerCache(folder, max_bytes=4096).put(CHAT, "f", ANSWER)
    assert len(entries(folder)) == 1


def test_an_answer_that_is_larger_than_the_cache_is_not_kept(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "answers", max_bytes=4096)
    cache.put(CHAT, "f", ANSWER)
    cache.put(RAW, "f", replace(ANSWER, text="x" * 5000))
    assert cache.get(RAW, "f") is None
    assert cache.get(CHAT, "f") is not None, "and pushes nothing out"


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("a file where the folder would be")
    cache = AnswerCache(tmp_path / "answers")
    cache.put(CHAT, "f", ANSWER)
    assert cache.get(CHAT, "f") is None


def test_nothing_is_left_behind_but_entries(cache: AnswerCache, tmp_path: Path) -> None:
    for number in range(3):
        cache.put(replace(CHAT, max_tokens=number + 1), "f", ANSWER)
    assert len(list((tmp_path / "answers").iterdir())) == len(entries(tmp_path / "answers")) == 3
