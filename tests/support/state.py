"""The state under test: records of every kind made from a number, real clones of a real bare remote, and what these hold.

`remote_ids` and `ref_ids` read with plain git and check every line themselves, so that a fault of our reader can't hide
one of our writer.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from nootropic_bot.config import StateSettings
from nootropic_bot.git import Repository
from nootropic_bot.state.schema import Draft, Result, draft
from nootropic_bot.state.store import Store

RESULTS: tuple[Result, ...] = get_args(Result)
_SEVERITIES = ("error", "warning", "info")


def _hex(name: str, seed: int, length: int) -> str:
    """Hexadecimal digits that depend on a name and a number alone."""
    return hashlib.sha256(f"{name} {seed}".encode()).hexdigest()[:length]


def _rule(seed: int) -> str:
    return f"test.rule-{seed % 7}"


def run(seed: int) -> Draft:
    """A review that is over."""
    return draft(
        "run",
        {
            "run": _hex("run", seed, 16),
            "mode": "range",
            "pull_request": seed % 50 + 1,
            "base": _hex("base", seed, 40),
            "head": _hex("head", seed, 40),
            "rules": _hex("rules", seed % 3, 64),
            "tool": "0.0.0",
            "engine": "semgrep test",
            "complete": True,
            "redacted": 0,
            "findings": seed % 9,
            "in_scope": seed % 5,
            "suppressed": seed % 2,
            "verified": seed % 4,
            "critique_ms": seed % 900,
            "propose_ms": seed % 70,
            "verify_ms": seed % 800,
            "total_ms": seed % 2000,
        },
    )


def finding(seed: int) -> Draft:
    """A problem at a place."""
    return draft(
        "finding",
        {
            "run": _hex("run", seed, 16),
            "finding": _hex("finding", seed, 32),
            "rule_id": _rule(seed),
            "path": f"src/módulo_{seed % 11}.py",
            "line": seed % 400 + 1,
            "end_line": seed % 400 + 2,
            "severity": _SEVERITIES[seed % 3],
            "in_scope": seed % 4 != 0,
            "pull_request": seed % 50 + 1,
        },
    )


def suggestion(seed: int) -> Draft:
    """A fix for `finding(seed)`."""
    return draft(
        "suggestion",
        {
            "run": _hex("run", seed, 16),
            "suggestion": _hex("suggestion", seed, 32),
            "finding": _hex("finding", seed, 32),
            "rule_id": _rule(seed),
            "path": f"src/módulo_{seed % 11}.py",
            "pull_request": seed % 50 + 1,
            "source": "rule",
            "verified": seed % 5 != 0,
            "confidence": None,
            "edits": [{"start": seed % 100, "end": seed % 100 + 4, "text": f"value_{seed}\n"}],
            "proof": {
                "blob": _hex("blob", seed, 40),
                "rules": _hex("rules", seed % 3, 64),
                "engine": "semgrep test",
                "tool": "0.0.0",
                "checks": {"parses": "passed", "types": "not_run"},
            },
        },
    )


def outcome(seed: int, *, of: int | None = None, result: Result | None = None) -> Draft:
    """What became of `suggestion(seed)`, or of `suggestion(of)`."""
    about = suggestion(seed if of is None else of).data
    chosen = RESULTS[seed % len(RESULTS)] if result is None else result
    data = {"suggestion": about["suggestion"], "rule_id": about["rule_id"], "result": chosen}
    return draft("outcome", {**data, "pull_request": about["pull_request"], "commit": _hex("commit", seed, 40)})


def triage(seed: int, *, remove: str | None = None) -> Draft:
    """A decision that findings of a rule don't count, or that the entry of record id `remove` no longer holds."""
    if remove is not None:
        return draft("triage", {"action": "remove", "target": remove, "reason": f"no longer {seed}", "author": "Test"})
    where = {"rule_id": _rule(seed), "path": f"src/part_{seed % 5}/**"}
    return draft("triage", {"action": "add", **where, "reason": f"known, number {seed}", "author": "Test"})


def cost(seed: int) -> Draft:
    """What a run used."""
    return draft(
        "cost",
        {
            "run": _hex("run", seed, 16),
            "backend": f"backend-{seed % 3}",
            "model": None,
            "input_tokens": seed % 5000,
            "output_tokens": seed % 700,
            "milliseconds": seed % 3000,
            "microdollars": seed % 90_000,
        },
    )


def note(seed: int) -> Draft:
    """A text that no other number gives."""
    return draft("note", {"text": f"note {seed}: – “ü” \u2028 {_hex('note', seed, 12)}"})


MAKERS = (run, finding, suggestion, outcome, triage, cost, note)


def drafts(seed: int, count: int = 1) -> list[Draft]:
    """Drafts of all kinds in turn; with `count` 7 or more each kind is among them."""
    return [MAKERS[(seed + number) % len(MAKERS)](seed + number) for number in range(count)]


def store_at(path: Path, namespace: str = "nootropic") -> Store:
    """The store of the repository at `path`; close it, or use it in a `with`."""
    return Store(Repository.open(path), StateSettings(namespace=namespace))


def bare_remote(folder: Path, name: str = "remote.git") -> Path:
    """A new bare repository in `folder`; its path."""
    remote = folder / name
    remote.mkdir(parents=True)
    git(remote, "init", "--quiet", "--bare")
    return remote


def clone(remote: Path, path: Path) -> Path:
    """A clone of `remote` at `path`, which is answered; its remote's name is `origin`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    git(path.parent, "clone", "--quiet", str(remote), str(path))
    return path


def git(where: Path, *args: str, feed: bytes | None = None, check: bool = True) -> str:
    """Run plain git; what it prints, without the last line end."""
    done = subprocess.run(["git", *args], cwd=where, input=feed, capture_output=True, check=False, env=os.environ)
    if check and done.returncode:
        raise AssertionError(f"git {args}: {done.stderr.decode('utf-8', 'replace')}")
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def record_ids(store: Store) -> set[str]:
    """The ids of the records in the fold, after an update of the index."""
    store.index.update()
    return {identity for (identity,) in store.index.db.execute("SELECT lower(hex(id)) FROM record")}


def digest(store: Store) -> str:
    """The digest of the fold, after an update of the index."""
    store.index.update()
    return store.index.digest()


def remote_ids(remote: Path) -> set[str]:
    """The ids of all records on a bare remote, in whichever namespace: logs with their history, bases as they are."""
    return ref_ids(remote, "refs/nootropic", "refs/heads/nootropic")


def ref_ids(repository: Path, *prefixes: str) -> set[str]:
    """The ids of all records that refs below `prefixes` lead to, read through plain git."""
    return {str(record["id"]) for record in ref_records(repository, *prefixes)}


def ref_records(repository: Path, *prefixes: str) -> Iterator[dict[str, Any]]:
    """The records that refs below `prefixes` lead to, each once for every segment that holds it.

    A line whose bytes are not what its id says is left out.
    """
    names = git(repository, "for-each-ref", "--format=%(refname)", *prefixes).splitlines()
    logs = "".join(f"{name}\n" for name in names if not name.endswith("/base")).encode()
    found = git(repository, "rev-list", "--objects", "--stdin", feed=logs).splitlines() if logs else []
    blobs = {oid for oid, _space, path in (line.partition(" ") for line in found) if path.endswith(".jsonl")}
    for name in (name for name in names if name.endswith("/base")):
        for entry in git(repository, "ls-tree", "-r", "-z", "--full-tree", name, check=False).split("\0"):
            meta, _tab, path = entry.partition("\t")
            if path.endswith(".jsonl"):
                blobs.add(meta.split(" ")[2])
    for content in _contents(repository, sorted(blobs)):
        for line in content.split(b"\n"):
            if line and (record := _genuine(line)) is not None:
                yield record


def _contents(repository: Path, oids: list[str]) -> Iterator[bytes]:
    """Blobs, with one process."""
    if not oids:
        return
    feed = "".join(f"{oid}\n" for oid in oids).encode()
    args = ["git", "cat-file", "--batch"]
    output = subprocess.run(args, cwd=repository, input=feed, capture_output=True, check=True).stdout
    at = 0
    for oid in oids:
        end = output.index(b"\n", at)
        name, kind, *size = output[at:end].decode().split(" ")
        assert name == oid
        at = end + 1
        if kind != "missing":
            if kind == "blob":
                yield output[at : at + int(size[0])]
            at += int(size[0]) + 1


def _genuine(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line, if its id is the hash of the rest."""
    try:
        record: dict[str, Any] = json.loads(line)
        identity = record.pop("id")
        body = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return {"id": identity, **record} if hashlib.sha256(body).hexdigest() == identity else None
