"""Proofs that were made before, by (file content, finding, everything that decides): the warm hook repeats none."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nootropic_bot import __version__
from nootropic_bot.cachedrecords import read_record
from nootropic_bot.cachefile import read_cached, write_cached
from nootropic_bot.records import Suggestion
from nootropic_bot.soundness import suggestion_id


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What an entry holds."""

    suggestion: Suggestion | None


class ProofCache:
    """Outcomes for one set of rules, engine and ladder; `salt` names them."""

    def __init__(self, folder: Path, *salt: str) -> None:
        self._folder = folder
        self._salt = "\0".join((__version__, *salt))

    def get(self, oid: str, finding_id: str) -> tuple[bool, Suggestion | None]:
        """Whether the outcome is known, and the suggestion; None means that no proposal was proved."""
        known = read_cached(self._entry(oid, finding_id))
        try:
            suggestion = None if known is None else read_record(_Outcome, known).suggestion
        except ValueError:
            return False, None
        is_ours = suggestion is None or suggestion.id == suggestion_id(finding_id, suggestion.edits)
        return (True, suggestion) if known is not None and is_ours else (False, None)

    def put(self, oid: str, finding_id: str, suggestion: Suggestion | None) -> None:
        """Remember an outcome."""
        write_cached(self._entry(oid, finding_id), json.dumps(asdict(_Outcome(suggestion))))

    def _entry(self, oid: str, finding_id: str) -> Path:
        key = hashlib.sha256("\0".join((self._salt, oid, finding_id)).encode()).hexdigest()
        return self._folder / key[:2] / f"{key[2:]}.json"
