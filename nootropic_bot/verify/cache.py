"""Proofs that were made before, by (file content, finding, everything that decides): the warm hook repeats none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nootropic_bot import __version__
from nootropic_bot.cachefile import read_cached, write_cached
from nootropic_bot.records import Check, Edit, Suggestion


class ProofCache:
    """Outcomes for one set of rules, engine and ladder; `salt` names them."""

    def __init__(self, folder: Path, *salt: str) -> None:
        self._folder = folder
        self._salt = "\0".join((__version__, *salt))

    def get(self, oid: str, finding_id: str) -> tuple[bool, Suggestion | None]:
        """Whether the outcome is known, and the suggestion; None means that no proposal was proved."""
        known = read_cached(self._entry(oid, finding_id))
        try:
            return (False, None) if known is None else (True, _from_json(known["suggestion"]))
        except (KeyError, TypeError):
            return False, None

    def put(self, oid: str, finding_id: str, suggestion: Suggestion | None) -> None:
        """Remember an outcome."""
        text = json.dumps({"suggestion": None if suggestion is None else asdict(suggestion)})
        write_cached(self._entry(oid, finding_id), text)

    def _entry(self, oid: str, finding_id: str) -> Path:
        key = hashlib.sha256("\0".join((self._salt, oid, finding_id)).encode()).hexdigest()
        return self._folder / key[:2] / f"{key[2:]}.json"


def _from_json(data: Mapping[str, Any] | None) -> Suggestion | None:
    if data is None:
        return None
    edits = tuple(Edit(**edit) for edit in data["edits"])
    checks = tuple(Check(**check) for check in data["checks"])
    return Suggestion(**{**data, "edits": edits, "checks": checks})
