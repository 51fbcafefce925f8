"""Faults that the webhook server lives with: deliveries in any order (F17), pushes meanwhile (F10), a GitHub that is
down, a process that ends."""

# ruff: noqa: F811  (fixtures)

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.github.apps import Credentials
from nootropic_bot.serve.deliveries import Asked, subject_of_review
from nootropic_bot.serve.ledger import MAX_ATTEMPTS, open_ledger
from nootropic_bot.serve.server import open_door
from tests.serve.conftest import APP, desk, server, site  # noqa: F401
from tests.support.respond import Desk
from tests.support.site import Site


def push(desk: Desk, text: str) -> str:
    """The author pushes; the head before."""
    before = desk.head()
    desk.server.commit(desk.repository, "patch", {"app.py": text}, user="mona")
    desk.head()
    return before


def review(number: int, head: str) -> Asked:
    return Asked("review", "octo/app", number, subject_of_review("octo/app", number), head)


def test_f17_deliveries_twice_and_out_of_order_have_one_effect(site: Site, desk: Desk) -> None:
    """An older push that is told of after a newer one, and each of them twice: one review, of the head as it is."""
    events = [desk.server.events.pull_request(desk.pull)]
    for text in (APP.replace("value", "item"), APP + "\n\nX = 1\n"):
        before = push(desk, text)
        events.append(desk.server.events.pull_request(desk.pull, "synchronize", before=before))
    with site.running(workers=0) as door:
        statuses = [site.send("pull_request", events[at]).status for at in (2, 0, 2, 1, 1)]
        assert statuses == [202, 202, 202, 202, 200]
        assert door.ledger.waiting() == 1, "one that waits is replaced"
    with site.running() as door:
        assert "done: posted" in site.wait("review octo/app#1")
        assert [each.commit for each in desk.pull.reviews] == [desk.head()]
        writes = len(desk.server.log.writes())
        assert site.send("pull_request", events[2]).status == 200
        # The older ones are not known, and lead to the head that was reviewed.
        for event in events[:2]:
            assert site.send("pull_request", event).status == 202
            assert "dropped: its head was reviewed before" in site.wait("review octo/app#1")
    assert len(desk.server.log.writes()) == writes


def test_f10_a_push_during_the_analysis_drops_what_it_says(site: Site, desk: Desk) -> None:
    with site.running() as door:
        analyse = door.pool.analyst.analyse
        pushed: list[str] = []

        def slow(*args: object) -> Path:
            folder = analyse(*args)  # type: ignore[arg-type]
            if not pushed:
                pushed.append(push(desk, APP.replace("None", "0")))
            return folder

        door.pool.worker.analyst = _Slow(slow)  # type: ignore[assignment]
        assert site.push(desk.pull).status == 202
        assert "dropped: stale" in site.wait("review octo/app#1")
        assert desk.pull.reviews == []
        event = desk.server.events.pull_request(desk.pull, "synchronize", before=pushed[0])
        assert site.send("pull_request", event).status == 202
        assert "done: silent" in site.wait("review octo/app#1")


class _Slow:
    """An analyst in whose time something else happens."""

    def __init__(self, analyse: object) -> None:
        self.analyse = analyse


def test_a_report_that_is_none_is_said_as_an_analysis_that_did_not_finish(site: Site, desk: Desk) -> None:
    """Silence would look like a good review."""
    with site.running() as door:
        analyse = door.pool.analyst.analyse

        def spoiled(*args: object) -> Path:
            folder = analyse(*args)  # type: ignore[arg-type]
            (folder / "report.json").write_text("{}")
            return folder

        door.pool.worker.analyst = _Slow(spoiled)  # type: ignore[assignment]
        assert site.push(desk.pull).status == 202
        assert ": failed: " in site.wait("review octo/app#1")
    (check,) = desk.server.hub.checks.values()
    assert (check.fields["conclusion"], check.fields["output"]["title"]) == ("failure", "the analysis did not finish")
    assert desk.pull.threads == []


def test_f11_a_closed_pull_request_is_left_alone(site: Site, desk: Desk) -> None:
    event = desk.server.events.pull_request(desk.pull)
    desk.pull.closed = desk.server.hub.now()
    with site.running():
        assert site.send("pull_request", event).status == 202
        assert "dropped: it is closed" in site.wait("review octo/app#1")
    assert not [each for each in desk.server.log.writes() if "installations" not in each.path]


def test_f15_a_github_that_does_not_answer_is_asked_again_later(site: Site, desk: Desk) -> None:
    """More often than the client itself tries; the work waits, and is done then."""
    comment = desk.say("/nootropic status")
    desk.server.fail_next("GET", "/repos/octo/app/installation", 502, times=4)
    with site.running():
        assert site.say(comment).status == 202
        assert ": not yet: " in site.wait("command octo/app#1")
        assert "done: status: told" in site.wait("command octo/app#1")
    assert 60.0 in site.slept


def test_f15_what_never_goes_well_is_given_up_and_may_be_delivered_again(site: Site, desk: Desk) -> None:
    comment = desk.say("/nootropic status")
    desk.server.fail_next("GET", "/repos/octo/app/installation", 502, times=4 * MAX_ATTEMPTS)
    with site.running():
        assert site.say(comment, delivery="one").status == 202
        lines = [site.wait("command octo/app#1") for _attempt in range(MAX_ATTEMPTS)]
        assert [": failed: " in line for line in lines] == [False] * (MAX_ATTEMPTS - 1) + [True]
        assert site.say(comment, delivery="one").status == 202, "as the button `Redeliver` does"
        assert "done: status: told" in site.wait("command octo/app#1")


def test_an_analysis_that_does_not_end_is_said_on_the_pull_request(site: Site, desk: Desk) -> None:
    with site.running(time_limit=0.01):
        assert site.push(desk.pull).status == 202
        assert "failed: the analysis did not end within" in site.wait("review octo/app#1")
    (check,) = desk.server.hub.checks.values()
    said = json.dumps(check.fields)
    assert (check.fields["conclusion"], check.fields["head_sha"]) == ("failure", desk.head())
    assert "did not finish" in said


def test_work_that_ends_the_process_is_begun_a_few_times_only(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = open_ledger(path, 10)
    assert ledger.accept("one", review(1, "a" * 40)) == "queued"
    for attempt in range(1, MAX_ATTEMPTS + 1):
        job = ledger.take()
        assert job is not None
        assert job.attempts == attempt
        # As when it is killed: nothing is settled.
        ledger.close()
        ledger = open_ledger(path, 10)
        assert ledger.recover() == (attempt == MAX_ATTEMPTS)
    assert ledger.take() is None
    ledger.close()


def test_work_on_one_pull_request_is_done_in_turn(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.sqlite", 10)
    command = Asked("command", "Octo/App", 1, "command octo/app 7", "", "{}")
    for number, asked in enumerate((review(1, "a" * 40), command, review(2, "b" * 40))):
        assert ledger.accept(str(number), asked) == "queued"
    first, other = ledger.take(), ledger.take()
    assert first is not None
    assert other is not None
    assert (first.asked.number, other.asked.number, ledger.take()) == (1, 2, None)
    # A push that comes while the head before is reviewed waits for its end.
    assert ledger.accept("3", review(1, "c" * 40)) == "queued"
    ledger.settle(first, "dropped")
    then = ledger.take()
    assert then is not None
    assert then.asked == command
    ledger.settle(then, "done")
    last = ledger.take()
    assert last is not None
    assert last.asked.content == "c" * 40
    # Back to a head that was reviewed before another one: it is reviewed again.
    ledger.settle(last, "done")
    ledger.note(subject_of_review("octo/app", 1), "c" * 40)
    assert ledger.accept("4", review(1, "c" * 40)) == "known"
    assert ledger.accept("5", review(1, "a" * 40)) == "queued"
    ledger.close()


def test_a_full_disk_or_a_damaged_ledger_is_told(site: Site, desk: Desk, tmp_path: Path) -> None:
    with site.running(workers=0) as door:
        door.ledger.connection.execute("PRAGMA query_only = 1")
        reply = site.push(desk.pull, delivery="one")
        assert (reply.status, "retry-after" in reply.headers) == (503, True)
        door.ledger.connection.execute("PRAGMA query_only = 0")
        assert site.push(desk.pull, delivery="one").status == 202
    (tmp_path / "serve" / "ledger.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(EnvironmentFault, match="ledger can't be used") as told, site.running():
        pass
    assert told.value.remedy is not None
    assert isinstance(told.value.__cause__, sqlite3.DatabaseError)


def test_two_servers_do_not_share_a_folder(site: Site) -> None:
    refused = pytest.raises(EnvironmentFault, match="another server uses")
    with site.running(workers=0), refused, open_door(site.settings(), print):
        pass


def test_f12_what_github_does_not_take_is_in_a_file(site: Site, desk: Desk, tmp_path: Path) -> None:
    """A server has no summary of a job: what can be shown nowhere must still be found somewhere."""
    kept = tmp_path / "serve" / "not-posted" / "octo" / "app" / "1.md"
    for path in ("/pulls/1/reviews", "/issues/1/comments", "/check-runs", "/code-scanning"):
        desk.server.fail_next("POST", f".*{path}.*", 403, body={"message": "Resource not accessible"}, times=9)
    with site.running():
        assert site.push(desk.pull).status == 202
        line = site.wait("review octo/app#1")
        assert "1 not on the pull request, but in the folder not-posted" in line
        assert "none-comparison" in kept.read_text()
        assert desk.pull.threads == []


class _Broken:
    """Credentials with a bug in them, the first time."""

    def __init__(self, good: Credentials) -> None:
        self.good = good
        self.asked = 0

    def covers(self, repository: str) -> bool:
        return True

    def token(self, repository: str) -> str:
        self.asked += 1
        if self.asked == 1:
            raise ZeroDivisionError("a bug")
        return self.good.token(repository)


def test_a_bug_ends_the_work_that_it_is_in_and_nothing_else(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    site.credentials = _Broken(site.app())
    comment = desk.say("/nootropic status")
    with site.running(workers=1):
        assert site.say(comment, delivery="one").status == 202
        assert "failed: a bug" in site.wait("command octo/app#1")
        assert site.say(comment, delivery="one").status == 202
        assert "done: status: told" in site.wait("command octo/app#1")
    assert [each.exc_type for each in told] == [ZeroDivisionError]
