"""`python -m nootropic_bot.learn COMMAND`: make the bundled model again, step by step or in one go (`all`).

    lock     write corpus.lock from wheels in the corpus folder   (only to change the corpus)
    fetch    download and check the corpus
    pairs    write training and validation pairs
    train    tokenizer, tokens and network; resumes where it was stopped
    export   write the model file
    evaluate     measure a model file on a split
    calibrate    fit its confidence on the validation split
    compare      what pays: more parameters, more data, or better pairs
    all      fetch, pairs, train, export

Everything lies in the work folder, by default `fixer-training`; nothing of it is needed to use the model.
"""

from __future__ import annotations

from pathlib import Path

import click

from nootropic_bot.ending import run
from nootropic_bot.learn.corpus import Split
from nootropic_bot.learn.steps import Plan


@click.group(help=__doc__)
@click.option("--work", default="fixer-training", type=click.Path(path_type=Path), show_default=True)
@click.option("--pairs", default=300_000, show_default=True, help="Training pairs to make.")
@click.option("--steps", default=3000, show_default=True, help="Optimizer steps of the whole schedule.")
@click.option("--minutes", type=float, help="End the schedule after so much training time, if that is sooner.")
@click.option("--seed", default=1, show_default=True)
@click.pass_context
def main(context: click.Context, work: Path, pairs: int, steps: int, minutes: float | None, seed: int) -> None:
    """See the module."""
    context.obj = Plan(work, work / "corpus", pairs, steps, minutes, seed)


@main.command()
@click.pass_obj
def lock(plan: Plan) -> None:
    """Pin the wheels that lie in the corpus folder."""
    plan.lock()


@main.command()
@click.pass_obj
def fetch(plan: Plan) -> None:
    """Download and check the corpus."""
    plan.fetch()


@main.command()
@click.pass_obj
def pairs(plan: Plan) -> None:
    """Write training and validation pairs."""
    plan.pairs()


@main.command()
@click.pass_obj
def train(plan: Plan) -> None:
    """Train, or go on training."""
    plan.train()


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--version", default="1", show_default=True)
@click.pass_obj
def export(plan: Plan, path: Path, version: str) -> None:
    """Write the model file."""
    plan.export(path, version)


@main.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--split", type=click.Choice(("validation", "test")), default="test", show_default=True)
@click.option("--per-rule", default=8, show_default=True, help="Injected cases a rule.")
@click.option("--natural", type=click.IntRange(min=0), help="Natural findings, drawn at random.  [default: every one]")
@click.pass_obj
def evaluate(plan: Plan, path: Path, split: Split, per_rule: int, natural: int | None) -> None:
    """Measure a model file: injected, unseen and natural cases, each proved."""
    click.echo(plan.evaluate(path, split, per_rule, natural))


@main.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--per-rule", default=24, show_default=True, help="Injected cases a rule.")
@click.pass_obj
def calibrate(plan: Plan, path: Path, per_rule: int) -> None:
    """Fit the confidence of a model file on the validation split."""
    click.echo(plan.calibrate(path, per_rule))


@main.command()
@click.pass_obj
def compare(plan: Plan) -> None:
    """Train small networks that differ in one thing each, and measure them; --steps are those of the first."""
    click.echo(plan.compare())


@main.command(name="all")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--passes", default=3, show_default=True, help="Trainings, one after another, each on pairs of its own.")
@click.pass_obj
def everything(plan: Plan, path: Path, passes: int) -> None:
    """Fetch, make pairs, train and export."""
    plan.fetch()
    for each in plan.passes(passes):
        each.pairs()
        each.train()
    each.export(path, "1")


if __name__ == "__main__":
    run(main, name="python -m nootropic_bot.learn")
