"""How a model that speaks no format of ours is asked for a fix (`prompts/fix`), and how its answer is read."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_args

from nootropic_bot.models.base import BadAnswer, Message, Request
from nootropic_bot.propose.base import Context
from nootropic_bot.propose.examples import examples_of
from nootropic_bot.records import Finding
from nootropic_bot.templates import SAMPLES, Example, Side
from nootropic_bot.window import Change, Window

if TYPE_CHECKING:
    from nootropic_bot.promptfiles import Prompt

_MAX_ANSWER = 512
_MAX_EXAMPLES = 2
_ANSWER = "The repair as JSON:\n"


def request(
    finding: Finding,
    context: Context,
    window: Window,
    *,
    is_chat: bool,
    temperature: float,
    seed: int,
    timeout: float,
) -> tuple[Request, str]:
    """The request for one finding, and the id of the prompt that it was made with.

    A model that follows no instructions is given the turns as a text whose next line is the answer; the schema holds it
    to the form.
    """
    prompt = _newest()
    turns = prompt.render(
        {
            "weakness": finding.message,
            "cwe": ", ".join(finding.cwe),
            "marked": _marked(window),
            "imports": "\n".join(window.uses),
            "before": "\n".join(window.before),
            "statement": "\n".join(f"{n}| {item.text}" for n, item in enumerate(window.items, start=1)),
            "after": "\n".join(window.after),
            "examples": _examples(context),
        }
    )
    return (
        Request(
            messages=tuple(Message(role, content) for role, content in turns) if is_chat else (),
            prompt=() if is_chat else (*(f"{content}\n\n" for _role, content in turns), _ANSWER),
            max_tokens=_MAX_ANSWER,
            temperature=temperature,
            seed=seed,
            json_schema=prompt.header.answer.json_schema,
            timeout=timeout,
            shared_prefix=1,  # The system turn is the same for every finding.
        ),
        prompt.id,
    )


def decode(answer: str, window: Window) -> tuple[Change, ...]:
    """The changes that an answer asks for.

    Raises:
        BadAnswer: it is not the JSON that the prompt asks for.
    """
    try:
        edits: Any = json.loads(answer)["edits"]
        changes = tuple(_change(edit["line"], edit["text"]) for edit in edits)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadAnswer(f"the answer is not the JSON that was asked for: {error}") from error
    if any(not 0 <= change.item < len(window.items) for change in changes):
        raise BadAnswer("the answer changes a line that was not shown")
    return tuple(sorted(changes, key=lambda change: change.item))


def _change(line: Any, text: Any) -> Change:
    if type(line) is not int or not isinstance(text, str):
        raise TypeError("a line is a number, and its text a text")
    return Change(line - 1, text.rstrip("\n"))


@lru_cache(maxsize=1)
def _newest() -> Prompt:
    from nootropic_bot.promptfiles import newest

    return newest("fix")


def _marked(window: Window) -> str:
    """The flagged text."""
    first, last = window.start, window.end
    lines = [item.text for item in window.items[first.item : last.item + 1]]
    lines[-1] = lines[-1][: last.col]
    lines[0] = lines[0][first.col :]
    return "\n".join(lines)


def _examples(context: Context) -> str:
    """Repairs of the same weakness, from the rule's own examples, simple values in their holes."""
    found = []
    for example in examples_of(context.rule)[:_MAX_EXAMPLES]:
        bare = Example(example.unsafe, example.safe, "", example.holes)
        values = {name: SAMPLES[kind][0] for name, kind in example.holes.items()}
        unsafe, safe = (bare.expand(side, values).rstrip() for side in get_args(Side))
        found.append(f"{unsafe}\nbecomes\n{safe}")
    return "\n\n".join(found)
