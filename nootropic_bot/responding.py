"""Where a comment, the forge, the state and a report meet: the two steps of `respond` that hold a token.

    event ─▶ authorise ─▶ plan ─▶ (an analysis without a token) ─▶ act ─▶ commit, record, reply

Neither step executes anything, loads a model or reads configuration of the pull request: settings are those of its base.
"""

from __future__ import annotations

from pathlib import Path

from nootropic_bot import resources
from nootropic_bot.errors import EnvironmentFault, IncompleteError, NootropicError, UsageError
from nootropic_bot.github.client import Client
from nootropic_bot.github.events import IssueCommentEvent, read_event
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.host import GitHubHost
from nootropic_bot.github.runner import Runner
from nootropic_bot.records import Report, Rule
from nootropic_bot.remembering import shared_state
from nootropic_bot.reports import MAX_REPORT_BYTES, from_json
from nootropic_bot.respond.acting import Acted, Tools, act
from nootropic_bot.respond.authorise import Authorised, authorise
from nootropic_bot.respond.outcome import Answer
from nootropic_bot.respond.plan import Plan, Said, read_plan
from nootropic_bot.rulefiles import find_rule_files, load_rules, own_rules

# The workflow that checks a branch, as `init` writes it.
REVIEW_WORKFLOW = "nootropic-review.yml"


def authorise_event(runner: Runner) -> Authorised:
    """Decide about the comment that a step runs for.

    Raises:
        UsageError: there is no such event.
        ForgeError: GitHub could not be asked, or does not let us answer.
    """
    event = _comment_event(runner)
    if not event.is_pull_request:
        return Authorised("none", "the comment is not on a pull request")
    return authorise(_said(event), _host(runner, event))


def act_on_event(runner: Runner, plan_text: str, report: Path | None, start: Path) -> Acted:
    """Carry out what was permitted for the comment that a step runs for.

    Args:
        runner: the step's environment.
        plan_text: the plan; it must be the comment's.
        report: the report of the analysis, if there was one.
        start: a folder in a clone of the repository, for the state.

    Raises:
        UsageError: there is no such event, or the plan is another one's.
        ForgeError: GitHub could not be read, or does not let us reply.
    """
    event = _comment_event(runner)
    plan = read_plan(plan_text, _said(event))
    host = _host(runner, event)
    with shared_state(runner, start, plan.pull_request, plan.base) as memory:
        return act(plan, _read_report(plan, report), Tools(host, memory, _find_rule, _publish))


def _comment_event(runner: Runner) -> IssueCommentEvent:
    event = read_event(runner)
    if not isinstance(event, IssueCommentEvent):
        raise UsageError("commands come from comments", "start the workflow by `issue_comment`")
    if runner.repository and event.repository != runner.repository:
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


def _host(runner: Runner, event: IssueCommentEvent) -> GitHubHost:
    client = Client.of_runner(runner)
    forge = GitHubForge(client, event.repository, event.number)
    return GitHubHost(
        client, event.repository, event.number, forge, workflow=REVIEW_WORKFLOW, server_url=runner.server_url
    )


def _read_report(plan: Plan, path: Path | None) -> Report | NootropicError | None:
    """The report, or why it can't be used; the reply says it, so nothing is raised."""
    if path is None or not plan.needs_analysis:
        return None
    try:
        if path.is_symlink() or not path.is_file():
            return IncompleteError("the analysis left no report", "the log of the job that analyses says why")
        with path.open("rb") as file:
            raw = file.read(MAX_REPORT_BYTES + 1)
        report = from_json(raw, "the report")
    except OSError as error:
        return EnvironmentFault(f"the report can't be read: {error.strerror}")
    except UsageError as error:
        return error
    if report.head != plan.head:
        return UsageError("the report is of another commit than the one that was asked about", "it is refused")
    if report.shard is not None:
        return UsageError("the report is of one shard only", "join the shards with `nootropic-bot review merge`")
    return report


def _find_rule(rule_id: str) -> Rule | None:
    """A bundled rule, for what it refers to; rules of the repository say it all in their message."""
    known = {
        rule.id: rule for rule in (*load_rules(find_rule_files(resources.bundled_rules()), None).rules, *own_rules())
    }
    return known.get(rule_id)


def _publish(report: Report) -> Answer:
    raise NotImplementedError
