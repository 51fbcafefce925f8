"""The recorded state as a job with a token has it: read from the remote, and shared with it at once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from nootropic_bot import config
from nootropic_bot.basis import bring, configuration
from nootropic_bot.bookkeeping import mended
from nootropic_bot.errors import RemoteError
from nootropic_bot.git import Repository
from nootropic_bot.github.runner import Runner
from nootropic_bot.handover import muted
from nootropic_bot.records import Report
from nootropic_bot.state.compact import share
from nootropic_bot.state.index import Index
from nootropic_bot.state.schema import Draft
from nootropic_bot.state.store import Store
from nootropic_bot.state.views import (
    KnownFinding,
    LastRun,
    Triage,
    active_triage,
    findings_of,
    is_carried_out,
    last_run,
)

_T = TypeVar("_T")


@dataclass
class SharedState:
    """The state of the repository around `start`, as far as one pull request is concerned; opened when it is needed.

    `base`: the commit whose configuration holds. Every method raises a `NootropicError` where it fails.
    """

    runner: Runner
    start: Path
    pull_request: int
    base: str
    _resources: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Let go of what was opened."""
        self._resources.close()

    def is_carried_out(self, command: str) -> bool:
        """Whether something was recorded for a command, by its key."""
        return self._ask(lambda index: is_carried_out(index, command))

    def findings(self) -> Sequence[KnownFinding]:
        """What was recorded as found in the pull request."""
        return self._ask(lambda index: findings_of(index, self.pull_request))

    def last_run(self) -> LastRun | None:
        """The latest review of it."""
        return self._ask(lambda index: last_run(index, self.pull_request))

    def decisions(self) -> Sequence[Triage]:
        """The decisions that speak of this pull request, or of findings that it has."""
        known = {each.finding for each in self.findings()}
        entries = self._ask(active_triage)
        return [each for each in entries if each.pull_request == self.pull_request or each.finding in known]

    def mute(self, report: Report) -> Report:
        """A report with what was decided since, or is not known where it was made: marked, not dropped."""
        return muted(report, self._ask(active_triage), self.pull_request)

    def record(self, drafts: Sequence[Draft]) -> None:
        """Write down and push; secrets are taken out before.

        Raises:
            RemoteError: the remote does not take it, so nobody else knows it.
        """
        if not self.config.state.record:
            # What people said is recorded all the same; what became of suggestions is what the setting is about.
            drafts = [draft for draft in drafts if draft.kind != "outcome"]
        if drafts:
            mended(self._store, lambda store: store.append(drafts))
            mended(self._store, lambda store: share(store, closing=bool(os.environ.get("CI"))))

    @cached_property
    def repository(self) -> Repository:
        """The clone that the job works in, its transfers with the job's token."""
        return Repository.open(self.start).with_token(self.runner.server_url, self.runner.token)

    @cached_property
    def config(self) -> config.Config:
        """The configuration of the base commit: what the pull request says does not count (row A21).

        Raises:
            RemoteError: the commit is not here and can't be fetched.
        """
        repo = self.repository
        if not bring(repo, [self.base]):
            raise RemoteError(
                f"the base commit {self.base[:12]} can't be fetched", "check the base branch out before this step"
            )
        return configuration(lambda name: repo.read_path(self.base, name), repo.cache_dir)

    @cached_property
    def _store(self) -> Store:
        store = self._resources.enter_context(Store(self.repository, self.config.state))
        mended(store, share)
        mended(store, lambda opened: opened.index.update())
        return store

    def _ask(self, question: Callable[[Index], _T]) -> _T:
        return mended(self._store, lambda store: question(store.index))


@contextmanager
def shared_state(runner: Runner, start: Path, pull_request: int, base: str) -> Iterator[SharedState]:
    """The state for as long as the context lasts; nothing is opened yet."""
    with contextlib.closing(SharedState(runner, start, pull_request, base)) as state:
        yield state
