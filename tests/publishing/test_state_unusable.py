"""A state that can't be opened, read or shared costs no review: it is posted, and the reason is said."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from nootropic_bot.config import StateSettings
from nootropic_bot.git import Repository
from nootropic_bot.relayed import write_records
from nootropic_bot.state.schema import Draft, draft, encode, now
from nootropic_bot.state.store import Store
from tests.support.repo import Repo
from tests.support.state import ref_records
from tests.support.state import run as a_run
from tests.support.trusted import TrustedJob

Damage = Callable[[Path], None]


def index_of(clone: Path) -> Path:
    return clone / ".git" / "nootropic" / "state.sqlite"


def with_state(job: TrustedJob, muted: str) -> Path:
    """The job's clone, with an index and a decision that mutes a finding."""
    clone = job.clone().path
    with Store(Repository.open(clone), StateSettings()) as store:
        data = {"action": "add", "finding": muted, "reason": "we know", "author": "mona"}
        store.append([draft("triage", data)])
        store.index.update()
    assert index_of(clone).exists()
    return clone


def garbage(clone: Path) -> None:
    index_of(clone).write_bytes(b"no database at all" * 1_000)


def cut(clone: Path) -> None:
    index_of(clone).write_bytes(index_of(clone).read_bytes()[:3_000])


def folder(clone: Path) -> None:
    index_of(clone).unlink()
    (index_of(clone) / "x").mkdir(parents=True)


def newer(clone: Path) -> None:
    with sqlite3.connect(index_of(clone)) as database:
        database.execute("PRAGMA user_version = 99999999")
    database.close()


def without_tables(clone: Path) -> None:
    with sqlite3.connect(index_of(clone)) as database:
        for table in ("triage", "run", "finding"):
            database.execute(f"DROP TABLE {table}")
    database.close()


@pytest.mark.parametrize("damage", [garbage, cut, folder, newer, without_tables], ids=lambda each: each.__name__)
def test_a_damaged_index_is_made_anew(job: TrustedJob, damage: Damage) -> None:
    """The refs hold everything, so the decision is still minded."""
    one, other = job.finding("a.py", 10), job.finding("a.py", 20)
    damage(with_state(job, one.id))
    delivered = job.deliver([one, other])
    assert (delivered.published.status, delivered.notes) == ("posted", ())
    assert [each.id for each in delivered.published.commented] == [other.id]


def gone_object(clone: Path) -> None:
    path = clone / ".git" / "refs" / "nootropic" / "base"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a" * 40 + "\n")


def no_folder(clone: Path) -> None:
    shutil.rmtree(clone / ".git" / "nootropic")
    (clone / ".git" / "nootropic").write_text("in the way")


def no_remote(clone: Path) -> None:
    Repo(clone).git("remote", "rename", "origin", "upstream")


def unreachable(clone: Path) -> None:
    Repo(clone).git("remote", "set-url", "origin", str(clone / "nowhere"))


def records_of(job: TrustedJob) -> bytes:
    """What an analysis of the head hands over, without its findings."""
    figures = dict.fromkeys(("findings", "in_scope", "suppressed", "verified"), 0)
    data = {**a_run(1).data, **figures, "mode": "range", "base": job.pull.base, "head": job.pull.head}
    return write_records([draft("run", data)]).encode()


@pytest.mark.parametrize(
    ("damage", "notes"),
    [
        (gone_object, ["a part of the recorded state can't be read"]),
        (no_folder, ["nothing was recorded: nothing can be recorded"]),
        (no_remote, ["the state was not read: there is no remote", "the state was not shared: there is no remote"]),
        (unreachable, ["the state was not read: the remote", "the state was not shared: the remote"]),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_state_that_cannot_be_used_is_a_note(job: TrustedJob, damage: Damage, notes: list[str]) -> None:
    findings = [job.finding("a.py", 10, (10, 10, "safe(10)\n")), job.finding("a.py", 20)]
    clone = with_state(job, "f" * 20)
    Repo(clone).git("fetch", "--quiet", "origin", "refs/pull/1/head")
    damage(clone)
    delivered = job.deliver(findings, records=records_of(job))
    assert delivered.published.status == "posted"
    assert {each.id for each in delivered.published.commented} == {each.id for each in findings}
    assert "```suggestion\nsafe(10)\n```" in job.bodies()[0]
    assert len(delivered.notes) == len(notes)
    assert all(note.startswith(said) for note, said in zip(delivered.notes, notes, strict=True))
    assert delivered.recorded == (1 if damage is gone_object else 0)


def test_records_of_a_newer_version_are_kept_and_the_rest_is_minded(job: TrustedJob) -> None:
    """A later version decided about line 20 in words that this one does not know; this one's decision holds."""
    one, other = job.finding("a.py", 10), job.finding("a.py", 20)
    clone = with_state(job, one.id)
    data = {"action": "add", "finding": other.id, "reason": "x", "author": "mona", "mood": "good"}
    _id, line = encode(Draft("triage", data), "ab" * 8, 1, now())
    newer = line.replace(b'"schema":1', b'"schema":2').partition(b",")[2]
    identity = hashlib.sha256(b"{" + newer).hexdigest().encode()
    with Store(Repository.open(clone), StateSettings()) as store:
        store.append_verbatim([b'{"id":"' + identity + b'",' + newer])
    delivered = job.deliver([one, other], records=records_of(job))
    assert (delivered.published.status, delivered.recorded, delivered.notes) == ("posted", 1, ())
    assert [each.id for each in delivered.published.commented] == [other.id]
    assert any(each["schema"] == 2 for each in ref_records(job.repository.git.path, "refs/nootropic"))
