"""The trusted half of a review: takes what a run without a token found, and shows it on the pull request.

    event ─▶ artifact ─▶ report ─▶ which pull request? ─▶ diff, configuration, decisions ─▶ publish ─▶ state

It runs nothing of the pull request, loads no model, and checks no file of it out: its commits are fetched as objects
and read as data. The target is what the forge says (row A8), the configuration the base commit's (row A21).
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from nootropic_bot import config, resources
from nootropic_bot.constants import CONFIG_FILE, PYPROJECT_FILE
from nootropic_bot.errors import NootropicError, RemoteError, UsageError
from nootropic_bot.findingtext import plural
from nootropic_bot.forge import Forge, ForgeError
from nootropic_bot.git import Repository
from nootropic_bot.github import artifacts
from nootropic_bot.github.changes import MAX_FILES, read_blobs, read_changes
from nootropic_bot.github.client import Client
from nootropic_bot.github.contents import read_file
from nootropic_bot.github.events import WorkflowRunEvent
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.pulls import Pull, find_pulls
from nootropic_bot.gitwrite import fetch, has_remote
from nootropic_bot.handover import cleaned, muted, read_report
from nootropic_bot.publish.anchors import Diff, make_diff, read_diff
from nootropic_bot.publish.plan import Policy, ranked
from nootropic_bot.publish.poster import Published, publish_report
from nootropic_bot.records import Report
from nootropic_bot.relayed import MAX_BYTES, Shown, fitting, read_records
from nootropic_bot.rulefiles import find_rule_files, load_rules
from nootropic_bot.sarif import to_sarif
from nootropic_bot.source import Source
from nootropic_bot.state.schema import Draft
from nootropic_bot.state.store import Store
from nootropic_bot.state.sync import Sync
from nootropic_bot.state.views import active_triage, known_findings, known_runs, known_suggestions
from nootropic_bot.vetting import vetted, without_fixes

# Where a checkout comes from; what the configuration calls the remote is known only when the base is here.
_REMOTE = "origin"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an analysis handed over. `sarif`: handed on as it is; `wants_sarif`: it is made from the report."""

    report: Report
    sarif: str | None = None
    wants_sarif: bool = False
    records: bytes | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of it. `recorded`: records that were written for the analysis, None where none were to be."""

    pull: Pull
    published: Published
    report: Report
    recorded: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a report is placed on: the pull request's diff, and what its base configures."""

    diff: Diff
    settings: config.Config


@dataclass(slots=True)
class _Job:
    """One delivery under way. `repo`: a clone, if there is one; `store`: its state; `sources`: of the fixes shown."""

    client: Client
    repo: Repository | None
    pull: Pull
    delivery: Delivery
    store: Store | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def receive(client: Client, event: WorkflowRunEvent) -> tuple[Pull | None, Delivery]:
    """What a run handed over, and the pull request that it is about; None when there is none at its commit.

    Raises:
        UsageError: what was handed over is refused, or several pull requests have its commit and none has its base.
        ForgeError: it is not to be had.
    """
    members = artifacts.download(client, event.repository, event.run_id)
    report = read_report(members[artifacts.REPORT], artifacts.REPORT, event.head)
    delivery = Delivery(report, wants_sarif=artifacts.SARIF in members, records=members.get(artifacts.RECORDS))
    return _meant(find_pulls(client, event), report), delivery


def _meant(found: Sequence[Pull], report: Report) -> Pull | None:
    """The pull request that a report is about, of those that a run may have been for, the likeliest first."""
    current = [pull for pull in found if pull.head == report.head and pull.is_open]
    # One commit can be proposed for several branches; each has a run of its own, whose report names its base.
    meant = [pull for pull in current if pull.base == report.base]
    if len(current) > 1 and not meant:
        numbers = ", ".join(f"#{pull.number}" for pull in current[:10])
        remedy = "push to the branch, or start the review of each again"
        raise UsageError(
            f"{numbers} have this commit, and their bases moved on: whose report it is can't be told", remedy
        )
    return next(iter([*meant, *current, *found]), None)


def deliver(
    client: Client, repo: Repository | None, pull: Pull, delivery: Delivery, *, forge: Forge | None = None,
    is_recorded: bool = True,
) -> Delivered:  # fmt: skip
    """Show a report on its pull request, and record it.

    Args:
        client: asks with the job's token.
        repo: a clone of the repository, `with_token`; without one the API is asked for the diff, and nothing recorded.
        pull: the pull request, as the API tells it.
        delivery: what to show, validated.
        forge: who posts; GitHub, if nothing is said.
        is_recorded: whether the analysis is recorded on its behalf.

    What goes wrong before anything is posted is told by the answer, so that every text can still be shown somewhere.
    """
    if delivery.report.head != pull.head or not pull.is_open:
        report = _unplaced(delivery)
        status: Published = Published("stale" if pull.is_open else "closed", not_posted=ranked(report, Policy()))
        return Delivered(pull, status, report)
    try:
        return _deliver(_Job(client, repo, pull, delivery), forge, is_recorded=is_recorded)
    except (NootropicError, sqlite3.DatabaseError) as error:
        return unreachable(pull, delivery, error)


def _deliver(job: _Job, forge: Forge | None, *, is_recorded: bool) -> Delivered:
    pull = job.pull
    basis = _basis(job)
    with _opened(job, basis.settings):
        report = _prepared(job, basis.diff)
        policy = Policy(basis.settings.fail_on, basis.settings.models.min_confidence)
        poster = forge or GitHubForge(job.client, pull.repository, pull.number)
        published = publish_report(report, basis.diff, poster, policy=policy, sarif=_sarif(job, report))
        recorded = None
        if is_recorded and basis.settings.state.record and published.status in ("posted", "silent"):
            recorded = _record(job, _posted(report, published))
    return Delivered(pull, published, report, recorded, tuple(job.notes))


# What it is placed on.


def _basis(job: _Job) -> _Basis:
    pull, client = job.pull, job.client
    if job.repo is not None and _has_commits(job.repo, pull):
        repo = job.repo
        diff = read_diff(repo, pull.base, pull.head, job.delivery.report.findings)
        return _Basis(diff, _configured(job, lambda name: repo.read_path(pull.base, name)))
    settings = _configured(job, lambda name: read_file(client, pull.repository, name, pull.base))
    return _Basis(_listed(job), settings)


def _configured(job: _Job, read: Callable[[str], bytes | None]) -> config.Config:
    """What the base configures; where that is wrong, what holds without a configuration: the review is worth more."""
    files = {name: read(name) for name in (CONFIG_FILE, PYPROJECT_FILE)}
    cache = None if job.repo is None else job.repo.cache_dir
    try:
        return config.load(files, os.environ, cache)
    except UsageError as error:
        job.notes.append(f"the configuration of the base is not used: {error.message}")
        return config.Config()


def _has_commits(repo: Repository, pull: Pull) -> bool:
    """Whether base, head and where they parted are here, after fetching them as objects."""
    wanted = [oid for oid in (pull.base, pull.head) if repo.resolve(oid) is None]
    if wanted and has_remote(repo, _REMOTE):
        try:
            fetch(repo, _REMOTE, wanted)
        except RemoteError:
            return False
    is_here = repo.resolve(pull.base) is not None and repo.resolve(pull.head) is not None
    return is_here and repo.merge_base(pull.base, pull.head) is not None


def _listed(job: _Job) -> Diff:
    """The diff as the API lists it."""
    pull, report = job.pull, job.delivery.report
    try:
        changes = read_changes(job.client, pull.repository, pull.number)
        paths = {finding.path for finding in report.findings if finding.suggestion is not None}
        blobs = read_blobs(job.client, pull.repository, changes, paths)
    except ForgeError as error:
        job.notes.append(f"the diff can't be read, so that nothing is said on its lines: {error.message}")
        return Diff(pull.head, {})
    if changes.is_cut:
        job.notes.append(f"GitHub lists {MAX_FILES:,} files at most: findings in others are in the summary")
    return make_diff(pull.head, changes.files, [changes.patch], blobs)


# What is shown of it.


def _prepared(job: _Job, diff: Diff) -> Report:
    """The report with the repository's decisions, without secrets, and with those fixes alone that stand."""
    report = job.delivery.report
    if job.store is not None:
        report = muted(report, active_triage(job.store.index), job.pull.number)
    checked = vetted(report, diff.contents)
    job.sources = checked.sources
    job.notes += [f"{plural(number, 'fix', 'fixes')} held back: {why}" for why, number in checked.held_back.items()]
    found = cleaned(checked.report)
    if found.held_back:
        job.notes.append(f"held back because of what looks like a secret: {plural(found.held_back, 'text')}")
    return found.report


def _unplaced(delivery: Delivery) -> Report:
    """The report to be shown elsewhere: its fixes could not be held against their files."""
    return cleaned(without_fixes(delivery.report)).report


def _posted(report: Report, published: Published) -> Report:
    """The report without what is nowhere on the pull request."""
    left = {finding.id for finding in published.not_posted}
    return replace(report, findings=tuple(finding for finding in report.findings if finding.id not in left))


def _sarif(job: _Job, report: Report) -> str | None:
    """What code scanning is given: of an artifact only the report is trusted, so this is made from it."""
    if job.delivery.sarif is not None or not job.delivery.wants_sarif:
        return job.delivery.sarif
    cache = None if job.repo is None else job.repo.cache_dir
    rules = load_rules(find_rule_files(resources.bundled_rules()), cache).by_id
    return json.dumps(to_sarif(report, rules=rules))


# What is remembered of it.


@contextmanager
def _opened(job: _Job, settings: config.Config) -> Iterator[None]:
    """The state, brought up to date: decisions may have been made since the analysis."""
    if job.repo is None:
        yield
        return
    with ExitStack() as stack:
        try:
            job.store = stack.enter_context(Store(job.repo, settings.state))
            # Nothing is pushed yet: what a person's clone holds is theirs to share.
            _shared(job, job.store, "read", Sync.fetch_alone)
        except (NootropicError, sqlite3.DatabaseError) as error:
            job.store = None
            job.notes.append(f"the state can't be used, so that its decisions mark nothing: {_told(error)}")
        try:
            yield
        finally:
            job.store = None


def _shared(job: _Job, store: Store, what: str, action: Callable[[Sync], object]) -> bool:
    """Do something with the remote's state; what goes wrong is a note, since the review itself is worth more."""
    try:
        action(Sync(store))
        store.index.update()
    except NootropicError as error:
        job.notes.append(f"the state was not {what}: {error.message}")
        return False
    except sqlite3.DatabaseError:
        # It is made anew from the refs.
        store.index.discard()
        store.index.update()
    return True


def _record(job: _Job, report: Report) -> int | None:
    """Write the records of the analysis, those that the state lacks, and push them."""
    if job.store is None or not job.delivery.records:
        return None
    shown = Shown(report, job.sources, job.pull.number, is_fork=job.pull.is_fork)
    try:
        # The report as it came explains the records; what is held back is not recorded either.
        found = _new(job.store, read_records(job.delivery.records, job.delivery.report, shown), shown)
        drafts = fitting(found)
        job.store.append(drafts)
    except (NootropicError, sqlite3.DatabaseError) as error:
        job.notes.append(f"nothing was recorded: {_told(error)}")
        return 0
    if len(drafts) < len(found):
        job.notes.append(f"{len(found) - len(drafts)} records are left out: one review may add {MAX_BYTES:,} bytes")
    is_shared = not drafts or _shared(job, job.store, "shared", Sync.run)
    return len(drafts) if is_shared else 0


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


def unreachable(pull: Pull, delivery: Delivery, error: NootropicError | sqlite3.Error) -> Delivered:
    """What became of a report whose pull request can't be reached: nothing of it is shown there."""
    report = _unplaced(delivery)
    note = f"{type(error).__name__.lower()}: {_told(error)}"
    published = Published("unreachable", not_posted=ranked(report, Policy()), notes=(note,))
    return Delivered(pull, published, report)


def _told(error: NootropicError | sqlite3.Error) -> str:
    """What went wrong, in words."""
    return error.message if isinstance(error, NootropicError) else "the index of the state is damaged"
