"""The workflow *nootropic wheel* played to its end, and a fork's run that takes what it built: with a small package in
place of llama-cpp-python, whose own compilation takes many minutes. Nothing comes from the network."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from tests.actions.conftest import WRONG, Place
from tests.support.job_runner import Job
from tests.support.repo import PROJECT

# A package that builds itself: its backend writes a wheel with one module, and a command where one is named.
_BACKEND = """
import zipfile


def build_wheel(folder, settings=None, metadata=None):
    info = f"{PACKAGE}-{VERSION}.dist-info"
    files = {
        f"{MODULE}.py": open(f"{MODULE}.py").read(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {PACKAGE}\\nVersion: {VERSION}\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    if COMMAND:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\\n{COMMAND} = {MODULE}:main\\n"
    record = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
    name = f"{PACKAGE}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    return name
"""
_BUILD = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
# The real program, in the environment that the action made: the runtime that is installed there is what it finds.
_PROGRAM = """
import sys


def main():
    try:
        import llama_cpp
        print("runtime", llama_cpp.__version__, file=sys.stderr)
    except ImportError:
        print("no runtime", file=sys.stderr)
    sys.path[1:1] = {paths!r}
    from nootropic_bot.cli import main
    main()
"""


def package(name: str, module: str, text: str, command: str = "") -> dict[str, str]:
    """The files of a package that builds itself."""
    values = {"PACKAGE": name, "VERSION": "0.0.7", "MODULE": module, "COMMAND": command}
    backend = "".join(f"{key} = {value!r}\n" for key, value in values.items()) + _BACKEND
    return {"backend.py": backend, f"{module}.py": text, "pyproject.toml": _BUILD}


def write_sdist(folder: Path, name: str, files: dict[str, str]) -> str:
    """A source archive in a folder; its SHA-256."""
    path = folder / f"{name}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file, text in {
            **files,
            "PKG-INFO": "Metadata-Version: 2.1\nName: llama-cpp-python\nVersion: 0.0.7\n",
        }.items():
            member = tarfile.TarInfo(f"{name}/{file}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def small(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Our actions as they are, with the small packages in their lists, and no index to ask."""
    project, links = tmp_path / "project", tmp_path / "links"
    links.mkdir()
    shutil.copytree(PROJECT / "actions", project / "actions")
    runtime = package("llama_cpp_python", "llama_cpp", '__version__ = "0.0.7"\n')
    digest = write_sdist(links, "llama_cpp_python-0.0.7", runtime)
    pinned = f"llama-cpp-python==0.0.7 \\\n    --hash=sha256:{digest}\n"
    lists = {"wheel/requirements.txt": pinned, "wheel/build-requirements.txt": "", "review/requirements.txt": ""}
    for name, text in lists.items():
        (project / "actions" / name).write_text(text)
    paths = [str(PROJECT), *(path for path in sys.path if path.endswith("site-packages"))]
    for name, text in package("nootropic_bot", "program", _PROGRAM.format(paths=paths), "nootropic-bot").items():
        (project / name).write_text(text)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    place.machine = dataclasses.replace(place.machine, with_inputs={}, project=project)
    return place


def build(place: Place, ref: str = "main") -> Job:
    repository = {"full_name": "octo/app", "default_branch": "main", "private": False}
    event = {"ref": f"refs/heads/{ref}", "repository": repository, "sender": {"login": "mona"}}
    return place.run("wheel", "push", event, sha=place.main, ref=ref)["build"]


def analyse(place: Place, branch: str, fork: str = "") -> Job:
    return place.analyse(place.open(branch, fork=fork, load__py=WRONG))["analyse"]


def test_the_default_branch_builds_the_runtime_once_and_a_forks_run_takes_it(small: Place) -> None:
    before = analyse(small, "early")
    assert (before.result, "no runtime" in before.log) == ("success", True), before.log
    assert "There is no built wheel of llama-cpp-python yet" in before.log

    assert build(small, "other").result == "skipped", "nobody would read what that branch keeps"
    built = build(small)
    assert built.result == "success", built.log
    (entry,) = [each for each in small.machine.caches.entries if each.key.startswith("nootropic-wheel-")]
    assert entry.scope == "refs/heads/main"
    assert [name.rpartition("/")[2] for name in entry.files] == ["llama_cpp_python-0.0.7-py3-none-any.whl"]
    again = {step.name: step.result for step in build(small).steps}
    assert (again["Build it"], again["Keep it"]) == ("skipped", "skipped")

    after = analyse(small, "feature", fork="eve")
    assert (after.result, "runtime 0.0.7" in after.log) == ("success", True), after.log
    assert "no built wheel" not in after.log
    report = json.loads(small.machine.artifacts["nootropic-report"]["report.json"])
    assert [each["path"] for each in report["findings"]] == ["load.py"]


def test_a_source_that_is_not_the_pinned_one_is_not_built(small: Place) -> None:
    (sdist,) = Path(os.environ["PIP_FIND_LINKS"]).iterdir()
    evil = package("llama_cpp_python", "llama_cpp", "raise SystemExit('somebody else')\n")
    write_sdist(sdist.parent, "llama_cpp_python-0.0.7", evil)
    built = build(small)
    assert built.result == "failure"
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in built.log
    assert not small.machine.caches.entries
