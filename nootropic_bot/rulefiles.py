"""Rules: found, checked, and merged into one file for the engine.

Merging is what makes the engine fast: 373 rule files cost the wrapper 35 s, the same rules in one file 3.3 s
and the native engine 0.45 s (docs/decisions/0001). In the merged file a rule is called `r<n>`, so neither
Semgrep's path prefix nor an odd id needs parsing afterwards.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from nootropic_bot import __version__, resources
from nootropic_bot.cachefile import read_cached, write_cached
from nootropic_bot.errors import UsageError
from nootropic_bot.records import Rule, Severity

_SEVERITIES: Mapping[str, Severity] = {
    "CRITICAL": "error",
    "HIGH": "error",
    "ERROR": "error",
    "MEDIUM": "warning",
    "WARNING": "warning",
    "LOW": "info",
    "INFO": "info",
    "INVENTORY": "info",
    "EXPERIMENT": "info",
}
_RULE_SUFFIXES = (".yaml", ".yml", ".json")
_REGISTRY = re.compile(r"^(?:[pr]/|auto$|supply-chain$|policy$|secrets$|https?://|git@)")
_FIXTURE = re.compile(r"\.(?:test|fixed)\.ya?ml$")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule file: where it came from, what identifies its content, and the content when already read."""

    name: str
    signature: str
    content: bytes | None = None

    def read(self) -> bytes:
        """The bytes of the file.

        Raises:
            UsageError: it can't be read.
        """
        if self.content is not None:
            return self.content
        try:
            return Path(self.name).read_bytes()
        except OSError as error:
            raise UsageError(f"rule file {self.name} can't be read: {error.strerror}") from error


@dataclass(frozen=True)
class RuleSet:
    """Merged rules. `hash` changes when any pattern, message or fix does."""

    rules: tuple[Rule, ...]
    hash: str
    has_path_filters: bool
    engine_file: bytes

    @cached_property
    def by_id(self) -> Mapping[str, Rule]:
        """The rules by id."""
        return {rule.id: rule for rule in self.rules}

    def find(self, rule_id: str) -> Rule:
        """The rule with an id, the critic's own ones included.

        Raises:
            KeyError: there is none.
        """
        return self.by_id[rule_id] if rule_id in self.by_id else {rule.id: rule for rule in own_rules()}[rule_id]

    def knows(self, rule_id: str) -> bool:
        """Whether `find` finds it."""
        return rule_id in self.by_id or any(rule.id == rule_id for rule in own_rules())

    @cached_property
    def languages(self) -> frozenset[str]:
        """Every language that a rule is for."""
        return frozenset(language for rule in self.rules for language in rule.languages)


def find_rule_files(path: Path, given: str | None = None) -> list[RuleFile]:
    """The rule files at a path: the file itself, or all below a folder. `given` is how the user named it.

    Raises:
        UsageError: it names Semgrep's registry (which would reach the network), or isn't there, or holds no rules.
    """
    given = given or str(path)
    if not path.exists():
        if _REGISTRY.match(given):
            raise UsageError(
                f"--rules {given} names a remote rule set; rules come from files only, nothing is downloaded",
                "download the rules yourself and pass the file or folder",
            )
        raise UsageError(f"--rules {given}: no such file or folder")
    if path.is_file():
        return [_rule_file(path)]
    found = [p for p in sorted(path.rglob("*")) if is_rule_file(str(p)) and p.is_file()]
    if not found:
        raise UsageError(f"--rules {given} holds no rule file (.yaml, .yml or .json)")
    return [_rule_file(p) for p in found]


def is_rule_file(path: str) -> bool:
    """Whether a name looks like a rule file and not like the fixture or test of one."""
    name = path.rsplit("/", 1)[-1]
    return name.endswith(_RULE_SUFFIXES) and not _FIXTURE.search(name) and not name.startswith(".")


def _rule_file(path: Path) -> RuleFile:
    stat = path.stat()
    return RuleFile(str(path), f"{path}:{stat.st_size}:{stat.st_mtime_ns}")


def load_rules(files: Sequence[RuleFile], cache_dir: Path | None) -> RuleSet:
    """Merge rule files.

    Raises:
        UsageError: a file is no rule file, a rule lacks something, or two rules share an id.
    """
    digest = hashlib.sha256("\n".join([__version__, *(file.signature for file in files)]).encode())
    entry = cache_dir / "rules" / f"{digest.hexdigest()}.json" if cache_dir else None
    known = read_cached(entry) if entry else None
    if known is not None:
        try:
            return _from_cache(known)
        except (AttributeError, KeyError, TypeError):  # JSON, but not what we wrote.
            pass
    merged = _merge(files)
    if entry:
        stored = {**asdict(merged), "engine_file": merged.engine_file.decode()}
        write_cached(entry, json.dumps(stored))
    return merged


def _from_cache(known: Mapping[str, Any]) -> RuleSet:
    sequences = ("languages", "cwe", "owasp", "references", "imports", "requires")
    rules = []
    for stored in known["rules"]:
        fields: dict[str, Any] = {k: tuple(v) if k in sequences else v for k, v in stored.items()}
        rules.append(Rule(**fields))
    return RuleSet(tuple(rules), known["hash"], known["has_path_filters"], known["engine_file"].encode())


def _merge(files: Iterable[RuleFile]) -> RuleSet:
    rules: list[Rule] = []
    bodies: list[dict[str, Any]] = []
    seen: dict[str, str] = {}
    for file in files:
        for body in parse_rule_file(file):
            rule = _rule(body, file.name)
            if rule.id in seen:
                raise UsageError(
                    f"the rule id {rule.id!r} is used twice: in {seen[rule.id]} and in {file.name}",
                    "rename one of them",
                )
            seen[rule.id] = file.name
            rules.append(rule)
            bodies.append(body)
    canonical = json.dumps(bodies, sort_keys=True, default=str).encode()
    numbered = [{**body, "id": f"r{number}"} for number, body in enumerate(bodies)]
    for body in numbered:
        body.pop("metadata", None)  # The engine would copy it into every result.
    engine_file = json.dumps({"rules": numbered}, default=str).encode()
    has_path_filters = any("paths" in body for body in bodies)
    return RuleSet(tuple(rules), hashlib.sha256(canonical).hexdigest(), has_path_filters, engine_file)


def parse_rule_file(file: RuleFile) -> list[dict[str, Any]]:
    """The rules of a file, as YAML gives them.

    Raises:
        UsageError: it is not YAML, or has no list `rules`.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(file.read(), Loader=loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"rule file {file.name} is not valid YAML: {' '.join(str(error).split())}") from error
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise UsageError(f"{file.name} is no rule file: it has no list `rules`", "see docs/writing-rules.md")
    return rules


def _rule(body: Mapping[str, Any], file: str) -> Rule:
    for key in ("id", "languages", "severity", "message"):
        if not body.get(key):
            raise UsageError(f"{file}: rule {body.get('id', '(without id)')!r} has no `{key}`")
    severity = _SEVERITIES.get(str(body["severity"]).upper())
    if severity is None:
        raise UsageError(f"{file}: rule {body['id']!r} has the unknown severity {body['severity']!r}")
    metadata = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
    assert isinstance(metadata, dict)
    own = metadata.get("nootropic") if isinstance(metadata.get("nootropic"), dict) else {}
    assert isinstance(own, dict)
    principle = metadata.get("principle")
    return Rule(
        id=str(body["id"]),
        severity=severity,
        message=" ".join(str(body["message"]).split()),
        languages=_texts(body["languages"]),
        cwe=_texts(metadata.get("cwe")),
        owasp=_texts(metadata.get("owasp")),
        principle=None if principle is None else str(principle),
        references=_texts(metadata.get("references")),
        imports=_texts(own.get("imports")),
        requires=_texts(own.get("requires")),
        has_fix="fix" in body or "fix-regex" in body,
        file=file,
    )


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else (str(value),)


@cache
def own_rules() -> tuple[Rule, ...]:
    """The findings that the critic raises itself (`critique/normalize.py`), from `rules/source.toml`."""
    path = resources.own_findings_file()
    table = resources.read_toml(path)
    return tuple(
        Rule(
            id=rule_id,
            severity=entry["severity"],
            message=entry["message"],
            languages=("python",),
            cwe=tuple(entry["cwe"]),
            owasp=tuple(entry.get("owasp", ())),
            principle=entry["principle"],
            references=tuple(entry["references"]),
            file=path.name,
        )
        for rule_id, entry in table.items()
    )
