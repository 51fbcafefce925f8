"""Row A40: paths that lead outside, wherever they come from; row A23: what a fix may not touch."""

from __future__ import annotations

import pytest

from nootropic_bot.diff import check_path, is_forbidden_path
from nootropic_bot.errors import UsageError


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "/etc/x", ".git/hooks/x", "a/../../b", "a/.GIT/config", "C:/x", "a\\..\\b", "~/x", "", "a//b", "a\0b", "x/.git./y", "git~1/x"],
)  # fmt: skip
def test_a40_paths_that_leave_the_repository_are_refused(path: str) -> None:
    with pytest.raises(UsageError, match="refused"):
        check_path(path)


@pytest.mark.parametrize("path", ["a.py", "src/a b.py", ".github/x.yml", "..a/b..c", "é/ü.py", "--x", ".gitignore"])
def test_a40_ordinary_paths_pass(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", [".github/workflows/ci.yml", "poetry.lock", "web/package-lock.json", "a/.git/config"])
def test_a23_workflows_and_lock_files_are_out_of_bounds(path: str) -> None:
    assert is_forbidden_path(path)


@pytest.mark.parametrize("path", ["github/a.py", "lock.py", "src/poetry.lock.py"])
def test_a23_look_alikes_are_not(path: str) -> None:
    assert not is_forbidden_path(path)
