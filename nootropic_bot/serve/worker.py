"""Carries out what a delivery asks for, by the functions that the actions' commands call.

review:  pull request as it is now ─▶ fetch ─▶ analysis without a token ─▶ publishing.deliver
command: authorise ─▶ (fetch, analysis without a token) ─▶ act
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from nootropic_bot.cachefile import write_atomically
from nootropic_bot.errors import EXIT_CLEAN, EnvironmentFault, IncompleteError, NootropicError, UsageError
from nootropic_bot.forge import ForgeError
from nootropic_bot.git import Repository
from nootropic_bot.github.apps import Credentials
from nootropic_bot.github.client import Client
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.pulls import Pull, get_pull
from nootropic_bot.github.runner import Runner
from nootropic_bot.github.waiting import Pace, Patience
from nootropic_bot.handover import read_report
from nootropic_bot.publish.comments import listed
from nootropic_bot.publish.plan import Policy, offered
from nootropic_bot.publishing import Delivered, Delivery, deliver
from nootropic_bot.reports import MAX_REPORT_BYTES
from nootropic_bot.respond.plan import Plan
from nootropic_bot.responding import act_on_event, authorise_event
from nootropic_bot.serve.analysis import RECORDS, REPORT, Analyst
from nootropic_bot.serve.deliveries import Asked, content_of_review, subject_of_review
from nootropic_bot.serve.ledger import Ledger, Settled
from nootropic_bot.serve.mirrors import Mirrors


class Interrupted(Exception):
    """The server stops; what was begun is for the next one."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of it. `note`: a few words for the log, without any text of the pull request."""

    how: Settled
    note: str


@dataclass(slots=True)
class Worker:
    """Does one thing after the other; threads may share it.

    `runner`: where the forge is; its token is that of `credentials`. `pause`: waits for so many seconds, or until the
    server stops; `is_stopping`: whether it does.
    """

    credentials: Credentials
    runner: Runner
    mirrors: Mirrors
    analyst: Analyst
    ledger: Ledger
    pause: Callable[[float], None]
    is_stopping: Callable[[], bool]
    pace: Pace = field(default_factory=Pace)

    def carry_out(self, asked: Asked) -> Result:
        """Do what was asked for.

        Raises:
            NootropicError: it can't be done.
            Interrupted: the server stops.
        """
        return self._review(asked) if asked.kind == "review" else self._command(asked)

    # A review.

    def _review(self, asked: Asked) -> Result:
        client = self._client(asked.repository)
        pull = get_pull(client, asked.repository, asked.number)
        subject = subject_of_review(asked.repository, asked.number)
        content = content_of_review(pull.head, pull.base_branch)
        if not pull.is_open:
            return Result("dropped", "it is closed")
        if self.ledger.is_done(subject, content):
            return Result("dropped", "its head was reviewed before, for this base")
        mirror = self._fetched(pull.repository, pull.number, pull.base, pull.head)
        with self.mirrors.analysis(mirror, pull.repository) as repo:
            try:
                folder = self._analysed(repo, pull.base, pull.head, pull.number)
                report = read_report(_read(folder / REPORT), "the report", pull.head)
                records = _read(folder / RECORDS) if (folder / RECORDS).exists() else None
            except (IncompleteError, UsageError) as error:
                self._tell(pull)
                return Result("failed", error.message)
            delivery = Delivery(report, wants_sarif=True, records=records)
        delivered = self._deliver(pull, delivery)
        if delivered.published.status in ("posted", "silent"):
            self.ledger.note(subject, content)
        return _told(delivered)

    def _deliver(self, pull: Pull, delivery: Delivery) -> Delivered:
        """Post it. What can be shown nowhere is kept in a file: a server has no summary of a job (row F12)."""
        # Asked for again: the analysis may have outlasted the token.
        mirror = self.mirrors.open(pull.repository, self.credentials.token(pull.repository))
        place = self.mirrors.folder / "not-posted" / pull.repository.lower() / f"{pull.number}.md"
        delivered = deliver(self._client(pull.repository), mirror, pull, delivery)
        _keep(place, delivered)
        return delivered

    def _tell(self, pull: Pull) -> None:
        """Say on the pull request that there is no review: silence would look like a good one."""
        forge = GitHubForge(self._client(pull.repository), pull.repository, pull.number)
        text = "The analysis did not finish, so nothing is known of this change. The log of the server says why."
        try:
            forge.publish_check(pull.head, "failure", "the analysis did not finish", text, ())
        except ForgeError:
            # The log says it in any case.
            return

    # A command.

    def _command(self, asked: Asked) -> Result:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nootropic-")))
            event = folder / "event.json"
            event.write_text(asked.payload, encoding="utf-8")
            decided = authorise_event(self._step(asked, event))
            plan = decided.plan
            if plan is None:
                return Result("done", f"{decided.status}: {decided.note}")
            report = self._report(asked, plan, stack) if plan.needs_analysis else None
            mirror = self.mirrors.open(asked.repository, self.credentials.token(asked.repository))
            acted = act_on_event(self._step(asked, event), plan.to_json(), report, mirror.top, workflow="")
        return Result("done" if acted.exit_code == EXIT_CLEAN else "failed", acted.note)

    def _report(self, asked: Asked, plan: Plan, stack: ExitStack) -> Path | None:
        """The report that a command needs; None where the analysis failed, which the reply then says."""
        mirror = self._fetched(asked.repository, plan.pull_request, plan.base, plan.head)
        repo = stack.enter_context(self.mirrors.analysis(mirror, asked.repository))
        try:
            return self._analysed(repo, plan.base, plan.head, plan.pull_request) / REPORT
        except IncompleteError:
            return None

    def _step(self, asked: Asked, event: Path) -> Runner:
        """What a step of a workflow would be told."""
        token, name = self.credentials.token(asked.repository), asked.repository
        return replace(self.runner, token=token, repository=name, event_name="issue_comment", event_path=event)

    # What both need.

    def _client(self, repository: str) -> Client:
        patience = Patience(sleep=self.pause)
        token = self.credentials.token(repository)
        return Client.connect(self.runner.api_url, token, patience=patience, pace=self.pace)

    def _fetched(self, repository: str, number: int, base: str, head: str) -> Repository:
        mirror = self.mirrors.open(repository, self.credentials.token(repository))
        self.mirrors.fetch(mirror, number, base, head)
        return mirror

    def _analysed(self, repo: Repository, base: str, head: str, number: int) -> Path:
        try:
            return self.analyst.analyse(repo, base, head, number)
        except NootropicError:
            if self.is_stopping():
                raise Interrupted from None
            raise


def _read(path: Path) -> bytes:
    """A file that the analysis wrote; no link, and not more than a report has."""
    try:
        if path.is_symlink() or not path.is_file():
            raise IncompleteError("the analysis left something else than a report")
        with path.open("rb") as file:
            return file.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise IncompleteError(f"what the analysis left can't be read: {error.strerror}") from error


def _keep(path: Path, delivered: Delivered) -> None:
    """Write down what is nowhere on the pull request, in place of what was not there the last time."""
    published = delivered.published
    left = () if published.status in ("stale", "closed") else published.not_posted
    texts = [listed(finding, offered(finding, Policy())) for finding in left]
    try:
        if texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, "".join(texts).encode("utf-8", "backslashreplace"))
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{path} can't be written: {error.strerror}", "see who may write there") from error


def _told(delivered: Delivered) -> Result:
    published = delivered.published
    figures = {
        "commented": len(published.commented),
        "resolved": len(published.fixed),
        "in the summary or the check only": len(published.listed),
        "not on the pull request, but in the folder not-posted": len(published.not_posted),
    }
    what = ", ".join(f"{number} {name}" for name, number in figures.items() if number)
    note = f"{published.status} at {delivered.pull.head[:10]}" + (f": {what}" if what else "")
    notes = len(delivered.notes) + len(published.notes)
    if published.status == "unreachable":
        return Result("failed", note)
    is_done = published.status in ("posted", "silent")
    return Result("done" if is_done else "dropped", note + (f" (notes: {notes})" if notes else ""))
