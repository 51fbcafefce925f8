"""Gates save work and change no answer."""

from __future__ import annotations

import json
import sysconfig
from dataclasses import replace
from pathlib import Path

from nootropic_bot import resources
from nootropic_bot.critique.gates import Gates
from nootropic_bot.critique.semgrep import Target, find_engine
from nootropic_bot.records import Rule
from nootropic_bot.rulefiles import RuleFile, RuleSet, find_rule_files, load_rules

RULES = b"""
rules:
- {id: free, languages: [python], severity: INFO, message: m, pattern: 'bar(...)'}
- {id: choice, languages: [python], severity: INFO, message: m, pattern: 'eval(...)',
   metadata: {nootropic: {requires: ['eval|exec']}}}
- {id: both, languages: [python], severity: INFO, message: m, pattern: 'foo(...)',
   metadata: {nootropic: {requires: ['foo', 're:^import']}}}
"""


def rules_of(found: list[list[str]], rules: RuleSet, targets: list[Target]) -> list[list[str]]:
    """The ids of the rules that speak about each target."""
    for scan in find_engine().scan(rules, targets, rule_timeout=10, jobs=1):
        found.append([rules.rules[hit.rule].id for hit in scan.hits])
        assert scan.was_scanned
    return found


def test_a_rule_speaks_only_where_its_texts_stand() -> None:
    rules = load_rules([RuleFile("rules.yaml", "1", RULES)], None)
    targets = [
        Target("a.py", b"eval(1)\nfoo(2)\nbar(3)\n"),
        Target("b.py", b"import x\nfoo(2)\n"),
        Target("c.py", b"x = 1\n"),
    ]
    assert [sorted(found) for found in rules_of([], rules, targets)] == [["choice", "free"], ["both"], []]


def test_rules_that_nothing_is_open_to_are_not_given_to_the_engine() -> None:
    rules = (Rule("a", "info", "m", ("python",), requires=("eval",)), Rule("b", "info", "m", ("python",)))
    engine_file = json.dumps({"rules": [{"id": "r0"}, {"id": "r1"}]}).encode()
    gates = Gates(rules)
    assert gates.folder(b"nothing here") == ""
    assert json.loads(gates.narrow(engine_file) or b"") == {"rules": [{"id": "r1"}]}
    gates = Gates(rules[:1])
    gates.folder(b"nothing here")
    assert gates.narrow(json.dumps({"rules": [{"id": "r0"}]}).encode()) is None


def test_with_no_rule_left_the_targets_count_as_scanned() -> None:
    rules = load_rules([RuleFile("rules.yaml", "1", RULES.replace(b"- {id: free", b"- {id: gone").replace(b"'bar(...)'}", b"'bar(...)', metadata: {nootropic: {requires: ['bar']}}}"))], None)  # fmt: skip
    assert rules_of([], rules, [Target("c.py", b"x = 1\n")]) == [[]]


def test_the_packs_gates_lose_nothing() -> None:
    pack = load_rules(find_rule_files(resources.bundled_rules()), None)
    free = replace(pack, rules=tuple(replace(rule, requires=()) for rule in pack.rules))
    fixtures = sorted(resources.bundled_rules().rglob("*.py"))[::4]
    library = sorted(Path(sysconfig.get_path("stdlib"), "http").glob("*.py"))
    targets = [Target(path.name, path.read_bytes()) for path in (*fixtures, *library)]

    def places(rules: RuleSet) -> set[tuple[int, int, int]]:
        scans = find_engine().scan(rules, targets, rule_timeout=30, jobs=2)
        return {(number, hit.rule, hit.start) for number, scan in enumerate(scans) for hit in scan.hits}

    with_gates = places(pack)
    assert len(with_gates) > 6 * len(fixtures)
    assert with_gates == places(free)
