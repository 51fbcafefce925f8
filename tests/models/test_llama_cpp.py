"""Models in this process: the contract, what is kept between requests, and files that are no models.

The model is a very small one with random weights (`tests/support/tiny_gguf.py`). What might end the process runs in one
of its own.
"""

from __future__ import annotations

import itertools
import json
import math
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nootropic_bot.models.base import (
    BadAnswer,
    ContextOverflow,
    Message,
    Model,
    ModelError,
    OutOfMemory,
    Prompt,
    Request,
    Special,
    TimedOut,
    Unavailable,
)
from nootropic_bot.models.llama_cpp import LlamaCpp, cores
from nootropic_bot.process import Completed, start
from tests.models.contract import ALL, Make, ModelContract
from tests.support.tiny_gguf import CONTROL_TOKENS, build_tiny_gguf

END = Special("<|end|>")
FIX = Special("<|fix|>")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gguf")


@pytest.fixture(scope="module")
def gguf(folder: Path) -> Path:
    return build_tiny_gguf(folder / "tiny.gguf", context=1024)


@pytest.fixture(scope="module")
def large(folder: Path) -> Path:
    """The same with a long context: reading a long prompt takes seconds."""
    return build_tiny_gguf(folder / "large.gguf", context=65536)


@pytest.fixture
def model(gguf: Path) -> Iterator[LlamaCpp]:
    model = LlamaCpp(gguf, name="tiny@1", threads=1, gpu_layers=0)
    yield model
    model.close()


def fresh(gguf: Path, request: Request, **settings: Any) -> str:
    """What a model says that was asked nothing before."""
    model = LlamaCpp(gguf, name="tiny@1", threads=1, gpu_layers=0, **settings)
    try:
        return model.generate(request).text
    finally:
        model.close()


def ask(*parts: str | Special, **more: Any) -> Request:
    return Request(prompt=parts, **{"max_tokens": 12, **more})


class TestContract(ModelContract):
    """With a context that is large enough for the slow request."""

    abilities = ALL
    # Without an end, by its grammar, and so hot that it does not repeat itself.
    slow = Request(
        messages=(Message("user", "Count."),),
        max_tokens=8000,
        temperature=4.0,
        grammar="root ::= [ -~] root",
        timeout=60,
    )
    overlong = "word " * 2000

    @pytest.fixture
    def make(self, folder: Path) -> Make:
        path = folder / "contract.gguf"
        if not path.exists():
            build_tiny_gguf(path, context=8192)

        def make(variant: str) -> Model:
            context = 8192
            return LlamaCpp(path, name=f"tiny@{variant}", threads=1, gpu_layers=0, context=context)

        return make


# What is kept between requests changes no answer.


def test_greedy_is_deterministic_and_depends_on_the_prompt(model: LlamaCpp) -> None:
    asked = [ask(FIX, text) for text in ("one", "two", "one more", "")]
    first = [model.generate(request) for request in asked]
    again = [model.generate(request) for request in asked]
    assert [(a.text, a.confidence, a.completion_tokens) for a in first] == [
        (a.text, a.confidence, a.completion_tokens) for a in again
    ]
    assert len({answer.text for answer in first}) == len(asked)


@pytest.mark.parametrize(
    "prompts",
    [
        ["def f(x):", "def f(x):\n    return 1", "def f(x):\n    return 2", "def f", "other", "def f(x):"],
        ["a" * 600, "a" * 599 + "b", "a" * 300, "a" * 600 + "c", "a"],
    ],
    ids=["short", "long"],
)
def test_answers_after_others_are_those_of_a_fresh_model(model: LlamaCpp, gguf: Path, prompts: list[str]) -> None:
    for prompt in prompts:
        assert model.generate(ask(prompt)).text == fresh(gguf, ask(prompt)), prompt


def test_prompts_of_rules_that_alternate(model: LlamaCpp, gguf: Path) -> None:
    """The state of each rule's beginning is kept, and taken back: it gives the answers of a fresh model."""
    rules: list[Prompt] = [(FIX, f"weakness {name}: " + name * 40) for name in "abc"]
    codes = ["x = 1", "y = load(z)", "x = 1", "", "long " * 20]
    for code, rule in itertools.product(codes, rules):
        request = ask(*rule, FIX, code, shared_prefix=2)
        plain = replace(request, shared_prefix=0)
        assert model.generate(request).text == fresh(gguf, plain), (rule, code)
    assert model.generate(ask("none of them")).text == fresh(gguf, ask("none of them"))


def test_a_kept_beginning_is_not_computed_again(large: Path) -> None:
    """The second finding of a rule, after one of another: only what is its own is read."""
    model = LlamaCpp(large, name="tiny@1", threads=1, gpu_layers=0, context=32768)
    rules = [(FIX, name * 8000) for name in "ab"]
    seconds = []
    for code, rule in itertools.product(("one", "two"), rules):
        begin = time.perf_counter()
        model.generate(ask(*rule, FIX, code, shared_prefix=2, max_tokens=1))
        seconds.append(time.perf_counter() - begin)
    model.close()
    assert max(seconds[2:]) < 0.6 * min(seconds[:2]), seconds


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_any_shared_prefix_is_harmless(model: LlamaCpp, gguf: Path, count: int) -> None:
    for text in ("first", "second", "first"):
        request = ask(FIX, "the rule ", text, shared_prefix=count)
        assert model.generate(request).text == fresh(gguf, replace(request, shared_prefix=0))
    system, user = Message("system", "You mend code."), Message("user", "x = 1")
    for other in ("y = 2", "z = 3"):
        request = Request(messages=(system, replace(user, content=other)), max_tokens=8, shared_prefix=min(count, 2))
        assert model.generate(request).text == fresh(gguf, replace(request, shared_prefix=0))


def test_after_a_time_out_answers_are_those_of_a_fresh_model(large: Path) -> None:
    model = LlamaCpp(large, name="tiny@1", threads=1, gpu_layers=0, context=32768)
    model.generate(ask("x" * 50))
    for number in range(3):
        with pytest.raises(TimedOut):
            model.generate(ask(FIX, "x" * 30000, str(number), timeout=0.05, shared_prefix=2))
        request = ask("x" * 40, "end")
        assert model.generate(request).text == fresh(large, request, context=32768)
    model.close()


def test_a_memory_that_can_not_be_cut_is_computed_anew(gguf: Path) -> None:
    """As of a recurrent model: llama.cpp refuses to forget a part, and what it holds stays as it was."""
    model = LlamaCpp(gguf, name="tiny@1", threads=1, gpu_layers=0)
    model.generate(ask("abc"))
    native = model._native
    assert native is not None
    library, refused = native._lib, []

    class Recurrent:
        def __getattr__(self, name: str) -> Any:
            return getattr(library, name)

        def llama_memory_seq_rm(self, memory: Any, sequence: int, first: int, last: int) -> bool:
            if first > 0:
                refused.append(first)
                return False
            return bool(library.llama_memory_seq_rm(memory, sequence, first, last))

    native._lib = Recurrent()
    for text in ("abcd", "abc", "abx", "other", "other one"):
        assert model.generate(ask(text)).text == fresh(gguf, ask(text)), text
    for text in ("one", "two", "one"):
        request = ask(FIX, "the rule ", text, shared_prefix=2)
        assert model.generate(request).text == fresh(gguf, replace(request, shared_prefix=0)), text
    assert refused
    model.close()


def test_after_a_stream_that_was_closed_early(model: LlamaCpp, gguf: Path) -> None:
    for count in (1, 3):
        stream = model.stream(ask("abc", max_tokens=200, temperature=1.0, seed=1))
        got = [next(stream) for _ in range(count)]
        stream.close()  # type: ignore[attr-defined]
        assert all(got)
        assert model.generate(ask("abcd")).text == fresh(gguf, ask("abcd"))


# Time.


@pytest.mark.parametrize("timeout", [0.0, 0.05, 0.4])
def test_a_long_prompt_is_left_in_its_middle(large: Path, timeout: float) -> None:
    model = LlamaCpp(large, name="tiny@1", threads=1, gpu_layers=0, context=65536)
    model.generate(ask("x"))  # Loading is not what is timed.
    begin = time.monotonic()
    with pytest.raises(TimedOut):
        model.generate(ask("y" * 60000, timeout=timeout))
    assert timeout <= time.monotonic() - begin < 2 * timeout + 0.5
    model.close()


def test_loading_counts(large: Path) -> None:
    for timeout, answer in ((0.0, None), (60.0, "text")):
        model = LlamaCpp(large, name="tiny@1", threads=1, gpu_layers=0, embed_timeout=timeout)
        asked = (
            lambda model=model, timeout=timeout: model.generate(ask("x", timeout=timeout)).text,
            lambda model=model, timeout=timeout: "".join(model.stream(ask("x", timeout=timeout))),
            lambda model=model: str(model.embed(["x"])),
        )
        for each in asked:
            model.close()
            if answer:
                assert each()
                continue
            with pytest.raises(TimedOut, match=r"large\.gguf was not loaded in time"):
                each()
        model.close()


def test_vectors_have_a_time_limit(large: Path) -> None:
    model = LlamaCpp(large, name="tiny@1", threads=1, gpu_layers=0, batch=8192, context=8192, embed_timeout=0.1)
    model.generate(ask("x"))
    with pytest.raises(TimedOut):
        model.embed(["y" * 8000] * 20)
    model.close()


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_interruption_reaches_the_caller(large: Path, number: str) -> None:
    """In the middle of a long prompt, while llama.cpp computes: at once, whole, and without a word."""
    program = """
import signal, sys, time
from pathlib import Path
from nootropic_bot.models.base import Request
from nootropic_bot.models.llama_cpp import LlamaCpp

class Stopped(BaseException): pass

def stop(number, frame):
    raise Stopped(signal.Signals(number).name)

signal.signal(signal.SIGALRM, lambda number, frame: signal.raise_signal(getattr(signal, sys.argv[2])))
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
model = LlamaCpp(Path(sys.argv[1]), name="x@1", threads=1, gpu_layers=0, context=65536)
model.generate(Request(prompt=("x",), max_tokens=1))
hook = sys.unraisablehook
for attempt in range(5):
    begin = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.05 + 0.01 * attempt)
    try:
        model.generate(Request(prompt=("y" * 60000,), max_tokens=1, timeout=60))
    except Stopped as error:
        print(error, time.monotonic() - begin < 1.0, sys.unraisablehook is hook)
print(len(model.generate(Request(prompt=("x",), max_tokens=3)).text) > 0)
"""
    done = in_a_process(program, str(large), number)
    assert done.returncode == 0, done.error_text
    assert done.stdout.decode().splitlines() == [f"{number} True True"] * 5 + ["True"]
    assert done.stderr == b""


def test_embeddings_are_not_bound_by_the_time_of_a_request_before(model: LlamaCpp) -> None:
    with pytest.raises(TimedOut):
        model.generate(ask("x" * 100, timeout=0.0))
    assert len(model.embed(["text"])) == 1


# Ends.


def test_length_and_stop(model: LlamaCpp) -> None:
    long = model.generate(ask("text", max_tokens=20))
    assert long.finish == "length"
    assert long.completion_tokens == 20 == len(long.text)
    assert long.prompt_tokens == 4
    assert long.confidence is not None
    assert 0 < long.confidence < 1
    none = model.generate(ask("text", max_tokens=0))
    assert (none.text, none.completion_tokens, none.confidence) == ("", 0, 1.0)


def test_stop_texts_that_span_tokens(model: LlamaCpp) -> None:
    """Each token is a byte here, so every stop text of more than one character spans some."""
    whole = model.generate(ask("text", max_tokens=20)).text
    for size, place in itertools.product((1, 2, 5), (0, 3, 12)):
        stop = whole[place : place + size]
        request = ask("text", max_tokens=20, stop=("\0never", stop, whole[place : place + size + 2]))
        answer = model.generate(request)
        assert answer.text == whole[: whole.index(stop)]
        assert answer.finish == "stop"
        assert "".join(model.stream(request)) == answer.text
    # What only began like a stop text comes out after all, at the end too.
    for place in (3, 18):
        almost = whole[place : place + 2] + "\0"
        assert model.generate(ask("text", max_tokens=20, stop=(almost,))).text == whole


def test_a_stream_gives_what_generate_gives(model: LlamaCpp) -> None:
    for request in (
        ask("text", max_tokens=30),
        ask("text", temperature=0.9, seed=5),
        ask("text", stop=("e",)),
        ask("text", grammar='root ::= "é" [a-z]+ "→"', max_tokens=40),
    ):
        assert "".join(model.stream(request)) == model.generate(request).text


def test_control_tokens_end_an_answer(model: LlamaCpp) -> None:
    answer = model.generate(ask("text", grammar='root ::= "ab"', max_tokens=9))
    assert answer.text == "ab"
    assert answer.finish == "stop"
    assert not any(token in answer.text for token in CONTROL_TOKENS)


# Context.


def test_prompt_and_answer_fit_the_context_exactly(gguf: Path) -> None:
    model = LlamaCpp(gguf, name="tiny@1", context=512, threads=1, gpu_layers=0)
    assert model.generate(ask("x" * 500, max_tokens=12)).completion_tokens == 12
    with pytest.raises(ContextOverflow, match="501 tokens"):
        model.generate(ask("x" * 501, max_tokens=12))
    with pytest.raises(ContextOverflow):
        list(model.stream(ask("x", max_tokens=512)))
    model.close()


def test_a_context_is_never_longer_than_the_models_own(model: LlamaCpp, gguf: Path) -> None:
    with pytest.raises(ContextOverflow, match="the context of 1024"):
        model.generate(ask("x" * 1024))
    longer = LlamaCpp(gguf, name="tiny@1", context=4096, threads=1, gpu_layers=0)
    with pytest.raises(ContextOverflow, match="the context of 1024"):
        longer.generate(ask("x" * 1024))
    longer.close()


@pytest.mark.parametrize("batch", [7, 128, 512])
def test_the_size_of_the_pieces_changes_no_answer(gguf: Path, batch: int) -> None:
    assert fresh(gguf, ask("x = 1\n" * 50), batch=batch) == fresh(gguf, ask("x = 1\n" * 50))


def test_smaller_pieces_reach_llama_cpp(gguf: Path) -> None:
    model = LlamaCpp(gguf, name="tiny@1", threads=1, gpu_layers=0, batch=64)
    with pytest.raises(ContextOverflow, match="64 are read at most"):
        model.embed(["x" * 65])
    model.close()


# Forms.


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False},
        {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "maxItems": 3},
        {"enum": ["größe", "→"]},
    ],
)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_schema_is_obeyed(model: LlamaCpp, schema: dict[str, Any], temperature: float) -> None:
    import jsonschema  # type: ignore[import-untyped]

    answer = model.generate(ask("text", json_schema=schema, max_tokens=200, temperature=temperature, seed=2))
    assert answer.finish == "stop"
    jsonschema.validate(json.loads(answer.text), schema)


def test_a_grammar_holds_at_every_token(model: LlamaCpp) -> None:
    for seed in range(5):
        request = ask("text", grammar="root ::= [ab] [0-9] [0-9] [ab]", temperature=1.0, seed=seed, max_tokens=9)
        text = model.generate(request).text
        assert len(text) == 4
        assert text[0] in "ab"
        assert text[1:3].isdigit()
    cut = model.generate(ask("text", grammar="root ::= [0-9]+", max_tokens=6))
    assert (cut.finish, cut.text.isdigit()) == ("length", True)


@pytest.mark.parametrize("grammar", ["", " \n", "root ::= (", "other ::= 'x'", "root ::= nothing", "\ud800", "x" * 99])
def test_a_broken_grammar_is_a_bad_answer(model: LlamaCpp, grammar: str) -> None:
    with pytest.raises(BadAnswer, match="grammar"):
        model.generate(ask("text", grammar=grammar))
    assert model.generate(ask("text")).text


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/nowhere"},
        {"$ref": "https://127.0.0.1:1/schema.json"},
        {"type": "nonsense"},
        {"type": "string", "pattern": "no anchors"},
        {"enum": {1, 2}},
    ],
    ids=str,
)
def test_a_schema_that_is_none_is_a_bad_answer(model: LlamaCpp, schema: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        model.generate(ask("text", json_schema=schema))
    assert model.generate(ask("text")).text


def test_seeds(model: LlamaCpp) -> None:
    def drawn(seed: int) -> str:
        return model.generate(ask("text", temperature=1.0, seed=seed)).text

    assert drawn(1) == drawn(1) != drawn(2)
    assert drawn(-1)  # By chance.
    assert model.generate(ask("text", seed=-1)).text == model.generate(ask("text", seed=7)).text


def test_endless_repetition_is_a_bad_answer(folder: Path) -> None:
    """Whatever it is asked, a model that has fallen into a loop is stopped early."""
    model = LlamaCpp(build_tiny_gguf(folder / "loop.gguf", context=1024), name="loop@1", threads=1, gpu_layers=0)
    with pytest.raises(BadAnswer, match="repeats"):
        model.generate(ask("text", grammar='root ::= "abcd" root', max_tokens=900))
    with pytest.raises(BadAnswer, match="repeats"):
        model.generate(ask("text", grammar='root ::= " " root', max_tokens=900))
    model.close()


# Control tokens.


def test_text_becomes_no_control_token(model: LlamaCpp) -> None:
    """Rows A19 and A20: what a repository spells is text."""
    for token in CONTROL_TOKENS:
        spelt = model.generate(ask("a", token, "b"))
        meant = model.generate(ask("a", Special(token), "b"))
        assert spelt.prompt_tokens == 2 + len(token)
        assert meant.prompt_tokens == 3
        assert spelt.text != meant.text
        chat = model.generate(Request(messages=(Message("user", token),), max_tokens=1))
        other = model.generate(Request(messages=(Message("user", "x" * len(token)),), max_tokens=1))
        assert chat.prompt_tokens == other.prompt_tokens


def test_an_unknown_control_token_is_a_reason(model: LlamaCpp) -> None:
    with pytest.raises(Unavailable, match=r"<\|weakness\|>"):
        model.generate(ask(Special("<|weakness|>"), "x"))


def test_an_unknown_chat_format_is_a_reason(gguf: Path) -> None:
    model = LlamaCpp(gguf, name="x@1", chat_format="chat-ml", threads=1, gpu_layers=0)
    with pytest.raises(Unavailable, match="perhaps you meant 'chatml'"):
        model.generate(Request(messages=(Message("user", "x"),)))
    model.close()


# Vectors.


def test_vectors_have_length_one(model: LlamaCpp) -> None:
    texts = ["one", "two", "", "x" * 512, "ü\udc80"]
    vectors = model.embed(texts)
    assert [math.hypot(*vector) for vector in vectors] == pytest.approx([1.0] * len(texts), abs=1e-5)
    assert vectors == model.embed(texts)
    before = model.generate(ask("text")).text
    model.embed(["between"])
    assert model.generate(ask("text")).text == before


def test_a_text_that_is_too_long_for_a_vector_is_not_cut_in_silence(model: LlamaCpp) -> None:
    with pytest.raises(ContextOverflow, match="513 tokens is too long for a vector: 512"):
        model.embed(["x" * 513])
    assert len(model.embed(["x" * 512])) == 1


# Who it is.


def test_fingerprint_tells_files_apart(folder: Path) -> None:
    one, two = (build_tiny_gguf(folder / f"seed{n}.gguf", seed=n) for n in (1, 2))
    prints = {
        LlamaCpp(one, name="a@1").fingerprint,
        LlamaCpp(two, name="a@1").fingerprint,
        LlamaCpp(one, name="a@2").fingerprint,
        LlamaCpp(one, name="a@1", chat_format="phi3").fingerprint,
        LlamaCpp(one, name="a@1", sha256="0" * 64).fingerprint,
        LlamaCpp(one, name="a@1", adapter=two).fingerprint,
        LlamaCpp(folder / "missing.gguf", name="a@1").fingerprint,
    }
    assert len(prints) == 7
    # By its hash, wherever it lies.
    assert (
        LlamaCpp(one, name="a@1", sha256="0" * 64).fingerprint == LlamaCpp(two, name="a@1", sha256="0" * 64).fingerprint
    )


def test_nothing_is_loaded_before_the_first_request(folder: Path) -> None:
    model = LlamaCpp(folder / "not there.gguf", name="a@1")
    assert model.is_local
    model.close()
    with pytest.raises(Unavailable, match="not there"):
        model.generate(ask("x"))
    assert cores() >= 1


def test_a_name_of_other_than_ascii(folder: Path) -> None:
    path = build_tiny_gguf(folder / "größe ☃.gguf")
    assert fresh(path, ask("x"))


# Files that are no models. In a process of their own: whatever is wrong, it may not take ours with it.

_PROGRAM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # A header may ask for more than the machine has.
from pathlib import Path
from nootropic_bot.models.base import ModelError, Request
from nootropic_bot.models.llama_cpp import LlamaCpp

for name in sys.argv[1:]:
    model = LlamaCpp(Path(name), name="x@1", threads=1, gpu_layers=0)
    try:
        print("answer", repr(model.generate(Request(prompt=("x",), max_tokens=2)).text))
    except ModelError as error:
        print(type(error).__name__, error)
    model.close()
"""


def in_a_process(program: str, *args: str, timeout: float = 120) -> Completed:
    return start([sys.executable, "-c", program, *args], timeout=timeout).finish()


def outcomes(paths: list[Path]) -> list[str]:
    done = in_a_process(_PROGRAM, *map(str, paths))
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0, f"{paths[len(lines)].name}: {done.returncode} {done.error_text}"
    assert done.stderr == b""
    return lines


def test_files_that_are_no_models(folder: Path) -> None:
    bodies = {
        "empty": b"",
        "page": b"<!DOCTYPE html><html>404",
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "garbage": bytes(range(256)) * 40,
        "magic": b"GGUF",
        "head": b"GGUF\x03\0\0\0",
        "counts": b"GGUF\x03\0\0\0" + b"\xff" * 16 + b"\0" * 100,
        "none": b"GGUF\x03\0\0\0" + b"\0" * 16,
        "old": b"GGUF\x01\0\0\0" + b"\0" * 60,
        "garbled": b"GGUF\x03\0\0\0" + bytes(range(256)) * 40,
    }
    paths = []
    for name, body in bodies.items():
        paths.append(folder / f"{name}.gguf")
        paths[-1].write_bytes(body)
    (folder / "a-folder.gguf").mkdir()
    paths += [folder / "missing.gguf", folder / "a-folder.gguf"]
    found = outcomes(paths)
    assert len(found) == len(paths)
    for path, line in zip(paths, found, strict=True):
        assert line.startswith(("Unavailable ", "OutOfMemory ")), (path, line)
        assert path.name in line


def test_files_that_were_cut_off(gguf: Path, folder: Path) -> None:
    whole = gguf.read_bytes()
    paths = []
    for number, size in enumerate([24, 40, 100, 1000, 3000, 8000, len(whole) // 2, len(whole) - 1]):
        paths.append(folder / f"cut{number}.gguf")
        paths[-1].write_bytes(whole[:size])
    assert all(line.startswith(("Unavailable ", "OutOfMemory ")) for line in outcomes(paths))


def test_files_with_a_wrong_byte_in_their_head(gguf: Path, folder: Path) -> None:
    """Counts, lengths, kinds and offsets that don't fit: an answer or a reason, and the process goes on."""
    whole = gguf.read_bytes()
    places = [*range(8, 160, 6), *range(200, len(whole) // 4, len(whole) // 40)]
    paths = []
    for place in places:
        for value in (0xFF, 0x00):
            paths.append(folder / f"byte{place}-{value}.gguf")
            paths[-1].write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
    assert len(outcomes(paths)) == len(paths)


def test_lengths_that_overflow(folder: Path) -> None:
    """Row A48: a string's length, a tensor's sizes and offset that wrap around."""

    def text(value: bytes, length: int | None = None) -> bytes:
        return struct.pack("<Q", len(value) if length is None else length) + value

    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
    kind = text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")
    bodies = [
        head + text(b"k", 2**64 - 1),
        head + text(b"k") + struct.pack("<I", 8) + text(b"v", 2**63),
        head + text(b"k") + struct.pack("<IIQ", 9, 8, 2**61) + b"\0" * 64,
        head + kind + text(b"t") + struct.pack("<I4QIQ", 4, 2**40, 2**40, 2**40, 2**40, 0, 0),
        head + kind + text(b"t") + struct.pack("<IQIQ", 1, 32, 0, 2**64 - 32) + b"\0" * 200,
        head + kind + text(b"t") + struct.pack("<IQIQ", 1, 2**62, 0, 0) + b"\0" * 200,
        head + kind + text(b"t") + struct.pack("<I", 2**31) + b"\0" * 200,
    ]
    paths = []
    for number, body in enumerate(bodies):
        paths.append(folder / f"overflow{number}.gguf")
        paths[-1].write_bytes(body)
    assert all(line.startswith("Unavailable ") for line in outcomes(paths))


def test_no_chat_template_of_a_file_is_compiled_or_rendered(folder: Path) -> None:
    """Row A49. jinja2 compiles templates under the name `<template>`; an audit hook would see it."""
    trace = folder / "trace"
    template = (
        "{{ ''.__class__.__mro__[1].__subclasses__() }}{% for x in range(10**12) %}{{ cycler.__init__.__globals__.os.open("
        f"'{trace}', 65) }}}}{{% endfor %}}"
    )
    path = build_tiny_gguf(folder / "template.gguf", chat_template=template)
    assert template.encode() in path.read_bytes()
    program = """
import sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event == "compile" and args[1] in ("<template>", b"<template>") else None)
from pathlib import Path
from nootropic_bot.models.base import Message, Request
from nootropic_bot.models.llama_cpp import LlamaCpp

model = LlamaCpp(Path(sys.argv[1]), name="x@1", threads=1, gpu_layers=0)
text = model.generate(Request(messages=(Message("user", "x"),), max_tokens=2)).text
model.close()
before = len(seen)
import jinja2
jinja2.Environment().from_string("{{ 1 }}").render()
print(len(text) > 0, before, len(seen) > before)
"""
    done = in_a_process(program, str(path))
    # An import of llama_cpp may compile templates of its own, so what counts is that this file's is not among them.
    assert done.stdout.decode().split() == ["True", "0", "True"], done.error_text
    assert not trace.exists()


@pytest.mark.parametrize("failure", ["ImportError", "OSError", "RuntimeError"])
def test_without_the_runtime_the_reason_says_what_to_install(gguf: Path, failure: str) -> None:
    program = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "llama_cpp":
            raise {failure}("no " + name)

sys.meta_path.insert(0, Blocker())
{_PROGRAM}"""
    done = in_a_process(program, str(gguf))
    assert done.returncode == 0, done.error_text
    assert done.stdout.decode().startswith("Unavailable llama-cpp-python ")
    assert "pip install 'nootropic-bot[local]'" in done.stdout.decode()


_WITH_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import llama_cpp, numpy
from nootropic_bot.models.base import ModelError, Request
from nootropic_bot.models.llama_cpp import LlamaCpp

used = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]), used + int(sys.argv[2])))
model = LlamaCpp(Path(sys.argv[1]), name="x@1", threads=1, gpu_layers=0, context=int(sys.argv[3]))
try:
    print("answer", repr(model.generate(Request(prompt=("x",), max_tokens=12)).text))
except ModelError as error:
    print(type(error).__name__, error)
"""


def test_memory_that_does_not_suffice(folder: Path) -> None:
    """A context that no machine has room for is halved until it fits, and the answer is the same."""
    huge = build_tiny_gguf(folder / "huge.gguf", context=1 << 22)
    done = in_a_process(_WITH_LITTLE_MEMORY, str(huge), str(400 << 20), str(1 << 22))
    assert done.returncode == 0, done.error_text
    assert done.stdout.decode().strip() == f"answer {fresh(huge, ask('x'))!r}"


def test_memory_that_does_not_suffice_for_the_weights_is_told_from_a_broken_file(folder: Path) -> None:
    """By what llama.cpp says first, not by its last words, which are the same for both, nor by the file's name."""
    heavy = build_tiny_gguf(folder / "heavy.gguf")
    broken = folder / "out of memory alloc.gguf"
    broken.write_bytes(heavy.read_bytes().replace(b"llama.context_length", b"llama.context_xxxxxx"))
    done = in_a_process(_WITH_LITTLE_MEMORY, str(heavy), str(1 << 16), "512")
    kind, _, said = done.stdout.decode().strip().partition(" ")
    assert (kind, "alloc" in said) == ("OutOfMemory", True), (said, done.error_text)
    done = in_a_process(_WITH_LITTLE_MEMORY, str(broken), str(1 << 30), "512")
    kind, _, said = done.stdout.decode().strip().partition(" ")
    assert (kind, "context_length" in said) == ("Unavailable", True), (said, done.error_text)


def test_every_failure_is_one_of_ours(model: LlamaCpp, folder: Path) -> None:
    """A sample of bad requests, each answered by a `ModelError`, after which the model still works."""
    requests = [
        ask("x" * 5000),
        ask("x", grammar="nonsense"),
        ask(Special("nothing"), "x"),
        ask("x" * 900, timeout=0.0),
        ask("x", json_schema={"$ref": "#/x"}),
    ]
    good = model.generate(ask("good")).text
    for request in requests:
        with pytest.raises(ModelError):
            model.generate(request)
        assert model.generate(ask("good")).text == good
    with pytest.raises((Unavailable, OutOfMemory)):
        LlamaCpp(folder, name="x@1").generate(ask("x"))
