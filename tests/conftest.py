"""Fixtures that fail loudly when a test would touch the real home, the user's git configuration or a token."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repo import Repo

# A run that was started with `&` ignores Ctrl-C, and so would every program that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_SECRET_MARKS = ("TOKEN", "SECRET", "PASSWORD", "API_KEY")


@pytest.fixture(autouse=True)
def sealed_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of its own, no git configuration but the test's, no secret, no hook's variables, no colour."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("GIT_", "PRE_COMMIT_", "NOOTROPIC_", "SEMGREP_")) or any(m in name for m in _SECRET_MARKS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("NOOTROPIC_MODEL", "0")  # Tests of models switch it on; all others are about something else.
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Test\n\temail = test@example.invalid\n"
        "[init]\n\tdefaultBranch = main\n[commit]\n\tgpgSign = false\n"
    )
    yield
    assert not (home / ".semgrep").exists(), "the engine wrote to the user's home"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository."""
    return Repo.init(tmp_path / "repo")
