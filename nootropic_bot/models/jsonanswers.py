"""Answers that must satisfy a JSON schema: asking for them in words, and checking what came."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nootropic_bot.escape import one_line
from nootropic_bot.models.base import BadAnswer, Message, Request

_FENCED = re.compile(r"\s*```(?:json)?[^\S\n]*\n(.*?)\n?[^\S\n]*```\s*", re.DOTALL | re.IGNORECASE)
_SHOWN = 120


def instructed(request: Request) -> Request:
    """The chat request with its schema said in words, for servers that can't hold an answer to one.

    A request with a raw prompt stays as it is: words in the middle of it would change what is completed.
    """
    if request.json_schema is None or not request.messages:
        return request
    schema = json.dumps(request.json_schema, sort_keys=True)
    order = (
        f"Answer with one JSON value and nothing else: no words, no code fence. It must satisfy this schema:\n{schema}"
    )
    first, *others = request.messages
    if first.role == "system":
        return replace(request, messages=(Message("system", f"{first.content}\n\n{order}"), *others))
    return replace(request, messages=(Message("system", order), *request.messages))


def checked_json(text: str, schema: Mapping[str, Any]) -> str:
    """The JSON of an answer, without a code fence around it.

    Raises:
        BadAnswer: it is no JSON, or does not satisfy the schema.
    """
    import jsonschema
    from referencing import Registry  # nothing that a schema refers to is ever fetched

    fenced = _FENCED.fullmatch(text)
    inner = fenced[1] if fenced else text.strip()
    try:
        value = json.loads(inner)
        validator = jsonschema.validators.validator_for(schema)(schema, registry=Registry())
        wrong = jsonschema.exceptions.best_match(validator.iter_errors(value))
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"the answer is not JSON: {_shown(inner)}") from error
    if wrong is not None:
        place = "/".join(str(part) for part in wrong.absolute_path)
        raise BadAnswer(
            f"the answer does not satisfy the schema{f' at {place}' if place else ''}: {_shown(wrong.message)}"
        )
    return inner


def _shown(text: str) -> str:
    return one_line(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
