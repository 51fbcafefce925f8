"""Servers that break, lie, stall or say no: each becomes a reason in one sentence (fault row F22)."""

from __future__ import annotations

import datetime
import email.utils
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nootropic_bot.models.base import (
    BadAnswer,
    ContextOverflow,
    Message,
    ModelError,
    NotAllowed,
    OutOfMemory,
    RateLimited,
    Request,
    ServerFailed,
    TimedOut,
    Unavailable,
)
from nootropic_bot.models.openai_compatible import OpenAICompatible
from nootropic_bot.models.serving.failures import Unsuited, retry_after
from tests.support.certificates import make_certificate
from tests.support.model_server import (
    ModelServer,
    Step,
    answers,
    cut_body,
    drip,
    endless,
    events,
    hang,
    huge,
    piece,
    raw,
    reset,
    says,
    status,
    unused_port,
)

KEY = "sk-never-to-be-seen"
ASK = Request(messages=(Message("user", "Mend x = 1"),), max_tokens=6)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


class Clock:
    """Time that passes when one sleeps, and a little with each look."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def model(server: ModelServer, clock: Clock) -> Iterator[OpenAICompatible]:
    model = OpenAICompatible("mine", url=server.url, model="m", key=KEY, sleep=clock.sleep, clock=clock)
    yield model
    model.close()


def never(seconds: float) -> None:
    pytest.fail(f"it waits {seconds} s to ask again")


def failure_of(model: OpenAICompatible, request: Request = ASK, *, is_streamed: bool = False) -> ModelError:
    with pytest.raises(ModelError) as caught:
        _ = list(model.stream(request)) if is_streamed else model.generate(request)
    message = str(caught.value)
    assert message
    assert message.isprintable()
    assert KEY not in message
    assert len(message) < 500
    return caught.value


# What one step makes of a request; each is tried whole and as a stream, and the model answers again afterwards.
ONCE: list[tuple[str, Step, type[ModelError], str]] = [
    ("wrong-key", status(401, {"error": {"message": f"Incorrect API key {KEY}"}}), Unavailable, "does not accept the key"),
    ("forbidden", status(403, {"error": f"{KEY} may not"}), Unavailable, "does not allow"),
    ("payment", status(402, "pay"), Unavailable, "paid"),
    ("no-model", status(404, {"error": {"message": "The model `m` does not exist"}}), Unavailable, "no model 'm'"),
    ("no-model-as-400", status(400, {"error": {"code": "model_not_found"}}), Unavailable, "no model 'm'"),
    ("no-credit", status(429, {"error": {"code": "insufficient_quota"}}), Unavailable, "paid"),
    ("openai-overflow", status(400, {"error": {"code": "context_length_exceeded", "message": "too long"}}), ContextOverflow, "too long"),
    ("llama-server-overflow", status(400, {"error": {"type": "exceed_context_size_error"}}), ContextOverflow, "too long"),
    ("lm-studio-overflow", status(400, {"error": "tokens exceed the context window (n_ctx)"}), ContextOverflow, "too long"),
    ("too-large", status(413, "<html>413</html>"), ContextOverflow, "too long"),
    ("refused", status(400, {"error": {"message": "no such thing"}}), Unsuited, "HTTP 400: no such thing"),
    ("teapot", status(418, "short and stout"), Unavailable, "HTTP 418: short and stout"),
    ("memory", status(500, {"error": "model requires more system memory (5 GiB) than is available"}), OutOfMemory, "memory"),
    ("cuda-memory", status(503, {"error": {"message": "CUDA error: out of memory"}}), OutOfMemory, "memory"),
    ("redirect", status(307, "", {"location": "http://192.0.2.1/v1/chat/completions"}), Unavailable, "redirects"),
    ("redirect-301", status(301, "", {"location": "/v2"}), Unavailable, "redirects"),
    ("no-object", says([1, 2]), BadAnswer, "no answer"),
    ("number", says(7), BadAnswer, "no answer"),
    ("empty-object", says({}), BadAnswer, "without an answer"),
    ("no-choice", says({"choices": []}), BadAnswer, "without an answer"),
    ("null-choice", says({"choices": [None]}), BadAnswer, "without an answer"),
    ("choices-no-list", says({"choices": {"a": 1}}), BadAnswer, "without an answer"),
    ("message-no-object", says({"choices": [{"message": "text"}]}), BadAnswer, "without an answer"),
    ("content-number", answers(5), BadAnswer, "no text"),
    ("content-parts", answers([{"type": "text", "text": "x"}]), BadAnswer, "no text"),
    ("empty", answers(""), BadAnswer, "empty"),
    ("null", answers(None), BadAnswer, "empty"),
    ("white", answers(" \n\t"), BadAnswer, "empty"),
    ("filtered", answers("x", "content_filter"), BadAnswer, "refused"),
    ("tools", answers(None, "tool_calls"), BadAnswer, "tool"),
    ("far-too-long", answers("x" * 100_000), BadAnswer, "far more"),
    ("huge", huge(33), BadAnswer, "MiB"),
    ("endless", endless, BadAnswer, "far more"),
]  # fmt: skip
# What may go better the next time, and so is tried three times.
AGAIN: list[tuple[str, Step, type[ModelError], str]] = [
    ("500", status(500, {"error": {"message": "boom \x1b[31m\n::error::x"}}), ServerFailed, "HTTP 500: boom"),
    ("502", status(502, "<html><body>Bad Gateway</body></html>"), ServerFailed, "HTTP 502"),
    ("503", status(503), ServerFailed, "HTTP 503"),
    ("504", status(504, "x" * 5000), ServerFailed, "HTTP 504: x"),
    ("529", status(529, {"error": "overloaded"}), ServerFailed, "HTTP 529: overloaded"),
    ("408", status(408), ServerFailed, "HTTP 408"),
    ("429", status(429, {"error": {"message": "slow down"}}), RateLimited, "asks to wait: slow down"),
    ("html", raw(b"<html>log in first</html>", "text/html"), ServerFailed, "no JSON"),
    ("half-json", raw(b'{"choices": ['), ServerFailed, "no JSON"),
    ("no-text", raw(b"\xff\xfe\x00"), ServerFailed, "no JSON"),
    ("nothing", raw(b""), ServerFailed, "no JSON"),
    ("deep-json", raw(b"[" * 200_000), ServerFailed, "no JSON"),
    ("error-in-200", says({"error": {"message": "worker died"}}), ServerFailed, "worker died"),
    ("reset", reset, ServerFailed, "broke off"),
    ("cut", cut_body, ServerFailed, "broke off"),
    ("gzip", raw(b"\x1f\x8b", headers={"content-encoding": "gzip"}), ServerFailed, "compressed"),
    ("no-gzip", raw(b"{}", headers={"content-encoding": "br"}), ServerFailed, "compressed"),
    ("empty-stream", events(), ServerFailed, "broke off"),
    ("stream-of-junk", events("{nothing"), ServerFailed, "no JSON"),
    ("error-in-stream", events({"error": {"message": "worker died"}}), ServerFailed, "worker died"),
]  # fmt: skip


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("step", "kind", "words"), [row[1:] for row in ONCE], ids=[row[0] for row in ONCE])
def test_f22_failure_that_asking_again_does_not_mend(
    server: ModelServer,
    model: OpenAICompatible,
    clock: Clock,
    step: Step,
    kind: type[ModelError],
    words: str,
    is_streamed: bool,
) -> None:
    server.misbehave(step)
    failure = failure_of(model, is_streamed=is_streamed)
    assert type(failure) is kind
    assert words in str(failure)
    assert len(server.seen) == 1
    assert clock.slept == []
    assert model.generate(ASK).text


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("step", "kind", "words"), [row[1:] for row in AGAIN], ids=[row[0] for row in AGAIN])
def test_f22_failure_that_asking_again_may_mend(
    server: ModelServer,
    model: OpenAICompatible,
    clock: Clock,
    step: Step,
    kind: type[ModelError],
    words: str,
    is_streamed: bool,
) -> None:
    server.misbehave(step)
    answer = "".join(model.stream(ASK)) if is_streamed else model.generate(ASK).text
    assert answer.startswith(("alpha", "beta", "gamma", "delta", "value", "query", "safe", "load", "item", "token"))

    server.misbehave(*[step] * 6)
    failure = failure_of(model, is_streamed=is_streamed)
    assert type(failure) is kind
    assert words in str(failure)
    assert failure.is_transient


# Asking again.


def test_pauses_double_and_are_a_little_random(server: ModelServer, model: OpenAICompatible, clock: Clock) -> None:
    server.misbehave(*[status(503)] * 3)
    failure_of(model)
    first, second = clock.slept
    assert 0.5 <= first <= 0.625
    assert 1.0 <= second <= 1.25
    assert len(server.seen) == 3


@pytest.mark.parametrize("code", [429, 503])
def test_wish_to_wait_is_honoured(server: ModelServer, model: OpenAICompatible, clock: Clock, code: int) -> None:
    server.misbehave(status(code, "", {"retry-after": "7"}))
    assert model.generate(ASK).text
    assert clock.slept == [7.0]


def test_wish_to_wait_beyond_the_time_out_is_handed_on(
    server: ModelServer, model: OpenAICompatible, clock: Clock
) -> None:
    server.misbehave(status(429, "", {"retry-after": "3600"}))
    failure = failure_of(model)
    assert isinstance(failure, RateLimited)
    assert failure.retry_after == 3600
    assert clock.slept == []


def test_retries_can_be_switched_off(server: ModelServer, clock: Clock) -> None:
    model = OpenAICompatible("mine", url=server.url, model="m", max_retries=0, sleep=clock.sleep)
    server.misbehave(status(503))
    assert isinstance(failure_of(model), ServerFailed)
    assert (clock.slept, len(server.seen)) == ([], 1)
    model.close()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "Thu, 99 Jan 99999 00:00:00 GMT"}, None),
    ],
)
def test_forms_of_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_as_a_date() -> None:
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=60)
    assert retry_after({"retry-after": email.utils.format_datetime(later, usegmt=True)}) == pytest.approx(60, abs=3)


# Time.


def _impatient(server: ModelServer) -> OpenAICompatible:
    model = OpenAICompatible("mine", url=server.url, model="m")
    model.generate(ASK)  # Loads the package, so that only the request is timed.
    return model


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "step",
    [hang, drip(), drip(in_headers=True), events(piece("x"), ends="hang"), events(*[piece("x")] * 200, pause=0.01)],
    ids=["hang", "drip", "drip-in-headers", "stream-hangs", "stream-drips"],
)
def test_f22_server_that_takes_for_ever_is_given_up(server: ModelServer, step: Step, is_streamed: bool) -> None:
    model = _impatient(server)
    server.misbehave(step)
    begin = time.monotonic()
    request = Request(messages=ASK.messages, max_tokens=1000, timeout=0.25)
    assert isinstance(failure_of(model, request, is_streamed=is_streamed), TimedOut)
    assert 0.2 < time.monotonic() - begin < 1.0
    assert model.generate(ASK).text
    model.close()


def test_f22_server_is_hung_up_on_at_the_time_out(server: ModelServer) -> None:
    model = _impatient(server)
    server.misbehave(hang)
    failure_of(model, Request(messages=ASK.messages, timeout=0.1))
    assert server.hung_up.wait(5)
    model.close()


def test_closing_a_stream_hangs_up(server: ModelServer) -> None:
    model = _impatient(server)
    server.misbehave(events(piece("x"), piece("y"), ends="hang"))
    stream = model.stream(ASK)
    assert next(stream) == "x"
    assert not server.hung_up.is_set()
    stream.close()  # type: ignore[attr-defined]
    assert server.hung_up.wait(5)
    model.close()


def test_embeddings_have_their_own_time_out(server: ModelServer) -> None:
    model = OpenAICompatible("mine", url=server.url, model="m", timeout=0.2)
    model.generate(ASK)
    server.misbehave(hang)
    with pytest.raises(TimedOut):
        model.embed(["x"])
    model.close()


def test_closing_a_model_ends_what_it_is_doing(server: ModelServer) -> None:
    model = _impatient(server)
    server.misbehave(events(piece("x"), ends="hang"))
    stream = model.stream(ASK)
    assert next(stream) == "x"
    model.close()
    with pytest.raises(Unavailable, match="closed"):
        next(stream)


def test_no_time_left_is_no_request(server: ModelServer, model: OpenAICompatible) -> None:
    assert isinstance(failure_of(model, Request(messages=ASK.messages, timeout=0.0)), TimedOut)
    assert server.seen == []


# Streams.


def test_f22_server_gone_in_mid_stream(server: ModelServer, model: OpenAICompatible) -> None:
    for end in ("close", "reset"):
        server.misbehave(events(piece("x = "), piece("1"), ends=end))
        stream = model.stream(ASK)
        assert next(stream) == "x = "
        with pytest.raises(ServerFailed, match="broke off"):
            list(stream)
    assert len(server.seen) == 2  # What was begun is not asked for again.


def test_f22_junk_in_mid_stream(server: ModelServer, model: OpenAICompatible) -> None:
    for junk in ("{nothing", [1], {"choices": [7]}, {"error": {"message": f"died {KEY}"}}, {"choices": [{"delta": 5}]}):
        server.misbehave(events(piece("x"), junk))
        failure_of(model, is_streamed=True)


# Where it is.


def test_nobody_listens() -> None:
    model = OpenAICompatible("mine", url=f"http://127.0.0.1:{unused_port()}/v1", model="m", sleep=never)
    assert "no server answers" in str(failure_of(model))
    model.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_name_without_address(scheme: str) -> None:
    model = OpenAICompatible("mine", url=f"{scheme}://nowhere.invalid/v1", model="m", key=KEY, allow=True, sleep=never)
    failure = failure_of(model)
    assert isinstance(failure, Unavailable)
    assert "nowhere.invalid" in str(failure)
    assert "no address" in str(failure)
    model.close()


@pytest.mark.parametrize("host", ["93.184.215.14", "[2606:4700::1111]", "[::ffff:8.8.8.8]", "0x08080808", "134744072"])
def test_code_does_not_travel_unencrypted_to_a_public_address(host: str) -> None:
    model = OpenAICompatible("mine", url=f"http://{host}/v1", model="m", key=KEY, allow=True)
    for is_streamed in (False, True):
        failure = failure_of(model, is_streamed=is_streamed)
        assert isinstance(failure, NotAllowed)
        assert "unencrypted" in str(failure)
    with pytest.raises(NotAllowed):
        model.embed(["x"])
    model.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://127.0.0.1/v1",
        "127.0.0.1:8080",
        "http://",
        "http://u:pw@127.0.0.1/v1",
        "http://u@h/",
        "http://[::1",
        "http://h:99999/v1",
        "https://h/v1?key=sk",
        "file:///etc/passwd",
    ],
)
def test_url_that_is_none(url: str) -> None:
    with pytest.raises(Unavailable, match="url") as caught:
        OpenAICompatible("mine", url=url, model="m")
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("key", ["", " ", "sk-with\nline", "sk-wïth", "sk\x00"])
def test_key_that_no_header_can_hold(server: ModelServer, key: str) -> None:
    model = OpenAICompatible("mine", url=server.url, model="m", key=key)
    failure = failure_of(model)
    assert isinstance(failure, Unavailable)
    assert "sk" not in str(failure)
    assert server.seen == []
    model.close()


# Certificates.


def test_f22_invalid_certificate(tmp_path: Path) -> None:
    _, context = make_certificate(tmp_path)
    with ModelServer(tls=context) as server:
        model = OpenAICompatible("mine", url=server.url, model="m", sleep=never)
        failure = failure_of(model)
        model.close()
        assert isinstance(failure, Unavailable)
        assert "certificate" in str(failure)
        assert "SSL_CERT_FILE" in str(failure)
        assert server.seen == []


def test_certificate_of_another_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, context = make_certificate(tmp_path, host="192.0.2.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with ModelServer(tls=context) as server:
        model = OpenAICompatible("mine", url=server.url, model="m")
        assert "certificate" in str(failure_of(model))
        model.close()


def test_certificate_of_an_authority_that_the_user_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, context = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with ModelServer(tls=context) as server:
        model = OpenAICompatible("mine", url=server.url, model="m")
        assert model.generate(ASK).text
        assert "".join(model.stream(ASK))
        model.close()


def test_tls_to_a_server_without(server: ModelServer) -> None:
    model = OpenAICompatible("mine", url=server.url.replace("http:", "https:"), model="m", sleep=never)
    assert "TLS" in str(failure_of(model))
    model.close()


# Words of servers.


def test_servers_words_are_shortened_and_escaped(server: ModelServer, model: OpenAICompatible) -> None:
    words = f"{KEY}\n::error::pwned \x1b[2J\u202e <b>@team</b> " + "long " * 200
    server.misbehave(status(400, {"error": {"message": words}}))
    message = str(failure_of(model))
    assert "\x1b" not in message
    assert "\u202e" not in message
    assert message.endswith("…")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"error": {"message": "one"}}, "one"),
        ({"error": "two"}, "two"),
        ({"detail": "three"}, "three"),
        ({"message": "four"}, "four"),
        ({"detail": [{"loc": ["body"], "msg": "five"}]}, "five"),
        ("six", "six"),
        ("<html>seven</html>", ""),
        ([], ""),
    ],
)
def test_where_servers_say_what_is_wrong(
    server: ModelServer, model: OpenAICompatible, body: object, shown: str
) -> None:
    server.misbehave(status(418, json.dumps(body) if not isinstance(body, str) else body))
    message = str(failure_of(model))
    assert shown in message
    assert "<" not in message
