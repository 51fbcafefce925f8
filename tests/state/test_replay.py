"""Replays: a recorded proof runs again from what the repository holds, or the program says why it can't."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from nootropic_bot.state.schema import Draft
from tests.support.repo import Repo, Run
from tests.support.state import git, store_at

UNSAFE = "import yaml\n\n\ndef load(text):\n    return yaml.load(text)\n"
SAFE = UNSAFE.replace("yaml.load", "yaml.safe_load")
RULE = "yaml-unsafe-load"


def recorded(repo: Repo, kind: str) -> list[dict[str, Any]]:
    ran = repo.bot("state", "export", "--kind", kind)
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.split("\n")[:-1]]


def fix_of(repo: Repo) -> dict[str, Any]:
    """The data of the only recorded suggestion."""
    (record,) = recorded(repo, "suggestion")
    data: dict[str, Any] = record["data"]
    return data


def replay(repo: Repo, identity: str) -> Run:
    return repo.bot("state", "verify", "--replay", identity, "--format", "json")


def assert_answer(run: Run, answer: str, *parts: str) -> None:
    """It answered so, with the exit code of that answer, and gave a reason that holds `parts`."""
    assert run.code == {"holds": 0, "broken": 1, "unavailable": 4}[answer], run.err or run.out
    assert run.report["answer"] == answer
    for part in parts:
        assert part in run.report["reason"]


def record_again(repo: Repo, data: Mapping[str, Any], attachments: Sequence[bytes] = (), **changed: Any) -> str:
    """Record a changed suggestion through the store; its id."""
    with store_at(repo.path) as store:
        return store.append([Draft("suggestion", {**data, **changed})], attachments).ids[0]


@pytest.fixture
def reviewed(repo: Repo) -> Repo:
    """A repository whose committed file got a proved fix."""
    repo.commit({"app.py": UNSAFE})
    assert repo.review("--all").code == 1
    assert fix_of(repo)["verified"]
    return repo


# The three answers


def test_a_proof_holds_when_its_file_was_committed(reviewed: Repo) -> None:
    fix = fix_of(reviewed)
    (record,) = recorded(reviewed, "suggestion")
    for identity in (fix["suggestion"], record["id"], record["id"][:12]):
        ran = replay(reviewed, identity)
        assert_answer(ran, "holds", "every check passed again")
        assert {c["name"]: c["status"] for c in ran.report["checks"]} == fix["proof"]["checks"]
        assert ran.report["notes"] == []
    text = reviewed.bot("state", "verify", "--replay", fix["suggestion"])
    assert text.out.startswith("holds: every check passed again\n  ")
    assert text.code == 0


def test_a_proof_holds_when_the_file_is_long_gone(reviewed: Repo) -> None:
    identity = fix_of(reviewed)["suggestion"]
    (reviewed.path / "app.py").unlink()
    reviewed.commit({"other.py": "x = 1\n"})
    before = reviewed.state()
    assert_answer(replay(reviewed, identity), "holds")
    assert reviewed.state() == before
    assert recorded(reviewed, "run")[1:] == [], "a replay records nothing"


def test_a_proof_is_unavailable_when_its_file_was_never_committed(repo: Repo) -> None:
    repo.commit({"app.py": SAFE})
    repo.write("app.py", UNSAFE)
    assert repo.review("--worktree").code == 1
    repo.write("app.py", SAFE)
    assert_answer(replay(repo, fix_of(repo)["suggestion"]), "unavailable", "never committed")


def test_a_proof_holds_when_its_file_is_committed_later(repo: Repo) -> None:
    repo.commit({"app.py": SAFE})
    repo.write("app.py", UNSAFE)
    repo.review("--worktree")
    repo.commit({"app.py": UNSAFE})
    assert_answer(replay(repo, fix_of(repo)["suggestion"]), "holds")


def test_a_proof_is_unavailable_without_the_text_of_its_rules(reviewed: Repo) -> None:
    fix = fix_of(reviewed)
    identity = record_again(reviewed, fix, proof={**fix["proof"], "rules": "ab" * 32})
    assert_answer(replay(reviewed, identity), "unavailable", "rules")


def test_a_proof_is_unavailable_when_the_fix_held_a_secret(reviewed: Repo) -> None:
    assert_answer(replay(reviewed, record_again(reviewed, fix_of(reviewed), redacted=1)), "unavailable", "secret")


@pytest.mark.parametrize(
    ("edits", "part"),
    [
        ([{"start": 46, "end": 50, "text": "full_load"}], "not every check passed"),
        ([{"start": 46, "end": 50, "text": "safe_load("}], "not every check passed"),
        ([{"start": 0, "end": 0, "text": "import os\n"}], "not every check passed"),
        ([], "not every check passed"),
        ([{"start": 0, "end": 10**6, "text": ""}], "does not fit the file"),
        ([{"start": 50, "end": 46, "text": "safe_load"}], "does not fit the file"),
    ],
)
def test_a_proof_is_broken_when_its_edits_were_altered(reviewed: Repo, edits: list[dict[str, Any]], part: str) -> None:
    assert fix_of(reviewed)["edits"] == [{"start": 46, "end": 50, "text": "safe_load"}]
    assert_answer(replay(reviewed, record_again(reviewed, fix_of(reviewed), edits=edits)), "broken", part)


@pytest.mark.parametrize(
    "edits",
    [
        [{"start": 46, "end": 50, "text": "safe_load"}, {"start": 46, "end": 50, "text": "safe_load"}],
        [{"start": 40, "end": 60, "text": "x"}, {"start": 46, "end": 50, "text": "safe_load"}],
        [{"start": 0, "end": len(UNSAFE), "text": ""}, {"start": 46, "end": 50, "text": "safe_load"}],
        [{"start": 0, "end": len(UNSAFE), "text": ""}],
        [{"start": len(UNSAFE), "end": len(UNSAFE), "text": "\x00"}],
    ],
)
def test_a44_edits_that_overlap_or_destroy_are_broken(reviewed: Repo, edits: list[dict[str, Any]]) -> None:
    assert_answer(replay(reviewed, record_again(reviewed, fix_of(reviewed), edits=edits)), "broken")


def test_a_proof_is_broken_when_its_finding_is_not_there(reviewed: Repo) -> None:
    identity = record_again(reviewed, fix_of(reviewed), finding="ab" * 10)
    assert_answer(replay(reviewed, identity), "broken", "no longer find")


def test_a_proof_is_broken_when_its_file_is_another_one(reviewed: Repo) -> None:
    fix = fix_of(reviewed)
    safe = git(reviewed.path, "hash-object", "-w", "--stdin", feed=SAFE.encode())
    identity = record_again(reviewed, fix, proof={**fix["proof"], "blob": safe})
    assert_answer(replay(reviewed, identity), "broken", "no longer find")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\x00\xfe", b"# coding: no-such-codec\n", b"def (:\n"])
def test_a44_a_file_that_is_no_source_is_broken(reviewed: Repo, content: bytes) -> None:
    fix = fix_of(reviewed)
    blob = git(reviewed.path, "hash-object", "-w", "--stdin", feed=content)
    for edits in (fix["edits"], [{"start": 0, "end": 0, "text": "x"}], []):
        identity = record_again(reviewed, fix, proof={**fix["proof"], "blob": blob}, edits=edits)
        assert_answer(replay(reviewed, identity), "broken")


@pytest.mark.parametrize("name", ["HEAD", "HEAD^{tree}"])
def test_a44_a_blob_that_is_no_blob_is_not_a_crash(reviewed: Repo, name: str) -> None:
    fix = fix_of(reviewed)
    oid = reviewed.git("rev-parse", name)
    ran = replay(reviewed, record_again(reviewed, fix, proof={**fix["proof"], "blob": oid}))
    assert ran.code in (1, 4), ran.err


_RULES: Mapping[str, Any] = {"rules": [], "hash": "ab" * 32, "has_path_filters": False, "engine_file": '{"rules": []}'}


@pytest.mark.parametrize(
    "content",
    [
        b"rubbish",
        b"\xff\xfe",
        b"[]",
        b"{}",
        json.dumps({**_RULES, "rules": [{"id": "x"}]}).encode(),
        json.dumps({**_RULES, "rules": 5}).encode(),
        json.dumps({**_RULES, "engine_file": "rubbish: ["}).encode(),
        json.dumps({**_RULES, "engine_file": 5}).encode(),
        json.dumps(_RULES).encode(),
    ],
    ids=["text", "bytes", "list", "empty", "half a rule", "no rules", "no yaml", "number", "none"],
)
def test_a44_a_forged_attachment_is_no_crash(reviewed: Repo, content: bytes) -> None:
    fix = fix_of(reviewed)
    proof = {**fix["proof"], "rules": hashlib.sha256(content).hexdigest()}
    ran = replay(reviewed, record_again(reviewed, fix, [content], proof=proof))
    assert ran.code in (1, 4), ran.err
    assert ran.report["answer"] in ("broken", "unavailable")


def test_f23_rules_that_a_newer_version_attached_are_no_crash(reviewed: Repo) -> None:
    """A field that this version does not know, as with records: left aside."""
    fix = fix_of(reviewed)
    oid = git(reviewed.path, "ls-tree", "-r", log_of(reviewed)).split("attachments/")[0].split()[-1]
    packed = json.loads(git(reviewed.path, "cat-file", "blob", oid))
    packed["rules"] = [{**rule, "from_the_future": 1} for rule in packed["rules"]]
    content = json.dumps({**packed, "also": True}).encode()
    proof = {**fix["proof"], "rules": hashlib.sha256(content).hexdigest()}
    ran = replay(reviewed, record_again(reviewed, fix, [content], proof=proof))
    assert_answer(ran, "holds")


def log_of(repo: Repo) -> str:
    (name,) = repo.git("for-each-ref", "--format=%(refname)", "refs/nootropic/log").splitlines()
    return name


def test_a_difference_of_versions_is_said(reviewed: Repo) -> None:
    fix = fix_of(reviewed)
    identity = record_again(reviewed, fix, proof={**fix["proof"], "engine": "0.1.2", "tool": "0.0.0"})
    ran = replay(reviewed, identity)
    assert_answer(ran, "holds")
    assert ["0.1.2" in note or "0.0.0" in note for note in ran.report["notes"]] == [True, True]


@pytest.mark.parametrize("what", ["run", "finding", "nothing", "no id"])
def test_what_is_no_suggestion_is_refused(reviewed: Repo, what: str) -> None:
    fix = fix_of(reviewed)
    identity = {"run": fix["run"], "finding": fix["finding"], "nothing": "ab" * 16, "no id": "../x"}[what]
    ran = replay(reviewed, identity)
    assert (ran.code, ran.out) == (2, "")
    assert "→" in ran.err
    assert "state log" in ran.err


# Rules of the user's


def write_rule(folder: Path, pattern: str, fix: str) -> Path:
    """A rule file of the user's, outside the repository."""
    rule = {"id": "users-rule", "languages": ["python"], "severity": "ERROR", "message": "use the other"}
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"rules": [{**rule, "pattern": pattern, "fix": fix}]}))
    return path


def test_a_replay_needs_no_rule_file(repo: Repo, tmp_path: Path) -> None:
    rules = write_rule(tmp_path, "dial($X)", "connect($X)")
    repo.commit({"a.py": "from net import connect, dial\n\nprint(connect)\ndial(1)\n"})
    ran = repo.review("--all", "--rules", str(rules))
    assert ran.report["findings"][0]["suggestion"]["verified"], ran.out
    rules.unlink()
    assert_answer(replay(repo, fix_of(repo)["suggestion"]), "holds")
    assert str(tmp_path) not in repo.git("cat-file", "--batch-all-objects", "--batch"), "where the file lay is not told"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_fix_that_adds_an_import_is_replayed(repo: Repo, tmp_path: Path, newline: str) -> None:
    rules = write_rule(tmp_path, "dial($X)", "secrets.compare_digest($X, $X)")
    text = '"""A module."""\n\nfrom net import dial\n\n\ndef f(a):\n    return dial(a)\n'
    repo.commit({"a.py": text.replace("\n", newline)})
    ran = repo.review("--all", "--rules", str(rules))
    assert ran.report["findings"][0]["suggestion"]["verified"], ran.out
    assert any("secrets" in edit["text"] for edit in fix_of(repo)["edits"])
    assert_answer(replay(repo, fix_of(repo)["suggestion"]), "holds")


# What the state holds of a file


def state_objects(repo: Repo) -> bytes:
    """Everything that the refs of the state lead to."""
    listed = git(repo.path, "rev-list", "--objects", "--glob=refs/nootropic").splitlines()
    return b"".join(git(repo.path, "cat-file", "-p", line.split()[0]).encode() + b"\n" for line in listed)


@pytest.mark.parametrize("mode", ["--worktree", "--all", "--staged"])
def test_source_that_was_not_committed_is_in_no_object_of_the_state(repo: Repo, mode: str) -> None:
    marked = (
        "import yaml\n\n\ndef zebra_before(text):\n"
        '    return yaml.load(text), zebra_beside("zebra text")  # zebra comment\n\n\nzebra_after = 1\n'
    )
    repo.commit({"app.py": "import yaml\n"})
    repo.write("app.py", marked)
    if mode == "--staged":
        repo.git("add", "--all")
    ran = repo.review(mode)
    assert ran.report["findings"][0]["suggestion"]["verified"], ran.out
    found = state_objects(repo)
    assert b"safe_load" in found
    assert b"zebra" not in found


@pytest.mark.parametrize(
    ("pattern", "fix"),
    [("dial($X, $Y)", "call($Y, $X)"), ("dial($X, $Y)", "call($X, $Y, $X)"), ("dial($X, $Y)", "call([$X, $X, $Y])")],
)
def test_what_a_fix_moves_or_repeats_is_in_no_object_of_the_state(
    repo: Repo, tmp_path: Path, pattern: str, fix: str
) -> None:
    """A word that the fix only puts elsewhere is still the user's own source, not what the fix brings in."""
    rules = write_rule(tmp_path, pattern, fix)
    head = "from net import call, dial\n\n\ndef f(zebra_one, zebra_two):\n"
    repo.commit({"a.py": "x = 1\n"})
    repo.write("a.py", f"{head}    call(0, 0)\n    return dial(zebra_one, zebra_two)\n")
    ran = repo.review("--worktree", "--rules", str(rules), "--unproved")
    assert ran.report["findings"][0]["suggestion"], ran.out
    assert fix_of(repo)["edits"]
    assert b"zebra" not in state_objects(repo)


@pytest.mark.parametrize(
    ("form", "raw"),
    [
        ("crlf", UNSAFE.replace("\n", "\r\n").encode()),
        ("bom", codecs.BOM_UTF8 + UNSAFE.encode()),
        ("latin-1", b"# coding: latin-1\n# caf\xe9\n" + UNSAFE.encode()),
        ("no final newline", UNSAFE[:-1].encode()),
        (
            "several edits on one line",
            UNSAFE.replace("(text)\n", "(text), 1\n").replace(", 1", ", [yaml.load(text)]", 1).encode(),
        ),
        ("astral", "s = '𝒳𝒳𝒳'; ü = 1\n".encode() + UNSAFE.encode()),
    ],
)
def test_f19_proofs_of_files_of_every_form_hold(repo: Repo, form: str, raw: bytes) -> None:
    """Real reviews, from the file's bytes to the replayed proof."""
    repo.commit({"app.py": raw})
    ran = repo.review("--all")
    proved = [f["suggestion"]["id"] for f in ran.report["findings"] if f["suggestion"] and f["suggestion"]["verified"]]
    assert proved, ran.out
    assert [r["data"]["suggestion"] for r in recorded(repo, "suggestion")] == proved
    for identity in proved:
        assert_answer(replay(repo, identity), "holds")
