"""Records from an entry of a cache: as they were written, or not at all.

An entry may come from another machine (a cache of Actions is unpacked from what anybody's run may have left), so its
values are held to the fields of the record. pydantic would do the same, but the commit hook's warm path reads nothing
else that needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

_Record = TypeVar("_Record")
# More than any file has lines or characters.
_MAX_NUMBER = 1 << 31


@dataclass(frozen=True, slots=True)
class _Field:
    type: Any
    is_required: bool


def read_record(kind: type[_Record], data: Any) -> _Record:
    """A record of this kind from what `json.loads` gave of its `asdict`.

    Raises:
        ValueError: it is something else.
    """
    hashable: Any = kind  # Which mypy does not know of a type.
    known = _fields(hashable)
    if not isinstance(data, Mapping) or not known.keys() >= data.keys():
        raise ValueError(f"no {kind.__name__}")
    if any(each.is_required and name not in data for name, each in known.items()):
        raise ValueError(f"a {kind.__name__} that lacks a field")
    return kind(**{name: _value(known[name].type, value) for name, value in data.items()})


@cache
def _fields(kind: type[Any]) -> Mapping[str, _Field]:
    hints = get_type_hints(kind)
    return {
        each.name: _Field(hints[each.name], each.default is MISSING and each.default_factory is MISSING)
        for each in fields(kind)
    }


def _value(kind: Any, data: Any) -> Any:
    """A value of the type that a field has."""
    if isinstance(kind, UnionType):
        return None if data is None else _value(next(each for each in get_args(kind) if each is not NoneType), data)
    if get_origin(kind) is tuple:
        if not isinstance(data, list):
            raise ValueError("no list")
        return tuple(_value(get_args(kind)[0], each) for each in data)
    if is_dataclass(kind):
        return read_record(kind, data)  # type: ignore[arg-type]
    is_good = data in get_args(kind) if get_origin(kind) is Literal else _is_plain(kind, data)
    if not is_good:
        raise ValueError(f"no {kind}")
    return data


def _is_plain(kind: Any, data: Any) -> bool:
    if kind is str:
        # A byte that is no text is kept as half of a character; other halves come from nowhere.
        return isinstance(data, str) and bool(data.encode("utf-8", "surrogateescape") or not data)
    if kind is float:
        return type(data) in (int, float) and 0 <= data <= 1
    return type(data) is kind and (kind is not int or 0 <= data < _MAX_NUMBER)
