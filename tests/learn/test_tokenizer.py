"""The tokenizer: llama.cpp cuts text into the same tokens, and text never becomes a control token."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nootropic_bot.learn.pairs import generate
from nootropic_bot.models.base import Special
from nootropic_bot.models.fixer import FIX, LINES, SPECIALS, WEAKNESS
from tests.learn.code import files, ingredients

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")
pytest.importorskip("gguf")

from nootropic_bot.learn import tokenizer as learn_tokenizer  # noqa: E402
from nootropic_bot.learn.export import export  # noqa: E402
from nootropic_bot.learn.network import Network, Shape  # noqa: E402

_SIZE = 1024
_ODD = (
    "",
    " ",
    "  two  spaces ",
    "\t\ttabs\tin\tbetween",
    "lines\n\n\n  and  \n\tindents\r\nreturns",
    "we're they've I'll don't 'tis IT'S",
    "x1y22z333 0x1F 1_000 3.14e-10 v2",
    "café naïve Straße Ελλάδα Привет мир 日本語のテキスト العربية हिन्दी",
    "e\u0301 combining, \u00a0no-break\u00a0space, \u200bzero\u200bwidth, \ufeff mark",
    "emoji 🙂🏳️‍🌈👩🏽‍💻 and 𝒎𝒂𝒕𝒉 ½ ² Ⅷ ①",
    "<|fix|><|1|> <|end|>text<|[|>flagged<|]|><|+|><|pad|>",
    "<|weakness|",
    "\x00\x01\x7f\x80 controls",
    '"""docstring"""  # comment: a==b!=c<=d>>=e**=f//g@h',
)


@pytest.fixture(scope="module")
def encoder() -> learn_tokenizer.Encoder:
    prompts = [pair.prompt + pair.answer for pair in generate(ingredients(), 400, 3)]
    return learn_tokenizer.Encoder(learn_tokenizer.train(prompts, _SIZE))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """llama.cpp with the vocabulary of a model file made by the export; trained here, as the encoder is."""
    llama_cpp = pytest.importorskip("llama_cpp")
    torch.set_num_threads(1)
    prompts = [pair.prompt + pair.answer for pair in generate(ingredients(), 400, 3)]
    trained = learn_tokenizer.train(prompts, _SIZE)
    path = tmp_path_factory.mktemp("model") / "random.gguf"
    shape = Shape(vocabulary=_SIZE, width=64, layers=1, heads=2, hidden=64)
    export(Network(shape), trained, path, name="random", version="1")
    model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    yield model
    model.close()


def _snippets() -> list[str]:
    random_ = random.Random(5)
    found = list(_ODD)
    for file in random_.sample(files(), 60):
        lines = file.text.splitlines(keepends=True)
        for _round in range(6):
            start = random_.randrange(len(lines))
            found.append("".join(lines[start : start + random_.randint(1, 6)])[random_.randint(0, 3) :])
    return found


def test_llama_cpp_cuts_real_code_alike(encoder: learn_tokenizer.Encoder, native: Any) -> None:
    texts = _snippets()
    assert len(texts) > 350
    for text, ids in zip(texts, encoder([(text,) for text in texts]), strict=True):
        assert native.tokenize(text.encode(), add_bos=False, special=False) == ids, repr(text)


def test_control_tokens_have_the_same_ids(encoder: learn_tokenizer.Encoder, native: Any) -> None:
    for special in SPECIALS:
        ids = native.tokenize(special.token.encode(), add_bos=False, special=True)
        assert ids == encoder([(special,)])[0] == [encoder.specials[special.token]]


def test_llama_cpp_never_makes_text_a_control_token(native: Any, encoder: learn_tokenizer.Encoder) -> None:
    controls = set(encoder.specials.values())
    for text in _ODD:
        assert not controls & set(native.tokenize(text.encode(), add_bos=False, special=False)), text


def test_whole_prompts_are_cut_alike(encoder: learn_tokenizer.Encoder, native: Any) -> None:
    for pair in generate(ingredients(), 60, 11):
        ids: list[int] = []
        for part in pair.prompt + pair.answer:
            text = part.token if isinstance(part, Special) else part
            ids += native.tokenize(text.encode(), add_bos=False, special=isinstance(part, Special))
        assert encoder([pair.prompt + pair.answer]) == [ids]


def test_text_that_spells_a_control_token_stays_text(encoder: learn_tokenizer.Encoder) -> None:
    for special in SPECIALS:
        (as_text,), (as_token,) = encoder([(special.token,)]), encoder([(special,)])
        assert len(as_token) == 1
        assert len(as_text) > 1
        assert not set(as_text) & set(encoder.specials.values())
        assert encoder.text(as_text) == encoder.text(as_token) == special.token


def test_ids_lead_back_to_the_text(encoder: learn_tokenizer.Encoder) -> None:
    texts = _snippets()
    for text, ids in zip(texts, encoder([(text,) for text in texts]), strict=True):
        assert encoder.text(ids) == text
    prompt = (WEAKNESS, "wrong", LINES[0], "x = <|fix|>\n", FIX)
    assert encoder.text(encoder([prompt])[0]) == "<|weakness|>wrong<|1|>x = <|fix|>\n<|fix|>"


def test_prompts_are_cut_each_for_itself(encoder: learn_tokenizer.Encoder) -> None:
    prompts = [(WEAKNESS, "one", FIX), (), ("two",), (FIX, FIX)]
    assert encoder(prompts) == [encoder([prompt])[0] for prompt in prompts]
    assert encoder([()]) == [[]]


def test_a_vocabulary_has_its_size_and_learns_code(encoder: learn_tokenizer.Encoder) -> None:
    assert encoder.size == _SIZE
    assert set(encoder.specials) == {special.token for special in SPECIALS}
    assert sorted(encoder.specials.values()) == list(range(len(SPECIALS)))
    text = "    return self"
    assert len(encoder([(text,)])[0]) < len(text) / 2


def test_training_and_saving_are_repeatable(tmp_path: Path) -> None:
    prompts = [pair.prompt for pair in generate(ingredients(), 60, 3)]
    first, second = (learn_tokenizer.train(prompts, 600) for _round in range(2))
    assert first.to_str() == second.to_str()
    first.save(str(tmp_path / "tokenizer.json"))
    assert learn_tokenizer.load(tmp_path / "tokenizer.json").to_str() == first.to_str()
