"""GitHub's own actions, as far as our workflows use them, played for tests: checkout, artifacts, caches, set-up of Python."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.expressions import Unsupported
from tests.support.played_caches import Caches, Reached


@dataclass(frozen=True)
class Ended:
    """How an action went: whether it succeeded, its outputs, and what it printed."""

    is_good: bool = True
    outputs: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True)
class Played:
    """What they work on: the repository's folder, the job's workspace and commit, the artifacts of the run, and the
    caches of the repository, as far as the run reaches."""

    repository: Path
    workspace: Path
    sha: str
    artifacts: dict[str, dict[str, bytes]]
    caches: Caches
    reached: Reached

    def play(self, action: str, given: Mapping[str, str]) -> Ended:
        """Do what an action would do."""
        if action == "actions/setup-python":
            return Ended()
        if action == "actions/cache/restore":
            outputs = self.caches.restore(given, self.reached)
            return Ended(outputs is not None, outputs or {})
        if action == "actions/cache/save":
            return Ended(text=self.caches.save(given, self.reached))
        if action == "actions/checkout":
            return Ended(self._checkout(given))
        if action == "actions/upload-artifact":
            return Ended(self._upload(given["name"], Path(given["path"])))
        if action == "actions/download-artifact":
            return Ended(self._download(given))
        raise Unsupported(f"the action {action}")

    def _checkout(self, given: Mapping[str, str]) -> bool:
        """The event's commit, which in a pull_request event is no branch's; with `fetch-depth: 0` all branches as well."""
        if given.keys() - {"fetch-depth", "persist-credentials", "ref"} or given.get("persist-credentials") != "false":
            raise Unsupported(f"a checkout with {dict(given)}")
        wanted = given.get("ref") or self.sha or "refs/heads/main"
        if not re.fullmatch(r"[0-9a-f]{40}|refs/\S+", wanted):
            raise Unsupported(f"a checkout of {wanted}")
        self._git("init", "--quiet", ".")
        self._git("remote", "add", "origin", f"file://{self.repository}")
        is_whole = given.get("fetch-depth") == "0"
        self._git("fetch", "--quiet", "--no-tags", *([] if is_whole else ["--depth=1"]), "origin", wanted)
        self._git("checkout", "--quiet", "--detach", "FETCH_HEAD")
        if is_whole:
            self._git("fetch", "--quiet", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
        return True

    def _git(self, *command: str) -> None:
        done = subprocess.run(["git", *command], cwd=self.workspace, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    def _upload(self, name: str, folder: Path) -> bool:
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        if name in self.artifacts or not files:
            return False
        self.artifacts[name] = files
        return True

    def _download(self, given: Mapping[str, str]) -> bool:
        """One by name, into the folder; or several by pattern, each into a folder of its own."""
        if "name" in given:
            found = {"": self.artifacts[given["name"]]} if given["name"] in self.artifacts else {}
        else:
            prefix = given["pattern"].removesuffix("*")
            found = {name: files for name, files in self.artifacts.items() if name.startswith(prefix)}
        for name, files in found.items():
            target = Path(given["path"]) / name
            target.mkdir(parents=True, exist_ok=True)
            for each, data in files.items():
                (target / each).write_bytes(data)
        return bool(found) or "pattern" in given
