"""Real git repositories for tests, and the program run in them as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Run:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON on standard output."""
        data: dict[str, Any] = json.loads(self.out)
        return data

    def rules_in_scope(self) -> list[str]:
        """Rule ids of unsuppressed findings in scope, in order."""
        return [f["rule_id"] for f in self.report["findings"] if f["in_scope"] and not f["suppressed"]]


def run_bot(
    *args: str, cwd: Path, env: Mapping[str, str] | None = None, feed: bytes | None = None, timeout: float = 240
) -> Run:
    """Run the program in a process of its own; a traceback on its standard error fails the test."""
    full = {**os.environ, "PYTHONPATH": str(PROJECT), **(env or {})}
    done = subprocess.run(
        [sys.executable, "-m", "nootropic_bot", *args],
        cwd=cwd,
        env=full,
        input=feed,
        stdin=None if feed is not None else subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    err = done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in err, err
    return Run(done.returncode, done.stdout.decode("utf-8", "surrogateescape"), err)


class Repo:
    """A real repository in a temporary folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def init(cls, path: Path) -> Repo:
        """A new, empty repository."""
        path.mkdir(parents=True)
        repo = cls(path)
        repo.git("init", "--quiet")
        return repo

    def git(
        self, *args: str, check: bool = True, feed: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """Run git here."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            input=feed,
            capture_output=True,
            check=False,
            env={**os.environ, **(env or {})},
        )
        if check and done.returncode:
            raise AssertionError(f"git {args}: {done.stderr.decode()}")
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, path: str | bytes, content: str | bytes) -> Path:
        """Write a file of the work tree."""
        full = self.path / os.fsdecode(path)
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(content if isinstance(content, bytes) else content.encode())
        return full

    def stage(self, files: Mapping[str, str | bytes]) -> None:
        """Write files and stage everything."""
        for path, content in files.items():
            self.write(path, content)
        self.git("add", "--all")

    def commit(self, files: Mapping[str, str | bytes], message: str = "change") -> str:
        """Write files, commit everything, and answer the commit id."""
        self.stage(files)
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def bot(self, *args: str, env: Mapping[str, str] | None = None) -> Run:
        """Run the program here."""
        return run_bot(*args, cwd=self.path, env=env)

    def review(self, *args: str, env: Mapping[str, str] | None = None) -> Run:
        """`review --format json` here."""
        return self.bot("review", "--format", "json", *args, env=env)

    def state(self) -> tuple[str, str, dict[str, bytes]]:
        """Everything a review must leave alone: index, the user's refs, and the work tree's bytes."""
        files = {
            str(path.relative_to(self.path)): path.read_bytes() if not path.is_symlink() else os.readlink(path).encode()
            for path in sorted(self.path.rglob("*"))
            if ".git" not in path.relative_to(self.path).parts and (path.is_file() or path.is_symlink())
        }
        refs = [line for line in self.git("for-each-ref").splitlines() if "\trefs/nootropic/" not in line]
        return self.git("ls-files", "--stage"), "\n".join(refs), files
