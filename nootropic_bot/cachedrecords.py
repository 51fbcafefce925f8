"""Records from an entry of a cache: as they were written, or not at all.

An entry may come from another machine (a cache of Actions is unpacked from what anybody's run may have left), so its
values are held to the fields of the record. pydantic would do the same, but the commit hook's warm path reads nothing
else that needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

_Record = TypeVar("_Record")
# More than any file has lines or characters.
_MAX_NUMBER = 1 << 31


def read_record(kind: type[_Record], data: Any) -> _Record:
    """A record of this kind from what `json.loads` gave of its `asdict`.

    Raises:
        ValueError: it is something else.
    """
    hashable: Any = kind  # Which mypy does not know of a type.
    types = _types(hashable)
    # All of them: an entry that lacks one would become a record in which nothing was found.
    if not isinstance(data, Mapping) or data.keys() != types.keys():
        raise ValueError(f"no {kind.__name__}")
    return kind(**{name: _value(types[name], value) for name, value in data.items()})


@cache
def _types(kind: type[Any]) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}


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
    if kind is str and isinstance(data, str):
        # A byte that is no text is kept as half of a character. Others come from nowhere: a `UnicodeEncodeError`.
        data.encode("utf-8", "surrogateescape")
        return True
    if kind is float:
        return type(data) in (int, float) and 0 <= data <= 1
    return type(data) is kind and (kind is not int or 0 <= data < _MAX_NUMBER)
