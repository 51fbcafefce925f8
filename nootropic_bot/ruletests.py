"""`rules test`: the rules are held to what they claim.

For each rule: its form (docs/writing-rules.md), its fixture (every `# ruleid:` line flagged, and nothing else), its
examples (every unsafe expansion flagged, no safe one), how many of its fixture's findings end with a verified fix, and,
on request, how often it speaks on other people's code.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nootropic_bot.config import CritiqueSettings
from nootropic_bot.critique.cache import AnalysisCache
from nootropic_bot.critique.critic import Critic, Deadline
from nootropic_bot.critique.scope import fingerprints
from nootropic_bot.critique.semgrep import find_engine
from nootropic_bot.pipeline import ladder
from nootropic_bot.propose.base import Context, climb
from nootropic_bot.records import FileAnalysis, Finding, Rule
from nootropic_bot.resources import principles
from nootropic_bot.rulefiles import RuleFile, RuleSet, load_rules, parse_rule_file
from nootropic_bot.source import Source, Undecodable, decode
from nootropic_bot.templates import Example, parse_examples
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.proof import prove

MIN_FLAGGED, MIN_SPARED, MIN_EXAMPLES = 6, 4, 3
MAX_NOISE = 1.0  # findings per 1,000 lines of other people's code
_ANNOTATION = re.compile(r"^\s*#\s*(ruleid|ok):\s*([\w.-]+)\s*$")


@dataclass(slots=True)
class RuleResult:
    """How one rule did. `noise`: corpus name → (findings, lines)."""

    rule: Rule
    problems: list[str] = field(default_factory=list)
    flagged: int = 0
    spared: int = 0
    findings: int = 0
    verified: int = 0
    failed_checks: Counter[str] = field(default_factory=Counter)
    noise: dict[str, tuple[int, int]] = field(default_factory=dict)
    noise_reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Probe:
    """A file to scan for one rule: its fixture, or an expansion that must (not) be flagged."""

    rule_id: str
    label: str
    source: Source
    expect: bool | None


@dataclass(frozen=True, slots=True)
class _Body:
    rule: Rule
    raw: Mapping[str, Any]
    examples: Sequence[Example]


def check_rules(files: Sequence[RuleFile], only: Sequence[str] = ()) -> list[RuleResult]:
    """Test the rules of these files; `only` narrows to some ids.

    Raises:
        UsageError: a rule file is invalid.
        EnvironmentFault: the engine is unusable here.
    """
    rules = load_rules(files, None)
    bodies = [body for file in files for body in _bodies(file, rules) if not only or body.rule.id in only]
    results = {body.rule.id: RuleResult(body.rule) for body in bodies}
    for body in bodies:
        result = results[body.rule.id]
        result.problems += _form_problems(body)
        own = (body.raw.get("metadata") or {}).get("nootropic") or {}
        result.noise_reason = own.get("noise")
    probes = [probe for body in bodies for probe in _probes(body, results[body.rule.id])]
    critic = _critic(rules)
    analyses = critic.analyse_sources([probe.source for probe in probes], Deadline(None))
    for probe, analysis in zip(probes, analyses, strict=True):
        _judge(probe, analysis, results[probe.rule_id])
    _count_fixes(critic, rules, list(zip(probes, analyses, strict=True)), results)
    return list(results.values())


def measure_noise(files: Sequence[RuleFile], corpora: Mapping[str, Path], results: Sequence[RuleResult]) -> None:
    """Add to each result how often its rule speaks in the Python files of the corpora."""
    rules = load_rules(files, None)
    critic = _critic(rules)
    for name, folder in corpora.items():
        lines = 0
        found: Counter[str] = Counter()
        for part in _corpus_parts(folder):
            lines += sum(len(source.lines) for source in part)
            for analysis in critic.analyse_sources(part, Deadline(None)):
                found.update(match.rule_id for match in analysis.matches)
        for result in results:
            count = found[result.rule.id]
            result.noise[name] = (count, lines)
            if lines and 1000 * count / lines > MAX_NOISE and not result.noise_reason:
                rate = f"{1000 * count / lines:.2f} findings per 1,000 lines of {name}"
                result.problems.append(f"{rate}: give a reason (`metadata.nootropic.noise`) or mend the rule")


def _critic(rules: RuleSet) -> Critic:
    engine = find_engine()
    return Critic(engine, rules, AnalysisCache(None, rules.hash, engine.version, False), CritiqueSettings())


def _bodies(file: RuleFile, rules: RuleSet) -> Iterator[_Body]:
    for raw in parse_rule_file(file):
        rule = rules.by_id[str(raw["id"])]
        yield _Body(rule, raw, parse_examples(rule.id, raw.get("metadata") or {}))


def _form_problems(body: _Body) -> Iterator[str]:
    rule = body.rule
    if Path(rule.file).stem != rule.id:
        yield f"its file is called {Path(rule.file).name}, not {rule.id}.yaml"
    if not rule.cwe or not all(re.fullmatch(r"CWE-\d+: .+", each) for each in rule.cwe):
        yield "cwe must be a list of 'CWE-<n>: <title>'"
    if not all(re.fullmatch(r"A\d\d:20\d\d - .+", each) for each in rule.owasp):
        yield "owasp must be a list of 'A<nn>:<year> - <title>'"
    if rule.principle not in principles():
        yield f"the principle {rule.principle!r} is not in rules/principles.toml"
    if not rule.references:
        yield "it has no references"
    if len(rule.message) < 60:
        yield "its message is too short to say what goes wrong and what to do"
    if "paths" in body.raw:
        yield "it filters by path, which the pack leaves to `exclude` (and which makes every scan slower)"
    if len(body.examples) < MIN_EXAMPLES:
        yield f"{len(body.examples)} examples, at least {MIN_EXAMPLES} are needed"


def _probes(body: _Body, result: RuleResult) -> Iterator[_Probe]:
    rule = body.rule
    fixture = Path(rule.file).with_suffix(".py")
    if not fixture.is_file():
        result.problems.append(f"it has no fixture {fixture.name}")
    else:
        yield _Probe(rule.id, "fixture", decode(f"{rule.id}/fixture.py", fixture.read_bytes()), None)
    for number, example in enumerate(body.examples):
        for side in ("unsafe", "safe"):
            for variant, text in enumerate(example.samples("unsafe" if side == "unsafe" else "safe")):
                label = f"example {number + 1}, {side}, variant {variant + 1}"
                try:
                    ast.parse(text)
                except SyntaxError as error:
                    result.problems.append(f"{label} does not parse: {error}")
                    continue
                path = f"{rule.id}/example_{number}_{side}_{variant}.py"
                yield _Probe(rule.id, label, decode(path, text.encode()), side == "unsafe")


def _judge(probe: _Probe, analysis: FileAnalysis, result: RuleResult) -> None:
    lines = {match.start.line for match in analysis.matches if match.rule_id == probe.rule_id}
    result.problems += [f"{probe.label}: {gap.reason}" for gap in analysis.gaps]
    if probe.expect is not None:
        if bool(lines) is not probe.expect:
            verb = "is not flagged" if probe.expect else "is flagged"
            result.problems.append(f"{probe.label} {verb}:\n{probe.source.text}")
        return
    wanted: dict[str, set[int]] = {"ruleid": set(), "ok": set()}
    for number, line in enumerate(probe.source.lines, start=1):
        found = _ANNOTATION.match(line)
        if found and found[2] == probe.rule_id:
            wanted[found[1]].add(number + 1)
    result.flagged, result.spared = len(wanted["ruleid"]), len(wanted["ok"])
    if result.flagged < MIN_FLAGGED or result.spared < MIN_SPARED:
        result.problems.append(
            f"the fixture flags {result.flagged} forms and spares {result.spared}; "
            f"at least {MIN_FLAGGED} and {MIN_SPARED} are needed"
        )
    for line_number in sorted(wanted["ruleid"] - lines):
        result.problems.append(
            f"fixture line {line_number} is not flagged: {probe.source.lines[line_number - 1].strip()}"
        )
    for line_number in sorted(lines - wanted["ruleid"]):
        result.problems.append(f"fixture line {line_number} is flagged: {probe.source.lines[line_number - 1].strip()}")


def _count_fixes(
    critic: Critic,
    rules: RuleSet,
    scanned: Sequence[tuple[_Probe, FileAnalysis]],
    results: Mapping[str, RuleResult],
) -> None:
    """Prove every fix that the ladder proposes for the findings of the fixtures."""
    cases: list[tuple[str, Case]] = []
    for probe, analysis in scanned:
        if probe.expect is not None:
            continue
        for identity, match in fingerprints(probe.source.path, analysis.matches):
            if match.rule_id != probe.rule_id:
                continue
            results[probe.rule_id].findings += 1
            rule = rules.by_id[match.rule_id]
            finding = Finding(
                identity, rule.id, probe.source.path, match.start, match.end, rule.severity, match.message
            )
            context = Context(probe.source, match, rule, analysis)
            for proposal in climb(ladder(), finding, context):
                cases.append((probe.rule_id, Case(probe.source, match, analysis, proposal)))
    verdicts = prove([case for _id, case in cases], lambda sources: critic.analyse_sources(sources, Deadline(None)))
    for (rule_id, case), verdict in zip(cases, verdicts, strict=True):
        result = results[rule_id]
        result.verified += verdict.is_verified
        if not verdict.is_verified:
            failed = next(check for check in verdict.checks if check.status != "passed")
            result.failed_checks[f"line {case.match.start.line}: {failed.name}: {failed.detail}"] += 1


def _corpus_parts(folder: Path, size: int = 500) -> Iterator[list[Source]]:
    part: list[Source] = []
    for path in sorted(folder.rglob("*.py")):
        relative = path.relative_to(folder).as_posix()
        try:
            part.append(decode(relative, path.read_bytes()))
        except (Undecodable, OSError):
            continue
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
