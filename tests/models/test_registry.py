"""The data file by its own schema, and which models are found on a machine."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.models import chat
from nootropic_bot.models.https import check_url
from nootropic_bot.models.registry import (
    BUNDLED,
    Entry,
    builtin,
    cache_home,
    entry_from,
    installed_models,
    known_entries,
    models_home,
    write_card,
)
from nootropic_bot.resources import read_toml
from tests.models.fileserver import model_bytes

REGISTRY = Path(chat.__file__).with_name("registry.toml")
COUNT = {"type": "integer", "minimum": 0}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["model"],
    "properties": {
        "model": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": [
                    "name", "version", "kind", "file", "quantization", "parameters", "size_bytes", "context", "licence",
                    "layers", "kv_heads", "head_size",
                ],
                "properties": {
                    "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9.-]*$"},
                    "version": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]*$"},
                    "kind": {"enum": ["fixer", "chat", "completion"]},
                    "file": {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*\.gguf$"},
                    "quantization": {"enum": ["Q4_K_M", "Q8_0", "F16"]},
                    "parameters": COUNT, "size_bytes": COUNT, "context": {"type": "integer", "minimum": 1},
                    "layers": COUNT, "kv_heads": COUNT, "head_size": COUNT,
                    "licence": {"type": "string", "minLength": 1}, "licence_note": {"type": "string", "minLength": 1},
                    "humaneval": {"type": "number", "minimum": 0, "maximum": 100},
                    "url": {"type": "string", "pattern": "^https://huggingface.co/[^/]+/[^/]+/resolve/[^/]+/[^/]+$"},
                    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                    "chat_format": {"type": "string", "minLength": 1},
                },
                "allOf": [
                    {
                        "if": {"properties": {"kind": {"const": "chat"}}},
                        "then": {"required": ["chat_format"]},
                        "else": {"properties": {"chat_format": False}},
                    },
                    {
                        "if": {"properties": {"name": {"const": "bundled"}}},
                        "then": {"properties": {"url": False, "kind": {"const": "fixer"}}},
                        "else": {"required": ["url"], "properties": {"size_bytes": {"minimum": 1}}},
                    },
                ],
            },
        }
    },
}  # fmt: skip


def test_the_data_is_of_its_schema() -> None:
    jsonschema.validate(read_toml(REGISTRY), SCHEMA)


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "oracle"},
        {"sha256": "abc"},
        {"url": "http://x/y.gguf"},
        {"speed": 100},
        {"licence": ""},
        {"file": "a/b"},
    ],
)
def test_the_schema_can_refuse(damage: dict[str, object]) -> None:
    data = read_toml(REGISTRY)
    data["model"][1].update(damage)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


def test_names_hashes_and_files_are_unique() -> None:
    entries = builtin()
    for values in ([e.name for e in entries], [e.sha256 for e in entries if e.sha256], [e.file for e in entries]):
        assert len(values) == len(set(values))


def test_the_file_is_the_one_of_the_address() -> None:
    for entry in builtin():
        if entry.url:
            check_url(entry.url)
            assert urlsplit(entry.url).path.rpartition("/")[2] == entry.file


def test_a_hash_stands_with_a_revision_and_an_exact_size() -> None:
    for entry in builtin():
        if entry.sha256 and entry.url:
            assert re.search(r"/resolve/[0-9a-f]{40}/", entry.url), entry.name
            assert entry.size_bytes % 1000, f"{entry.name}: a rounded size beside a hash"


def test_sizes_are_what_the_quantization_makes_of_the_parameters() -> None:
    bits = {"Q4_K_M": (4.5, 6.2), "Q8_0": (8.0, 11.1)}  # small models keep two embeddings in full
    for entry in builtin():
        if entry.size_bytes and entry.parameters:
            low, high = bits[entry.quantization]
            assert low <= entry.size_bytes * 8 / entry.parameters <= high, entry.name


def test_every_chat_format_is_one_of_ours() -> None:
    for entry in builtin():
        if entry.chat_format:
            chat.find_template(entry.chat_format)


def test_the_promised_models_are_there() -> None:
    names = {entry.name for entry in builtin()}
    promised = {BUNDLED, "qwen2.5-coder-1.5b", "qwen2.5-coder-1.5b-q8", "qwen2.5-coder-7b", "qwen2.5-coder-7b-q8"}
    assert promised | {"starcoder2-3b", "deepseek-coder-1.3b"} <= names
    by_name = {entry.name: entry for entry in builtin()}
    assert by_name["qwen2.5-coder-7b"].licence == "Apache-2.0"
    assert "non-commercial" in by_name["qwen2.5-coder-3b"].licence_note


def test_the_bundled_file_is_pinned() -> None:
    entry = next(entry for entry in builtin() if entry.name == BUNDLED)
    path = REGISTRY.with_name("bundled") / entry.file
    if not path.exists():
        pytest.skip("the bundled model is not built yet")
    assert entry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert entry.size_bytes == path.stat().st_size
    assert entry.parameters > 0
    assert entry.layers > 0


# Where models lie.


def test_homes() -> None:
    assert cache_home({"HOME": "/h"}) == Path("/h/.cache/nootropic-bot")
    assert cache_home({"HOME": "/h", "XDG_CACHE_HOME": "/c"}) == Path("/c/nootropic-bot")
    assert cache_home({"HOME": "/h", "XDG_CACHE_HOME": "relative"}) == Path("/h/.cache/nootropic-bot")
    assert models_home({"HOME": "/h"}) == Path("/h/.cache/nootropic-bot/models")
    assert models_home({"HOME": "/h", "NOOTROPIC_MODELS": "/big/disk"}) == Path("/big/disk")
    assert models_home({"HOME": "/h", "NOOTROPIC_MODELS": ""}) == Path("/h/.cache/nootropic-bot/models")


def install(home: Path, name: str, body: bytes, **more: Any) -> Entry:
    digest = hashlib.sha256(body).hexdigest()
    url = f"https://example.com/{name}.gguf"
    entry = Entry(name, digest[:12], "chat", f"{name}.gguf", len(body), sha256=digest, url=url, **more)
    folder = home / digest
    folder.mkdir(parents=True)
    (folder / entry.file).write_bytes(body)
    write_card(folder, entry, url, on_first_use=True)
    return entry


def test_what_is_installed_is_found(tmp_path: Path) -> None:
    b = install(tmp_path, "b", model_bytes(100))
    a = install(tmp_path, "a", model_bytes(200), licence="MIT", humaneval=12.5)
    found = installed_models(tmp_path, tmp_path / "none")
    assert [model.entry for model in found] == [a, b]
    assert found[0].path == tmp_path / (a.sha256 or "") / "a.gguf"
    assert found[0].on_first_use
    assert known_entries(tmp_path)["a"] == a
    assert known_entries(tmp_path)["qwen2.5-coder-7b"].url


def test_of_two_versions_the_latest_comes_first(tmp_path: Path) -> None:
    import os

    old, new = install(tmp_path, "a", model_bytes(100)), install(tmp_path, "a", model_bytes(200))
    os.utime(tmp_path / (old.sha256 or "") / "a.entry.json", (1, 1))
    assert [model.entry for model in installed_models(tmp_path, tmp_path)] == [new, old]


def test_one_file_has_as_many_names_as_it_was_pulled_under(tmp_path: Path) -> None:
    first = install(tmp_path, "first", model_bytes(100))
    folder = tmp_path / (first.sha256 or "")
    second = replace(first, name="second")
    write_card(folder, second, "elsewhere", on_first_use=True)
    assert [model.entry for model in installed_models(tmp_path, tmp_path)] == [first, second]


def test_a_card_of_an_earlier_version_is_read_until_there_is_a_newer_one(tmp_path: Path) -> None:
    entry = install(tmp_path, "a", model_bytes(100))
    folder = tmp_path / (entry.sha256 or "")
    (folder / "a.entry.json").rename(folder / "entry.json")
    assert [model.entry for model in installed_models(tmp_path, tmp_path)] == [entry]
    write_card(folder, replace(entry, licence="MIT"), "", on_first_use=False)
    (found,) = installed_models(tmp_path, tmp_path)
    assert found.entry.licence == "MIT"
    write_card(folder, replace(entry, name="b"), "", on_first_use=False)
    (folder / "b.entry.json").rename(folder / "c.entry.json")
    assert len(installed_models(tmp_path, tmp_path)) == 1, "a card under another name than its own is not believed"


def test_homes_that_are_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="~nouser/x"):
        models_home({"NOOTROPIC_MODELS": "~nouser/x"})
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])  # As in a container with a user of no name.
    with pytest.raises(EnvironmentFault, match="no home"):
        models_home({})


def test_a_name_of_ours_is_not_taken_over(tmp_path: Path) -> None:
    install(tmp_path, "qwen2.5-coder-7b", model_bytes(100))
    assert known_entries(tmp_path)["qwen2.5-coder-7b"].licence == "Apache-2.0"


def test_the_bundled_model_is_found_where_it_lies(tmp_path: Path) -> None:
    entry = next(entry for entry in builtin() if entry.name == BUNDLED)
    assert installed_models(tmp_path, tmp_path) == ()
    (tmp_path / entry.file).write_bytes(model_bytes(100))
    (found,) = installed_models(tmp_path, tmp_path)
    assert found.entry.name == BUNDLED
    assert found.entry.size_bytes == (entry.size_bytes if entry.sha256 else 100)
    assert found.sha256 == entry.sha256


def test_a_folder_without_its_file_or_with_a_damaged_card_is_not_installed(tmp_path: Path) -> None:
    gone = install(tmp_path, "gone", model_bytes(100))
    (tmp_path / (gone.sha256 or "") / gone.file).unlink()
    for number, text in enumerate(["", "{", "[]", '{"entry": 1}', '{"entry": {}}']):
        folder = tmp_path / (f"{number}" * 64)
        folder.mkdir()
        (folder / "entry.json").write_text(text)
        (folder / "a.entry.json").write_text(text)
    assert installed_models(tmp_path, tmp_path) == ()


def test_a_card_of_another_hash_is_not_believed(tmp_path: Path) -> None:
    entry = install(tmp_path, "a", model_bytes(100))
    folder = tmp_path / (entry.sha256 or "")
    write_card(folder, replace(entry, sha256="0" * 64), "", on_first_use=False)
    assert installed_models(tmp_path, tmp_path) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../x"},
        {"file": "../x.gguf"},
        {"file": "/etc/passwd"},
        {"kind": "oracle"},
        {"size_bytes": "1"},
        {"size_bytes": -1},
        {"layers": True},
        {"context": 1.5},
        {"url": 5},
        {"humaneval": 101},
        {"humaneval": "x"},
        {"name": None},
    ],
)
def test_an_entry_from_anywhere_is_checked(change: dict[str, object]) -> None:
    good = asdict(Entry("a", "1", "chat", "a.gguf", 5))
    assert entry_from(json.loads(json.dumps(good))) == Entry("a", "1", "chat", "a.gguf", 5)
    assert entry_from({**good, **change}) is None


def test_unknown_fields_of_a_later_version_are_passed_over() -> None:
    good = asdict(Entry("a", "1", "chat", "a.gguf", 5))
    assert entry_from({**good, "colour": "blue"}) == Entry("a", "1", "chat", "a.gguf", 5)
