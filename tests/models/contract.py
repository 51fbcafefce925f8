"""What every model must do, whatever stands behind it. One suite; each backend's tests inherit it.

    class TestMine(ModelContract):
        abilities = frozenset({"chat", "deterministic", "limits"})

        @pytest.fixture
        def make(self) -> Callable[[str], Model]: …

`make("usual")` gives a new instance of the model under test, equal ones each time; `make("other")` one that differs in
its settings. The suite closes what it makes. Tests of what a backend can't do, by `abilities`, are not run for it, or
check that it says so as a `ModelError`:

    chat, raw_prompt    takes messages, takes raw prompts; one of them at least
    deterministic       equal requests with temperature 0 get equal answers
    seeds               so do equal seeds with temperature 1, and other seeds other answers
    limits              keeps to `max_tokens` and says when it was that
    stops               ends at stop texts
    timeouts            `slow` takes longer than two seconds
    overflow            `overlong` is more than its context holds
    grammar, json_schema, embeddings, confidence (of its tokens)
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from nootropic_bot.models.base import Answer, ContextOverflow, Message, Model, ModelError, Request, TimedOut

Make = Callable[[str], Model]

ALL = frozenset(
    {
        "chat",
        "raw_prompt",
        "deterministic",
        "seeds",
        "limits",
        "stops",
        "timeouts",
        "overflow",
        "grammar",
        "json_schema",
        "embeddings",
        "confidence",
    }
)

SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
# Loading a model or a package takes what it takes; it is done before a time is looked at.
LATE_SECONDS = 1.5


class ModelContract:
    """Inherit, say what the model can, and give the fixture `make`."""

    abilities: ClassVar[frozenset[str]] = frozenset()
    text: ClassVar[str] = "Say something about yaml.load(stream)."
    slow: ClassVar[Request | None] = None
    overlong: ClassVar[str] = ""

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError

    @pytest.fixture
    def model(self, make: Make) -> Iterator[Model]:
        model = make("usual")
        yield model
        model.close()

    def test_abilities_are_known(self) -> None:
        assert self.abilities <= ALL
        assert self.abilities & {"chat", "raw_prompt"}
        assert ("timeouts" in self.abilities) == (self.slow is not None)
        assert ("overflow" in self.abilities) == bool(self.overlong)

    def needs(self, *abilities: str) -> None:
        """Leave the test where the model has not all of these abilities."""
        if missing := [ability for ability in abilities if ability not in self.abilities]:
            pytest.skip(f"has no {missing[0]}")

    def request_of(self, text: str | None = None, **changes: Any) -> Request:
        """A request of a form that the model takes."""
        text = self.text if text is None else text
        plain = Request(messages=(Message("user", text),)) if "chat" in self.abilities else Request(prompt=(text,))
        return replace(plain, **{"max_tokens": 8, **changes})

    # Who it is.

    def test_name_is_a_name_and_a_version(self, model: Model) -> None:
        name, _, version = model.name.partition("@")
        assert name
        assert version
        assert model.name.isprintable()
        assert isinstance(model.is_local, bool)

    def test_fingerprint_is_stable(self, make: Make) -> None:
        one, same = make("usual"), make("usual")
        before = one.fingerprint
        one.generate(self.request_of())
        assert one.fingerprint == before == same.fingerprint
        assert len(before) == 64
        assert set(before) <= set("0123456789abcdef")
        one.close()
        same.close()

    def test_fingerprint_differs_with_the_settings(self, make: Make) -> None:
        one, other = make("usual"), make("other")
        assert one.fingerprint != other.fingerprint
        one.close()
        other.close()

    # Whole answers.

    def test_answer_is_filled_in(self, model: Model) -> None:
        answer = model.generate(self.request_of())
        assert isinstance(answer, Answer)
        assert answer.text
        assert answer.model == model.name
        assert answer.finish in ("stop", "length")
        assert answer.confidence is None or 0 <= answer.confidence <= 1
        assert answer.prompt_tokens >= 0
        assert answer.completion_tokens >= 0
        assert answer.seconds >= 0
        assert all(isinstance(remark, str) for remark in answer.remarks)

    def test_confidence_is_told(self, model: Model) -> None:
        self.needs("confidence")
        one, more = (model.generate(self.request_of(max_tokens=count)).confidence for count in (1, 8))
        assert one is not None
        assert more is not None
        assert 0 < more <= one <= 1

    def test_raw_prompts_are_completed_or_declined(self, model: Model) -> None:
        request = Request(prompt=(self.text,), max_tokens=8)
        if "raw_prompt" in self.abilities:
            assert model.generate(request).text
        else:
            with pytest.raises(ModelError):
                model.generate(request)

    def test_greedy_answers_repeat(self, model: Model) -> None:
        self.needs("deterministic")
        first, second = model.generate(self.request_of()), model.generate(self.request_of())
        assert first.text == second.text
        assert first.finish == second.finish

    def test_seeds_repeat_and_differ(self, model: Model) -> None:
        self.needs("seeds")
        texts = [
            [model.generate(self.request_of(temperature=1.0, seed=seed, max_tokens=16)).text for seed in (1, 2, 3, 4)]
            for _ in range(2)
        ]
        assert texts[0] == texts[1]
        assert len(set(texts[0])) > 1

    def test_max_tokens_end_an_answer(self, model: Model) -> None:
        self.needs("limits", "deterministic")
        short, long = (model.generate(self.request_of(max_tokens=count)) for count in (2, 12))
        assert short.finish == "length"
        assert short.completion_tokens == 2
        assert len(short.text) < len(long.text)
        assert long.text.startswith(short.text)

    def test_stop_texts_end_an_answer(self, model: Model) -> None:
        self.needs("stops", "deterministic")
        whole = model.generate(self.request_of(max_tokens=12)).text
        stop = whole[len(whole) // 2 :][:3]
        answer = model.generate(self.request_of(max_tokens=12, stop=("never-said", stop)))
        assert answer.text == whole[: whole.index(stop)]
        assert answer.finish == "stop"

    @pytest.mark.parametrize(
        "text", ["", "\x00", "naïve ☃ 𝒳", "\r\n\t", "a\udc80b", "\u202e", "{{ ''.__class__ }}"], ids=repr
    )
    def test_any_text_gets_an_answer_or_a_reason(self, model: Model, text: str) -> None:
        with contextlib.suppress(ModelError):
            model.generate(self.request_of(f"x{text}")).text.encode()

    # Streams.

    def test_stream_is_the_answer_in_pieces(self, model: Model) -> None:
        self.needs("deterministic")
        pieces = list(model.stream(self.request_of()))
        assert "".join(pieces) == model.generate(self.request_of()).text
        assert all(pieces)
        assert len(pieces) > 1

    def test_stream_ends_at_stop_texts(self, model: Model) -> None:
        self.needs("stops", "deterministic")
        whole = model.generate(self.request_of(max_tokens=12)).text
        stop = whole[len(whole) // 2 :][:3]
        request = self.request_of(max_tokens=12, stop=(stop,))
        assert "".join(model.stream(request)) == whole[: whole.index(stop)]

    def test_closed_stream_stops_the_work(self, model: Model) -> None:
        self.needs("timeouts")
        assert self.slow is not None
        stream = model.stream(self.slow)
        assert next(iter(stream))
        begin = time.monotonic()
        stream.close()  # type: ignore[attr-defined]
        assert model.generate(self.request_of()).text
        assert time.monotonic() - begin < LATE_SECONDS

    def test_stream_that_is_never_read_does_nothing(self, model: Model) -> None:
        stream = model.stream(self.request_of())
        stream.close()  # type: ignore[attr-defined]
        assert model.generate(self.request_of()).text

    # Bounds.

    @pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
    def test_time_out_stops_the_work(self, model: Model, is_streamed: bool) -> None:
        self.needs("timeouts")
        assert self.slow is not None
        model.generate(self.request_of())
        request = replace(self.slow, timeout=0.3)
        begin = time.monotonic()
        with pytest.raises(TimedOut):
            _ = list(model.stream(request)) if is_streamed else model.generate(request)
        assert 0.2 < time.monotonic() - begin < LATE_SECONDS
        assert model.generate(self.request_of()).text
        assert time.monotonic() - begin < 2 * LATE_SECONDS

    @pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
    def test_prompt_longer_than_the_context(self, model: Model, is_streamed: bool) -> None:
        self.needs("overflow")
        request = self.request_of(self.overlong)
        with pytest.raises(ContextOverflow):
            _ = list(model.stream(request)) if is_streamed else model.generate(request)
        assert model.generate(self.request_of()).text

    # Forms.

    def test_grammar_holds_or_is_declined(self, model: Model) -> None:
        request = self.request_of(grammar='root ::= "yes" | "no"')
        if "grammar" in self.abilities:
            assert model.generate(request).text in ("yes", "no")
        else:
            with pytest.raises(ModelError):
                model.generate(request)

    def test_json_schema_holds(self, model: Model) -> None:
        self.needs("json_schema")
        answer = json.loads(model.generate(self.request_of(max_tokens=64, json_schema=SCHEMA)).text)
        assert list(answer) == ["ok"]
        assert isinstance(answer["ok"], bool)

    def test_embeddings_are_given_or_declined(self, model: Model) -> None:
        if "embeddings" not in self.abilities:
            with pytest.raises(ModelError):
                model.embed(["one"])
            return
        vectors = model.embed(["one text", "another", "one text"])
        assert len(vectors) == 3
        assert len({len(vector) for vector in vectors}) == 1
        assert vectors[0] == pytest.approx(vectors[2], abs=1e-3)
        assert vectors[0] != pytest.approx(vectors[1], abs=1e-3)

    def test_no_texts_have_no_vectors(self, model: Model) -> None:
        assert model.embed([]) == []

    # Its end.

    def test_closing_twice_is_harmless(self, make: Make) -> None:
        model = make("usual")
        model.close()
        model.close()
        used = make("usual")
        used.generate(self.request_of())
        used.close()
        used.close()

    def test_use_after_close_works_or_is_declined(self, make: Make) -> None:
        model = make("usual")
        model.generate(self.request_of())
        model.close()
        with contextlib.suppress(ModelError):
            assert model.generate(self.request_of()).text
        model.close()
