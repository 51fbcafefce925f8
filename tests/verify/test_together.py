"""Fixes that are scanned together are proved exactly where each alone would be. Real rules, real Semgrep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from nootropic_bot.critique.critic import Deadline
from nootropic_bot.critique.semgrep import Engine, TargetScan
from nootropic_bot.records import Edit, FileAnalysis, Gap, Proposal, Verdict
from nootropic_bot.source import Source
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.proof import prove
from tests.support.proving import Scanner, line_cases, matches_of, rule_fix_cases, scanner
from tests.support.repo import PROJECT

PACK = PROJECT / "rules" / "python"
REAL = (
    *("correctness/none-comparison", "correctness/type-comparison", "correctness/naive-datetime-utcnow"),
    *("resources/open-without-encoding", "deserialization/yaml-unsafe-load"),
)
OWN = """\
rules:
  - {id: old-call, languages: [python], severity: WARNING, message: m, pattern: old(...)}
  - {id: eq-none, languages: [python], severity: WARNING, message: m, pattern: $X == None}
  - id: tainted
    languages: [python]
    severity: WARNING
    message: m
    mode: taint
    pattern-sources: [{pattern: source(...)}]
    pattern-sinks: [{pattern: sink(...)}]
"""
HEAD = "from app import both, check, new, old, safe, sink, source\n\n\n"


def functions(*bodies: str) -> str:
    """A module with a function for each body."""
    return HEAD + "\n\n".join(f"def f{i}(a, b, c):\n    {body}\n" for i, body in enumerate(bodies))


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    path = tmp_path_factory.mktemp("rules") / "own.yaml"
    path.write_text(OWN, encoding="utf-8")
    return scanner(path)


def both_ways(scan: Scanner, cases: Sequence[Case]) -> tuple[list[Verdict], list[int]]:
    """The verdicts of scanning together, which must be those of scanning alone, and the files of each start."""
    alone = prove(cases, scan, worth_batching=None)
    scan.starts.clear()
    together = prove(cases, scan, worth_batching=0)
    starts = list(scan.starts)
    reached = [i for i, verdict in enumerate(together) if "earlier candidate" not in verdict.checks[-1].detail]
    assert [together[i].is_verified for i in reached] == [alone[i].is_verified for i in reached]
    for i in reached:
        one, other = ({c.name: c.status for c in verdicts[i].checks} for verdicts in (together, alone))
        failed = {name for name, status in one.items() if status == "failed"}
        assert one == other or failed <= {name for name, status in other.items() if status == "failed"} != set()
    return together, starts


def said(verdict: Verdict, name: str) -> str:
    return next(check.detail for check in verdict.checks if check.name == name)


@pytest.mark.slow
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_real_findings_are_proved_alike(newline: str) -> None:
    scan = scanner(*(PACK / f"{name}.yaml" for name in REAL))
    text = "".join((PACK / f"{name}.py").read_text(encoding="utf-8") for name in REAL)
    source, analysis = scan.read(text.replace("\n", newline))
    cases = rule_fix_cases(scan, source, analysis)
    verdicts, starts = both_ways(scan, cases)
    proved = sum(verdict.is_verified for verdict in verdicts)
    assert proved >= 30
    assert len(starts) <= 3
    assert sum(starts) <= len(cases) / 5


def test_what_passes_takes_one_file_and_one_start(scan: Scanner) -> None:
    source, analysis = scan.read(functions(*["return a == None"] * 6))
    cases = [each for m in analysis.matches for each in line_cases(source, analysis, m, "    return a is None\n")]
    verdicts, starts = both_ways(scan, cases)
    assert [verdict.is_verified for verdict in verdicts] == [True] * 6
    assert starts == [1]
    assert said(verdicts[0], "gone") == "in one scan with 5 more fixes of this file"


@pytest.mark.parametrize(
    ("wrong", "check", "files"),
    [
        pytest.param("    return a is None or b == None\n", "gone", [1, 1], id="still-there"),
        pytest.param("    return a is None or old(b)\n", "nothing_new", [1, 1], id="something-new-in-its-lines"),
        pytest.param("    return a is None or unheard_of\n", "names", [1, 2], id="undefined-name"),
    ],
)
def test_one_wrong_fix_does_not_refute_the_others(scan: Scanner, wrong: str, check: str, files: list[int]) -> None:
    source, analysis = scan.read(functions(*["return a == None"] * 6))
    texts = ["    return a is None\n"] * 6
    texts[2] = wrong
    pairs = zip(analysis.matches, texts, strict=True)
    verdicts, starts = both_ways(scan, [c for m, text in pairs for c in line_cases(source, analysis, m, text)])
    assert [verdict.is_verified for verdict in verdicts] == [True, True, False, True, True, True]
    assert check in [c.name for c in verdicts[2].checks if c.status == "failed"]
    assert starts == files


def test_a_fix_that_makes_a_finding_elsewhere_is_found_out(scan: Scanner) -> None:
    bodies = ["return a == None"] * 9
    bodies[4] = "x = old(a)\n    check(b)\n    sink(x)"
    source, analysis = scan.read(functions(*bodies))
    cases = []
    for match in analysis.matches:
        new = "    x = source(a)\n" if match.rule_id == "old-call" else "    return a is None\n"
        cases += line_cases(source, analysis, match, new)
    verdicts, starts = both_ways(scan, cases)
    assert [verdict.is_verified for verdict in verdicts] == [c.match.rule_id == "eq-none" for c in cases]
    assert len(starts) <= 3


def test_one_fix_does_not_hide_behind_what_another_cures_besides(scan: Scanner) -> None:
    """Counted over the file, there are as few findings of the rule as there should be."""
    bodies = ["s = source(a)\n    t = source(b)\n    both(sink(s), sink(t))", "x = old(a)\n    check(b)\n    sink(x)"]
    source, analysis = scan.read(functions(*bodies))
    tainted, old = matches_of(analysis, "tainted"), matches_of(analysis, "old-call")
    assert len(tainted) == 2
    cures_both = line_cases(source, analysis, tainted[0], "    both(safe(s), safe(t))\n")
    makes_one = line_cases(source, analysis, old[0], "    x = source(a)\n")
    verdicts, _starts = both_ways(scan, [*cures_both, *makes_one])
    assert [verdict.is_verified for verdict in verdicts] == [True, False]
    assert said(verdicts[1], "nothing_new") == "tainted finds more than before"


def test_a_name_that_another_fix_imports_does_not_count(scan: Scanner) -> None:
    source, analysis = scan.read(functions("return old(a)", "return old(b)", "return old(c)"))
    one, other, third = analysis.matches
    cases = [
        *line_cases(source, analysis, one, "    return json.loads(a)\n", imports="import json\n"),
        *line_cases(source, analysis, other, "    return json.loads(b)\n"),
        *line_cases(source, analysis, third, "    return json.loads(c)\n", imports="import json\nimport ast\n"),
    ]
    verdicts, _starts = both_ways(scan, cases)
    assert [verdict.is_verified for verdict in verdicts] == [True, False, True]
    assert said(verdicts[1], "names") == "undefined: json"


def test_an_import_that_many_need_is_made_once(scan: Scanner) -> None:
    source, analysis = scan.read(functions(*["return old(a)"] * 4))
    cases = []
    for number, match in enumerate(analysis.matches):
        more = "import ast\n" if number == 2 else ""
        cases += line_cases(source, analysis, match, "    return json.loads(a)\n", imports=f"{more}import json\n")
    seen: list[Source] = []

    def rescan(sources: Sequence[Source]) -> list[FileAnalysis]:
        seen.extend(sources)
        return scan(sources)

    verdicts = prove(cases, rescan, worth_batching=0)
    assert [verdict.is_verified for verdict in verdicts] == [True] * 4
    assert len(seen) == 1
    assert seen[0].text == source.text.replace("old(a)", "json.loads(a)").replace(
        HEAD, f"import json\nimport ast\n{HEAD}"
    )


def test_a_name_that_many_put_into_one_import_is_put_there_once(scan: Scanner) -> None:
    source, analysis = scan.read(functions(*["return a == None"] * 4))
    widened = Edit(source.path, 1, 1, source.lines[0].replace("check", "check, fresh"))
    cases = [
        replace(case, proposal=replace(case.proposal, edits=(widened, *case.proposal.edits)))
        for m in analysis.matches
        for case in line_cases(source, analysis, m, "    return fresh(a) is None\n")
    ]
    verdicts, starts = both_ways(scan, cases)
    assert [verdict.is_verified for verdict in verdicts] == [True] * 4
    assert starts == [1]


def test_names_that_differ_in_one_import_are_scanned_apart(scan: Scanner) -> None:
    source, analysis = scan.read(functions(*["return a == None"] * 2))
    cases = []
    for name, m in zip(("fresh", "other"), analysis.matches, strict=True):
        widened = Edit(source.path, 1, 1, source.lines[0].replace("check", f"check, {name}"))
        (case,) = line_cases(source, analysis, m, f"    return {name}(a) is None\n")
        cases.append(replace(case, proposal=replace(case.proposal, edits=(widened, *case.proposal.edits))))
    verdicts, starts = both_ways(scan, cases)
    assert [verdict.is_verified for verdict in verdicts] == [True] * 2
    assert starts == [2]


def test_two_findings_on_one_line_and_in_one_statement(scan: Scanner) -> None:
    """Their lines overlap, so they go to different copies, in the same start."""
    bodies = [
        "return a == None, b == None",
        "return both(\n        a == None,\n        b == None,\n    )",
        "return old(c)",
    ]
    source, analysis = scan.read(functions(*bodies))
    cases: list[Case] = []
    for match in analysis.matches:
        line = source.lines[match.start.line - 1]
        found = line[match.start.col - 1 : match.end.col - 1]
        fixed = line.replace(found, found.replace("== None", "is None").replace("old", "new"))
        cases += line_cases(source, analysis, match, fixed)
    verdicts, starts = both_ways(scan, cases)
    assert [verdict.is_verified for verdict in verdicts] == [True] * 5
    assert starts == [2]


def test_a_half_cured_statement_is_no_cure(scan: Scanner) -> None:
    """Of two findings in one statement, the fix of one does nothing: the cure of the other one doesn't stand for it."""
    source, analysis = scan.read(
        functions("return both(\n        a == None,\n        b == None,\n    )", "return old(c)")
    )
    one, other, last = analysis.matches
    cases = [
        *line_cases(source, analysis, one, "        None is a,\n"),
        *line_cases(source, analysis, other, "        b  == None,\n"),
        *line_cases(source, analysis, last, "    return new(c)\n"),
    ]
    verdicts, _starts = both_ways(scan, cases)
    assert [verdict.is_verified for verdict in verdicts] == [True, False, True]


def test_alternatives_are_tried_where_the_first_fails(scan: Scanner) -> None:
    source, analysis = scan.read(functions(*["return a == None"] * 4))
    right, wrong = "    return a is None\n", "    return a is None or b == None\n"
    texts = [(right, wrong), (wrong, right), (wrong, wrong, right), (right, right)]
    cases = [c for m, each in zip(analysis.matches, texts, strict=True) for c in line_cases(source, analysis, m, *each)]
    verdicts, starts = both_ways(scan, cases)
    assert [verdict.is_verified for verdict in verdicts] == [True, False, False, True, False, False, True, True, False]
    skipped = [i for i, verdict in enumerate(verdicts) if said(verdict, "gone") == "an earlier candidate was proved"]
    assert skipped == [1, 8]
    assert len(starts) <= 4


def test_every_candidate_gets_a_verdict_where_none_is_enough(scan: Scanner) -> None:
    source, analysis = scan.read(functions(*["return a == None"] * 3))
    texts = ("    return a is None\n", "    return None is a\n", "    return b == None\n")
    cases = [c for m in analysis.matches for c in line_cases(source, analysis, m, *texts)]
    alone = prove(cases, scan, worth_batching=None, is_enough=lambda _proposal: False)
    together = prove(cases, scan, worth_batching=0, is_enough=lambda _proposal: False)
    assert [v.is_verified for v in together] == [v.is_verified for v in alone] == [True, True, False] * 3


def test_little_work_is_scanned_one_by_one_in_one_start(scan: Scanner) -> None:
    source, analysis = scan.read(functions(*["return a == None"] * 3))
    texts = ("    return a is None\n", "    return None is a\n")
    cases = [c for m in analysis.matches for c in line_cases(source, analysis, m, *texts)]
    scan.starts.clear()
    assert all(verdict.is_verified for verdict in prove(cases, scan))
    assert scan.starts == [6]


def test_without_time_nothing_is_proved_and_nothing_started(scan: Scanner) -> None:
    source, analysis = scan.read(functions(*["return a == None"] * 4))
    cases = [c for m in analysis.matches for c in line_cases(source, analysis, m, "    return a is None\n")]

    class NeverAsked(Engine):
        def scan(self, *_args: object, **_options: object) -> list[TargetScan]:
            raise AssertionError("the engine was started")

    idle = replace(scan.critic, engine=NeverAsked(None, "none"))
    verdicts = prove(cases, lambda sources: idle.analyse_sources(sources, Deadline(0)), worth_batching=0)
    assert {said(verdict, "gone") for verdict in verdicts} == {
        "the fixed file could not be analysed: skipped: the time budget was used up while the scanner ran"
    }
    assert not any(verdict.is_verified for verdict in verdicts)


@pytest.mark.parametrize(("slow", "proved"), [(1, True), (9, False)])
def test_a_copy_that_takes_too_long_is_tried_once_more_and_not_one_by_one(
    scan: Scanner, slow: int, proved: bool
) -> None:
    source, analysis = scan.read(functions(*["return a == None"] * 6))
    cases = [c for m in analysis.matches for c in line_cases(source, analysis, m, "    return a is None\n")]
    scan.starts.clear()

    def answers(sources: Sequence[Source]) -> list[FileAnalysis]:
        found = scan(sources)
        late = (Gap("rule eq-none took longer than 1 s", transient=True),) if len(scan.starts) <= slow else ()
        return [replace(each, gaps=late) for each in found]

    verdicts = prove(cases, answers, worth_batching=0)
    assert [verdict.is_verified for verdict in verdicts] == [proved] * 6
    assert scan.starts == [1, 1]
    if not proved:
        assert said(verdicts[0], "gone") == "the fixed file could not be analysed: rule eq-none took longer than 1 s"


def test_a_part_that_could_not_be_read_before_may_stay_unread_and_no_other(scan: Scanner) -> None:
    """The scanner is asked for real; what it could not read is put in by hand, since few things are unreadable to it."""
    source, analysis = scan.read(functions(*["return a == None"] * 3))
    unread = replace(analysis, gaps=(Gap("lines 5-5", 5, 5),))
    cases = [c for m in unread.matches for c in line_cases(source, unread, m, "    return a is (\n        None)\n")]

    def answers(first: int) -> list[bool]:
        gap = Gap("lines", first, first)
        after = lambda sources: [replace(each, gaps=(gap,)) for each in scan(sources)]  # noqa: E731
        return [verdict.is_verified for verdict in prove(cases, after, worth_batching=0)]

    scan.starts.clear()
    assert answers(5) == [True] * 3
    assert scan.starts == [1]
    # Another place: nothing together. Alone, the count of gaps decides.
    assert answers(2) == [True] * 3
    assert scan.starts[1:] == [1, 3]


@pytest.mark.parametrize("worth", [None, 0])
def test_an_import_right_above_the_statement_does_not_push_it_off_its_lines(scan: Scanner, worth: int | None) -> None:
    source, analysis = scan.read("from app import old\na = old(1)\nb = old(2)\nc = old(3)\n")
    cases = []
    for match in analysis.matches:
        number = match.start.line
        above = Edit(source.path, 1, 1, source.lines[0] + "import json\n")
        fix = Edit(source.path, number, number, source.lines[number - 1].replace("old(", "json.loads("))
        cases.append(Case(source, match, analysis, Proposal(f"line {number}", (above, fix), "rule")))
    assert [verdict.is_verified for verdict in prove(cases, scan, worth_batching=worth)] == [True] * 3
