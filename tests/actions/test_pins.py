"""What the actions install is pinned by hash, and fits what the package asks for."""

from __future__ import annotations

import re
import sys

import pytest
from packaging.requirements import Requirement

from tests.support.repo import PROJECT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def pinned(name: str) -> dict[str, set[str]]:
    """Package → its pinned versions; several where they differ by Python."""
    text = (PROJECT / "actions" / name).read_text()
    entries = re.split(r"^(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.M), flags=re.M)
    found: dict[str, set[str]] = {}
    for entry in filter(str.strip, entries):
        package, version = re.match(r"([a-z0-9.-]+)==(\S+)", entry).groups()  # type: ignore[union-attr]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), f"{package} has no hash"
        found.setdefault(package, set()).add(version)
    return found


@pytest.mark.parametrize(("name", "extra", "left_out"), [("review", None, ""), ("publish", "github", "semgrep")])
def test_every_dependency_is_pinned_to_a_version_that_fits(name: str, extra: str | None, left_out: str) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    needs = project["project"]
    more = needs["optional-dependencies"][extra] if extra else []
    there = pinned(f"{name}/requirements.txt")
    for text in (*needs["dependencies"], *more, *project["build-system"]["requires"]):
        wanted = Requirement(text)
        versions = there.get(wanted.name.lower().replace("_", "-"), set())
        if wanted.name == left_out:
            assert not versions, "what posts does not scan"
            continue
        assert versions, f"{wanted.name} is not pinned: run `python .ci/lock_actions.py`"
        assert all(wanted.specifier.contains(version) for version in versions), f"{text} against {versions}"


@pytest.mark.parametrize(("name", "packages"), [
    ("wheel/requirements.txt", {"llama-cpp-python"}),
    ("wheel/build-requirements.txt", {"scikit-build-core", "cmake", "ninja"}),
])  # fmt: skip
def test_what_builds_the_models_runtime_is_pinned(name: str, packages: set[str]) -> None:
    assert packages <= pinned(name).keys()


def test_the_runtime_itself_is_built_not_taken_from_where_it_is_compiled_for_one_machine() -> None:
    assert "llama-cpp-python" not in pinned("review/requirements.txt")
    assert "numpy" in pinned("review/requirements.txt"), "what it needs is"
