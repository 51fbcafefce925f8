"""Real scans for tests of the proof: a critic over some rules, cases from replaced lines, and a log of what is scanned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nootropic_bot.config import CritiqueSettings
from nootropic_bot.critique.cache import AnalysisCache
from nootropic_bot.critique.critic import Critic, Deadline
from nootropic_bot.critique.scope import fingerprints
from nootropic_bot.critique.semgrep import find_engine
from nootropic_bot.pipeline import ladder
from nootropic_bot.propose.base import Context, climb
from nootropic_bot.records import Edit, FileAnalysis, Finding, Match, Proposal
from nootropic_bot.rulefiles import find_rule_files, load_rules
from nootropic_bot.source import Source, decode
from nootropic_bot.verify.case import Case


@dataclass(slots=True)
class Scanner:
    """A critic that remembers how many files each start of the engine was given."""

    critic: Critic
    starts: list[int] = field(default_factory=list)

    def __call__(self, sources: Sequence[Source]) -> list[FileAnalysis]:
        self.starts.append(len(sources))
        return self.critic.analyse_sources(sources, Deadline(None))

    def read(self, text: str, path: str = "app.py") -> tuple[Source, FileAnalysis]:
        """A file and what the rules find in it."""
        source = decode(path, text.encode())
        return source, self.critic.analyse_sources([source], Deadline(None))[0]


def scanner(*rule_files: Path) -> Scanner:
    """Over these rule files."""
    engine = find_engine()
    rules = load_rules([each for path in rule_files for each in find_rule_files(path)], None)
    return Scanner(Critic(engine, rules, AnalysisCache(None, "", "", False), CritiqueSettings()))


def rule_fix_cases(scan: Scanner, source: Source, analysis: FileAnalysis) -> list[Case]:
    """What the rules themselves propose for each finding."""
    cases = []
    for identity, match in fingerprints(source.path, analysis.matches):
        rule = scan.critic.rules.find(match.rule_id)
        finding = Finding(identity, rule.id, source.path, match.start, match.end, rule.severity, match.message)
        context = Context(source, match, rule, analysis)
        cases += [Case(source, match, analysis, each) for each in climb(ladder(), finding, context)]
    return cases


def line_cases(source: Source, analysis: FileAnalysis, match: Match, *lines: str, imports: str = "") -> list[Case]:
    """Candidates, best first, each a new text of the match's first line; `imports` is put above the first line."""
    identity = next(i for i, m in fingerprints(source.path, analysis.matches) if m is match)
    number = match.start.line
    above = [Edit(source.path, 1, 1, imports + source.lines[0])] if imports else []
    return [
        Case(source, match, analysis, Proposal(identity, (*above, Edit(source.path, number, number, line)), "rule"))
        for line in lines
    ]


def matches_of(analysis: FileAnalysis, rule_id: str, line: int = 0) -> list[Match]:
    """The matches of a rule, on a line if one is given."""
    return [m for m in analysis.matches if m.rule_id == rule_id and line in (0, m.start.line)]
