"""`--apply`: what is written is what was proved, together as well as alone, and a second run has nothing to do."""

from __future__ import annotations

from tests.support.repo import Repo

MESSY = """\
import yaml
import requests


def load(path, url, cache=None):
    if cache == None or url == None:
        cache = {}
    data = requests.get(url, verify=False)  # their certificate is broken
    return yaml.load(data.text, Loader=yaml.Loader), cache != None
"""


def test_fixes_that_share_lines_are_all_written(repo: Repo) -> None:
    repo.stage({"a.py": MESSY})
    run = repo.bot("review", "--staged", "--apply", "--fail-on", "never")
    assert run.code == 0
    text = (repo.path / "a.py").read_text()
    assert "if cache is None or url is None:" in text
    assert "cache is not None" in text
    assert "# their certificate is broken" in text
    assert "verify=False" not in text
    assert "timeout=" in text
    assert "SafeLoader" in text or "safe_load" in text


def test_a_second_run_changes_nothing(repo: Repo) -> None:
    repo.stage({"a.py": MESSY})
    repo.bot("review", "--worktree", "--apply")
    once = (repo.path / "a.py").read_bytes()
    run = repo.bot("review", "--worktree", "--apply")
    assert "no proved fix to write" in run.err
    assert (repo.path / "a.py").read_bytes() == once


def test_only_what_is_in_scope_is_fixed(repo: Repo) -> None:
    repo.commit({"a.py": "def f(x):\n    return x == None\n\n\ndef g(y):\n    return 1\n"})
    repo.write("a.py", "def f(x):\n    return x == None\n\n\ndef g(y):\n    return y == None\n")
    repo.bot("review", "--worktree", "--apply")
    assert (repo.path / "a.py").read_text() == "def f(x):\n    return x == None\n\n\ndef g(y):\n    return y is None\n"


def test_the_index_is_not_touched(repo: Repo) -> None:
    repo.stage({"a.py": MESSY})
    before = repo.git("ls-files", "--stage")
    repo.bot("review", "--staged", "--apply")
    assert repo.git("ls-files", "--stage") == before


def test_what_was_not_reviewed_is_left_alone(repo: Repo) -> None:
    repo.stage({"a.py": MESSY})
    newer = repo.write("a.py", MESSY + "\n# newer\n").read_bytes()
    run = repo.bot("review", "--staged", "--apply")
    assert "left alone: a.py" in run.err
    assert (repo.path / "a.py").read_bytes() == newer


def test_bytes_around_a_fix_stay(repo: Repo) -> None:
    content = "\ufeff# coding: utf-8\r\ndef f(x):\r\n\treturn x == None  # caf\u00e9\r\n\r\nlast = 1".encode()
    repo.stage({"a.py": content})
    repo.bot("review", "--worktree", "--apply")
    assert (repo.path / "a.py").read_bytes() == content.replace(b"== None", b"is None")


def test_executable_bit_is_kept(repo: Repo) -> None:
    path = repo.write("run.py", "#!/usr/bin/env python3\nok = input() == None\n")
    path.chmod(0o755)
    repo.git("add", "--all")
    repo.bot("review", "--worktree", "--apply")
    assert "is None" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o755
