"""How good a model is at fixing, measured on the reserved packages, with proposers 1 and 2 switched off.

injected   the rules' examples filled from code of the split, set between its statements, and mutations of its functions
unseen     the same cases, under descriptions that training never saw (there are no rule ids in a prompt at all)
natural    what the pack finds in the unmodified files of the split

A case counts when the engine flags it. *verified*: some candidate passed the whole proof. *exact*: the first candidate,
greedy, gives the text of the template or of the original author. Nothing is left out of a share because the model did
not answer.
"""

from __future__ import annotations

import ast
import json
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from nootropic_bot.config import Config
from nootropic_bot.critique.critic import Critic, Deadline
from nootropic_bot.critique.scope import fingerprints
from nootropic_bot.diff import apply_edits
from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.expansion import Template, fill, random_values, renamed
from nootropic_bot.learn.pairs import Ingredients, hole_values, moved, surroundings
from nootropic_bot.models.factory import Group
from nootropic_bot.propose.base import Context
from nootropic_bot.propose.calibration import Calibration
from nootropic_bot.propose.model_fix import ModelFix
from nootropic_bot.proving import AGAIN, Attempt, Task, Tried
from nootropic_bot.records import FileAnalysis, Finding, Match, Proposal, Rule
from nootropic_bot.source import Source, Undecodable, decode
from nootropic_bot.verify.case import Case


@dataclass(frozen=True, slots=True)
class Question:
    """A finding put to the model. `safe`: the wanted file, where it is known."""

    rule: Rule
    source: Source
    match: Match
    analysis: FileAnalysis
    safe: str | None = None
    message: str | None = None


@dataclass(slots=True)
class Result:
    """What came of one question. `diff` shows the verified candidate, else the first; `reason` why none was proved.

    `raw`, `chosen`: how probable the model found the first candidate, and the verified one, before calibration.
    """

    rule_id: str
    path: str
    line: int
    answered: bool = False
    verified: bool = False
    exact: bool = False
    raw: float | None = None
    diff: str = ""
    reason: str = ""
    chosen: float | None = None


@dataclass(slots=True)
class Share:
    """Counts over some results."""

    asked: int = 0
    answered: int = 0
    verified: int = 0
    exact: int = 0

    def add(self, result: Result) -> None:
        """Count one more."""
        self.asked += 1
        self.answered += result.answered
        self.verified += result.verified
        self.exact += result.exact


@dataclass(slots=True)
class Table:
    """Shares of all results and by rule."""

    total: Share = field(default_factory=Share)
    rules: dict[str, Share] = field(default_factory=dict)

    def to_json(self) -> str:
        """For machines; rules in order."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def tabulate(results: Iterable[Result]) -> Table:
    """Count."""
    table = Table()
    for result in results:
        table.total.add(result)
        table.rules.setdefault(result.rule_id, Share()).add(result)
    return table


def injected(have: Ingredients, critic: Critic, per_rule: int, seed: int) -> list[Question]:
    """Up to `per_rule` flagged cases for each rule that has templates."""
    random_ = random.Random(seed)  # noqa: S311
    drafts: list[tuple[Template, Source, str]] = []
    by_rule: dict[str, list[Template]] = {}
    for template in have.templates:
        by_rule.setdefault(template.rule.id, []).append(template)
    for rule_id in sorted(by_rule):
        for number in range(per_rule):
            made = _injection(have, random_, by_rule[rule_id][number % len(by_rule[rule_id])])
            if made is not None:
                drafts.append((made[0], decode(f"{rule_id}_{number}.py", made[1].encode()), made[2]))
    questions = []
    analyses = critic.analyse_sources([source for _template, source, _safe in drafts], Deadline(None))
    for (template, source, safe), analysis in zip(drafts, analyses, strict=True):
        match = next((m for m in analysis.matches if m.rule_id == template.rule.id), None)
        if match is not None:
            questions.append(Question(template.rule, source, match, analysis, safe))
    return questions


def _injection(have: Ingredients, random_: random.Random, template: Template) -> tuple[Template, str, str] | None:
    for _attempt in range(10):
        # Half of them keep their names: many rules flag a value by what it is called.
        example = (
            renamed(template.example, have.material.names, random_) if random_.random() < 0.5 else template.example
        )
        changed = moved(template, replace(template, example=example))
        values = random_values(example, hole_values(have, random_), random_)
        filled = fill(changed, values, surroundings(have, random_))
        if filled is None:
            continue
        try:
            ast.parse(filled.unsafe)
            ast.parse(filled.safe)
        except (SyntaxError, ValueError):
            continue
        return template, filled.unsafe, filled.safe
    return None


def natural(files: Sequence[CodeFile], critic: Critic, report: Iterator[None] | None = None) -> Iterator[Question]:
    """Every finding of the pack in these files that is not suppressed there."""
    for start in range(0, len(files), 100):
        sources = []
        for file in files[start : start + 100]:
            try:
                sources.append(decode(f"{file.package}/{file.path}", file.text.encode()))
            except Undecodable:
                continue
        for source, analysis in zip(sources, critic.analyse_sources(sources, Deadline(None)), strict=True):
            for match in analysis.matches:
                if match.suppressed is None and match.rule_id in critic.rules.by_id:
                    yield Question(critic.rules.by_id[match.rule_id], source, match, analysis)


def reworded(questions: Iterable[Question], wordings: Mapping[str, Sequence[str]], seed: int) -> list[Question]:
    """The questions under other descriptions, as of a rule without examples."""
    random_ = random.Random(seed)  # noqa: S311
    known = (q for q in questions if wordings.get(q.rule.id))
    return [replace(q, message=random_.choice(wordings[q.rule.id]), rule=replace(q.rule, file="")) for q in known]


def ask(questions: Sequence[Question], group: Group, critic: Critic, *, greedy: bool = False) -> list[Result]:
    """Put the questions to the model and prove what it proposes, as a review does; `greedy`: the first answer only."""
    proposer, wanted = _proposer(group, greedy=greedy)
    results = [Result(each.rule.id, each.source.path, each.match.start.line) for each in questions]
    attempt = Attempt([proposer], wanted, lambda sources: critic.analyse_sources(sources, Deadline(None)), again=AGAIN)
    for made in attempt.rounds([_task(question) for question in questions]):
        for each in made.tried:
            _note(results[each.task], questions[each.task], each)
    return results


def _note(result: Result, question: Question, tried: Tried) -> None:
    case, verdict = tried.case, tried.verdict
    if not result.answered:
        result.answered, result.raw = True, case.proposal.confidence
        result.exact = question.safe is not None and _is_exact(question, case.proposal)
    if verdict.is_verified and not result.verified:
        result.verified, result.diff, result.chosen = True, _diff(case), case.proposal.confidence
    elif not verdict.is_verified and not result.verified and not result.reason:
        failed = next(check for check in verdict.checks if check.status != "passed")
        result.reason, result.diff = f"{failed.name}: {failed.detail}", _diff(case)


def stands(question: Question, group: Group) -> bool:
    """Whether the model's first answer passes every check that needs no scan."""
    proposer, wanted = _proposer(group, greedy=True)
    attempt = Attempt([proposer], wanted, lambda _sources: ())
    return any(case.stands for case in attempt.candidates(_task(question)))


def _proposer(group: Group, *, greedy: bool) -> tuple[ModelFix, int]:
    """The proposer, and how many candidates are proved."""
    wanted = 1 if greedy else Config().models.candidates
    proposer = ModelFix([group], Calibration(), wanted, Config().models.timeout_seconds, lambda: math.inf)
    return (replace(proposer, draws=1) if greedy else proposer), wanted


def _task(question: Question) -> Task:
    return Task(_finding(question), Context(question.source, question.match, question.rule, question.analysis))


def _finding(question: Question) -> Finding:
    match, rule = question.match, question.rule
    identity = next(each for each, m in fingerprints(question.source.path, question.analysis.matches) if m is match)
    message = match.message if question.message is None else question.message
    return Finding(identity, rule.id, question.source.path, match.start, match.end, rule.severity, message)


def _is_exact(question: Question, proposal: Proposal) -> bool:
    """Whether the proposal gives the wanted file, imports that code adds left aside."""
    fixed = "".join(apply_edits(question.source.lines, proposal.edits)).splitlines()
    wanted = (question.safe or "").splitlines()
    added = set(proposal.needs.values())
    return [line for line in fixed if line not in added] == [line for line in wanted if line not in added]


def _diff(case: Case) -> str:
    from nootropic_bot.diff import unified

    try:
        return unified(case.source.path, case.source.lines, apply_edits(case.source.lines, case.proposal.edits))
    except ValueError:
        return ""
