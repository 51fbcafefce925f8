"""The header of a GGUF file, read by bounds that a hostile file can't stretch: what it says of itself, and its tensors.

Format: the GGUF specification of the ggml project, versions 2 and 3, little-endian. Nothing of the weights is read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nootropic_bot.models.base import Unavailable

_MAX_ENTRIES, _MAX_TENSORS, _MAX_TEXT, _MAX_ITEMS, _MAX_DIMENSIONS = 4096, 65_536, 1 << 20, 1 << 22, 4
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_TEXT, _ARRAY = 8, 9

Value = int | float | str | None


@dataclass(frozen=True, slots=True)
class Header:
    """Metadata (arrays as None) and tensors by name, each with its sizes, the fastest first."""

    metadata: Mapping[str, Value]
    tensors: Mapping[str, tuple[int, ...]]

    def text(self, key: str) -> str:
        """A text of the metadata; empty where there is none."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""


def read_header(path: Path) -> Header:
    """The header of a file.

    Raises:
        Unavailable: it can't be read, is no GGUF file, or its header does not hold.
    """
    try:
        with path.open("rb") as stream:
            return _Reader(stream, path.name, path.stat().st_size).header()
    except OSError as error:
        raise Unavailable(f"{path.name} can't be read: {error.strerror}") from error


class _Reader:
    def __init__(self, stream: BinaryIO, name: str, size: int) -> None:
        self._stream, self._name, self._size = stream, name, size

    def header(self) -> Header:
        if self._bytes(4) != b"GGUF" or self._number("<I") not in (2, 3):
            raise self._broken("it does not begin like one")
        tensors, entries = self._count(_MAX_TENSORS), self._count(_MAX_ENTRIES)
        metadata: dict[str, Value] = {}
        for _entry in range(entries):
            key = self._text()
            if key in metadata:
                raise self._broken(f"{key!r} stands there twice")
            metadata[key] = self._value(self._number("<I"))
        return Header(metadata, self._tensors(tensors))

    def _tensors(self, count: int) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        for _tensor in range(count):
            name = self._text()
            dimensions = self._number("<I")
            if name in found or not 1 <= dimensions <= _MAX_DIMENSIONS:
                raise self._broken(f"the tensor {name!r} is not described rightly")
            found[name] = tuple(self._number("<Q") for _dimension in range(dimensions))
            self._number("<I")
            if self._number("<Q") >= self._size:
                raise self._broken(f"the tensor {name!r} lies outside the file")
        return found

    def _value(self, kind: int) -> Value:
        if kind in _SCALARS:
            (value,) = struct.unpack(_SCALARS[kind], self._bytes(struct.calcsize(_SCALARS[kind])))
            assert isinstance(value, int | float)
            return value
        if kind == _TEXT:
            return self._text()
        if kind != _ARRAY:
            raise self._broken(f"it holds a value of the unknown type {kind}")
        inner, count = self._number("<I"), self._count(_MAX_ITEMS)
        if inner in _SCALARS:
            self._bytes(count * struct.calcsize(_SCALARS[inner]))
        elif inner == _TEXT:
            for _item in range(count):
                self._text()
        else:
            raise self._broken("it holds arrays of arrays")
        return None

    def _text(self) -> str:
        return self._bytes(self._count(_MAX_TEXT)).decode("utf-8", "replace")

    def _count(self, most: int) -> int:
        count = self._number("<Q")
        if count > most:
            raise self._broken(f"it claims {count} entries where {most} are the most")
        return count

    def _number(self, form: str) -> int:
        (value,) = struct.unpack(form, self._bytes(struct.calcsize(form)))
        return int(value)

    def _bytes(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) != count:
            raise self._broken("it ends in the middle of its header")
        return data

    def _broken(self, why: str) -> Unavailable:
        return Unavailable(f"{self._name} is no GGUF file that can be used: {why}")
