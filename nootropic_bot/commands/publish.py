"""`publish`: show a report on its pull request. The trusted half of a review: it runs nothing of the pull request."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nootropic_bot.errors import EXIT_CLEAN, EXIT_REMOTE, UsageError
from nootropic_bot.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nootropic_bot.git import Repository
    from nootropic_bot.github.client import Client
    from nootropic_bot.github.pulls import Pull
    from nootropic_bot.github.runner import Runner
    from nootropic_bot.publishing import Delivered, Delivery
    from nootropic_bot.records import Finding

_STATUS = {
    "posted": "posted",
    "silent": "nothing to say",
    "stale": "dropped: the pull request has another head now, and its own review speaks for that",
    "closed": "nothing posted: the pull request is closed",
    "unreachable": "not posted: something that is needed for it could not be had",
}
_MAX_NOTES = 50
# `workflow_dispatch`: the analysis that is started after a commit of the bot's, on the pull request's own branch.
_ANALYSED = ("pull_request", "workflow_dispatch")


@click.command(short_help="Show a report on its pull request; the trusted half of a review.")
@click.argument("report", required=False, type=click.Path(path_type=Path))
@click.option("--pull-request", type=click.IntRange(1), metavar="N", help="The pull request that REPORT is about.")
@click.option("--repository", metavar="OWNER/NAME", help="Its repository.  [default: GITHUB_REPOSITORY]")
@click.option("--sarif", type=click.Path(path_type=Path), help="Hand this SARIF file to code scanning.")
@click.option("--records", type=click.Path(path_type=Path), help="Record these, which `review` wrote, in the state.")
@click.option("--no-record", is_flag=True, help="Record nothing.")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(
    report: Path | None,
    pull_request: int | None,
    repository: str | None,
    sarif: Path | None,
    records: Path | None,
    no_record: bool,
    format_: str,
) -> None:
    """Show REPORT, the JSON of `review`, on its pull request: one review, a summary, a check.

    Without REPORT, in a workflow that `workflow_run` starts: what that run handed over in the artifact
    `nootropic-report` is validated and shown on the pull request that the forge names. GITHUB_TOKEN must allow to write
    pull requests and checks. Nothing of the pull request is run, and its configuration is not read.

    Exit codes: 0 everything is shown somewhere, 5 something that is needed for it could not be had.
    """
    from nootropic_bot.github.client import Client
    from nootropic_bot.github.runner import Runner

    runner = Runner.from_environment(os.environ)
    if report is None and (sarif or records or pull_request):
        raise UsageError("--sarif, --records and --pull-request need a REPORT")
    delivery = None if report is None else _read(report, sarif, records)
    client = Client.of_runner(runner)
    if delivery is None:
        pull, delivery = _received(client, runner)
    else:
        name, number = _target(runner, repository, pull_request)
        pull = _pull(client, runner, delivery, name, number)
    if pull is None:
        _say(runner, "no pull request has this commit (any more); nothing was posted", format_)
        return
    delivered = _deliver(client, runner, pull, delivery, is_recorded=not no_record)
    _show(runner, client, delivered, format_)
    sys.exit(EXIT_REMOTE if delivered.published.status == "unreachable" else EXIT_CLEAN)


def _read(path: Path, sarif: Path | None, records: Path | None) -> Delivery:
    from nootropic_bot.handover import read_report
    from nootropic_bot.publishing import Delivery

    text = None if sarif is None else _bytes(sarif).decode("utf-8", "replace")
    raw = None if records is None else _bytes(records)
    return Delivery(read_report(_bytes(path), str(path)), sarif=text, records=raw)


def _bytes(path: Path) -> bytes:
    from nootropic_bot.reports import MAX_REPORT_BYTES

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}", "give the path of what `review` wrote") from error
    if len(raw) > MAX_REPORT_BYTES:
        raise UsageError(f"{path} is too large")
    return raw


def _target(runner: Runner, repository: str | None, number: int | None) -> tuple[str, int]:
    """Repository and number: as given, or of the event, never from the report."""
    from nootropic_bot.github.events import PullRequestEvent, read_event
    from nootropic_bot.github.names import repository_name

    name = repository_name(repository) if repository else runner.repository
    if number is None and runner.event_name == "pull_request":
        event = read_event(runner)
        assert isinstance(event, PullRequestEvent)
        if name in ("", event.repository):
            name, number = event.repository, event.number
    if not name:
        raise UsageError("which repository?", "give --repository OWNER/NAME, or set GITHUB_REPOSITORY")
    if number is None:
        raise UsageError("which pull request?", "give --pull-request N")
    return name, number


def _received(client: Client, runner: Runner) -> tuple[Pull | None, Delivery]:
    from nootropic_bot.github.events import WorkflowRunEvent, read_event
    from nootropic_bot.publishing import receive

    event = read_event(runner)
    if not isinstance(event, WorkflowRunEvent):
        remedy = "give the REPORT, or start the workflow by `workflow_run`"
        raise UsageError("without a REPORT this takes what another workflow handed over", remedy)
    if runner.repository and event.repository.lower() != runner.repository.lower():
        raise UsageError("the event is of another repository than GITHUB_REPOSITORY")
    if event.event not in _ANALYSED:
        remedy = "let `workflow_run` name the workflow that reviews pull requests"
        raise UsageError(f"the workflow that ended was started by {event.event[:60]!r}, not by pull_request", remedy)
    return receive(client, event)


def _pull(client: Client, runner: Runner, delivery: Delivery, name: str, number: int) -> Pull:
    from nootropic_bot.forge import ForgeError
    from nootropic_bot.github.pulls import Pull, get_pull
    from nootropic_bot.publishing import unreachable

    try:
        return get_pull(client, name, number)
    except ForgeError as error:
        head, base = delivery.report.head or "", delivery.report.base or ""
        # Only what we were told to look for is known of it.
        pull = Pull(name, number, head, base, None, "", is_open=False, is_merged=False, is_draft=False)
        _summarize(runner, unreachable(pull, delivery, error))
        raise


def _deliver(client: Client, runner: Runner, pull: Pull, delivery: Delivery, *, is_recorded: bool) -> Delivered:
    from nootropic_bot.publishing import deliver

    return deliver(client, _repository(runner), pull, delivery, is_recorded=is_recorded)


def _repository(runner: Runner) -> Repository | None:
    """The clone that this runs in, if it is one."""
    from nootropic_bot.git import Repository

    try:
        found = Repository.open(Path.cwd())
    except UsageError:
        return None
    return found.with_token(runner.server_url, runner.token)


# What is said.


def _show(runner: Runner, client: Client, delivered: Delivered, format_: str) -> None:
    has_summary = _summarize(runner, delivered)
    if format_ == "json":
        from nootropic_bot.output import to_json

        sys.stdout.write(to_json(_data(delivered, client.requests), sys.stdout))
        return
    lines = _lines(delivered)
    if not has_summary and _left(delivered):
        lines += ["", *_texts(delivered)]
    for line in lines:
        click.echo(line)


def _say(runner: Runner, text: str, format_: str) -> None:
    runner.add_summary(text)
    if format_ == "json":
        from nootropic_bot.output import to_json

        sys.stdout.write(to_json({"status": "none", "notes": [text]}, sys.stdout))
    else:
        click.echo(text)


def _summarize(runner: Runner, delivered: Delivered) -> bool:
    """Say it in the job's summary, with the full text of every finding that is nowhere else (row F12)."""
    from nootropic_bot.markdown import inline_text
    from nootropic_bot.publish.comments import listed
    from nootropic_bot.publish.plan import Policy, offered

    parts = [f"- {inline_text(line)}\n" for line in _lines(delivered)]
    left = _left(delivered)
    if left:
        parts.append(f"\n### Not on the pull request: {len(left)}\n")
        parts += [listed(finding, offered(finding, Policy())) for finding in left]
    return runner.add_summary("".join(parts))


def _left(delivered: Delivered) -> Sequence[Finding]:
    """Findings that are nowhere on the pull request. Those of an old head are none: the new one is reviewed, too."""
    return () if delivered.published.status == "stale" else delivered.published.not_posted


def _lines(delivered: Delivered) -> list[str]:
    pull, published = delivered.pull, delivered.published
    status = _STATUS[published.status]
    if published.is_merged:
        status = "nothing posted: the pull request is merged"
    lines = [f"{pull.repository}#{pull.number} at {pull.head[:10]}: {status}"]
    if published.status in ("posted", "unreachable"):
        figures = {
            "commented": len(published.commented),
            "edited": len(published.rewritten),
            "resolved": len(published.fixed),
            "in the summary or the check only": len(published.listed),
            "not on the pull request": len(published.not_posted),
        }
        lines.append(", ".join(f"{number} {what}" for what, number in figures.items() if number) or "nothing new")
    if delivered.recorded is not None:
        lines.append(f"recorded: {delivered.recorded}")
    notes = [*delivered.notes, *published.notes]
    lines += [f"note: {one_line(note)}" for note in notes[:_MAX_NOTES]]
    if len(notes) > _MAX_NOTES:
        lines.append(f"note: and {len(notes) - _MAX_NOTES} more")
    return lines


def _texts(delivered: Delivered) -> list[str]:
    return [
        one_line(f"{finding.path}:{finding.start.line}: {finding.severity}: {finding.rule_id}: {finding.message}")
        for finding in _left(delivered)
    ]


def _data(delivered: Delivered, requests: int) -> dict[str, Any]:
    pull, published = delivered.pull, delivered.published

    def ids(findings: Sequence[Finding]) -> list[str]:
        return [finding.id for finding in findings]

    return {
        "repository": pull.repository,
        "pull_request": pull.number,
        "head": pull.head,
        "status": published.status,
        "commented": ids(published.commented),
        "rewritten": ids(published.rewritten),
        "listed": ids(published.listed),
        "resolved": len(published.fixed),
        "not_posted": ids(published.not_posted),
        "recorded": delivered.recorded,
        "retry_after": published.retry_after,
        "notes": [*delivered.notes, *published.notes],
        "requests": requests,
    }
