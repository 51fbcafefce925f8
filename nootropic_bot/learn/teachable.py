"""Which examples of the rules can teach: the engine flags their unsafe side, and the proof accepts their safe side.

An example whose fix reaches beyond the finding's statement is right as documentation, but no proof would let such a fix
pass, so a model that learnt it would propose in vain; nor can a model write a fix of lines that it is not shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nootropic_bot.config import CritiqueSettings
from nootropic_bot.critique.cache import AnalysisCache
from nootropic_bot.critique.critic import Critic, Deadline
from nootropic_bot.critique.semgrep import find_engine
from nootropic_bot.learn.expansion import Template, fill, place_in_template, simple_values
from nootropic_bot.records import Edit, FileAnalysis, Match, Proposal, Rule
from nootropic_bot.resources import bundled_rules
from nootropic_bot.rulefiles import find_rule_files, load_rules, parse_rule_file
from nootropic_bot.source import Source, decode
from nootropic_bot.templates import Example, parse_examples
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.proof import prove
from nootropic_bot.window import changes_of, window_of


@dataclass(frozen=True, slots=True)
class Lesson:
    """A template that teaches, or why it doesn't."""

    rule_id: str
    number: int
    template: Template | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Scanned:
    rule: Rule
    number: int
    example: Example
    values: Mapping[str, str]
    source: Source
    safe: str


def open_critic() -> Critic:
    """The engine over the whole pack, without a cache."""
    engine = find_engine()
    rules = load_rules(find_rule_files(bundled_rules()), None)
    return Critic(engine, rules, AnalysisCache(None, rules.hash, engine.version, False), CritiqueSettings())


def lessons(critic: Critic, only: Collection[str] | None = None) -> list[Lesson]:
    """Every example of the pack, or of the rules `only`, asked once."""
    scanned = [each for each in _examples() if only is None or each.rule.id in only]
    analyses = critic.analyse_sources([each.source for each in scanned], Deadline(None))
    cases: list[Case] = []
    made: list[tuple[_Scanned, Match | None]] = []
    for each, analysis in zip(scanned, analyses, strict=True):
        match = next((m for m in analysis.matches if m.rule_id == each.rule.id), None)
        made.append((each, match))
        if match is not None:
            cases.append(_case(each, match, analysis))
    verdicts = iter(prove(cases, lambda sources: critic.analyse_sources(sources, Deadline(None))))
    found = []
    for each, match in made:
        if match is None:
            found.append(Lesson(each.rule.id, each.number, None, "not flagged with simple values"))
            continue
        verdict = next(verdicts)
        failed = next((check for check in verdict.checks if check.status != "passed"), None)
        reason = f"{failed.name}: {failed.detail}" if failed else _unseen(each, match)
        found.append(Lesson(each.rule.id, each.number, None if reason else _template(each, match), reason))
    return found


def _unseen(each: _Scanned, match: Match) -> str:
    """Why a model could not write the fix: it changes lines that the window does not number. Empty if it could."""
    window = window_of(each.source, match)
    changes = window and changes_of(window, each.source.lines, each.safe.splitlines(keepends=True))
    return "" if changes else "window: it changes lines that a model is not shown"


def _examples() -> Iterator[_Scanned]:
    files = find_rule_files(bundled_rules())
    rules = load_rules(files, None)
    for file in files:
        for raw in parse_rule_file(file):
            rule = rules.by_id[str(raw["id"])]
            for number, example in enumerate(parse_examples(rule.id, raw.get("metadata") or {})):
                values = simple_values(example)
                filled = fill(Template(rule, number, example, (0, 0), (0, 0)), values)
                if filled is not None:
                    source = decode(f"{rule.id}_{number}.py", filled.unsafe.encode())
                    yield _Scanned(rule, number, example, values, source, filled.safe)


def _case(each: _Scanned, match: Match, analysis: FileAnalysis) -> Case:
    edits = tuple(line_edits(each.source, each.safe.splitlines(keepends=True)))
    return Case(each.source, match, analysis, Proposal(f"{each.rule.id}:{each.number}", edits, "model"))


def line_edits(source: Source, new: Sequence[str]) -> Iterator[Edit]:
    """The edits that turn a file's lines into these."""
    old = source.lines
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "insert":
            anchor = min(i, len(old) - 1)
            text = "".join(new[k:m])
            both = text + old[anchor] if i < len(old) else old[anchor] + text
            yield Edit(source.path, anchor + 1, anchor + 1, both)
        elif tag != "equal":
            yield Edit(source.path, i + 1, j, "".join(new[k:m]))


def _template(each: _Scanned, match: Match) -> Template:
    """The template with its flagged place, found by filling it and counting back."""
    snippet = each.example.unsafe
    origin = fill(Template(each.rule, each.number, each.example, (0, 0), (0, 0)), each.values)
    assert origin is not None
    indent = origin.start.col - 1

    def back(line: int, col: int) -> tuple[int, int]:
        return place_in_template(snippet, each.values, line - origin.start.line, max(col - 1 - indent, 0))

    start, end = back(match.start.line, match.start.col), back(match.end.line, match.end.col)
    return Template(each.rule, each.number, each.example, start, end)
