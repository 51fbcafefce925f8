"""`nootropic.lock` reads and writes; and a file is proved before anything parses it (row A48 of the attack corpus)."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nootropic_bot.errors import UsageError
from nootropic_bot.models.base import Unavailable
from nootropic_bot.models.lock import Lock, Pin, State, locate, parse, pin_of, render
from nootropic_bot.models.order import order_line, with_order
from nootropic_bot.models.registry import builtin, installed_models
from nootropic_bot.models.verified import check_header, verify
from tests.models.fileserver import model_bytes
from tests.models.test_registry import install

BODY = model_bytes(5000)
DIGEST = hashlib.sha256(BODY).hexdigest()
ONE = Pin("one", "v1", "one.gguf", 10, "1" * 64, "https://example.com/one.gguf")
TWO = Pin("two", "v2", "two.gguf", 20, "2" * 64)


# The file.


def test_a_lock_reads_back() -> None:
    lock = Lock(State(("one", "server", "two"), (ONE, TWO)), (State(("two",), (TWO,)), State(("bundled",))))
    assert parse(render(lock).encode()) == lock
    assert parse(render(Lock()).encode()) == Lock()


_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
_pins = st.builds(
    Pin,
    _names,
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    _names.map(lambda name: f"{name}.gguf"),
    st.integers(1, 2**40),
    st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
_states = st.builds(State, st.lists(_names, max_size=3).map(tuple), st.lists(_pins, max_size=3).map(tuple))


@given(st.builds(Lock, _states, st.lists(_states, max_size=3).map(tuple)))
def test_every_lock_reads_back(lock: Lock) -> None:
    assert parse(render(lock).encode()) == lock


def test_the_text_is_made_for_diffs() -> None:
    text = render(Lock(State(("one",), (ONE,))))
    assert text.splitlines()[0].startswith("# Written by `nootropic-bot models use`")
    assert f'sha256 = "{"1" * 64}"' in text.splitlines()
    assert render(parse(text.encode())) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = 2\n",
        "version = \n",
        "version = 1\norder = 5\n",
        'version = 1\norder = ["../x"]\n',
        "version = 1\nmodel = 3\n",
        'version = 1\n[[model]]\nname = "x"\n',
        render(Lock(State(("one",), (replace(ONE, sha256="x"),)))),
        render(Lock(State(("one",), (replace(ONE, file="../../x.gguf"),)))),
        render(Lock(State(("one",), (replace(ONE, size=0),)))),
        render(Lock(State(("one",), (ONE,)))) + "colour = 1\n",
        "\xff",
        f"version = 1\norder = {'[' * 100_000}",
        f"version = {'9' * 5000}\n",
    ],
)
def test_a_damaged_lock_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text.encode("latin-1"))
    assert "nootropic.lock" in error.value.message
    assert error.value.remedy


def test_use_and_rollback() -> None:
    first = Lock().use(("one", "bundled"), [ONE], before=("bundled",))
    second = first.use(("two", "one", "bundled"), [TWO, ONE], before=("one", "bundled"))
    assert second.rollback() == first
    back = first.rollback()
    assert back is not None
    assert back.now == State(("bundled",))
    assert back.rollback() is None
    assert first.use(("one", "bundled"), [ONE], before=("one", "bundled")) is first


def test_the_old_pin_comes_back_with_its_order() -> None:
    newer = replace(ONE, sha256="3" * 64, version="v2")
    lock = Lock().use(("one",), [ONE], before=("bundled",)).use(("one",), [newer], before=("one",))
    back = lock.rollback()
    assert back is not None
    assert back.now.pin("one") == ONE


def test_at_most_five_are_remembered() -> None:
    lock = Lock()
    for number in range(9):
        lock = lock.use((f"m{number}",), [], before=(f"m{number - 1}",) if number else ("bundled",))
    assert len(lock.previous) == 5
    assert lock.previous[0].order == ("m7",)


# A48: nothing is opened that is not what it should be.


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.gguf"
    path.write_bytes(BODY)
    return path


def test_the_right_file_passes(model: Path) -> None:
    assert verify(model, sha256=DIGEST, size=len(BODY)) == DIGEST
    assert verify(model, sha256=None) == DIGEST


def test_a48_a_truncated_file_is_refused_by_its_size(model: Path) -> None:
    model.write_bytes(BODY[:4000])
    with pytest.raises(Unavailable, match="4000 bytes instead of 5000"):
        verify(model, sha256=DIGEST, size=len(BODY))


def test_a48_a_changed_file_of_the_same_size_is_refused_by_its_hash(model: Path) -> None:
    model.write_bytes(BODY[:-1] + b"?")
    with pytest.raises(Unavailable, match="is not the file it should be"):
        verify(model, sha256=DIGEST, size=len(BODY))


def test_a48_an_overflowing_header_is_never_parsed(model: Path) -> None:
    # Counts of tensors and keys near 2^64, as in published attacks on GGUF parsers: only the hash is looked at.
    model.write_bytes((b"GGUF" + (3).to_bytes(4, "little") + b"\xff" * 16 + BODY)[: len(BODY)])
    with pytest.raises(Unavailable, match="is not the file it should be"):
        verify(model, sha256=DIGEST, size=len(BODY))


def test_the_size_is_looked_at_before_the_bytes(tmp_path: Path) -> None:
    """A sparse file of a terabyte is refused without being read."""
    path = tmp_path / "huge.gguf"
    with path.open("wb") as stream:
        os.truncate(stream.fileno(), 1 << 40)
    with pytest.raises(Unavailable, match="instead of 5000"):
        verify(path, sha256=DIGEST, size=5000)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"", "empty"),
        (b"GGML....", "no GGUF"),
        (b"GGUF", "version"),
        (b"GGUF\x00\x00\x00\x03", "version"),  # big-endian
        (b"  <html>", "web page"),
        (b"version https://git-lfs", "Git LFS"),
    ],
)
def test_what_else_it_may_be(tmp_path: Path, head: bytes, said: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(head)
    with pytest.raises(Unavailable, match=said):
        check_header(path)
    with pytest.raises(Unavailable, match=said):
        verify(path, sha256=hashlib.sha256(head).hexdigest())


def test_no_file_a_folder_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        verify(tmp_path / "none.gguf", sha256=DIGEST)
    with pytest.raises(Unavailable, match="no regular file"):
        verify(tmp_path, sha256=DIGEST)
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(Unavailable, match="no regular file"):
        verify(tmp_path / "pipe.gguf", sha256=DIGEST)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(model: Path) -> None:
    model.chmod(0)
    with pytest.raises(Unavailable, match="Permission denied"):
        verify(model, sha256=DIGEST)


def test_what_was_proved_is_remembered(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    verify(model, sha256=DIGEST, cache=cache)
    (note,) = (cache / "verified").iterdir()
    # Were it hashed again, the forged note would not be believed: this shows that it is read.
    note.write_text(note.read_text().replace(DIGEST, "0" * 64))
    with pytest.raises(Unavailable):
        verify(model, sha256=DIGEST, cache=cache)


def test_a_change_is_seen_though_size_and_modification_time_are_kept(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    verify(model, sha256=DIGEST, cache=cache)
    before = model.stat()
    with model.open("r+b") as stream:
        stream.seek(1000)
        stream.write(b"?")
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(Unavailable, match="is not the file it should be"):
        verify(model, sha256=DIGEST, cache=cache)


def test_another_file_in_its_place_is_seen(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    verify(model, sha256=DIGEST, cache=cache)
    other = tmp_path / "other"
    other.write_bytes(model_bytes(5000, b"evil"))
    os.utime(other, ns=(model.stat().st_atime_ns, model.stat().st_mtime_ns))
    os.replace(other, model)
    with pytest.raises(Unavailable, match="is not the file it should be"):
        verify(model, sha256=DIGEST, cache=cache)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"file": 1}', '{"sha256": "x"}'])
def test_a_damaged_note_is_passed_over(model: Path, tmp_path: Path, text: str) -> None:
    cache = tmp_path / "cache"
    verify(model, sha256=DIGEST, cache=cache)
    (note,) = (cache / "verified").iterdir()
    note.write_text(text)
    assert verify(model, sha256=DIGEST, cache=cache) == DIGEST


# From a name to a file.


def test_locating_a_pulled_model(tmp_path: Path) -> None:
    entry = install(tmp_path, "mine", BODY)
    found = locate("mine", home=tmp_path)
    assert (found.entry, found.sha256) == (entry, DIGEST)
    pin = pin_of(installed_models(tmp_path, tmp_path)[0], DIGEST)
    assert locate("mine", home=tmp_path, lock=Lock(State(("mine",), (pin,)))).path == found.path


def test_what_is_not_installed_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="models pull mine"):
        locate("mine", home=tmp_path)


def test_a_lock_that_wants_another_file_refuses_this_one(tmp_path: Path) -> None:
    install(tmp_path, "mine", BODY)
    pin = Pin("mine", "v1", "mine.gguf", 10, "1" * 64)
    with pytest.raises(Unavailable, match=r"nootropic\.lock wants mine with SHA-256 111111111111") as error:
        locate("mine", home=tmp_path, lock=Lock(State(("mine",), (pin,))))
    assert "models pull mine" in str(error.value)


def test_of_two_versions_the_lock_chooses(tmp_path: Path) -> None:
    old, new = install(tmp_path, "mine", BODY), install(tmp_path, "mine", model_bytes(6000))
    os.utime(tmp_path / (old.sha256 or "") / "mine.entry.json", (1, 1))
    assert locate("mine", home=tmp_path).sha256 == new.sha256
    pin = Pin("mine", "v", "mine.gguf", 5000, DIGEST)
    assert locate("mine", home=tmp_path, lock=Lock(State(("mine",), (pin,)))).sha256 == DIGEST


def test_a_name_of_ours_with_another_hash_is_refused(tmp_path: Path) -> None:
    """A card that someone wrote by hand gives a file of his our name: the lock and the registry's hash decide."""
    install(tmp_path, "qwen2.5-coder-1.5b", BODY)
    known = next(entry for entry in builtin() if entry.name == "qwen2.5-coder-1.5b")
    with pytest.raises(Unavailable, match="the registry wants") as error:
        locate("qwen2.5-coder-1.5b", home=tmp_path)
    assert (known.sha256 or "?")[:12] in str(error.value)


@pytest.mark.parametrize("damage", [BODY[:100], BODY + b"x", BODY[:-1] + b"?"])
def test_a48_a_damaged_installed_model_names_the_remedy(tmp_path: Path, damage: bytes) -> None:
    entry = install(tmp_path, "mine", BODY)
    (tmp_path / DIGEST / entry.file).write_bytes(damage)
    with pytest.raises(Unavailable, match="models pull mine` fetches it again"):
        locate("mine", home=tmp_path, cache=tmp_path / "cache")


# The configuration's order.


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[models]\norder = ["a", "b"]\n'),
        ("exclude = []", 'exclude = []\n\n[models]\norder = ["a", "b"]\n'),
        ("[models]\n", '[models]\norder = ["a", "b"]\n'),
        ("[models]", '[models]\norder = ["a", "b"]'),
        ("[models] # mine\ncandidates = 2\n[hook]\n", '[models] # mine\norder = ["a", "b"]\ncandidates = 2\n[hook]\n'),
        ('[models]\n  order=["x"] # why\n', '[models]\n  order=["a", "b"] # why\n'),
        (
            "[models.budget]\ntokens_per_day = 5\n",
            '[models.budget]\ntokens_per_day = 5\n\n[models]\norder = ["a", "b"]\n',
        ),
        ('[backend.order]\nmodel = "x"\n', '[backend.order]\nmodel = "x"\n\n[models]\norder = ["a", "b"]\n'),
    ],
)
def test_the_order_is_written_and_the_rest_stays(before: str, after: str) -> None:
    assert with_order(before, ["a", "b"]) == after


@pytest.mark.parametrize(
    "text",
    [
        'models = {order = ["x"]}\n',
        'models.order = ["x"]\n',
        '[models]\norder = [\n  "x",\n]\n',
        '[models]\n"order" = ["x"]\n',
        "not toml",
        "models = 5\n",
        f"a = {'[' * 100_000}\n",
        f"a = {'9' * 5000}\n",
        'text = """\n[models]\norder = ["x"]\n"""\n',
        '[models]\nnote = """\norder = ["x"]\n"""\n',
    ],
)
def test_what_is_not_one_plain_line_is_left_to_its_author(text: str) -> None:
    assert with_order(text, ["a"]) is None


def test_the_line_for_the_author() -> None:
    assert order_line(("a", "b-1.5")) == 'order = ["a", "b-1.5"]'
