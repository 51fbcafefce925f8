"""The critic: blobs in, analyses out, through the cache and in as few engine starts as possible."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nootropic_bot.config import CritiqueSettings
from nootropic_bot.critique.cache import AnalysisCache
from nootropic_bot.critique.languages import Coverage
from nootropic_bot.critique.normalize import own_matches
from nootropic_bot.critique.scope import match_order, snippet_hash
from nootropic_bot.critique.semgrep import Engine, EngineCrash, Hit, Target, TargetScan
from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.records import FileAnalysis, Gap, Match, Suppression
from nootropic_bot.rulefiles import RuleSet
from nootropic_bot.source import Source, Undecodable, decode

_FILES_A_START = 500
# With a deadline, few files at first, then more: what was finished is kept, so the next run gets further.
_FIRST_START_IN_HASTE = 4
_BYTES_A_START = 64 << 20
_MAX_STARTS_TO_ISOLATE = 40
_NOSEM = re.compile(r"(?:#|//|--|/\*|<!--)\s*nosem(?:grep)?\b(?:\s*[:=]\s*(?P<ids>[\w.,\- ]+))?", re.IGNORECASE)

_COMPOUND = re.compile(r"@|(?:(?:async\s+)?(?:def|for|with)|class|while|if|try|except|match)\b")
_HEAD_END = re.compile(r":[ \t]*(?:#[^\n]*)?\n")

ReadBlobs = Callable[[Iterable[str]], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Blob:
    """A file to analyse: its path and object id."""

    path: str
    oid: str


class Deadline:
    """A moment after which nothing new is started. `Deadline(None)` never comes."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def is_set(self) -> bool:
        """Whether there is one at all."""
        return self._end is not None

    def left(self) -> float | None:
        """Seconds left, at least 0; None without a deadline."""
        return None if self._end is None else max(self._end - time.monotonic(), 0.0)

    def has_passed(self) -> bool:
        """Whether it is over."""
        return self.left() == 0.0


@dataclass(frozen=True, slots=True)
class Critic:
    """Analyses blobs with one set of rules."""

    engine: Engine
    rules: RuleSet
    cache: AnalysisCache
    settings: CritiqueSettings

    def analyse(self, blobs: Sequence[Blob], read: ReadBlobs, deadline: Deadline) -> dict[Blob, FileAnalysis]:
        """What can be said of each blob; a blob that could not be analysed has a gap that says why.

        Raises:
            EnvironmentFault: the engine is unusable here.
            UsageError: a rule is invalid.
        """
        found: dict[Blob, FileAnalysis] = {}
        missing: list[Blob] = []
        for blob in dict.fromkeys(blobs):
            known = self.cache.get(blob.path, blob.oid)
            if known is None or not all(self.rules.knows(match.rule_id) for match in known.matches):
                missing.append(blob)
            else:
                found[blob] = known
        for chunk in _chunks(missing, in_haste=deadline.is_set):
            if deadline.has_passed():
                found.update(
                    (blob, _gap_only("skipped: the time budget was used up", transient=True)) for blob in chunk
                )
            else:
                found.update(self._analyse_chunk(chunk, read, deadline))
        return found

    def _analyse_chunk(self, chunk: Sequence[Blob], read: ReadBlobs, deadline: Deadline) -> dict[Blob, FileAnalysis]:
        contents = read(blob.oid for blob in chunk)
        found: dict[Blob, FileAnalysis] = {}
        sources: list[tuple[Blob, Source]] = []
        for blob in chunk:
            if blob.oid not in contents:
                found[blob] = _gap_only("its content is missing from this clone (partial or damaged)", transient=True)
                continue
            try:
                sources.append((blob, decode(blob.path, contents[blob.oid])))
            except Undecodable as error:
                found[blob] = _gap_only(str(error))
        for part in _by_size(sources):
            analyses = self.analyse_sources([source for _blob, source in part], deadline)
            for (blob, _source), analysis in zip(part, analyses, strict=True):
                found[blob] = analysis
                if not any(gap.transient for gap in analysis.gaps):
                    self.cache.put(blob.path, blob.oid, analysis)
        return found

    def analyse_sources(self, sources: Sequence[Source], deadline: Deadline) -> list[FileAnalysis]:
        """Analyse decoded files without the cache, all in one engine start; candidates of a proof come this way.

        Raises:
            EnvironmentFault: the engine is unusable here.
            UsageError: a rule is invalid.
        """
        if not sources:
            return []
        starts = _Starts(_MAX_STARTS_TO_ISOLATE)
        scans = self._scan(sources, deadline, starts)
        if starts.succeeded == 0 and all(scan is None for scan in scans) and not self._has_working_engine():
            raise EnvironmentFault("Semgrep crashed on every file", "run `nootropic-bot doctor`; reinstall semgrep")
        return [self._analysis(source, scan) for source, scan in zip(sources, scans, strict=True)]

    def _has_working_engine(self) -> bool:
        """Whether the engine can scan anything at all: if so, the files made it crash, not the installation."""
        try:
            self.engine.scan(self.rules, [Target("probe.py", b"")], rule_timeout=self.settings.timeout_seconds, jobs=1)
        except EngineCrash:
            return False
        return True

    def _scan(self, sources: Sequence[Source], deadline: Deadline, starts: _Starts) -> list[TargetScan | None]:
        """One answer a source; None where the engine crashed. A crash is narrowed down by halving."""
        targets = [Target(s.path, s.scan_text.encode("utf-8", "surrogateescape")) for s in sources]
        starts.left -= 1
        try:
            if deadline.has_passed():
                raise TimeoutError
            scans = self.engine.scan(
                self.rules,
                targets,
                rule_timeout=self.settings.timeout_seconds,
                jobs=self.settings.jobs,
                timeout=deadline.left(),
            )
            starts.succeeded += 1
            return list(scans)
        except TimeoutError:
            gap = Gap("skipped: the time budget was used up while the scanner ran", transient=True)
            starts.succeeded += 1
            return [TargetScan([], [gap], [], was_scanned=True) for _ in sources]
        except EngineCrash:
            if len(sources) == 1 or starts.left <= 0:
                return [None] * len(sources)
            half = len(sources) // 2
            return self._scan(sources[:half], deadline, starts) + self._scan(sources[half:], deadline, starts)

    def _analysis(self, source: Source, scan: TargetScan | None) -> FileAnalysis:
        own = own_matches(source)
        if scan is None:
            return FileAnalysis(tuple(own), (Gap("the scanner crashed on this file", transient=True),))
        gaps = list(dict.fromkeys(scan.gaps))
        if not scan.was_scanned and not gaps and Coverage(self.rules.languages).must_apply(source.path):
            gaps.append(Gap("the scanner passed over it"))
        reader = _HitReader(source, self.rules)
        # Two results of one rule for one place differ only in how the engine bound its variables.
        unique = {(m.rule_id, m.start_offset, m.end_offset): m for m in map(reader.match, reversed(scan.hits))}
        matches = sorted([*own, *unique.values()], key=match_order)
        return FileAnalysis(tuple(matches), tuple(gaps), tuple(sorted(scan.undefined)))


@dataclass(slots=True)
class _Starts:
    """How many engine starts are left to isolate a crash, and how many went well."""

    left: int
    succeeded: int = 0


class _HitReader:
    """Turns the engine's byte offsets into places of one source."""

    def __init__(self, source: Source, rules: RuleSet) -> None:
        self._source = source
        self._rules = rules
        self._is_ascii = source.scan_text.isascii()
        self._bytes = b"" if self._is_ascii else source.scan_text.encode("utf-8", "surrogateescape")

    def match(self, hit: Hit) -> Match:
        start, end = self._characters(hit.start), self._characters(hit.end)
        text = self._source.scan_text[start:end]
        rule = self._rules.rules[hit.rule]
        # A rule that matches a whole `def` or `for` speaks of its head: a change of the body doesn't concern it.
        head = _head(text) if self._source.is_python else text
        return Match(
            rule_id=rule.id,
            start=self._source.position(start),
            end=self._source.position(start + len(head)),
            start_offset=start,
            end_offset=end,
            message=hit.message,
            snippet=snippet_hash(head),
            fix=hit.fix if hit.fix is not None and hit.fix != text else None,
            suppressed=self._suppression(start, rule.id),
        )

    def _characters(self, offset: int) -> int:
        if self._is_ascii:
            return offset
        return len(self._bytes[:offset].decode("utf-8", "surrogateescape"))

    def _suppression(self, start: int, rule_id: str) -> Suppression | None:
        """A `nosemgrep` comment on the match's first line, or alone on the line above, as Semgrep reads it."""
        text = self._source.scan_text
        line_start = text.rfind("\n", 0, start) + 1
        line_end = text.find("\n", start)
        line = text[line_start : line_end if line_end >= 0 else len(text)]
        above = text[text.rfind("\n", 0, max(line_start - 1, 0)) + 1 : max(line_start - 1, 0)]
        for candidate, is_above in ((line, False), (above, True)):
            found = _NOSEM.search(candidate)
            if found is None or (is_above and candidate[: found.start()].strip()):
                continue
            ids = [part for part in re.split(r"[,\s]+", found["ids"] or "") if part]
            if not ids or rule_id in ids or any(each.endswith(f".{rule_id}") for each in ids):
                return Suppression("nosemgrep", candidate[found.start() :].strip()[:200])
        return None


def _head(text: str) -> str:
    """The head of a compound statement, or all of another text."""
    if not _COMPOUND.match(text):
        return text
    end = _HEAD_END.search(text)
    return text[: end.start() + 1] if end else text


def _gap_only(reason: str, *, transient: bool = False) -> FileAnalysis:
    return FileAnalysis(gaps=(Gap(reason, transient=transient),))


def _chunks(blobs: Sequence[Blob], *, in_haste: bool) -> Iterator[Sequence[Blob]]:
    size = _FIRST_START_IN_HASTE if in_haste else _FILES_A_START
    first = 0
    while first < len(blobs):
        yield blobs[first : first + size]
        first += size
        size = min(2 * size, _FILES_A_START)


def _by_size(sources: Sequence[tuple[Blob, Source]]) -> Iterator[Sequence[tuple[Blob, Source]]]:
    """Parts of at most 64 MiB, so that memory stays bounded by what one start holds."""
    part: list[tuple[Blob, Source]] = []
    size = 0
    for blob, source in sources:
        if part and size + len(source.raw) > _BYTES_A_START:
            yield part
            part, size = [], 0
        part.append((blob, source))
        size += len(source.raw)
    if part:
        yield part
