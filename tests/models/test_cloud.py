"""Models of others: nothing is sent without leave, and what is sent has the shape that their clients' types describe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nootropic_bot.config import CLOUD_KEYS
from nootropic_bot.models.base import (
    BadAnswer,
    ContextOverflow,
    Message,
    Model,
    ModelError,
    NotAllowed,
    RateLimited,
    Request,
    ServerFailed,
    Special,
    Unavailable,
)
from nootropic_bot.models.cloud import CLOUDS, AnthropicCloud, Cloud, HuggingFaceCloud, OpenAICloud
from nootropic_bot.models.leaving import SENT
from nootropic_bot.models.serving.failures import Unsuited
from nootropic_bot.promptfiles import newest
from tests.models.contract import ALL, SCHEMA, Make, ModelContract
from tests.support.model_server import SLOWLY, ModelServer, events, reset, says, status
from tests.support.shapes import assert_shape

KEY = "sk-never-to-be-seen"
OWN = "NOOTROPIC_TEST_KEY"
ASK = Request(messages=(Message("system", "You mend code."), Message("user", "Mend x = 1")), max_tokens=6)
SLOW = Request(messages=(Message("user", SLOWLY),), max_tokens=500)
KINDS = sorted(CLOUDS)

Open = Callable[..., Cloud]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def open_cloud(server: ModelServer) -> Iterator[Open]:
    opened: list[Cloud] = []

    def open_cloud(kind: str, **changes: Any) -> Cloud:
        cloud = CLOUDS[kind]
        usual: dict[str, Any] = {
            "model": "m",
            "allow": True,
            "env": {OWN: KEY},
            "key_env": OWN,
            "url": server.origin if kind == "anthropic" else server.url,
            "sleep": lambda _: None,
        }
        opened.append(cloud("theirs", **{**usual, **changes}))
        return opened[-1]

    yield open_cloud
    for model in opened:
        model.close()


class TestOpenAIContract(ModelContract):
    """OpenAI's protocol as the cloud speaks it."""

    abilities = ALL - {"raw_prompt", "grammar"}
    slow = SLOW
    overlong = "word " * 500

    @pytest.fixture
    def make(self, open_cloud: Open) -> Make:
        def make(variant: str) -> Model:
            return open_cloud("openai", version=variant)

        return make


class TestHuggingFaceContract(ModelContract):
    """The router of Hugging Face speaks OpenAI's protocol."""

    abilities = ALL - {"raw_prompt", "grammar"}
    slow = SLOW
    overlong = "word " * 500

    @pytest.fixture
    def make(self, open_cloud: Open) -> Make:
        def make(variant: str) -> Model:
            return open_cloud("huggingface", version=variant)

        return make


class TestAnthropicContract(ModelContract):
    """Anthropic's protocol has fewer abilities."""

    abilities = ALL - {"raw_prompt", "grammar", "seeds", "embeddings", "confidence"}
    slow = SLOW
    overlong = "word " * 500

    @pytest.fixture
    def make(self, open_cloud: Open) -> Make:
        def make(variant: str) -> Model:
            return open_cloud("anthropic", version=variant)

        return make


# Leave.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("allow", "has_key", "orders"),
    [
        (False, False, ["allow_cloud = true", "environment variable"]),
        (False, True, ["allow_cloud = true"]),
        (True, False, ["environment variable"]),
    ],
)
def test_nothing_is_sent_without_leave_and_key(
    server: ModelServer, open_cloud: Open, kind: str, allow: bool, has_key: bool, orders: list[str]
) -> None:
    model = open_cloud(kind, allow=allow, env={OWN: KEY if has_key else "  "})
    asked: list[Callable[[], object]] = [
        lambda: model.generate(ASK),
        lambda: list(model.stream(ASK)),
        lambda: model.embed(["x"]),
    ]
    for ask in asked:
        with pytest.raises(NotAllowed) as caught:
            ask()
        message = str(caught.value)
        assert all(order in message for order in orders)
        assert ("allow_cloud" in message) == (not allow)
        assert (OWN in message) == (not has_key)
        assert all(phrase in message for phrase in SENT.values())
        assert f"127.0.0.1:{server.port}" in message
        assert KEY not in message
    assert server.seen == []


@pytest.mark.parametrize(
    ("kind", "host"),
    [("openai", "api.openai.com"), ("anthropic", "api.anthropic.com"), ("huggingface", "router.huggingface.co")],
)
def test_message_names_the_host_that_would_get_it(open_cloud: Open, kind: str, host: str) -> None:
    model = open_cloud(kind, url="", allow=False, env={})
    with pytest.raises(NotAllowed, match=rf" would be sent to {host};"):
        model.generate(ASK)
    assert model.what_leaves.endswith(host)


def test_what_leaves_is_all_that_the_prompt_holds() -> None:
    assert set(SENT) == set(newest("fix").header.variables)


@pytest.mark.parametrize("kind", KINDS)
def test_the_usual_key_goes_to_the_usual_host_only(server: ModelServer, open_cloud: Open, kind: str) -> None:
    usual = CLOUD_KEYS[kind]
    for key_env in ("", usual):
        with pytest.raises(NotAllowed, match="NOOTROPIC_") as caught:
            open_cloud(kind, env={usual: KEY}, key_env=key_env).generate(ASK)
        assert KEY not in str(caught.value)
        # At the usual host nothing but the leave is missing.
        with pytest.raises(NotAllowed) as caught:
            open_cloud(kind, url="", env={usual: KEY}, key_env=key_env, allow=False).generate(ASK)
        assert "NOOTROPIC_" not in str(caught.value)
        assert usual not in str(caught.value)
    assert server.seen == []


@pytest.mark.parametrize("variable", ["GITHUB_TOKEN", "PATH", "xNOOTROPIC_KEY", "NOOTROPIC_key", "NOOTROPIC_A\nB"])
def test_no_other_variable_is_read_whoever_names_it(server: ModelServer, open_cloud: Open, variable: str) -> None:
    """Though the configuration refuses the name, too: this is where it would be sent."""
    for kind in KINDS:
        with pytest.raises(NotAllowed, match="NOOTROPIC_"):
            open_cloud(kind, env={variable: KEY}, key_env=variable).generate(ASK)
    assert server.seen == []


@pytest.mark.parametrize("kind", KINDS)
def test_key_of_the_real_environment_is_not_looked_at(
    server: ModelServer, open_cloud: Open, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv(CLOUD_KEYS[kind], "sk-of-somebody")
    monkeypatch.setenv(OWN, "sk-of-somebody")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "sk-of-somebody")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Gateway: sk-of-somebody")
    with pytest.raises(NotAllowed):
        open_cloud(kind, env={}).generate(ASK)
    assert open_cloud(kind, env={OWN: f" {KEY}\n"}).generate(ASK).text
    (seen,) = server.seen
    assert KEY in json.dumps(dict(seen.headers))
    assert "sk-of-somebody" not in json.dumps(dict(seen.headers))


@pytest.mark.parametrize("kind", KINDS)
def test_cloud_is_not_local_and_its_key_is_not_shown(open_cloud: Open, kind: str) -> None:
    model = open_cloud(kind)
    assert not model.is_local
    assert model.name == "theirs@m"
    assert KEY not in repr(model) + repr(vars(model)) + repr(vars(vars(model)["_wire"]))
    assert model.fingerprint == open_cloud(kind, env={OWN: "other"}).fingerprint


def test_kinds_are_told_apart_and_are_those_of_the_configuration(open_cloud: Open) -> None:
    from typing import get_args, get_type_hints

    from nootropic_bot.config import BackendSettings

    assert len({open_cloud(kind, url="https://one.example").fingerprint for kind in KINDS}) == 3
    assert set(CLOUDS) == set(CLOUD_KEYS) < set(get_args(get_type_hints(BackendSettings)["kind"]))


# What is sent.


def test_openai_request_has_the_shape_of_its_types(server: ModelServer, open_cloud: Open) -> None:
    from openai.types.chat import CompletionCreateParams

    model = open_cloud("openai")
    model.generate(Request(messages=ASK.messages, max_tokens=9, json_schema=SCHEMA, stop=("\n",)))
    list(model.stream(ASK))
    whole, streamed = (seen.body for seen in server.seen)
    assert_shape(whole, CompletionCreateParams)
    assert_shape(streamed, CompletionCreateParams)
    assert whole["max_completion_tokens"] == 9
    assert "max_tokens" not in whole
    assert whole["store"] is False
    assert (whole["stream"], streamed["stream"]) == (False, True)


def test_hugging_face_request_has_the_shape_of_its_types(server: ModelServer, open_cloud: Open) -> None:
    import dataclasses

    from huggingface_hub import ChatCompletionInput

    open_cloud("huggingface").generate(Request(messages=ASK.messages, json_schema=SCHEMA, stop=("\n",)))
    (seen,) = server.seen
    assert set(seen.body) <= {field.name for field in dataclasses.fields(ChatCompletionInput)}
    assert ChatCompletionInput.parse_obj_as_instance(seen.body).messages[0].content == "You mend code."
    assert seen.headers["authorization"] == f"Bearer {KEY}"


def test_anthropic_request_has_the_shape_of_its_types(server: ModelServer, open_cloud: Open) -> None:
    from anthropic.types import MessageCreateParams

    model = open_cloud("anthropic")
    model.generate(
        Request(messages=ASK.messages, max_tokens=9, json_schema=SCHEMA, stop=("\n", "END", Special("<|x|>")))
    )
    list(model.stream(ASK))
    whole, streamed = (seen.body for seen in server.seen)
    assert_shape(whole, MessageCreateParams)
    assert_shape(streamed, MessageCreateParams)
    assert whole == {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Mend x = 1"}],
        "system": "You mend code.",
        "stop_sequences": ["END", "<|x|>"],
        "stream": False,
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }
    assert server.seen[0].path == "/v1/messages"
    assert server.seen[0].headers["x-api-key"] == KEY
    assert "anthropic-version" in server.seen[0].headers
    assert "authorization" not in server.seen[0].headers


def test_anthropic_long_answers_are_not_refused_by_its_package(open_cloud: Open) -> None:
    assert open_cloud("anthropic").generate(Request(messages=ASK.messages, max_tokens=100_000)).text


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_text_that_spells_control_tokens_is_only_text_there(open_cloud: Open, kind: str) -> None:
    for text in ("<|im_start|>system", "<s>struck out</s>", "[INST] <<SYS>>"):
        assert open_cloud(kind).generate(Request(messages=(Message("user", text),), max_tokens=5)).text


def test_open_models_may_obey_control_tokens(server: ModelServer, open_cloud: Open) -> None:
    with pytest.raises(Unsuited, match="control token"):
        open_cloud("huggingface").generate(Request(messages=(Message("user", "<|im_start|>system"),)))
    assert server.seen == []


@pytest.mark.parametrize("kind", KINDS)
def test_redirect_is_not_followed(server: ModelServer, open_cloud: Open, kind: str) -> None:
    with ModelServer() as elsewhere:
        server.misbehave(status(307, "", {"location": f"{elsewhere.origin}/v1/messages"}))
        with pytest.raises(Unavailable, match="redirects"):
            open_cloud(kind).generate(ASK)
        assert elsewhere.seen == []


# What comes back from Anthropic; OpenAI's protocol is tested in test_server_failures.py.


def _message(content: object, reason: object = "end_turn") -> dict[str, object]:
    return {"type": "message", "role": "assistant", "content": content, "stop_reason": reason, "usage": {}}


def _delta(text: object) -> dict[str, object]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


ANTHROPIC_FAILURES: list[tuple[str, Any, type[ModelError], str]] = [
    ("key", status(401, {"error": {"message": f"invalid x-api-key {KEY}"}}), Unavailable, "does not accept the key"),
    ("credit", status(400, {"error": {"message": "Your credit balance is too low"}}), Unsuited, "credit balance"),
    ("model", status(404, {"error": {"type": "not_found_error", "message": "model: m"}}), Unavailable, "no model 'm'"),
    ("overflow", status(400, {"error": {"message": "prompt is too long: 9 > 8"}}), ContextOverflow, "too long"),
    ("large", status(413, {"error": {"type": "request_too_large"}}), ContextOverflow, "too long"),
    ("limit", status(429, {"error": {"message": "slow down"}}, {"retry-after": "999"}), RateLimited, "asks to wait"),
    ("overloaded", status(529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}), ServerFailed, "529"),
    ("reset", reset, ServerFailed, "broke off"),
    ("html", status(200, "<html>"), ServerFailed, "no JSON"),
    ("shapeless", says({}), BadAnswer, "without an answer"),
    ("list", says([1]), BadAnswer, "no answer"),
    ("content", says(_message(None)), BadAnswer, "without an answer"),
    ("block", says(_message([1])), BadAnswer, "without an answer"),
    ("no-block", says(_message([])), BadAnswer, "empty"),
    ("number", says(_message([{"type": "text", "text": 5}])), BadAnswer, "no text"),
    ("thinking-only", says(_message([{"type": "thinking", "thinking": "hm"}])), BadAnswer, "empty"),
    ("refusal", says(_message([], "refusal")), BadAnswer, "refused"),
    ("window", says(_message([], "model_context_window_exceeded")), ContextOverflow, "no room"),
    ("error", says({"type": "error", "error": {"message": "boom"}}), ServerFailed, "boom"),
    ("cut", events({"type": "message_start", "message": {}}), ServerFailed, "broke off"),
    ("error-event", events({"type": "error", "error": {"message": "boom"}}), ServerFailed, "boom"),
    ("bare-error-event", events({"type": "error"}), ServerFailed, "failed"),
    ("bad-delta", events({"type": "content_block_delta", "delta": 1}), BadAnswer, "without an answer"),
]  # fmt: skip


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("step", "kind", "words"), [row[1:] for row in ANTHROPIC_FAILURES], ids=[r[0] for r in ANTHROPIC_FAILURES]
)
def test_anthropic_failures(
    server: ModelServer, open_cloud: Open, step: Any, kind: type[ModelError], words: str, is_streamed: bool
) -> None:
    model = open_cloud("anthropic")
    server.misbehave(*[step] * 3)
    with pytest.raises(ModelError) as caught:
        _ = list(model.stream(ASK)) if is_streamed else model.generate(ASK)
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert KEY not in str(caught.value)


def test_anthropic_answer_is_its_text_blocks(server: ModelServer, open_cloud: Open) -> None:
    blocks = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "x = "}, {"type": "text", "text": "1"}]
    server.misbehave(says({**_message(blocks, "max_tokens"), "usage": {"input_tokens": 7, "output_tokens": 3}}))
    answer = open_cloud("anthropic").generate(ASK)
    assert (answer.text, answer.finish, answer.prompt_tokens, answer.completion_tokens) == ("x = 1", "length", 7, 3)
    assert answer.confidence is None


def test_anthropic_stream_ignores_what_it_does_not_know(server: ModelServer, open_cloud: Open) -> None:
    thinking = {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
    server.misbehave(events({"type": "ping"}, {"type": "later_invention"}, thinking, _delta("x"), _delta("y"), end))
    assert list(open_cloud("anthropic").stream(ASK)) == ["x", "y"]


def test_anthropic_declines_what_it_can_not_do(server: ModelServer, open_cloud: Open) -> None:
    model = open_cloud("anthropic")
    with pytest.raises(Unsuited, match="grammar"):
        model.generate(Request(messages=ASK.messages, grammar='root ::= "x"'))
    with pytest.raises(Unsuited, match="raw prompt"):
        model.generate(Request(prompt=("x",)))
    with pytest.raises(Unavailable, match="embeddings"):
        model.embed(["x"])
    assert server.seen == []


@pytest.mark.parametrize(
    ("cloud", "package"), [(OpenAICloud, "openai"), (AnthropicCloud, "anthropic"), (HuggingFaceCloud, "openai")]
)
def test_missing_package_is_said_with_the_command_that_helps(
    open_cloud: Open, monkeypatch: pytest.MonkeyPatch, cloud: type[Cloud], package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Unavailable, match=rf"`{package}` .*pip install 'nootropic-bot\[cloud\]'"):
        open_cloud(cloud.kind).generate(ASK)


def test_url_that_would_send_the_key_in_the_clear(open_cloud: Open) -> None:
    for kind in KINDS:
        with pytest.raises(NotAllowed, match="unencrypted"):
            open_cloud(kind, url="http://93.184.215.14/v1").generate(ASK)
