"""Whether a request's body has the shape that an official client's types describe."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import typing_extensions
from pydantic import TypeAdapter


def assert_shape(body: Mapping[str, Any], params: Any) -> None:
    """Every field is known to the typed dictionary `params` (or a union of some) and has a value of its type."""
    TypeAdapter(params).validate_python(body)
    members = typing.get_args(params) or (params,)
    known = {name for member in members for name in typing_extensions.get_type_hints(member)}
    assert set(body) <= known, f"unknown fields: {sorted(set(body) - known)}"
