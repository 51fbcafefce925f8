"""Answers that were given before: exactly the same question to exactly the same model gets the same answer for nothing.

The name of an entry is the SHA-256 of everything an answer depends on: the prompt or messages, the parameters of the
generation, and the model's fingerprint (weights, adapter, settings). An entry holds the answer, not the question.
Only answers that are complete and would come out the same again are kept. The cache lies under the git directory,
is bounded in size, and deleting it loses nothing; a damaged entry is a miss, and one that can't be written no failure.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nootropic_bot.cachefile import MAX_ENTRY_BYTES, read_cached, write_atomically
from nootropic_bot.models.base import Answer, Request, Special

MAX_BYTES = 32 << 20
# What a file takes on disk at least, on the usual file systems: small entries count as much.
_BLOCK = 4096
# Changes when entries are read differently: old ones are misses then.
_FORM = "1"


def question_id(request: Request, fingerprint: str) -> str | None:
    """The name under which an answer is kept; None where the answer would come out different each time.

    A seed below 0 (or 2^32 - 1, llama.cpp's -1) asks for a random one. Time-out and `shared_prefix` change no answer.
    The order of a schema's keys stays: it is the order in which the model has to write them.
    """
    if request.temperature > 0 and not 0 <= request.seed < 2**32 - 1:
        return None
    question = {
        "form": _FORM,
        "model": fingerprint,
        "prompt": [_part(part) for part in request.prompt],
        "messages": [[message.role, message.content] for message in request.messages],
        "max_tokens": request.max_tokens,
        # Greedy decoding doesn't look at the seed.
        "temperature": max(float(request.temperature), 0.0),
        "seed": request.seed if request.temperature > 0 else 0,
        "stop": [_part(part) for part in request.stop],
        "grammar": request.grammar,
        "json_schema": request.json_schema,
    }
    return hashlib.sha256(json.dumps(question, separators=(",", ":"), default=_plain).encode()).hexdigest()


def _part(part: str | Special) -> str | list[str]:
    return part if isinstance(part, str) else [part.token]


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} can't stand in a JSON schema")


class AnswerCache:
    """Answers below a folder, which need not exist; it takes at most `max_bytes`, the oldest go first.

    `may_keep` says of an answer's text whether it may be stored: what looks like a secret may not (row A22).
    """

    def __init__(
        self, folder: Path, max_bytes: int = MAX_BYTES, may_keep: Callable[[str], bool] = lambda _text: True
    ) -> None:
        self._folder = folder
        self._may_keep = may_keep
        self._max_bytes = max_bytes
        self._bytes: int | None = None

    def get(self, request: Request, fingerprint: str) -> Answer | None:
        """The answer to the same question, or None."""
        name = question_id(request, fingerprint)
        return None if name is None else _decode(read_cached(self._folder / f"{name}.json"))

    def put(self, request: Request, fingerprint: str, answer: Answer) -> None:
        """Keep an answer, if it is complete and would come out the same again."""
        name = question_id(request, fingerprint)
        if name is None or answer.finish != "stop" or not self._may_keep(answer.text):
            return
        data = _encode(answer)
        if len(data) > MAX_ENTRY_BYTES or _on_disk(len(data)) > self._max_bytes:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(len(data))
            write_atomically(self._folder / f"{name}.json", data)

    def _make_room(self, size: int) -> None:
        """Look at the folder when it may be full by our own count; others may have written or cleaned up meanwhile."""
        size = _on_disk(size)
        if self._bytes is not None and self._bytes + size <= self._max_bytes:
            self._bytes += size
            return
        entries = []
        with os.scandir(self._folder) as found:
            for entry in found:
                with contextlib.suppress(OSError):
                    stat = entry.stat(follow_symlinks=False)
                    entries.append((stat.st_mtime_ns, entry.path, _on_disk(stat.st_size)))
        entries.sort()
        total = sum(each for _when, _path, each in entries)
        # A quarter is freed at once, so that a full folder is not read for each new entry.
        goal = self._max_bytes - size if total + size <= self._max_bytes else self._max_bytes * 3 // 4 - size
        for _when, path, each in entries:
            if total <= goal:
                break
            with contextlib.suppress(OSError):
                os.unlink(path)
                total -= each
        self._bytes = total + size


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _encode(answer: Answer) -> bytes:
    fields = asdict(answer)
    del fields["seconds"]
    body = json.dumps(fields, separators=(",", ":"), sort_keys=True)
    return json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "answer": body}).encode()


def _decode(entry: Any) -> Answer | None:
    """The answer of an entry, None when a bit of it is not what was written."""
    if not isinstance(entry, dict):
        return None
    body = entry.get("answer")
    if not isinstance(body, str) or not body.isascii():
        return None
    if hashlib.sha256(body.encode()).hexdigest() != entry.get("sha256"):
        return None
    try:
        fields = json.loads(body)
        return Answer(**{**fields, "remarks": tuple(fields["remarks"])})
    except (ValueError, TypeError, KeyError):  # Written by another version.
        return None
