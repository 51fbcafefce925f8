"""The cache that stands for GitHub's: the rules that what we say of poisoning rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.expressions import Unsupported
from tests.support.played_caches import Caches, Reached

MAIN, ONE, TWO = "refs/heads/main", "refs/pull/1/merge", "refs/pull/2/merge"


class Runner:
    """A machine that saves and restores the folder `kept`."""

    def __init__(self, caches: Caches, folder: Path, ref: str, event: str = "", base: str = "main") -> None:
        name = event or ("pull_request" if "/pull/" in ref else "push")
        told: dict[str, Any] = {"pull_request": {"base": {"ref": base}}} if name == "pull_request" else {}
        self.caches, self.file = caches, folder / "kept" / "it"
        self.reached = Reached.by({"ref": ref, "event_name": name, "event": told}, {"workspace": folder})

    def save(self, key: str, text: str) -> str:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text)
        return self.caches.save({"path": "kept", "key": key}, self.reached)

    def restore(self, key: str, *more: str, path: str = "kept") -> tuple[str, str]:
        self.file.unlink(missing_ok=True)
        given = {"path": path, "key": key, "restore-keys": "\n".join(more)}
        outputs = self.caches.restore(given, self.reached)
        assert outputs is not None
        return outputs["cache-hit"], self.file.read_text() if self.file.exists() else ""


def test_the_key_itself_first_then_the_newest_that_begins_so(tmp_path: Path) -> None:
    runner = Runner(Caches(), tmp_path, ONE)
    assert runner.restore("a-1", "a-") == ("", "")
    for key in ("a-1", "a-2", "b-3"):
        assert runner.save(key, key) == ""
    assert runner.restore("a-1", "a-") == ("true", "a-1")
    assert runner.restore("a-9", "a-") == ("false", "a-2")
    assert runner.restore("a-9") == ("", "")
    assert runner.restore("x", "y-", "b-") == ("false", "b-3")
    assert runner.restore("a-1", path="kept\n") == ("", ""), "other paths, another cache"


def test_an_entry_is_never_replaced(tmp_path: Path) -> None:
    runner = Runner(Caches(), tmp_path, ONE)
    runner.save("a", "first")
    assert "unable to reserve" in runner.save("a", "second")
    assert runner.restore("a") == ("true", "first")


def test_a_pull_request_reads_its_own_then_its_base_then_the_default_branch(tmp_path: Path) -> None:
    caches = Caches()
    Runner(caches, tmp_path, MAIN).save("a-1", "main")
    one = Runner(caches, tmp_path, ONE, base="release")
    assert one.restore("a-9", "a-") == ("false", "main")
    Runner(caches, tmp_path, "refs/heads/release").save("a-1", "release")
    assert one.restore("a-9", "a-") == ("false", "release")
    one.save("a-0", "own")
    assert one.restore("a-1", "a-") == ("false", "own"), "what is nearer goes before what fits better"


@pytest.mark.parametrize("reader", [MAIN, TWO, "refs/heads/feature"])
def test_what_a_pull_request_saves_nobody_else_reads(tmp_path: Path, reader: str) -> None:
    caches = Caches()
    Runner(caches, tmp_path, ONE).save("a", "evil")
    assert Runner(caches, tmp_path, reader).restore("a", "a") == ("", "")


@pytest.mark.parametrize("event", ["issue_comment", "workflow_run", "pull_request_target"])
def test_what_anybody_can_start_saves_nothing_for_the_default_branch(tmp_path: Path, event: str) -> None:
    caches = Caches()
    assert "denied" in Runner(caches, tmp_path, MAIN, event).save("a", "evil")
    assert not caches.entries
    assert Runner(caches, tmp_path, MAIN).save("a", "good") == ""


def test_what_github_does_not_take(tmp_path: Path) -> None:
    runner = Runner(Caches(), tmp_path, ONE)
    assert runner.caches.restore({"path": "kept", "key": "a,b"}, runner.reached) is None
    assert "not acceptable" in runner.save("x" * 513, "")
    assert "do not exist" in runner.caches.save({"path": "nothing", "key": "a"}, runner.reached)
    with pytest.raises(Unsupported):
        runner.caches.restore({"path": "kept", "key": "a", "lookup-only": "true"}, runner.reached)
