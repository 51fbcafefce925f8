"""A state that can't be opened, read or shared: commands that need none are carried out, the others say why not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.respond.test_commands import FIXED_NONE, post
from tests.support.repo import Repo
from tests.support.respond import FIX_NONE, NONE, Desk


def index_of(desk: Desk) -> Path:
    return desk.work / ".git" / "nootropic" / "state.sqlite"


def garbage(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1_000)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99999999")
    database.close()


def without_tables(path: Path) -> None:
    with sqlite3.connect(path) as database:
        for table in ("triage", "note", "finding", "run"):
            database.execute(f"DROP TABLE {table}")
    database.close()


@pytest.mark.parametrize("damage", [garbage, newer, without_tables], ids=lambda each: each.__name__)
def test_a_damaged_index_is_made_anew(desk: Desk, damage: Callable[[Path], None]) -> None:
    """What was decided before is known, and what is decided now is recorded once."""
    post(desk, 5, NONE, "none-comparison")
    assert desk.command("/nootropic ignore none-comparison").code == 0
    damage(index_of(desk))
    assert desk.command("/nootropic status").code == 0
    assert "Does not count here: `none-comparison`" in desk.replies()[-1]
    damage(index_of(desk))
    assert desk.command(f"/nootropic feedback {NONE[:9]} up").code == 0
    assert [each["vote"] for each in desk.records("note")] == ["up"]
    damage(index_of(desk))
    assert desk.command(f"/nootropic apply {FIX_NONE}", desk.report()).code == 0
    assert len(desk.records("outcome")) == 1


def test_a_state_that_cannot_be_shared_keeps_no_command_from_what_it_does_without(desk: Desk) -> None:
    """The remote of the clone is gone: a review is posted, a fix committed, a decision not claimed."""
    Repo(desk.work).git("fetch", "--quiet", "origin", "patch")
    Repo(desk.work).git("remote", "set-url", "origin", str(desk.folder / "nowhere"))
    assert desk.command("/nootropic review", desk.report()).code == 0
    assert "Reviewed `" in desk.replies()[1]
    assert "the state was not read: the remote 'origin' can't be read" in desk.replies()[1].replace("\\", "")
    assert len(desk.pull.threads) == 2
    done = desk.command(f"/nootropic apply {FIX_NONE}", desk.report())
    assert (done.code, desk.file()) == (5, FIXED_NONE)
    assert "The commit stands, but it could not be recorded" in desk.replies()[2]
    assert desk.command("/nootropic ignore none-comparison").code == 5
    assert "**That did not work:** the remote 'origin' can't be read" in desk.replies()[3].replace("\\", "")
    assert "Nothing was changed." in desk.replies()[3]
    assert not any("Ignored" in thread.comments[0].body for thread in desk.pull.threads)
