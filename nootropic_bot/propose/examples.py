"""The examples of the rule that a finding is of, and what they do to words."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from nootropic_bot.propose.accounting import Ledger, ledger_of
from nootropic_bot.records import Rule
from nootropic_bot.resources import bundled_rules
from nootropic_bot.rulefiles import RuleFile, find_rule_files, parse_rule_file
from nootropic_bot.templates import Example, parse_examples


def examples_of(rule: Rule) -> tuple[Example, ...]:
    """The examples of a rule.

    None for a rule of the repository: the file of its name in the work tree may be another one than what was reviewed.
    """
    return _read(rule.file).get(rule.id, ())


def ledgers_of(rule: Rule) -> tuple[Ledger, ...]:
    """What fixes of a rule do to words: by its own examples, or, where it has none, by any rule's of the pack."""
    own = ledger_of(examples_of(rule))
    return (own,) if own is not None else _all_ledgers()


@lru_cache(maxsize=256)
def imports_of(rule: Rule) -> Mapping[str, frozenset[str]]:
    """The names that fixes of the rule's examples bring in, and the modules they take them from."""
    found: dict[str, set[str]] = {}
    for example in examples_of(rule):
        # Setups with a place for the snippet don't parse as they stand.
        for line in example.setup.splitlines():
            for node in _import_froms(line.strip()):
                for alias in node.names:
                    is_brought = _has_word(example.safe, alias.name) and not _has_word(example.unsafe, alias.name)
                    if is_brought and alias.asname is None and node.module and not node.level:
                        found.setdefault(alias.name, set()).add(node.module)
    return {name: frozenset(modules) for name, modules in found.items()}


_SENTENCE = re.compile(r"""(["'])((?:\w+[ ,:]+){3,}\w[^"'\n]*)\1""")
_TELLING = re.compile(r"[^\W\d_]{4,}")


def recites(rule: Rule, old: str, new: str) -> bool:
    """Whether a fix says a sentence of an example's by heart that has next to nothing to do with the code at hand."""
    known = {found[2] for example in examples_of(rule) for found in _SENTENCE.finditer(example.safe)}
    here = set(_TELLING.findall(old))
    for sentence in {found[2] for found in _SENTENCE.finditer(new)} & known:
        words = set(_TELLING.findall(sentence))
        if sentence not in old and 3 * len(words & here) < len(words):
            return True
    return False


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None


def _import_froms(line: str) -> list[ast.ImportFrom]:
    if not line.startswith("from "):
        return []
    try:
        return [node for node in ast.parse(line).body if isinstance(node, ast.ImportFrom)]
    except SyntaxError:
        return []


@lru_cache(maxsize=1)
def _all_ledgers() -> tuple[Ledger, ...]:
    made = (ledger_of(examples) for file in find_rule_files(bundled_rules()) for examples in _read(file.name).values())
    # One that brings in anything accounts for nothing.
    return tuple(ledger for ledger in made if ledger is not None and not ledger.brings_any)


@lru_cache(maxsize=256)
def _read(file: str) -> dict[str, tuple[Example, ...]]:
    path = Path(file)
    if not path.is_absolute() or not path.is_file():
        return {}
    raws = ((str(raw.get("id")), raw.get("metadata") or {}) for raw in parse_rule_file(RuleFile(file, "")))
    return {rule_id: tuple(parse_examples(rule_id, metadata)) for rule_id, metadata in raws}
