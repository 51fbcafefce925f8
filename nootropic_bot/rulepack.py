"""Rules as one text that the state keeps beside the suggestions that they led to, so that a proof can be run again."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from nootropic_bot import resources
from nootropic_bot.records import Rule
from nootropic_bot.rulefiles import RuleSet
from nootropic_bot.state.redact import count_secrets


def rules_text(rules: RuleSet) -> bytes | None:
    """The rules as they are; None when rules of the user's hold a secret."""
    bundled = str(resources.bundled_rules())
    bodies = json.loads(rules.engine_file)["rules"]
    foreign = [body for rule, body in zip(rules.rules, bodies, strict=True) if not rule.file.startswith(bundled)]
    return None if count_secrets(foreign) else pack_rules(rules)


def pack_rules(rules: RuleSet) -> bytes:
    """Rules as an attachment; where their files lay is left out."""
    entries = [{key: value for key, value in asdict(rule).items() if key != "file"} for rule in rules.rules]
    packed = {
        "rules": entries,
        "hash": rules.hash,
        "has_path_filters": rules.has_path_filters,
        "engine_file": rules.engine_file.decode(),
    }
    return json.dumps(packed, sort_keys=True, separators=(",", ":")).encode()


def unpack_rules(content: bytes) -> RuleSet:
    """Rules from an attachment; fields that a newer version added are passed over.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is none.
    """
    packed = json.loads(content)
    known = {field.name for field in fields(Rule)}
    rules = []
    for entry in packed["rules"]:
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items() if k in known}
        rules.append(Rule(**values))
    bodies = json.loads(packed["engine_file"])["rules"]
    if len(bodies) != len(rules) or not all(
        isinstance(body, dict) and isinstance(r.id, str) for body, r in zip(bodies, rules, strict=True)
    ):
        raise ValueError("rules and their bodies differ")
    return RuleSet(tuple(rules), packed["hash"], bool(packed["has_path_filters"]), packed["engine_file"].encode())
