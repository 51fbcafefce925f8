"""The trusted half of a review: takes what a run without a token found, and shows it on the pull request.

    event ─▶ artifact ─▶ report ─▶ which pull request? ─▶ diff, configuration, decisions ─▶ publish ─▶ state

It runs nothing of the pull request, loads no model, and checks no file of it out: its commits are fetched as objects
and read as data. The target is what the forge says (row A8), the configuration the base commit's (row A21).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nootropic_bot import config, resources
from nootropic_bot.basis import bring, configuration
from nootropic_bot.bookkeeping import Books, opened
from nootropic_bot.errors import NootropicError, UsageError
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
from nootropic_bot.handover import cleaned, muted, read_report
from nootropic_bot.publish.anchors import Diff, make_diff, read_diff
from nootropic_bot.publish.plan import Policy, ranked
from nootropic_bot.publish.poster import Published, Status, publish_report
from nootropic_bot.records import Report
from nootropic_bot.relayed import Shown
from nootropic_bot.rulefiles import find_rule_files, load_rules
from nootropic_bot.rulepack import rules_text
from nootropic_bot.sarif import to_sarif
from nootropic_bot.session import rules_at
from nootropic_bot.source import Source
from nootropic_bot.state.views import Triage
from nootropic_bot.vetting import vetted, without_fixes


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
    """One delivery under way. `repo`: a clone, if there is one; `sources`: of the fixes shown."""

    client: Client
    repo: Repository | None
    pull: Pull
    delivery: Delivery
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
        status: Status = "stale" if pull.is_open else "closed"
        published = Published(status, not_posted=ranked(report, Policy()), is_merged=pull.is_merged)
        return Delivered(pull, published, report)
    try:
        return _deliver(_Job(client, repo, pull, delivery), forge, is_recorded=is_recorded)
    except NootropicError as error:
        return unreachable(pull, delivery, error)


def _deliver(job: _Job, forge: Forge | None, *, is_recorded: bool) -> Delivered:
    pull = job.pull
    basis = _basis(job)
    with opened(job.repo, basis.settings.state) as books:
        report = _prepared(job, basis.diff, books.decisions())
        policy = Policy(basis.settings.fail_on, basis.settings.models.min_confidence)
        accounts = basis.settings.publish.accounts
        poster = forge or GitHubForge(job.client, pull.repository, pull.number, accounts=accounts)
        published = publish_report(report, basis.diff, poster, policy=policy, sarif=_sarif(job, report))
        recorded = None
        if is_recorded and basis.settings.state.record and published.status in ("posted", "silent"):
            recorded = _record(job, books, _posted(report, published), basis.settings)
    return Delivered(pull, published, report, recorded, (*job.notes, *books.notes))


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
    try:
        return configuration(read, None if job.repo is None else job.repo.cache_dir)
    except UsageError as error:
        job.notes.append(f"the configuration of the base is not used: {error.message}")
        return config.Config()


def _has_commits(repo: Repository, pull: Pull) -> bool:
    """Whether base, head and where they parted are here, after fetching them as objects."""
    return bring(repo, (pull.base, pull.head)) and repo.merge_base(pull.base, pull.head) is not None


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


def _prepared(job: _Job, diff: Diff, decisions: Sequence[Triage]) -> Report:
    """The report with the repository's decisions, without secrets, and with those fixes alone that stand."""
    checked = vetted(muted(job.delivery.report, decisions, job.pull.number), diff.contents)
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


def _record(job: _Job, books: Books, report: Report, settings: config.Config) -> int | None:
    """Enter what the analysis would have recorded of what was posted; None where it handed nothing over."""
    repo, delivery = job.repo, job.delivery
    if repo is None or not delivery.records:
        return None
    shown = Shown(report, job.sources, job.pull.number, is_fork=job.pull.is_fork)
    return books.enter(delivery.records, delivery.report, shown, lambda: _rules(repo, settings, job.pull.base))


def _rules(repo: Repository, settings: config.Config, base: str) -> bytes | None:
    """The rules that the base configures, as one text; None where they can't be had."""
    try:
        return rules_text(rules_at(repo, settings, base))
    except UsageError:
        return None


def unreachable(pull: Pull, delivery: Delivery, error: NootropicError) -> Delivered:
    """What became of a report whose pull request can't be reached: nothing of it is shown there."""
    report = _unplaced(delivery)
    remedy = f" → {error.remedy}" if error.remedy else ""
    note = f"{type(error).__name__.lower()}: {error.message}{remedy}"
    published = Published("unreachable", not_posted=ranked(report, Policy()), notes=(note,))
    return Delivered(pull, published, report)
