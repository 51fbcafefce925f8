"""The corpus: what the lock may hold, how files are read, and that no function is in two splits."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.learn import corpus
from nootropic_bot.learn.corpus import (
    Corpus,
    Package,
    Split,
    as_table,
    fetch,
    functions,
    packages,
    relock,
    without_functions,
)
from nootropic_bot.learn.strings import words

# Packages that the figures are measured on. Whoever moves one of them into training makes the figures worthless.
RESERVED = words(
    "beets cherrypy docker fabric httpie lektor locust luigi mitmproxy nbconvert nikola nltk streamlink supervisor voila "
    "web-py zeep"
)
PERMISSIVE = frozenset(
    """
    0BSD | Apache 2.0 License | Apache License 2.0 | Apache License, Version 2.0 | Apache Software License | Apache-2.0
    | BSD | BSD License | BSD-2-Clause | BSD-3-Clause | BSD-derived (Repoze) | CC0-1.0 | Freely Distributable | ISC
    | ISC License (ISCL) | LicenseRef-Repoze-BSD-derived | MIT | MIT License | MIT-CMU | Public Domain | Python-2.0
    | Python Software Foundation License | Unlicense | Zlib
    """.replace("\n", " ").split("|")
)
_SHARED = '''
def shared(one, other):
    """Occurs in two packages."""
    total = one + other
    return total * 2
'''
_OWN = "def {name}(value):\n    first = value.{name}\n    return [first, {name!r}]\n"
_FILLER = "# A comment, so that the file is long enough to be more than the stub of a package.\n" * 3


def _wheel(folder: Path, name: str, modules: Mapping[str, str | bytes]) -> Package:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for module, text in modules.items():
            archive.writestr(f"{name}/{module}", text)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    split: Split = "train" if name.startswith("tr") else "validation" if name.startswith("va") else "test"
    return Package(name, "1.0", path.name, digest, "MIT", split)


def _lock(folder: Path, *entries: Package) -> Path:
    lock = folder / "small.lock"
    lock.write_text(as_table({entry.name: entry for entry in entries}), encoding="utf-8")
    return lock


def _texts(folder: Path, lock: Path, split: Split) -> dict[str, str]:
    return {f"{file.package}:{file.path}": file.text for file in Corpus(folder, lock).files(split)}


def test_every_entry_of_the_committed_lock_is_pinned_and_permissive() -> None:
    permissive = {licence.strip() for licence in PERMISSIVE}
    for package in packages():
        assert re.fullmatch(r"[0-9a-f]{64}", package.sha256), package.name
        assert package.file.endswith(".whl"), package.name
        assert package.version.replace(".post", ".") in package.file.replace(".post", "."), package.name
        choices = [set(re.split(r" AND |, (?!Version)", each)) for each in package.licence.split(" OR ")]
        assert any(parts <= permissive for parts in choices), (package.name, package.licence)


def test_no_copyleft_licence_is_mistaken_for_a_permissive_one() -> None:
    assert not any("GPL" in licence or "MPL" in licence for licence in PERMISSIVE)


def test_the_committed_lock_has_all_splits_and_keeps_the_reserved_packages() -> None:
    found = packages()
    assert len({package.name for package in found}) == len(found)
    assert len({package.file for package in found}) == len(found)
    count = Counter(package.split for package in found)
    assert set(count) == {"train", "validation", "test"}
    assert count["train"] > count["test"] > 10
    assert count["validation"] >= 5
    assert {package.name for package in found if package.split == "test"} == set(RESERVED)


def test_the_table_reads_back(tmp_path: Path) -> None:
    one = _wheel(tmp_path, "tr_one", {"a.py": _FILLER})
    other = _wheel(tmp_path, "te_one", {"a.py": _FILLER})
    assert packages(_lock(tmp_path, one, other)) == [other, one]


def test_a_function_of_a_test_package_does_not_occur_in_train(tmp_path: Path) -> None:
    entries = [
        _wheel(tmp_path, "te_one", {"a.py": _FILLER + _SHARED + _OWN.format(name="tested")}),
        _wheel(tmp_path, "va_one", {"a.py": _FILLER + _OWN.format(name="validated")}),
        _wheel(
            tmp_path,
            "tr_one",
            {
                "copied.py": _FILLER + _SHARED.replace("one + other", "one  +  other  # Formatted otherwise."),
                "vendored.py": _FILLER
                + "class Vendored:\n"
                + "".join("    " + line + "\n" for line in _OWN.format(name="validated").splitlines())
                + "    kept = True\n",
                "own.py": _FILLER + _OWN.format(name="own"),
            },
        ),
    ]
    lock = _lock(tmp_path, *entries)
    train = _texts(tmp_path, lock, "train")
    assert "def own" in train["tr_one:tr_one/own.py"]
    assert not any("def shared" in text or "def validated" in text for text in train.values())
    assert "kept = True" in train["tr_one:tr_one/vendored.py"]
    digests = {
        split: {digest for text in _texts(tmp_path, lock, split).values() for digest, _node in functions(text)}
        for split in ("train", "validation", "test")
    }
    assert len(digests["test"]) == 2
    assert not digests["train"] & (digests["validation"] | digests["test"])


def test_validation_gives_way_to_test(tmp_path: Path) -> None:
    lock = _lock(
        tmp_path,
        _wheel(tmp_path, "te_one", {"a.py": _FILLER + _SHARED}),
        _wheel(tmp_path, "va_one", {"a.py": _FILLER + _SHARED + _OWN.format(name="validated")}),
    )
    assert "def shared" in _texts(tmp_path, lock, "test")["te_one:te_one/a.py"]
    validation = _texts(tmp_path, lock, "validation")["va_one:va_one/a.py"]
    assert "def shared" not in validation
    assert "def validated" in validation


def test_decorators_go_with_their_function() -> None:
    text = "import x\n\n@x.cached\n@x.traced(\n    1,\n)\n" + _SHARED.lstrip() + "\nafter = 1\n"
    digests = {digest for digest, _node in functions(text)}
    rest = without_functions(text, digests)
    assert rest.count("\n") == text.count("\n")
    assert rest.split() == ["import", "x", "after", "=", "1"]


def test_files_that_teach_nothing_are_left_out(tmp_path: Path) -> None:
    package = _wheel(
        tmp_path,
        "tr_one",
        {
            "fine.py": _FILLER + "café = 1\r\n",
            "latin.py": b"# -*- coding: latin-1 -*-\n" + _FILLER.encode() + "name = 'caf\xe9'\n".encode("latin-1"),
            "broken.py": _FILLER + "def (:\n",
            "undecodable.py": _FILLER.encode() + b"name = '\xff\xfe'\n",
            "python2.py": _FILLER + "print 'old'\n",
            "generated.py": _FILLER + "table = [" + "1, " * 300 + "]\n",
            "stub.py": "x = 1\n",
            "data.txt": _FILLER,
            "_vendor/copy.py": _FILLER,
            "huge.py": _FILLER * 2000,
            "nul.py": _FILLER + "x = 'a\0b'\n",
        },
    )
    found = _texts(tmp_path, _lock(tmp_path, package), "train")
    assert set(found) == {"tr_one:tr_one/fine.py", "tr_one:tr_one/latin.py"}
    assert "\r" not in found["tr_one:tr_one/fine.py"]
    assert "café" in found["tr_one:tr_one/latin.py"]


def test_a_seed_draws_the_same_files_each_time(tmp_path: Path) -> None:
    modules = {f"m{number}.py": _FILLER + f"x = {number}\n" for number in range(200)}
    lock = _lock(tmp_path, _wheel(tmp_path, "tr_one", modules))
    first, again, other = ([file.path for file in Corpus(tmp_path, lock).files("train", seed)] for seed in (1, 1, 2))
    assert first == again
    assert len(first) == len(set(first)) == corpus._FILES_PER_PACKAGE
    assert set(first) != set(other)


def test_fetch_accepts_what_is_there_and_refuses_another_file(tmp_path: Path) -> None:
    package = _wheel(tmp_path, "tr_one", {"a.py": _FILLER})
    lock = _lock(tmp_path, package)
    fetch(tmp_path, lock)
    with (tmp_path / package.file).open("ab") as out:
        out.write(b"more")
    with pytest.raises(EnvironmentFault) as caught:
        fetch(tmp_path, lock)
    assert package.file in str(caught.value)
    assert "not the file that corpus.lock pins" in str(caught.value)


def test_fetch_says_what_pip_could_not_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = _lock(tmp_path, Package("tr-absent", "1.0", "tr_absent-1.0-py3-none-any.whl", "0" * 64, "MIT", "train"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    with pytest.raises(EnvironmentFault, match=r"tr-absent==1\.0 could not be downloaded"):
        fetch(tmp_path / "empty", lock)


def test_a_lock_made_again_keeps_the_splits(tmp_path: Path) -> None:
    known = _wheel(tmp_path, "te", {"a.py": _FILLER})
    lock = _lock(tmp_path, known)
    metadata = "Metadata-Version: 2.1\nName: new.name\nClassifier: License :: OSI Approved :: MIT License\n\ntext\n"
    with zipfile.ZipFile(tmp_path / "new.name-2.0-py3-none-any.whl", "w") as archive:
        archive.writestr("new.name-2.0.dist-info/METADATA", metadata)
    with (tmp_path / known.file).open("ab") as out:
        out.write(b"more")
    relock(tmp_path, lock)
    new, old = packages(lock)
    assert (new.name, new.version, new.licence, new.split) == ("new-name", "2.0", "MIT License", "train")
    assert (old.name, old.split) == ("te", "test")
    fetch(tmp_path, lock)


def test_a_package_without_a_licence_is_not_locked(tmp_path: Path) -> None:
    lock = _lock(tmp_path)
    _wheel(tmp_path, "tr_one", {"a.py": _FILLER})
    with pytest.raises(EnvironmentFault, match="does not say its licence"):
        relock(tmp_path, lock)
    assert packages(lock) == []
