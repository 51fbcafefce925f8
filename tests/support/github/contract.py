"""Requests and responses against GitHub's description.

`jsonschema` does the validation: it is a dependency of the program already. `openapi-core` was weighed: it wants
the whole description in memory, its own request and response types, and does not notice properties that the
description does not know, which is what a misspelt `start_lnie` would be.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.support.github.places import OPENAPI
from tests.support.github.routing import Answer, Route

_BASE = "https://description.invalid/"
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    if isinstance(value, str):
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    return not isinstance(value, str) or "T" in value


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@dataclass(frozen=True)
class Violation:
    """What did not keep to the description."""

    method: str
    path: str
    message: str


class ContractBroken(Exception):
    """The server itself answered what GitHub never would."""


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(OPENAPI.read_bytes()))
    return found


@cache
def _registry() -> Registry[Any]:
    resource = Resource(contents={"$defs": _document()["$defs"]}, specification=DRAFT202012)  # type: ignore[call-arg]
    return Registry().with_resource(_BASE, resource)


@cache
def _validator(method: str, template: str, *where: str) -> Draft202012Validator | None:
    found: Any = _document()["paths"][template][method]
    for part in where:
        found = found.get(part, {})
    return _of(found["schema"]) if "schema" in found else None


def _of(schema: dict[str, Any]) -> Draft202012Validator:
    # References are written from the root of the document.
    text = json.dumps(schema).replace('"$ref": "#/', f'"$ref": "{_BASE}#/')
    return Draft202012Validator(json.loads(text), registry=_registry(), format_checker=_FORMATS)


@cache
def component(name: str) -> Draft202012Validator:
    """The validator of one of the description's schemas."""
    return _of({"$ref": f"#/$defs/{name}"})


def problem(validator: Draft202012Validator, data: object) -> str | None:
    """What is worst about the data; None when all is well."""
    if validator.is_valid(data):
        return None
    worst = best_match(validator.iter_errors(data))
    assert worst is not None
    return f"{worst.json_path}: {worst.message[:500]}"


def check_request(route: Route, query: dict[str, str], body: object, *, has_body: bool) -> Iterator[str]:
    """What is wrong with a request."""
    operation = _document()["paths"][route.template][route.method]
    known = {each["name"]: each["schema"] for each in operation["parameters"] if each["in"] == "query"}
    for name, value in query.items():
        if name not in known:
            yield f"query: {name} is no parameter of this endpoint"
        elif found := problem(_of(known[name]), _typed(known[name], value)):
            yield f"query {name}: {found}"
    described = operation.get("body")
    if described is None:
        if has_body and body:
            yield "body: this endpoint takes none"
    elif not has_body:
        if described["required"]:
            yield "body: is required"
    elif (validator := _validator(route.method, route.template, "body")) and (found := problem(validator, body)):
        yield f"body: {found}"


def _typed(schema: dict[str, Any], value: str) -> object:
    """A query's text as the type that is described."""
    kind = schema.get("type")
    if kind == "integer" and value.lstrip("-").isdigit():
        return int(value)
    return {"true": True, "false": False}.get(value, value) if kind == "boolean" else value


def check_answer(route: Route, answer: Answer) -> Iterator[str]:
    """What is wrong with a response. An error that an operation does not list has the shape of all errors."""
    statuses = _document()["paths"][route.template][route.method]["responses"]
    status = str(answer.status)
    if status not in statuses and answer.status < 400 and answer.status != 304:
        yield f"status {status} is not described, only {', '.join(statuses)}"
    if not answer.media.startswith("application/json"):
        return
    validator = _validator(route.method, route.template, "responses", status) if status in statuses else None
    if validator is None and answer.status >= 400:
        validator = component("basic-error")
    if validator is None:
        if answer.data is not None:
            yield f"status {status} is described without a body"
    elif found := problem(validator, answer.data):
        yield f"status {status}: {found}"
