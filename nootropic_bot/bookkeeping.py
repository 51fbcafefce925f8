"""The state while a report is delivered: what was decided since, and what is entered on behalf of the analysis.

The review is worth more than what is remembered of it, so nothing here fails: what goes wrong is a note.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from nootropic_bot.config import StateSettings
from nootropic_bot.errors import EnvironmentFault, NootropicError, UsageError
from nootropic_bot.git import Repository
from nootropic_bot.records import Report
from nootropic_bot.relayed import MAX_BYTES, Shown, fitting, read_records
from nootropic_bot.state import refs
from nootropic_bot.state.compact import share
from nootropic_bot.state.schema import Draft
from nootropic_bot.state.segments import read_attachment
from nootropic_bot.state.store import Store
from nootropic_bot.state.sync import Sync
from nootropic_bot.state.views import Triage, active_triage, known_findings, known_runs, known_suggestions

_T = TypeVar("_T")
# The rules as one text, None where they are not to be kept.
RulesText = Callable[[], "bytes | None"]


@dataclass(slots=True)
class Books:
    """The state of a clone. `store`: None where it can't be used; `notes`: what went wrong, for people; `is_read`:
    whether the remote's could be read."""

    store: Store | None = None
    notes: list[str] = field(default_factory=list)
    is_read: bool = False

    def refresh(self) -> None:
        """Take in what the remote has."""
        is_damaged = self._attempt("the state was not read", _fetch)
        self.is_read = is_damaged is not None
        if is_damaged:
            self.notes.append("a part of the recorded state can't be read; `nootropic-bot state verify` says more")

    def decisions(self) -> Sequence[Triage]:
        """What was decided not to count; nothing where that can't be read."""
        found = self._attempt("its decisions mark nothing", lambda store: active_triage(store.index))
        return found if found is not None else ()

    def enter(self, records: bytes, report: Report, shown: Shown, rules: RulesText) -> int:
        """Write down what an analysis would have recorded, as far as it is not there yet, and share it.

        Args:
            records: as the analysis handed them over.
            report: as it came, which explains the records.
            shown: what was made of it; what is held back is not entered either.
            rules: what holds at the base, as one text.

        Returns:
            How many records were written and shared.
        """
        if self.is_read:
            # Posting takes a while, in which another job may have recorded the same. What two write at one moment is
            # there twice: each log is its writer's own, and nothing is ever taken back from it.
            self._attempt("the state was not read again", _fetch)
        written = self._attempt("nothing was recorded", lambda store: self._write(store, records, report, shown, rules))
        if not written:
            return 0
        # The clone of a CI job ends with it: nobody will write in its log again.
        closing = bool(os.environ.get("CI"))
        is_shared = self._attempt("the state was not shared", lambda store: share(store, closing=closing)) is not None
        return written if is_shared else 0

    def _write(self, store: Store, records: bytes, report: Report, shown: Shown, rules: RulesText) -> int:
        found = _new(store, read_records(records, report, shown), shown)
        drafts = fitting(found)
        store.append(drafts, self._attachments(store, drafts, rules))
        if len(drafts) < len(found):
            left = len(found) - len(drafts)
            self.notes.append(f"{left} records are left out: one review may add {MAX_BYTES:,} bytes")
        return len(drafts)

    def _attachments(self, store: Store, drafts: Iterable[Draft], rules: RulesText) -> list[bytes]:
        """The text of the rules that fixes were proved with, where the state lacks it.

        It is made here, of the base: under rules that came with a fork any fix of its could be called proved.
        """
        named = {each.data["proof"]["rules"] for each in drafts if each.kind == "suggestion"}
        tips = [oid for name, oid in store.index.tips().items() if refs.is_ours(name)]
        missing = [each for each in named if read_attachment(store.repo, tips, each) is None]
        text = rules() if missing else None
        if text is None:
            return []
        if hashlib.sha256(text).hexdigest() in missing:
            return [text]
        self.notes.append("the rules of the analysis are not those of the base: its proofs can't be run again")
        return []

    def _attempt(self, what: str, action: Callable[[Store], _T]) -> _T | None:
        """Do something with the state; None, and a note, where it fails."""
        if self.store is None:
            return None
        try:
            return mended(self.store, action)
        except NootropicError as error:
            self.notes.append(f"{what}: {error.message}")
            return None


def mended(store: Store, action: Callable[[Store], _T]) -> _T:
    """Do something with a store that may be begun twice; an index that is damaged is made anew from the refs between.

    Raises:
        EnvironmentFault: it can't be used all the same.
    """
    try:
        try:
            return action(store)
        except sqlite3.DatabaseError:
            store.index.discard()
            store.index.update()
            return action(store)
    except sqlite3.Error as error:
        remedy = "remove `nootropic/state.sqlite` from the git directory: it is made anew from what the refs hold"
        raise EnvironmentFault("the index of the state can't be used", remedy) from error


@contextmanager
def opened(repo: Repository | None, settings: StateSettings) -> Iterator[Books]:
    """The state of a clone, brought up to date with the remote's: decisions may have been made since the analysis.

    Nothing is pushed yet: what a person's clone holds is theirs to share.
    """
    books = Books()
    with ExitStack() as stack:
        if repo is not None:
            try:
                books.store = stack.enter_context(Store(repo, settings))
            except NootropicError as error:
                books.notes.append(f"the state can't be used, so that its decisions mark nothing: {error.message}")
        books.refresh()
        yield books


def _fetch(store: Store) -> bool:
    """Take in what the remote has; whether a part of it is damaged."""
    fetched = Sync(store).fetch_alone()
    return bool({**fetched.damaged, **store.index.update().damaged})


def _new(store: Store, drafts: Sequence[Draft], shown: Shown) -> list[Draft]:
    """The drafts that were not recorded before: a job may be started again.

    Raises:
        UsageError: a run is another pull request's.
    """
    index = store.index
    runs = known_runs(index, [each.data["run"] for each in drafts if each.kind == "run"])
    findings = known_findings(index, [each.data["finding"] for each in drafts if each.kind == "finding"])
    fixes = known_suggestions(index, [each.data["suggestion"] for each in drafts if each.kind == "suggestion"])
    if any(number != shown.number for _run, number in runs):
        raise UsageError("the records are refused: a run of theirs is another pull request's")
    # What a fork says of a fix that is known from elsewhere would stand before what is known of it.
    elsewhere = {fix for fix, number in fixes if number != shown.number} if shown.is_fork else set()
    own_runs = {run for run, _number in runs}

    def is_new(each: Draft) -> bool:
        if each.kind in ("run", "cost"):
            return each.data["run"] not in own_runs
        if each.kind == "finding":
            return (each.data["finding"], each.data["pull_request"]) not in findings
        identity = each.data["suggestion"]
        return identity not in elsewhere and (identity, shown.number) not in fixes

    return [each for each in drafts if is_new(each)]
