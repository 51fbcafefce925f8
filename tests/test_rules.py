"""The rule pack is held to what it claims; every rule on its own, so that a failure names it."""

from __future__ import annotations

import pytest

from nootropic_bot import resources
from nootropic_bot.rulefiles import RuleFile, find_rule_files, load_rules, own_rules
from nootropic_bot.ruletests import RuleResult, check_rules

FILES = find_rule_files(resources.bundled_rules())
IDS = [rule.id for rule in load_rules(FILES, None).rules]


@pytest.fixture(scope="module")
def results() -> dict[str, RuleResult]:
    return {result.rule.id: result for result in check_rules(FILES)}


@pytest.mark.parametrize("rule_id", IDS)
def test_a_rule_keeps_its_word(rule_id: str, results: dict[str, RuleResult]) -> None:
    result = results[rule_id]
    assert result.problems == []
    assert result.findings >= 6
    if result.rule.has_fix:
        assert result.verified > 0, result.failed_checks


def test_the_pack_is_broad_and_many_rules_fix(results: dict[str, RuleResult]) -> None:
    assert len(results) >= 80
    assert sum(result.rule.has_fix for result in results.values()) >= 40


def test_every_principle_that_rules_name_exists() -> None:
    named = {rule.principle for rule in (*load_rules(FILES, None).rules, *own_rules())}
    assert named <= set(resources.principles())


BROKEN = """
rules:
  - id: half-a-rule
    languages: [python]
    severity: ERROR
    message: too short
    pattern: eval(...)
    metadata:
      principle: no-such-principle
      nootropic: {examples: [{unsafe: "safe_call($X)", safe: "eval($X)", holes: {X: expr}}]}
"""


def test_a_rule_that_breaks_its_word_is_told_so(tmp_path: object) -> None:
    (result,) = check_rules([RuleFile("half-a-rule.yaml", "1", BROKEN.encode())])
    told = "\n".join(result.problems)
    for part in (
        "cwe",
        "principle",
        "references",
        "too short",
        "examples",
        "no fixture",
        "is not flagged",
        "is flagged",
    ):
        assert part in told
