"""`respond authorise|act`: one slash command of a comment, in the two jobs that hold a token."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nootropic_bot.errors import UsageError

if TYPE_CHECKING:
    from nootropic_bot.github.runner import Runner
    from nootropic_bot.respond.plan import Plan


@click.group(short_help="Carry out one slash command of a comment on a pull request.")
def command() -> None:
    """Carry out one slash command of a comment on a pull request, in two steps that hold a token.

    `authorise` asks the forge who may do what and says what is to be analysed; the analysis runs in a job without a
    token; `act` carries out what was permitted. Both read the event of the workflow (`issue_comment`).
    """


@command.command("authorise", short_help="Decide about the comment, and say what is to be done.")
def authorise() -> None:
    """Decide about the comment that started the workflow.

    Writes the outputs `plan`, `needs-analysis`, `base`, `head` and `pull-request`; `plan` is empty where nothing is to
    be done, which is no failure.
    """
    from nootropic_bot.escape import one_line
    from nootropic_bot.responding import authorise_event

    runner = _runner()
    decided = authorise_event(runner)
    runner.add_outputs(_outputs(decided.plan))
    click.echo(one_line(f"{decided.status}: {decided.note}"))


def _outputs(plan: Plan | None) -> dict[str, str]:
    if plan is None:
        return {"plan": "", "needs-analysis": "false", "base": "", "head": "", "pull-request": ""}
    return {
        "plan": plan.to_json(),
        "needs-analysis": "true" if plan.needs_analysis else "false",
        "base": plan.base,
        "head": plan.head,
        "pull-request": str(plan.pull_request),
    }


@command.command("act", short_help="Carry out what was permitted.")
@click.option("--plan", "plan_text", metavar="JSON", help="The output `plan` of authorise.  [default: PLAN]")
@click.option("--report", metavar="PATH", help="The JSON report of the analysis; its records beside it.")
def act(plan_text: str | None, report: str | None) -> None:
    """Carry out what was permitted, and reply; the reply says what failed, too."""
    from nootropic_bot.escape import one_line
    from nootropic_bot.responding import act_on_event

    text = os.environ.get("PLAN", "") if plan_text is None else plan_text
    if not text.strip():
        raise UsageError("there is no plan", "pass the output `plan` of `nootropic-bot respond authorise`")
    runner = _runner()
    acted = act_on_event(runner, text, Path(report) if report else None, Path.cwd())
    if acted.text:
        runner.add_summary(acted.text)
    click.echo(one_line(acted.note))
    sys.exit(acted.exit_code)


def _runner() -> Runner:
    from nootropic_bot.github.runner import Runner

    return Runner.from_environment(os.environ)
