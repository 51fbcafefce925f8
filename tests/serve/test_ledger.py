"""The queue under any order of events: nothing is lost, nothing done twice at once, nothing grows without bound."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nootropic_bot.serve.deliveries import Asked, subject_of_review
from nootropic_bot.serve.ledger import Job, Ledger, open_ledger

_MOST = 4
_PULLS, _HEADS = st.integers(1, 3), st.sampled_from("abc")
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), _PULLS, _HEADS),
        st.tuples(st.just("command"), _PULLS, st.sampled_from("xyz")),
        st.tuples(st.sampled_from(["take", "done", "dropped", "failed", "interrupted", "restart"]), _PULLS, _HEADS),
    ),
    max_size=40,
)


def asked(kind: str, number: int, name: str) -> Asked:
    if kind == "push":
        return Asked("review", "octo/app", number, subject_of_review("octo/app", number), name * 40)
    return Asked("command", "octo/app", number, f"command octo/app {number}{name}", "", "{}")


class Story:
    """The ledger beside a plain account of what must come of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger: Ledger = open_ledger(path, _MOST)
        self.running: list[Job] = []
        self.owed: set[str] = set()
        self.deliveries = 0

    def step(self, what: str, number: int, name: str) -> None:
        if what in ("push", "command"):
            self.deliver(asked(what, number, name))
        elif what == "take":
            job = self.ledger.take()
            if job is not None:
                assert job.asked.number not in {each.asked.number for each in self.running}
                self.running.append(job)
        elif what == "restart":
            self.ledger.close()
            self.ledger, self.running = open_ledger(self.path, _MOST), []
            # What was begun three times is given up.
            if self.ledger.recover():
                self.owed = {key for (key,) in self.ledger.connection.execute("SELECT key FROM jobs")}
        elif self.running:
            self.end(self.running.pop(0), what)

    def deliver(self, new: Asked) -> None:
        self.deliveries += 1
        room = _MOST - self.ledger.waiting()
        answer = self.ledger.accept(str(self.deliveries), new)
        if answer == "queued":
            if new.kind == "review":
                waiting = {key for key in self.owed if key.startswith(new.subject)}
                self.owed -= waiting - {each.asked.key for each in self.running}
            self.owed.add(new.key)
        elif answer == "full":
            assert room == 0
        else:
            assert new.key in self.owed or self.ledger.is_done(new.subject, new.content)

    def end(self, job: Job, how: str) -> None:
        if how == "interrupted":
            self.ledger.put_back(job, counts=False)
            return
        self.ledger.settle(job, "done" if how == "done" else "dropped" if how == "dropped" else "failed")
        if how == "done" and job.asked.kind == "review":
            self.ledger.note(job.asked.subject, job.asked.content)
        self.owed.discard(job.asked.key)

    def check(self) -> None:
        kept = {key for (key,) in self.ledger.connection.execute("SELECT key FROM jobs")}
        assert kept == self.owed
        # As many as may wait, and one that was begun for each pull request.
        assert len(kept) <= _MOST + 3


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_STEPS)
def test_whatever_happens_what_was_taken_in_is_done_once(steps: list[tuple[str, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder) / "ledger.sqlite")
        for step in steps:
            story.step(*step)
            story.check()
        # In the end everything is done that is owed.
        for job in story.running:
            story.end(job, "done")
        story.running.clear()
        while (owed := story.ledger.take()) is not None:
            story.end(owed, "done")
        assert story.owed == set()
        assert story.ledger.waiting() == 0
        story.ledger.close()
