"""The network and its export: llama.cpp computes what PyTorch does, within the error of eight-bit weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nootropic_bot.models.fixer import END, FORMAT, PAD, SPECIALS
from tests.learn.code import files

torch = pytest.importorskip("torch")
gguf = pytest.importorskip("gguf")
pytest.importorskip("tokenizers")

from nootropic_bot.learn import tokenizer as learn_tokenizer  # noqa: E402
from nootropic_bot.learn.export import export, load_network  # noqa: E402
from nootropic_bot.learn.network import Network, Shape  # noqa: E402

_SHAPE = Shape(vocabulary=640, width=128, layers=3, heads=4, hidden=192, context=256)


@pytest.fixture(scope="module")
def trained() -> Any:
    return learn_tokenizer.train([(file.text,) for file in files()[:20]], 600)


@pytest.fixture(scope="module")
def network() -> Any:
    """Random weights, large enough that the answers differ clearly."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    made = Network(_SHAPE)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            weight.mul_(4.0) if weight.ndim == 2 else weight.add_(0.2 * torch.randn_like(weight))
            assert torch.isfinite(weight).all(), name
    return made.eval()


@pytest.fixture(scope="module")
def path(network: Any, trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("model") / "random.gguf"
    export(network, trained, made, name="random", version="7")
    return made


@pytest.fixture(scope="module")
def native(path: Path) -> Iterator[Any]:
    llama_cpp = pytest.importorskip("llama_cpp")
    model = llama_cpp.Llama(str(path), n_ctx=256, n_threads=1, logits_all=True, verbose=False)
    yield model
    model.close()


def _tokens(count: int, seed: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 600, (count,), generator=generator).tolist()


@pytest.mark.parametrize(("count", "seed"), [(1, 1), (7, 2), (100, 3), (250, 4)])
def test_llama_cpp_gives_the_same_scores(network: Any, native: Any, count: int, seed: int) -> None:
    """At every position: a wrong rotation, norm or permutation of the weights shows from the second on."""
    tokens = _tokens(count, seed)
    native.reset()
    native.eval(tokens)
    theirs = torch.tensor(native.scores[:count])
    with torch.no_grad():
        ours = network(torch.tensor([tokens]))[0]
    spread = ours.std()
    assert spread > 0.5
    assert (theirs - ours).abs().max() < 0.4 * spread
    assert (theirs - ours).abs().mean() < 0.05 * spread


def test_llama_cpp_gives_the_same_greedy_answer(network: Any, native: Any) -> None:
    agreed = 0
    for seed in range(3):
        tokens = _tokens(20, seed)
        for _step in range(12):
            native.reset()
            native.eval(tokens)
            with torch.no_grad():
                ours = network(torch.tensor([tokens]))[0, -1]
            theirs = torch.tensor(native.scores[len(tokens) - 1])
            choice = int(theirs.argmax())
            assert ours[choice] > ours.max() - 0.15 * ours.std()  # A tie may go either way.
            agreed += choice == int(ours.argmax())
            tokens.append(int(ours.argmax()))
    assert agreed >= 33


def test_the_same_network_gives_the_same_bytes(network: Any, trained: Any, path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.gguf"
    again.write_bytes(b"something older")
    export(network, trained, again, name="random", version="7")
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()
    assert [each.name for each in tmp_path.iterdir()] == ["again.gguf"]


def test_a_failed_export_leaves_the_older_file(network: Any, trained: Any, tmp_path: Path) -> None:
    made = tmp_path / "model.gguf"
    made.write_bytes(b"older")
    (tmp_path / "model.part").mkdir()
    with pytest.raises(OSError, match=r"model\.part"):
        export(network, trained, made, name="random", version="7")
    assert made.read_bytes() == b"older"


def test_the_file_says_what_it_is(path: Path) -> None:
    reader = gguf.GGUFReader(str(path))

    def value(key: str) -> Any:
        return reader.fields[key].contents()

    assert (value("general.architecture"), value("general.name"), value("general.version")) == ("llama", "random", "7")
    assert value("general.license") == "Apache-2.0"
    assert value("nootropic.format") == FORMAT
    assert value("llama.context_length") == _SHAPE.context
    assert value("llama.embedding_length") == _SHAPE.width
    assert value("llama.block_count") == _SHAPE.layers
    assert value("llama.feed_forward_length") == _SHAPE.hidden
    assert value("llama.attention.head_count") == value("llama.attention.head_count_kv") == _SHAPE.heads
    assert value("llama.rope.dimension_count") == _SHAPE.width // _SHAPE.heads
    assert value("llama.vocab_size") == _SHAPE.vocabulary
    assert value("llama.attention.layer_norm_rms_epsilon") == pytest.approx(_SHAPE.epsilon)
    tokens, kinds = value("tokenizer.ggml.tokens"), value("tokenizer.ggml.token_type")
    assert len(tokens) == len(kinds) == _SHAPE.vocabulary
    assert tokens[: len(SPECIALS)] == [special.token for special in SPECIALS]
    controls = {token for token, kind in zip(tokens, kinds, strict=True) if kind == int(gguf.TokenType.CONTROL)}
    assert controls == {special.token for special in SPECIALS} | {f"<|unused{number}|>" for number in range(600, 640)}
    assert tokens[value("tokenizer.ggml.eos_token_id")] == END.token
    assert tokens[value("tokenizer.ggml.padding_token_id")] == PAD.token
    assert value("tokenizer.ggml.add_bos_token") is False
    assert "tokenizer.chat_template" not in reader.fields


def test_matrices_take_eight_bits_and_norms_stay_exact(network: Any, path: Path) -> None:
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(str(path)).tensors}
    assert len(tensors) == 2 + 9 * _SHAPE.layers
    for name, tensor in tensors.items():
        kind = gguf.GGMLQuantizationType.F32 if "norm" in name else gguf.GGMLQuantizationType.Q8_0
        assert tensor.tensor_type == kind, name
    norm = torch.tensor(tensors["output_norm.weight"].data.copy())
    assert torch.equal(norm, network.norm.weight)
    parameters = sum(weight.numel() for weight in network.parameters())
    assert path.stat().st_size < parameters * 1.1 + 60_000


def test_later_tokens_change_no_earlier_scores(network: Any) -> None:
    tokens = _tokens(30, 9)
    with torch.no_grad():
        whole = network(torch.tensor([tokens]))[0]
        part = network(torch.tensor([tokens[:12]]))[0]
        changed = network(torch.tensor([[*tokens[:12], *_tokens(18, 10)]]))[0]
    assert torch.allclose(whole[:12], part, atol=1e-4)
    assert torch.allclose(whole[:12], changed[:12], atol=1e-4)
    assert not torch.allclose(whole[12:], changed[12:], atol=1e-2)


def test_the_order_of_tokens_matters(network: Any) -> None:
    with torch.no_grad():
        one, other = (network(torch.tensor([tokens]))[0, -1] for tokens in ([5, 9, 7], [9, 5, 7]))
    assert not torch.allclose(one, other, atol=1e-2)


def test_the_size_is_what_the_shape_says() -> None:
    shape = Shape()
    count = sum(weight.numel() for weight in Network(shape).parameters())
    block = 4 * shape.width**2 + 3 * shape.width * shape.hidden + 2 * shape.width
    assert count == shape.vocabulary * shape.width + shape.layers * block + shape.width
    assert count * 1.1 < 16 * 2**20  # What the package may ship.


def test_a_checkpoint_gives_the_network_back(network: Any, tmp_path: Path) -> None:
    saved = {"network": network.state_dict(), "shape": network.shape.to_dict()}
    torch.save(saved, tmp_path / "checkpoint.pt")
    loaded = load_network(tmp_path / "checkpoint.pt")
    assert loaded.shape == _SHAPE
    assert not loaded.training
    with torch.no_grad():
        assert torch.equal(loaded(torch.tensor([[1, 2, 3]])), network(torch.tensor([[1, 2, 3]])))
