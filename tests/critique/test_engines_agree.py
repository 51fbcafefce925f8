"""The native engine and the Python wrapper say the same of every rule fixture; the fall-back is no other product."""

from __future__ import annotations

from pathlib import Path

import pytest

from nootropic_bot import resources
from nootropic_bot.critique.semgrep import Engine, Hit, Target, find_engine
from nootropic_bot.rulefiles import RuleSet, find_rule_files, load_rules

Places = set[tuple[str, str, int, int, str | None]]


@pytest.fixture(scope="module")
def pack() -> RuleSet:
    return load_rules(find_rule_files(resources.bundled_rules()), None)


@pytest.fixture(scope="module")
def targets() -> list[Target]:
    root = resources.bundled_rules()
    return [Target(path.relative_to(root).as_posix(), path.read_bytes()) for path in sorted(root.rglob("*.py"))]


def places(engine: Engine, pack: RuleSet, targets: list[Target], *, wrapper_only: bool) -> Places:
    """Every result of one engine."""
    scans = engine.scan(pack, targets, rule_timeout=30, jobs=2, wrapper_only=wrapper_only)

    def key(target: Target, hit: Hit) -> tuple[str, str, int, int, str | None]:
        return target.path, pack.rules[hit.rule].id, hit.start, hit.end, hit.fix

    return {key(target, hit) for target, scan in zip(targets, scans, strict=True) for hit in scan.hits}


def test_native_engine_and_wrapper_agree_on_every_fixture(pack: RuleSet, targets: list[Target]) -> None:
    engine = find_engine()
    assert engine.core is not None
    native = places(engine, pack, targets, wrapper_only=False)
    wrapped = places(engine, pack, targets, wrapper_only=True)
    assert len(native) > 6 * len(pack.rules) * 0.9, "the fixtures are hardly flagged at all"
    assert native == wrapped


def test_when_the_native_engine_crashes_the_wrapper_answers(pack: RuleSet, tmp_path: Path) -> None:
    crashing = tmp_path / "semgrep-core"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    target = Target("a.py", b"import yaml\nyaml.load(x, Loader=yaml.Loader)\n")
    (scan,) = Engine(crashing, "0").scan(pack, [target], rule_timeout=10, jobs=1)
    (expected,) = find_engine().scan(pack, [target], rule_timeout=10, jobs=1)
    assert expected.hits
    assert scan.hits == expected.hits
