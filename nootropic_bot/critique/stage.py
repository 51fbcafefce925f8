"""The stage as a whole: from a session to findings that know where they are and whether they count."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nootropic_bot.critique.cache import AnalysisCache
from nootropic_bot.critique.critic import Blob, Critic, Deadline
from nootropic_bot.critique.languages import Coverage
from nootropic_bot.critique.scope import Scope, fingerprints
from nootropic_bot.critique.semgrep import find_engine
from nootropic_bot.critique.targets import Candidate, Filters, Selection, is_within, select_changes, select_entries
from nootropic_bot.diff import LineRanges, changed_lines
from nootropic_bot.errors import UsageError
from nootropic_bot.git import Change
from nootropic_bot.records import FileAnalysis, Finding, Match, NotScanned, Rule, Suppression
from nootropic_bot.session import Session
from nootropic_bot.source import Source, Undecodable, decode
from nootropic_bot.state.views import suppression

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Located:
    """A finding with what it was made from."""

    finding: Finding
    match: Match
    candidate: Candidate
    analysis: FileAnalysis


@dataclass(slots=True)
class Critiqued:
    """What the stage answers. `reasons`: why the analysis of something in scope is not complete."""

    located: list[Located] = field(default_factory=list)
    not_scanned: list[NotScanned] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class Critique:
    """One run over one session."""

    def __init__(self, session: Session, progress: Progress) -> None:
        self.session = session
        self.progress = progress
        self.deadline = Deadline(session.budget_seconds)
        self.engine = find_engine()
        rules = session.rules
        folder = session.repo.cache_dir / "analyses"
        cache = AnalysisCache(folder, rules.hash, self.engine.version, rules.has_path_filters)
        self.critic = Critic(self.engine, rules, cache, session.config.critique)
        self.sources: dict[str, Source] = {}
        self._ranges: Mapping[tuple[str, str], LineRanges] | None = None
        self._base_tree: str | None = None

    def run(self) -> Critiqued:
        """Select, analyse, and give every match its identity and scope.

        Raises:
            UsageError: a rule is invalid.
            EnvironmentFault: the engine is unusable here.
        """
        selection = self._select()
        analyses = self._analyse([candidate.blob for candidate in selection.files])
        return self._locate(selection, analyses)

    def rescan(self, sources: Sequence[Source]) -> list[FileAnalysis]:
        """Analyse changed versions of files, without cache and suppression; what the proof needs."""
        self.progress(f"scanning {len(sources)} fixed file{'s' * (len(sources) != 1)}")
        return self.critic.analyse_sources(sources, self.deadline)

    def rule(self, rule_id: str) -> Rule:
        """The rule of a finding, our own ones included."""
        return self.session.rules.find(rule_id)

    def source(self, candidate: Candidate) -> Source | None:
        """The decoded file of a candidate, or None when it can't be decoded."""
        self.load_sources([candidate])
        return self.sources.get(candidate.path)

    def load_sources(self, candidates: Iterable[Candidate]) -> None:
        """Read and decode several files in one go."""
        missing = {c.path: c for c in candidates if c.path not in self.sources}
        contents = self.session.repo.read_blobs(candidate.oid for candidate in missing.values())
        for path, candidate in missing.items():
            with contextlib.suppress(Undecodable, KeyError):
                self.sources[path] = decode(path, contents[candidate.oid])

    def _select(self) -> Selection:
        session, request, repo = self.session, self.session.request, self.session.repo
        exclude = (*session.config.exclude, *request.exclude)
        filters = Filters(Coverage(session.rules.languages), request.paths, exclude, request.shard)
        if request.mode == "all":
            self._check_paths([])
            return select_entries(repo.index_entries(), filters)
        self._base_tree = self._compared_with()
        changes = repo.changes(self._base_tree, session.head)
        self._check_paths(changes)
        unchanged = set(request.files) - {change.path for change in changes}
        if unchanged and not unchanged <= self._merged_paths():
            return select_entries(repo.index_entries(), replace(filters, paths=request.files))
        return select_changes(changes, replace(filters, paths=request.paths or request.files))

    def _check_paths(self, changes: Sequence[Change]) -> None:
        """A mistyped path must not look clean."""
        repo = self.session.repo
        for wanted in self.session.request.paths:
            known = {path for change in changes for path in (change.path, change.old_path)}
            if os.path.lexists(repo.top / wanted) or any(is_within(path, wanted) for path in known):
                continue
            if not any(is_within(entry.path, wanted) for entry in repo.index_entries()):
                raise UsageError(f"there is no {wanted!r} in the work tree, the index or the change")

    def _merged_paths(self) -> set[str]:
        """What a merge that is being committed touches; pre-commit names these files, unchanged ones too."""
        other = self.session.repo.resolve("MERGE_HEAD")
        return set() if other is None else {change.path for change in self.session.repo.changes(other, None)}

    def _compared_with(self) -> str:
        """The tree that head is compared with: for a range, where the two histories parted, as GitHub does."""
        session = self.session
        if session.base is None:
            return session.repo.empty_tree
        if session.request.mode != "range" or session.head is None:
            return session.base
        fork = session.repo.merge_base(session.base, session.head)
        if fork is None:
            note = "no common ancestor of base and head is known"
            if session.repo.is_shallow():
                note += " in this shallow clone (`git fetch --unshallow` mends that)"
            session.notes.append(f"{note}; head is compared with base itself")
        return fork or session.base

    def _analyse(self, blobs: Sequence[Blob]) -> dict[Blob, FileAnalysis]:
        if blobs:
            self.progress(f"scanning {len(blobs)} file{'s' * (len(blobs) != 1)}")
        return self.critic.analyse(blobs, self.session.repo.read_blobs, self.deadline)

    def _locate(self, selection: Selection, analyses: Mapping[Blob, FileAnalysis]) -> Critiqued:
        known_before = self._known_before(selection, analyses)
        result = Critiqued(not_scanned=list(selection.not_scanned))
        for candidate in selection.files:
            analysis = analyses[candidate.blob]
            if not analysis.matches and not analysis.gaps:
                continue
            scope = self._scope(candidate)
            for gap in analysis.gaps:
                result.not_scanned.append(NotScanned(candidate.path, gap.reason))
                if gap.first == 0 or scope.covers(gap.first, gap.last):
                    result.reasons.append(f"{candidate.path}: {gap.reason}")
            before = known_before.get(candidate.path)
            for identity, match in fingerprints(candidate.path, analysis.matches):
                is_new = before is not None and identity not in before
                in_scope = is_new or scope.covers(match.start.line, match.end.line)
                finding = self._finding(identity, match, candidate.path, in_scope)
                result.located.append(Located(finding, match, candidate, analysis))
        return result

    def _known_before(self, selection: Selection, analyses: Mapping[Blob, FileAnalysis]) -> dict[str, set[str]]:
        """The fingerprints at the base of files in which something lies outside the changed lines.

        A finding on an unchanged line is in scope when the base did not have it: a change elsewhere brought it about.
        """
        doubtful: dict[str, Blob] = {}
        for candidate in selection.files:
            matches = analyses[candidate.blob].matches
            if candidate.base is None or candidate.base.oid == candidate.oid or not matches:
                continue
            scope = self._scope(candidate)
            if any(not scope.covers(m.start.line, m.end.line) for m in matches):
                doubtful[candidate.path] = candidate.base
        before = self._analyse(list(doubtful.values()))
        return {
            path: {identity for identity, _match in fingerprints(path, before[blob].matches)}
            for path, blob in doubtful.items()
            if not before[blob].gaps
        }

    def _scope(self, candidate: Candidate) -> Scope:
        if candidate.whole or candidate.base is None or self._base_tree is None:
            return Scope(whole=True)
        if self._ranges is None:
            self._ranges = changed_lines(self.session.repo.patch(self._base_tree, self.session.head))
        return Scope(whole=False, ranges=self._ranges.get((candidate.base.oid, candidate.oid), ()))

    def _triaged(self, identity: str, rule_id: str, path: str) -> Suppression | None:
        pull_request = self.session.request.pull_request
        return suppression(self.session.triage, identity, rule_id, path, pull_request)

    def _finding(self, identity: str, match: Match, path: str, in_scope: bool) -> Finding:
        rule = self.rule(match.rule_id)
        settings = self.session.config.settings_of(match.rule_id)
        disabled = None if settings.enabled else Suppression("configuration", settings.reason)
        return Finding(
            id=identity,
            rule_id=match.rule_id,
            path=path,
            start=match.start,
            end=match.end,
            severity=settings.severity or rule.severity,
            message=match.message,
            cwe=rule.cwe,
            owasp=rule.owasp,
            principle=rule.principle,
            in_scope=in_scope,
            suppressed=disabled or match.suppressed or self._triaged(identity, match.rule_id, path),
        )
