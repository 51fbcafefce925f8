"""What the critic said of a blob, remembered by (blob, kind of file, rules, engine).

Bounded: 256 folders of at most 256 entries (`cachefile.py`). Only complete answers are kept: what timed out is tried
again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from nootropic_bot import __version__
from nootropic_bot.cachedrecords import read_record
from nootropic_bot.cachefile import read_cached, write_cached
from nootropic_bot.records import FileAnalysis


class AnalysisCache:
    """Answers for one set of rules and one engine."""

    def __init__(self, folder: Path | None, rules_hash: str, engine_version: str, has_path_filters: bool) -> None:
        self._folder = folder
        self._salt = "\0".join((__version__, rules_hash, engine_version))
        self._has_path_filters = has_path_filters

    def get(self, path: str, oid: str) -> FileAnalysis | None:
        """The remembered answer, if any."""
        if self._folder is None:
            return None
        known = read_cached(self._entry(self._folder, path, oid))
        try:
            return None if known is None else read_record(FileAnalysis, known)
        except ValueError:
            return None

    def put(self, path: str, oid: str, analysis: FileAnalysis) -> None:
        """Remember an answer."""
        if self._folder is not None:
            write_cached(self._entry(self._folder, path, oid), json.dumps(asdict(analysis)))

    def _entry(self, folder: Path, path: str, oid: str) -> Path:
        name = path.rsplit("/", 1)[-1]
        # The engine goes by the suffix, and by the whole path where a rule filters by it.
        kind = path if self._has_path_filters else name[name.rfind(".") :] if "." in name else name
        text = "\0".join((self._salt, oid, kind))
        key = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return folder / key[:2] / f"{key[2:]}.json"
