"""`prompts list|test`: what chat models are asked, and whether a model answers in the form that is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from nootropic_bot.errors import EXIT_CLEAN, EXIT_FINDINGS, EnvironmentFault, UsageError
from nootropic_bot.escape import code, one_line

if TYPE_CHECKING:
    from nootropic_bot.commands.modelplace import Place
    from nootropic_bot.config import Config
    from nootropic_bot.models.base import Model
    from nootropic_bot.models.lock import Lock
    from nootropic_bot.promptfiles import Golden, Prompt

# Opens a model by its name in the configuration, as the lock pins it. A test hands in its own as the context's object.
Opener = Callable[[str, "Config", Mapping[str, str], "Lock | None"], "Model"]

_MAX_TOKENS = 512
_FORMAT = click.option(
    "--format", "format_", type=click.Choice(("text", "json", "yaml")), default="text", show_default=True
)


@dataclass(frozen=True, slots=True)
class Result:
    """How a model did on one golden example. `answer` is None when there was none; no `problem`: it is valid."""

    prompt: str
    example: str
    answer: str | None
    problem: str | None


@click.group(short_help="List the prompts, and test them against a model.")
def command() -> None:
    """List the prompts that chat models are asked with, and test them against a model."""


@command.command("list")
@_FORMAT
def list_prompts(format_: str) -> None:
    """List the prompts: id, SHA-256, where they may be sent, what they are for."""
    from nootropic_bot.promptfiles import all_prompts

    prompts = all_prompts()
    if format_ != "text":
        _dump([_as_data(prompt) for prompt in prompts], format_)
        return
    width = max(len(prompt.id) for prompt in prompts)
    for prompt in prompts:
        where = "local only" if prompt.header.local_only else "any model"
        click.echo(f"{prompt.id:<{width}}  {prompt.hash[:12]}  {where:<10}  {prompt.header.description}")


@command.command("test")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--model", "name", metavar="NAME", help="The model to ask; else the first chat model of the order.")
@_FORMAT
@click.pass_obj
def test_prompts(opener: Opener | None, ids: tuple[str, ...], name: str | None, format_: str) -> None:
    """Ask a model every prompt's examples, and say how many answers are in the form that was asked for.

    Exit code 1 when one is not, 3 without a model.
    """
    from nootropic_bot.commands.modelplace import Place
    from nootropic_bot.models.base import ModelError
    from nootropic_bot.models.factory import open_model

    prompts, place = _chosen(ids), Place.here()
    settings, name = place.config, _chat_model(place, name)
    try:
        model = (opener or open_model)(name, settings, os.environ, place.lock)
        try:
            results = list(run_examples(prompts, model, settings.models.timeout_seconds))
        finally:
            model.close()
    except ModelError as error:
        problem = f"the model {name!r} can't be asked: {error}"
        raise EnvironmentFault(problem, "see `nootropic-bot models list` and `nootropic-bot doctor`") from error
    invalid = sum(result.problem is not None for result in results)
    if format_ == "text":
        _show(results, name)
    else:
        data = [{field: getattr(result, field) for field in Result.__slots__} for result in results]
        _dump({"model": name, "valid": len(results) - invalid, "asked": len(results), "results": data}, format_)
    sys.exit(EXIT_FINDINGS if invalid else EXIT_CLEAN)


def run_examples(prompts: Iterable[Prompt], model: Model, timeout: float) -> Iterable[Result]:
    """Ask a model the golden examples of prompts; `timeout` in seconds for each.

    Raises:
        UsageError: a prompt is for local models only, and this is none.
        ModelError: the model can't be asked at all.
    """
    for prompt in prompts:
        if prompt.header.local_only and not model.is_local:
            raise UsageError(f"the prompt {prompt.id} is for local models only, and {model.name} is none")
        for golden in prompt.header.examples:
            yield _ask(prompt, golden, model, timeout)


def _ask(prompt: Prompt, golden: Golden, model: Model, timeout: float) -> Result:
    from nootropic_bot.models.base import BadAnswer, ContextOverflow, Message, Request, TimedOut

    request = Request(
        messages=tuple(Message(role, text) for role, text in prompt.render(golden.variables)),
        max_tokens=_MAX_TOKENS,
        json_schema=prompt.header.answer.json_schema,
        timeout=timeout,
    )
    try:
        answer = model.generate(request)
    except (BadAnswer, ContextOverflow, TimedOut) as error:
        # The model is there; this is how it did.
        return Result(prompt.id, golden.name, None, str(error) or type(error).__name__)
    problem = prompt.header.answer.problem(answer.text, golden)
    if problem is None and answer.finish == "length":
        problem = f"it was cut off after {_MAX_TOKENS} tokens"
    return Result(prompt.id, golden.name, answer.text, problem)


def _chosen(ids: Sequence[str]) -> list[Prompt]:
    from nootropic_bot.promptfiles import all_prompts

    prompts = all_prompts()
    known = [prompt.id for prompt in prompts]
    for wanted in ids:
        if wanted not in known:
            raise UsageError(f"there is no prompt {wanted!r}", f"there are: {', '.join(known)}")
    return [prompt for prompt in prompts if not ids or prompt.id in ids]


def _chat_model(place: Place, wanted: str | None) -> str:
    """The name of the model to ask: the wanted one, or the first of the order that is asked with prompts.

    Raises:
        UsageError: the wanted one is no chat model.
        EnvironmentFault: there is none in the order.
    """
    from nootropic_bot.models import factory

    where = factory.Place(os.environ, place.lock)
    remedy = "name one: `--model NAME`; `nootropic-bot models list` shows them, `models pull` fetches them"
    if wanted is not None:
        if factory.kind_of_name(wanted, place.config, where) != "chat":
            raise UsageError(f"the model {wanted!r} is no chat model: it is not asked with prompts", remedy)
        return wanted
    for name in place.config.models.order:
        if factory.kind_of_name(name, place.config, where) == "chat":
            return name
    order = ", ".join(place.config.models.order) or "nothing"
    raise EnvironmentFault(f"no chat model is configured: `[models] order` is {order}", remedy)


def _as_data(prompt: Prompt) -> dict[str, Any]:
    header = prompt.header
    return {
        "id": prompt.id,
        "version": header.version,
        "description": header.description,
        "local_only": header.local_only,
        "tested_models": list(header.tested_models),
        "variables": dict(header.variables),
        "examples": len(header.examples),
        "sha256": prompt.hash,
    }


def _show(results: Sequence[Result], name: str) -> None:
    for result in results:
        if result.problem is None:
            continue
        click.echo(f"{click.style('FAIL', fg='red')} {result.prompt}, {result.example}: {one_line(result.problem)}")
        for line in (result.answer or "").splitlines():
            click.echo(f"     | {code(line)}")
    for prompt in dict.fromkeys(result.prompt for result in results):
        own = [result for result in results if result.prompt == prompt]
        valid = sum(result.problem is None for result in own)
        click.echo(f"{prompt}: {valid} of {len(own)} answers of {one_line(name)} are valid")


def _dump(data: Any, format_: str) -> None:
    from nootropic_bot.output import dump

    click.echo(dump(data, format_), nl=False)
