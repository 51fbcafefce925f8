"""Real code for the tests of learning: this project's own modules, in place of a downloaded corpus."""

from __future__ import annotations

import functools
from pathlib import Path

import nootropic_bot
from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.expansion import Template
from nootropic_bot.learn.ingredients import Ingredients, load_words
from nootropic_bot.learn.material import Material, harvest
from nootropic_bot.resources import bundled_rules
from nootropic_bot.rulefiles import RuleSet, find_rule_files, load_rules, parse_rule_file
from nootropic_bot.templates import parse_examples


@functools.cache
def files() -> tuple[CodeFile, ...]:
    """Every module of the package that has code in it."""
    root = Path(nootropic_bot.__file__).parent
    found = []
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        # Those hold rule ids and examples, or spell the format's control tokens.
        if len(text) > 1000 and not {"sample", "learn"} & set(path.parts) and "<|" not in text:
            found.append(CodeFile("nootropic-bot", path.relative_to(root).as_posix(), text))
    return tuple(found)


@functools.cache
def material() -> Material:
    return harvest(files())


@functools.cache
def rules() -> RuleSet:
    return load_rules(find_rule_files(bundled_rules()), None)


@functools.cache
def unproved_templates() -> tuple[Template, ...]:
    """Every example of the pack as a template with its whole first line flagged: the engine is not asked."""
    found = []
    for file in find_rule_files(bundled_rules()):
        for raw in parse_rule_file(file):
            rule = rules().by_id[str(raw["id"])]
            for number, example in enumerate(parse_examples(rule.id, raw.get("metadata") or {})):
                first = example.unsafe.split("\n")[0]
                found.append(Template(rule, number, example, (0, 0), (0, len(first))))
    return tuple(found)


@functools.cache
def ingredients() -> Ingredients:
    return Ingredients(unproved_templates(), rules().by_id, files(), material(), load_words())
