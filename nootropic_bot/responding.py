"""Where a comment, the forge, the state and a report meet: the two steps of `respond` that hold a token.

    event ─▶ authorise ─▶ plan ─▶ (an analysis without a token) ─▶ act ─▶ commit, record, reply

Neither step executes anything, loads a model or reads configuration of the pull request: the base's holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nootropic_bot import resources
from nootropic_bot.errors import EnvironmentFault, IncompleteError, NootropicError, RemoteError, UsageError
from nootropic_bot.findingtext import plural
from nootropic_bot.github.artifacts import RECORDS
from nootropic_bot.github.client import Client
from nootropic_bot.github.events import IssueCommentEvent, read_event
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.host import GitHubHost
from nootropic_bot.github.pulls import get_pull
from nootropic_bot.github.runner import Runner
from nootropic_bot.handover import read_report
from nootropic_bot.markdown import fitting_list, inline_text
from nootropic_bot.publish.comments import listed
from nootropic_bot.publishing import Delivered, Delivery, deliver
from nootropic_bot.records import Report, Rule
from nootropic_bot.remembering import SharedState, shared_state
from nootropic_bot.reports import MAX_REPORT_BYTES, counts
from nootropic_bot.respond.acting import Acted, Tools, act
from nootropic_bot.respond.answers import closed, commit_name
from nootropic_bot.respond.authorise import Authorised, authorise
from nootropic_bot.respond.outcome import Answer
from nootropic_bot.respond.plan import Plan, Said, read_plan
from nootropic_bot.rulefiles import find_rule_files, load_rules, own_rules

# The workflow that checks a branch, as `init` writes it.
REVIEW_WORKFLOW = "nootropic-review.yml"
# Characters for each list in the answer to `review`.
_ROOM = 20_000


def authorise_event(runner: Runner) -> Authorised:
    """Decide about the comment that a step runs for.

    Raises:
        UsageError: there is no such event.
        ForgeError: GitHub could not be asked, or does not let us answer.
    """
    event = _comment_event(runner)
    if not event.is_pull_request:
        return Authorised("none", "the comment is not on a pull request")
    return authorise(_said(event), _host(Client.of_runner(runner), runner, event))


def act_on_event(
    runner: Runner, plan_text: str, report: Path | None, start: Path, *, workflow: str = REVIEW_WORKFLOW
) -> Acted:
    """Carry out what was permitted for the comment that a step runs for.

    Args:
        runner: the step's environment.
        plan_text: the plan; it must be the comment's.
        report: the report of the analysis, if there was one.
        start: a folder in a clone of the repository, for the state.
        workflow: what is started after a commit; "" where the push itself starts the checks.

    Raises:
        UsageError: there is no such event, or the plan is another one's.
        ForgeError: GitHub could not be read, or does not let us reply.
    """
    event = _comment_event(runner)
    plan = read_plan(plan_text, _said(event))
    client = Client.of_runner(runner)
    with shared_state(runner, start, plan.pull_request, plan.base) as state:
        folder = None if report is None else report.parent
        publisher = _Publisher(client, plan, event.repository, state, folder)
        host = _host(client, runner, event, workflow, _accounts(state))
        tools = Tools(host, state, _find_rule, publisher.publish)
        return act(plan, _read_report(plan, report, state), tools)


def _comment_event(runner: Runner) -> IssueCommentEvent:
    event = read_event(runner)
    if not isinstance(event, IssueCommentEvent):
        raise UsageError("commands come from comments", "start the workflow by `issue_comment`")
    if runner.repository and event.repository.lower() != runner.repository.lower():
        raise UsageError("the event is of another repository than GITHUB_REPOSITORY")
    return event


def _said(event: IssueCommentEvent) -> Said:
    return Said(
        comment=event.comment_id,
        pull_request=event.number,
        author=event.author,
        number=event.author_id,
        body=event.body,
        is_new=event.action == "created",
        is_bot=event.author_type != "User",
    )


def _accounts(state: SharedState) -> Sequence[str]:
    """The apps whose comments count as the bot's; the actions' own alone where the configuration can't be had."""
    try:
        return state.config.publish.accounts
    except NootropicError:
        return ()


def _host(
    client: Client, runner: Runner, event: IssueCommentEvent, workflow: str = REVIEW_WORKFLOW,
    accounts: Sequence[str] = (),
) -> GitHubHost:  # fmt: skip
    forge = GitHubForge(client, event.repository, event.number, accounts=accounts)
    return GitHubHost(client, event.repository, event.number, forge, workflow=workflow, server_url=runner.server_url)


def _read_report(plan: Plan, path: Path | None, state: SharedState) -> Report | NootropicError | None:
    """The report, or why it can't be used; the reply says it, so nothing is raised."""
    if path is None or not plan.needs_analysis:
        return None
    try:
        report = read_report(_read(path), "the report", plan.head)
        if report.base != plan.base:
            raise UsageError("the report compares with another commit than was asked for", "it is refused")
    except NootropicError as error:
        return error
    try:
        return state.mute(report)
    except NootropicError:
        # What can't be read decides nothing; the command fails by itself where it needs the state.
        return report


def _read(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise IncompleteError("the analysis left no report", "the log of the job that analyses says why")
    try:
        with path.open("rb") as file:
            return file.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise EnvironmentFault(f"the report can't be read: {error.strerror}") from error


def _find_rule(rule_id: str) -> Rule | None:
    """A bundled rule, for what it refers to; rules of the repository say it all in their message."""
    bundled = load_rules(find_rule_files(resources.bundled_rules()), None).rules
    return {rule.id: rule for rule in (*bundled, *own_rules())}.get(rule_id)


@dataclass(frozen=True, slots=True)
class _Publisher:
    """`review`: shows a report as `publish` does. `folder`: where the analysis left it, with its records."""

    client: Client
    plan: Plan
    repository: str
    state: SharedState
    folder: Path | None

    def publish(self, report: Report) -> Answer:
        """Post, and say what was posted."""
        pull = get_pull(self.client, self.repository, self.plan.pull_request)
        delivery = Delivery(report, records=self._records())
        delivered = deliver(self.client, self.state.repository, pull, delivery)
        published = delivered.published
        if published.status == "unreachable":
            raise RemoteError("the comments of the pull request could not be read or written", "try again later")
        if published.status == "closed":
            return Answer(closed(is_merged=published.is_merged), "the pull request was closed meanwhile")
        if published.status == "stale":
            return Answer(
                "The pull request has another head now, and its own review speaks for that: nothing was posted.\n",
                "the head has moved",
            )
        notes = [f"- {inline_text(note)}\n" for note in (*delivered.notes, *published.notes)]
        left = [listed(finding, None) for finding in published.not_posted]
        text = (
            f"Reviewed {commit_name(self.plan.head)}: {_figures(delivered)}.\n"
            f"{fitting_list(f'{chr(10)}Meanwhile:{chr(10)}', notes, _ROOM)}"
            f"{fitting_list(f'{chr(10)}Not on the diff or in the summary:{chr(10)}', left, _ROOM)}"
        )
        return Answer(text, f"reviewed, {published.status}")

    def _records(self) -> bytes | None:
        path = None if self.folder is None else self.folder / RECORDS
        return _read(path) if path is not None and path.is_file() else None


def _figures(delivered: Delivered) -> str:
    published, report = delivered.published, delivered.report
    number = sum(map(counts, report.findings))
    known = number - len(published.commented) - len(published.listed) - len(published.not_posted)
    parts = [plural(number, "finding") if number else "no findings"]
    parts += [f"{len(published.commented)} new on the diff"] if published.commented else []
    parts += [f"{known} there before"] if known > 0 else []
    parts += [f"{len(published.listed)} in the summary only"] if published.listed else []
    parts += [f"{len(published.fixed)} fixed since"] if published.fixed else []
    parts += [] if report.complete else ["the analysis is incomplete"]
    return ", ".join(parts)
