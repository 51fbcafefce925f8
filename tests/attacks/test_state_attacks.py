"""The attacks of the corpus on the state: secrets (A22, A52), names (A43), hooks (A42), forged records (A44).

Also what nobody should learn from the state: who was logged in where.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nootropic_bot.config import StateSettings
from nootropic_bot.errors import UsageError
from nootropic_bot.git import Repository
from nootropic_bot.state.compact import compact_remote
from nootropic_bot.state.repair import check
from nootropic_bot.state.schema import Draft
from nootropic_bot.state.store import Store
from nootropic_bot.state.sync import Sync
from tests.faults.test_faults import BOT, UNSAFE, call
from tests.faults.test_state_faults import (
    HERE,
    SYNC,
    append,
    digest_at,
    identity,
    ids_at,
    logs_of,
    make_line,
    own_log,
    plant,
    sync,
)
from tests.support.repo import PROJECT, Repo, Run, run_bot
from tests.support.state import bare_remote, clone, note, outcome, ref_ids, remote_ids, store_at, suggestion


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare_remote(tmp_path)


@pytest.fixture
def here(remote: Path, tmp_path: Path) -> Path:
    """A clone of `remote`."""
    return clone(remote, tmp_path / "here")


@pytest.fixture
def other(remote: Path, tmp_path: Path) -> Path:
    """Somebody else's clone of `remote`."""
    return clone(remote, tmp_path / "other")


def git(path: Path, *args: str, feed: bytes | None = None) -> bytes:
    """Run plain git; what it prints, as bytes."""
    done = subprocess.run(["git", *args], cwd=path, input=feed, capture_output=True, check=True)
    return done.stdout


def all_objects(path: Path) -> bytes:
    """Everything that the repository stores, reachable or not."""
    return git(path, "cat-file", "--batch-all-objects", "--batch")


# A22, A52: secrets. They are put together here, so that no scanner takes this file for a leak.


def base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


AWS_KEY = "AKIA" + "Q3EGRIZKXN7TPDV2"
GITHUB_TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
PASSWORD = "correct" + "horse7battery"
KEY_BODY = "MIIEowIBAAKCAQEAx5Vn0pYV6zv2mYkq0wUwJ1v3Q2m8n7b6v5c4x3z2a1s0d9f8"
PRIVATE_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_BODY}\n{KEY_BODY[::-1]}\n-----END RSA PRIVATE KEY-----"
SIGNATURE = "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
WEB_TOKEN = f"{base64url(json.dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{base64url(json.dumps({'sub': '1234567890'}))}.{SIGNATURE}"

# A text, and the parts of it that nobody may read again.
SECRETS: Mapping[str, tuple[str, Sequence[str]]] = {
    "AWS key": (f"the key is {AWS_KEY} for now", [AWS_KEY]),
    "GitHub token": (f"seen with {GITHUB_TOKEN}, fine", [GITHUB_TOKEN]),
    "private key": (f"it is\n{PRIVATE_KEY}\nso what", [KEY_BODY, KEY_BODY[::-1]]),
    "password": (f'password = "{PASSWORD}"', [PASSWORD]),
    "web token": (f"Authorization: Bearer {WEB_TOKEN}", [WEB_TOKEN, SIGNATURE]),
    "URL": (f"see https://deploy:{PASSWORD}@example.org/x", [PASSWORD]),
}
secrets = pytest.mark.parametrize(("text", "parts"), SECRETS.values(), ids=SECRETS)


def assert_no_part(path: Path, parts: Sequence[str]) -> None:
    """None of them is in an object, nor in the index of the state."""
    index = [each.read_bytes() for each in (path / ".git/nootropic").glob("state.sqlite*")]
    content = b"\n".join([all_objects(path), *index])
    assert b"nootropic state: segment" in content, "there is something to look through"
    for part in parts:
        assert part.encode() not in content
        assert base64.b64encode(part.encode()) not in content


@secrets
def test_a22_a_secret_in_a_triage_reason_is_in_no_object(repo: Repo, text: str, parts: Sequence[str]) -> None:
    ran = repo.bot("triage", "add", "--rule", "yaml-unsafe-load", "--reason", text, "--format", "json")
    assert ran.code == 0, ran.err
    assert "secrets taken out of the text: " in ran.err
    assert_no_part(repo.path, parts)
    (record,) = json.loads(repo.bot("state", "log", "--format", "json").out)
    assert record["data"]["redacted"] >= 1
    assert "[redacted" in record["data"]["reason"]
    removed = repo.bot("triage", "remove", record["id"][:12], "--reason", text)
    assert removed.code == 0, removed.err
    assert_no_part(repo.path, parts)


@secrets
def test_a22_a_secret_in_a_suggestion_is_in_no_object(repo: Repo, text: str, parts: Sequence[str]) -> None:
    draft = suggestion(1)
    held = draft._replace(data={**draft.data, "edits": [{"start": 0, "end": 4, "text": text}], "path": f"a {text}.py"})
    with store_at(repo.path) as store:
        assert store.append([note(1), held, note(2)]).redacted >= 2
    assert_no_part(repo.path, parts)
    (record,) = json.loads(repo.bot("state", "log", "--kind", "suggestion", "--format", "json").out)
    assert record["data"]["redacted"] >= 2


@secrets
def test_a52_a_secret_in_an_outcome_or_a_note_is_in_no_object(
    here: Path, remote: Path, text: str, parts: Sequence[str]
) -> None:
    accepted = outcome(1, result="accepted")
    held = [accepted._replace(data={**accepted.data, "rule_id": text}), Draft("note", {"text": text})]
    with store_at(here) as store:
        assert store.append(held).redacted >= 2
    sync(here)
    assert_no_part(here, parts)
    for part in parts:
        assert part.encode() not in all_objects(remote)
    for record in json.loads(run_bot("state", "log", "--format", "json", cwd=here).out):
        assert record["data"]["redacted"] >= 1


RULES = """\
rules:
  - id: old-connect
    languages: [python]
    severity: ERROR
    message: Use connect_v2, which takes the key first.
    pattern: db.connect($HOST, $KEY)
    fix: db.connect_v2(password=$KEY, host=$HOST)
"""
# A line that the bundled rules flag and mend, and one that the rule above turns round.
KEPT = f"import yaml\n\n\ndef load(fetch):\n    return yaml.load(fetch('{AWS_KEY}', 'https://deploy:{PASSWORD}@example.org'))\n"
MOVED = f'def start(db):\n    return db.connect("one.db.eu.example.org", "{GITHUB_TOKEN}")\n'
MOVED_PASSWORD = f'def start(db):\n    return db.connect("one.db.eu.example.org", "{PASSWORD}")\n'


def reviewed(repo: Repo, content: str, rules: Path | None = None) -> Run:
    """Review a file that was never given to git; a suggestion has been recorded."""
    # The bundled rules have a finding of their own for a password in the code.
    repo.commit({"nootropic.toml": "bundled_rules = false\n" if rules else ""})
    repo.write("app.py", content)
    ran = repo.review("--worktree", *(["--rules", str(rules)] if rules else []))
    assert ran.code == 1, ran.err
    assert ran.report["summary"]["verified_suggestions"] == 1, ran.report
    log = json.loads(repo.bot("state", "log", "--kind", "suggestion", "--format", "json").out)
    assert len(log) == 1
    return ran


def test_a22_a_fix_that_keeps_a_secret_brings_it_into_no_object(repo: Repo) -> None:
    reviewed(repo, KEPT)
    assert_no_part(repo.path, [AWS_KEY, PASSWORD])


@pytest.mark.parametrize(
    ("content", "parts"), [(MOVED, [GITHUB_TOKEN]), (MOVED_PASSWORD, [PASSWORD])], ids=["token", "password"]
)
def test_a22_a_fix_that_moves_a_secret_brings_it_into_no_object(
    repo: Repo, tmp_path: Path, content: str, parts: Sequence[str]
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    reviewed(repo, content, rules)
    assert_no_part(repo.path, parts)
    (record,) = json.loads(repo.bot("state", "log", "--kind", "suggestion", "--format", "json").out)
    assert any(edit.get("copies") for edit in record["data"]["edits"]), "what is moved is named by its place"


def test_a22_a_secret_that_a_fix_brings_in_is_taken_out_and_counted(repo: Repo, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("host=$HOST", f"host=$HOST, secret='{PASSWORD}', token='{GITHUB_TOKEN}'"))
    ran = reviewed(repo, 'def start(db, key):\n    return db.connect("db.example.org", key)\n', rules)
    assert_no_part(repo.path, [GITHUB_TOKEN, PASSWORD])
    (record,) = json.loads(repo.bot("state", "log", "--kind", "suggestion", "--format", "json").out)
    assert record["data"]["redacted"] >= 1
    assert "secrets taken out of what was recorded: " in ran.err
    assert repo.bot("state", "verify", "--replay", record["data"]["suggestion"]).code == 4


def attachments(path: Path) -> list[str]:
    """The attachments of all logs."""
    tips = git(path, "for-each-ref", "--format=%(objectname)", f"{HERE}/log")
    listed = git(path, "rev-list", "--objects", "--stdin", feed=tips).decode()
    return [line for line in listed.splitlines() if " attachments/" in line]


@pytest.mark.parametrize("holds_secret", [True, False])
def test_a22_rules_that_hold_a_secret_are_not_attached(repo: Repo, tmp_path: Path, holds_secret: bool) -> None:
    rules = tmp_path / "rules.yaml"
    where = f"    metadata:\n      internal: 'token {GITHUB_TOKEN}'\n" if holds_secret else ""
    rules.write_text(RULES.replace("Use", f"With {AWS_KEY} use" if holds_secret else "Use") + where)
    reviewed(repo, 'def start(db, key):\n    return db.connect("db.example.org", key)\n', rules)
    assert bool(attachments(repo.path)) is not holds_secret
    objects = all_objects(repo.path)
    assert AWS_KEY.encode() not in objects
    assert GITHUB_TOKEN.encode() not in objects


def test_a22_source_that_was_never_committed_is_in_no_object(repo: Repo) -> None:
    """A secret that no detector knows: what is not written can't leak."""
    odd = "zanzibar seven lighthouse"
    reviewed(repo, UNSAFE.replace("yaml.load(text)", f"yaml.load(text + '{odd}')  # {odd}") + f"# {odd}\n")
    assert odd.encode() not in all_objects(repo.path)


# Who, and where


def test_neither_login_nor_host_nor_folder_is_in_any_object(tmp_path: Path) -> None:
    remote = bare_remote(tmp_path / "folder-of-the-server")
    path = clone(remote, tmp_path / "folder-of-the-user")
    repo = Repo(path)
    repo.commit({"README": "x\n"})
    home = Path(os.environ["HOME"])
    # git would make a name and an address of these.
    (home / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n")
    canaries = ["login-canary", "host-canary", "folder-of-the", home.name, tmp_path.name]
    env = {"USER": "login-canary", "LOGNAME": "login-canary", "HOSTNAME": "host-canary", "EMAIL": "login-canary@x"}
    repo.write("app.py", UNSAFE)
    extra = tmp_path / "folder-of-the-rules"
    extra.mkdir()
    (extra / "rules.yaml").write_text(RULES)
    for args in (
        ("review", "--worktree", "--rules", str(extra), "--pull-request", "7"),
        ("triage", "add", "--rule", "yaml-unsafe-load", "--reason", "known"),
        ("hook",),
        SYNC,
        ("state", "sync", "--close"),
        ("state", "compact"),
    ):
        ran = on_host("host-canary", *args, cwd=path, env=env)
        assert ran.code in (0, 1), (args, ran.err)
    kinds = {record["kind"] for record in json.loads(repo.bot("state", "log", "--format", "json").out)}
    assert kinds == {"run", "finding", "suggestion", "triage"}
    assert attachments_of_base(remote)
    for repository in (path, remote):
        content = all_objects(repository)
        assert b'"author":""' in content
        for canary in canaries:
            assert canary.encode() not in content, canary
        for place in (str(path), str(remote), str(PROJECT), str(home)):
            assert place.encode() not in content


def attachments_of_base(remote: Path) -> list[str]:
    listed = git(remote, "ls-tree", "-r", "--name-only", f"{HERE}/base").decode().splitlines()
    return [name for name in listed if name.startswith("attachments/")]


def on_host(name: str, *args: str, cwd: Path, env: Mapping[str, str]) -> Run:
    """Run the program on a machine of this name, where names can be given; else as it is."""
    rename = "import os, socket, sys; socket.sethostname(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"
    enter = ["unshare", "--uts", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    try:
        ran = call([*enter, sys.executable, "-c", rename, name, *BOT, *args], cwd=cwd, env=env)
    except FileNotFoundError:
        ran = Run(1, "", "unshare:")
    return run_bot(*args, cwd=cwd, env=env) if ran.err.startswith("unshare:") else ran


def test_the_configured_identity_is_the_only_name(repo: Repo) -> None:
    ran = repo.bot("triage", "add", "--rule", "yaml-unsafe-load", "--reason", "known", env={"USER": "login-canary"})
    assert ran.code == 0
    content = all_objects(repo.path)
    assert b'"author":"Test <test@example.invalid>"' in content
    assert b"login-canary" not in content
    authors = git(repo.path, "log", "--format=%an %ae %cn %ce", own_log(repo.path)).decode().split()
    assert set(authors) == {"nootropic-bot", "nootropic-bot@localhost"}


# A42: hooks and configuration of the repository

HOOKS = (
    *("applypatch-msg", "commit-msg", "fsmonitor-watchman", "post-checkout", "post-commit", "post-index-change"),
    *("post-merge", "post-rewrite", "post-update", "pre-auto-gc", "pre-commit", "pre-merge-commit", "pre-push"),
    *("pre-rebase", "prepare-commit-msg", "push-to-checkout", "reference-transaction", "sendemail-validate"),
)


def trap(folder: Path, name: str) -> Path:
    """A program that leaves a file called after it."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(folder.parent / 'sprung'))}/{name}\nexit 0\n")
    path.chmod(0o755)
    return path


def use_state(path: Path) -> None:
    """Everything that writes, shares or reads the state."""
    for args, code in (
        (("triage", "add", "--rule", "yaml-unsafe-load", "--reason", "known"), 0),
        (SYNC, 0),
        (("triage", "add", "--rule", "yaml-unsafe-load", "--reason", "again"), 0),
        (("state", "sync", "--close"), 0),
        (("state", "compact"), 0),
        (("state", "log"), 0),
        (("state", "verify"), 0),
        (("state", "export"), 0),
        (("review", "--worktree"), 0),
        (SYNC, 0),
    ):
        ran = run_bot(*args, cwd=path)
        assert ran.code == code, (args, ran.err)


@pytest.mark.parametrize("has_hooks_path", [False, True])
def test_a42_hooks_and_configuration_of_the_repository_run_nothing(
    here: Path, other: Path, remote: Path, tmp_path: Path, has_hooks_path: bool
) -> None:
    sprung = tmp_path / "sprung"
    sprung.mkdir()
    append(other, [note(1)], closing=True)
    sync(other)
    for name in HOOKS:
        trap(tmp_path / "traps", f"hook-{name}")
        folder = tmp_path / "hooks" if has_hooks_path else here / ".git/hooks"
        folder.mkdir(exist_ok=True)
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(tmp_path / "traps" / f"hook-{name}")
    if has_hooks_path:
        git(here, "config", "core.hooksPath", str(tmp_path / "hooks"))
    run = {name: str(trap(tmp_path / "traps", name.replace(".", "-"))) for name in (
        *("core.fsmonitor", "core.editor", "sequence.editor", "core.pager", "gpg.program", "diff.external"),
        *("core.sshCommand", "core.askPass", "pager.log", "filter.x.clean", "filter.x.smudge", "diff.x.textconv"),
    )}  # fmt: skip
    aliases = ("push", "fetch", "hash-object", "update-ref", "commit-tree", "mktree", "for-each-ref", "ls-remote")
    settings = {
        **run,
        **{f"alias.{name}": f"!{trap(tmp_path / 'traps', f'alias-{name}')}" for name in aliases},
        "credential.helper": f"!{trap(tmp_path / 'traps', 'credential')}",
        "commit.gpgSign": "true",
        "tag.gpgSign": "true",
        "fetch.prune": "true",
        "submodule.recurse": "true",
        "core.autocrlf": "true",
        "i18n.commitEncoding": "ISO-8859-1",
    }
    for key, value in settings.items():
        git(here, "config", key, value)
    (here / ".gitattributes").write_text("* filter=x diff=x\n")
    (here / ".git/info/attributes").write_text("* filter=x diff=x\n")

    use_state(here)
    assert os.listdir(sprung) == []
    assert len(remote_ids(remote)) >= 4
    assert logs_of(remote) == [] or own_log(here) in logs_of(remote)

    # The traps work.
    subprocess.run(["git", "update-ref", "refs/x", f"{HERE}/remote/base"], cwd=here, check=True, capture_output=True)
    assert "hook-reference-transaction" in os.listdir(sprung)


def test_a42_no_push_is_signed(here: Path, remote: Path, tmp_path: Path) -> None:
    """A server that offers signed pushes makes `push.gpgSign` start a program."""
    (tmp_path / "sprung").mkdir()
    git(remote, "config", "receive.certNonceSeed", "seed")
    git(here, "config", "gpg.program", str(trap(tmp_path / "traps", "gpg")))
    for value in ("if-asked", "true"):
        git(here, "config", "push.gpgSign", value)
        ids = append(here, [note(1)])
        ran = run_bot(*SYNC, cwd=here)
        assert os.listdir(tmp_path / "sprung") == []
        assert ran.code == 0, ran.err
        assert ids <= remote_ids(remote)


def test_a42_no_command_of_the_configuration_lists_what_alternates_have(
    here: Path, other: Path, tmp_path: Path
) -> None:
    (tmp_path / "sprung").mkdir()
    append(other, [note(1)])
    sync(other)
    alternate = Repo.init(tmp_path / "alternate")
    alternate.commit({"README": "x\n"})
    (here / ".git/objects/info/alternates").write_text(f"{alternate.path}/.git/objects\n")
    git(here, "config", "core.alternateRefsCommand", str(trap(tmp_path / "traps", "alternates")))
    use_state(here)
    assert os.listdir(tmp_path / "sprung") == []


# A43: names that are options, addresses or commands

HOSTILE = ("--upload-pack=touch P", "--upl=touch P", "../x", "ext::sh -c touch% P", "file:///x", "", "-x", "x y", "a;touch P", "$(touch P)")  # fmt: skip


def assert_no_file_p(*folders: Path) -> None:
    for folder in folders:
        assert not [path for path in folder.rglob("*") if path.name == "P"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a43_a_remote_that_is_no_name_is_refused(here: Path, tmp_path: Path, value: str) -> None:
    append(here, [note(1)])
    (here / "nootropic.toml").write_text(f"[state]\nremote = {json.dumps(value)}\n")
    for args in (SYNC, ("state", "compact"), ("state", "log"), ("triage", "list")):
        ran = run_bot(*args, cwd=here)
        assert ran.code == 2, ran.err
        assert "state.remote" in ran.err
    assert_no_file_p(tmp_path)


@pytest.mark.parametrize("value", [*HOSTILE, "refs/heads/x", "heads/a/b", "heads/", "nootropic/../heads/main", "a.lock", "@{-1}", "x\n"])  # fmt: skip
def test_a43_a_namespace_that_is_no_place_for_refs_is_refused(
    here: Path, remote: Path, tmp_path: Path, value: str
) -> None:
    append(here, [note(1)])
    (here / "nootropic.toml").write_text(f"[state]\nnamespace = {json.dumps(value)}\n")
    ran = run_bot(*SYNC, cwd=here)
    assert ran.code == 2, ran.err
    assert "state.namespace" in ran.err
    assert git(remote, "for-each-ref") == b""
    assert_no_file_p(tmp_path)


@pytest.mark.parametrize("name", ["--upload-pack=touch P", "--receive-pack=touch P", "-oProxyCommand=touch P", "ext::sh -c touch% P"])  # fmt: skip
def test_a43_a_remote_with_the_name_of_an_option_is_refused(
    here: Path, remote: Path, tmp_path: Path, name: str
) -> None:
    with (here / ".git/config").open("a") as config:
        config.write(f'[remote "{name}"]\n\turl = {remote}\n\tfetch = +refs/heads/*:refs/remotes/x/*\n')
    append(here, [note(1)])
    with (
        Store(Repository.open(here), StateSettings(remote=name)) as store,
        pytest.raises(UsageError, match="no remote"),
    ):
        Sync(store)
    (here / "nootropic.toml").write_text(f"[state]\nremote = {json.dumps(name)}\n")
    for args in (SYNC, ("state", "verify"), ("state", "compact")):
        assert run_bot(*args, cwd=here).code == 2
    (here / "nootropic.toml").unlink()
    assert run_bot(*SYNC, cwd=here).code == 0, "the other remote is none of our business"
    assert_no_file_p(tmp_path)


@pytest.mark.parametrize("how", ["url", "pushurl", "insteadOf"])
def test_a43_an_address_that_is_a_command_runs_nothing(here: Path, other: Path, tmp_path: Path, how: str) -> None:
    ids = append(here, [note(1)])
    command = f"ext::sh -c touch% {tmp_path}/P"
    git(here, "config", "protocol.ext.allow", "always")
    if how == "insteadOf":
        git(here, "config", f"url.{command}.insteadOf", str(tmp_path / "remote.git"))
    else:
        git(here, "config", f"remote.origin.{how}", command)
    ran = run_bot(*SYNC, cwd=here, env={"GIT_ALLOW_PROTOCOL": "ext:file", "GIT_PROTOCOL_FROM_USER": "1"})
    assert ran.code == 5, ran.err
    assert_no_file_p(tmp_path)
    assert ids_at(here) == ids
    subprocess.run(
        ["git", "fetch" if how != "pushurl" else "push", "origin", "--all"], cwd=here, check=False, capture_output=True
    )
    subprocess.run(["git", "ls-remote", command], cwd=here, check=False, capture_output=True)
    assert (tmp_path / "P").exists(), "git itself would have run it"


REF_NAMES = (
    *("$(touch${IFS}P)", "`touch${IFS}P`", ";touch${IFS}P;", "--upload-pack=touch", "--upl=x", "-x", "|touch${IFS}P"),
    *("\u202egnp.exe", "a\u200bb", "é" * 16, "0123456789abcdeF", "0123456789abcdef0", "0123456789abcde", "\u0660" * 16),
    *("{a,b}", "&", "<x>", "'", '"', "%00", "%(objectname)", "!x", "#1", "@team"),
)


def test_a43_hostile_ref_names_of_the_remote_do_nothing(here: Path, other: Path, remote: Path, tmp_path: Path) -> None:
    theirs = append(other, [note(1)])
    sync(other)
    commit = git(remote, "rev-parse", own_log(other)).decode().strip()
    for name in REF_NAMES:
        for place in (f"{HERE}/log/{name}", f"{HERE}/base-{name}", f"{HERE}/{name}"):
            git(remote, "update-ref", place, commit)
    mine = append(here, [note(2)])
    for args in (SYNC, ("state", "compact"), ("state", "verify"), SYNC):
        ran = run_bot(*args, cwd=here)
        assert (ran.code, ran.err) == (0, ""), args
    assert ids_at(here) == theirs | mine
    assert theirs | mine <= remote_ids_of(remote, own_log(other), own_log(here))
    ours = git(here, "for-each-ref", "--format=%(refname)", HERE).decode().splitlines()
    assert [name for name in ours if not re.fullmatch(rf"{HERE}/(remote/)?log/[0-9a-f]{{16}}", name)] == []
    assert_no_file_p(tmp_path)


def remote_ids_of(remote: Path, *names: str) -> set[str]:
    return {record for name in names for record in ref_ids(remote, name)}


# A44: forged records


def note_line(text: str, clock: int, writer: str = "ab" * 8) -> bytes:
    return make_line("note", {"text": text}, clock, writer)


HONEST = note_line("honest", 2)
FORGED: Mapping[str, bytes] = {
    "altered content": HONEST.replace(b"honest", b"forged"),
    "id of another record": HONEST[:7] + identity(note_line("x", 1)).encode() + HONEST[71:],
    "id in capitals": HONEST[:7] + HONEST[7:71].upper() + HONEST[71:],
    "white space": HONEST.replace(b'"clock":', b'"clock": '),
    "clock 2^63": note_line("ahead", 2**63),
    "clock 2^64": note_line("ahead", 2**64),
    "clock 2^53": note_line("ahead", 2**53),
    "clock 2^53 - 1": note_line("ahead", 2**53 - 1),
    "clock 10^7": note_line("ahead", 10**7),
    "clock 0": note_line("behind", 0),
    "clock -2^63": note_line("behind", -(2**63)),
    "clock of 5000 digits": note_line("ahead", 2).replace(b'"clock":2', b'"clock":' + b"9" * 5000),
    "no JSON": b"\xff\xfe\x00 touch P",
    "no object": b"[]",
    "empty object": b"{}",
    "deep": b'{"id":' + b"[" * 100_000,
    "writer that is a path": make_line("note", {"text": "x"}, 3, "../../../etc/pass"),
    "wall clock that is a command": make_line("note", {"text": "x"}, 3, at="$(touch P)"),
    "triage without a reason": make_line("triage", {"action": "add", "rule_id": "r", "author": "a"}, 3),
    "outcome of no kind": make_line("outcome", {"suggestion": "0" * 16, "rule_id": "r", "result": "great"}, 3),
    "data that is a list": make_line("weather", [1, 2], 3),  # type: ignore[arg-type]
    "schema 0": make_line("note", {"text": "x"}, 3, schema=0),
    "no kind": make_line("", {"text": "x"}, 3).replace(b'"kind":"",', b""),
    "two megabytes": note_line("x" * (2 << 20), 3),
}


def assert_forged_is_quarantined(forged: bytes, here: Path, other: Path, remote: Path) -> None:
    first = append(here, [note(1)])
    sync(here)
    # In the middle of a segment whose other lines are good.
    good = [note_line("before", 2), note_line("after", 3)]
    plant(remote, [good[0], forged, good[1]])
    sync(other)
    theirs = append(other, [note(2)])
    sync(other)
    sync(here)
    mine = append(here, [note(3)])
    sync(here)
    sync(other)
    honest = first | theirs | mine | {identity(line) for line in good}

    verified = run_bot("state", "verify", "--format", "json", cwd=here)
    assert verified.code == 1, verified.err
    report = json.loads(verified.out)
    assert report["damaged"] == {}
    (entry,) = report["quarantined"]
    assert entry["size"] == len(forged)
    assert 8 < len(entry["reason"]) < 200
    assert "touch P" not in entry["reason"]
    folded = assert_same_fold(here, other, honest, entry)
    clocks = [record["clock"] for record in log(here)]
    assert len(clocks) == len(honest)
    assert max(clocks) < 10, "the forged clock carried an honest writer away"

    # Folded into the base it is quarantined still, and nothing else is.
    with store_at(here) as store:
        working = Sync(store)
        working.run()
        assert compact_remote(store, working, now=10**11).writers >= 3
    sync(other)
    assert assert_same_fold(here, other, honest, entry) == folded


def assert_same_fold(here: Path, other: Path, ids: set[str], quarantined: Mapping[str, object]) -> str:
    """Two clones agree on the records and on the one line that is none; the digest of the fold."""
    digests = set()
    for path in (here, other):
        assert ids_at(path) == ids
        digests.add(digest_at(path))
        with store_at(path) as store:
            report = check(store)
            (entry,) = report.quarantined
            assert report.damaged == {}
            digests.add(store.index.digest())
        assert (entry["hash"], entry["reason"]) == (quarantined["hash"], quarantined["reason"])
    (folded,) = digests
    return folded


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a44_a_forged_record_is_quarantined_and_the_rest_stays_readable(
    forged: bytes, here: Path, other: Path, remote: Path
) -> None:
    assert b"\n" not in forged
    assert_forged_is_quarantined(forged, here, other, remote)


@pytest.mark.slow
def test_a44_a_record_of_a_hundred_megabytes_is_quarantined(here: Path, other: Path, remote: Path) -> None:
    assert_forged_is_quarantined(note_line("x" * 100_000_000, 3), here, other, remote)


@pytest.mark.parametrize("clock", [10**7, 2**53 - 1])
def test_a44_a_forged_clock_carries_nobody_away_even_where_nothing_else_is(
    here: Path, other: Path, remote: Path, clock: int
) -> None:
    """The first honest writer of a repository may meet the forged record before any other."""
    plant(remote, [note_line("ahead", clock)])
    sync(here)
    mine = append(here, [note(1)])
    (record,) = [record for record in log(here) if record["id"] in mine]
    assert record["clock"] < 10**6
    sync(here)
    sync(other)
    theirs = append(other, [note(2)])
    sync(other)
    sync(here)
    assert mine | theirs <= ids_at(here)
    assert mine | theirs <= ids_at(other)
    assert digest_at(here) == digest_at(other)


def log(path: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(run_bot("state", "log", "--format", "json", cwd=path).out)
    return records


def test_a44_a_forged_clock_that_is_reached_step_by_step_is_read(here: Path, remote: Path) -> None:
    """What is held back is not dropped: when others fill the gap, it counts."""
    first = append(here, [note(1)])
    sync(here)
    ahead = note_line("ahead", 1_900_000, "aa" * 8)
    plant(remote, [ahead], "aa" * 8)
    sync(here)
    assert ids_at(here) == first
    between = note_line("between", 950_000, "bb" * 8)
    plant(remote, [between], "bb" * 8)
    sync(here)
    assert ids_at(here) == first | {identity(ahead), identity(between)}
    assert run_bot("state", "verify", cwd=here).code == 0


def test_a44_a_record_says_another_writer_and_is_still_one_record(here: Path, other: Path, remote: Path) -> None:
    """Who may push may write; a line in a foreign name is a record like others and replaces none."""
    theirs = append(other, [note(1)])
    sync(other)
    victim = own_log(other).rsplit("/", 1)[1]
    copied = git(other, "cat-file", "blob", f"{own_log(other)}:0.jsonl").rstrip(b"\n")
    own_words = note_line("in a foreign name", 1, victim)
    plant(remote, [own_words, copied, copied])
    sync(here)
    assert ids_at(here) == theirs | {identity(own_words)}
    theirs |= append(other, [note(2)])
    sync(other)
    sync(here)
    assert ids_at(here) == ids_at(other) == theirs | {identity(own_words)}
    assert digest_at(here) == digest_at(other)


def test_a44_a_rewritten_log_in_a_foreign_name_loses_nothing(here: Path, other: Path, remote: Path) -> None:
    theirs = append(other, [note(1)])
    sync(other)
    sync(here)
    forged = note_line("now mine", 2, own_log(other).rsplit("/", 1)[1])
    plant(remote, [forged], own_log(other).rsplit("/", 1)[1])
    ran = run_bot(*SYNC, cwd=here)
    assert ran.code == 0
    assert "the remote lost" in ran.err
    theirs |= append(other, [note(2)])
    for path in (other, here, other):
        assert run_bot(*SYNC, cwd=path).code == 0
    assert remote_ids(remote) == ids_at(here) == ids_at(other) == theirs | {identity(forged)}


# A tree of a log is data as well: names and modes that no writer of ours makes.


@pytest.mark.parametrize("entry", ["120000 blob {blob}\t1.jsonl", "160000 commit {commit}\t1.jsonl", "040000 tree {tree}\t1.jsonl"])  # fmt: skip
def test_a44_odd_entries_of_a_tree_disturb_nothing(here: Path, other: Path, remote: Path, entry: str) -> None:
    theirs = append(other, [note(1)])
    sync(other)
    line = note_line("beside it", 2)
    blob = git(remote, "hash-object", "-w", "--stdin", feed=line + b"\n").decode().strip()
    link = git(remote, "hash-object", "-w", "--stdin", feed=b"/etc/passwd").decode().strip()
    empty = git(remote, "mktree", feed=b"").decode().strip()
    odd = entry.format(blob=link, commit=git(remote, "rev-parse", own_log(other)).decode().strip(), tree=empty)
    tree = git(remote, "mktree", feed=f"100644 blob {blob}\t0.jsonl\n{odd}\n".encode()).decode().strip()
    commit = git(remote, "commit-tree", "-m", "nootropic state: segment 1, clock 2", tree).decode().strip()
    git(remote, "update-ref", f"{HERE}/log/{'cd' * 8}", commit)
    ran = run_bot(*SYNC, cwd=here)
    assert ran.code == 0, ran.err
    assert ids_at(here) == theirs | {identity(line)}
    assert run_bot("state", "verify", cwd=here).code in (0, 1)
    assert ids_at(here) == theirs | {identity(line)}
    with store_at(here) as store:
        working = Sync(store)
        working.run()
        compact_remote(store, working, now=10**11)
    sync(other)
    assert ids_at(here) == ids_at(other) == theirs | {identity(line)}


@pytest.mark.parametrize("subject", ["", "nootropic state: segment 9, clock 99999999999999999999", "nootropic state: segment 999999999999999, clock 9007199254740991, closed", "\x1b[2J\u202e\x00", "nootropic state: segment -1, clock x"])  # fmt: skip
def test_a44_the_subject_of_a_foreign_commit_moves_no_clock(here: Path, remote: Path, subject: str) -> None:
    blob = git(remote, "hash-object", "-w", "--stdin", feed=HONEST + b"\n").decode().strip()
    tree = git(remote, "mktree", feed=f"100644 blob {blob}\t0.jsonl\n".encode()).decode().strip()
    raw = f"tree {tree}\nauthor a <a@x> 99999999999 +9999\ncommitter a <a@x> 99999999999 +9999\n\n{subject}\n"
    args = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    commit = git(remote, *args, feed=raw.encode()).decode().strip()
    git(remote, "update-ref", f"{HERE}/log/{'cd' * 8}", commit)
    ran = run_bot(*SYNC, cwd=here)
    assert ran.code == 0, ran.err
    mine = append(here, [note(1)])
    assert ids_at(here) == mine | {identity(HONEST)}
    (record,) = [record for record in log(here) if record["id"] in mine]
    assert record["clock"] == 3
    assert run_bot("state", "compact", cwd=here).code == 0
    assert ids_at(here) == mine | {identity(HONEST)}


# A3, A30, A46: text of a record drives no terminal, log or spreadsheet

DRIVING = "\x1b[2J\x1b]0;title\x07\u202egnp\u200b\n::stop-commands::x\r"


def test_a30_the_text_of_a_foreign_record_drives_no_terminal(here: Path, remote: Path) -> None:
    lines = [
        make_line(f"kind {DRIVING}", {"text": "x"}, 1),
        make_line("note", {"text": DRIVING, "reason": DRIVING, "path": DRIVING, "line": DRIVING}, 2),
        make_line("run", {"mode": DRIVING, "findings": DRIVING}, 3, schema=2),
        make_line(
            "triage", {"action": "add", "rule_id": DRIVING, "path": DRIVING, "reason": DRIVING, "author": DRIVING}, 4
        ),
    ]
    plant(remote, lines)
    for args in (SYNC, ("state", "log"), ("triage", "list"), ("state", "verify")):
        ran = run_bot(*args, cwd=here)
        assert ran.code == 0, ran.err
        for character in "\x1b\x07\u202e\u200b\r":
            assert character not in ran.out + ran.err, (args, character)
        assert not re.search(r"^\s*::", ran.out + ran.err, re.MULTILINE), args
    assert len(run_bot("state", "log", cwd=here).out.splitlines()) == len(lines) + 2


def test_a46_a_foreign_record_is_no_formula_of_a_spreadsheet(here: Path, remote: Path) -> None:
    plant(remote, [make_line("=cmd|' /C calc'!A0", {"text": "x"}, 1), make_line("note", {"text": "=1+1"}, 2)])
    sync(here)
    rows = list(csv.reader(io.StringIO(run_bot("state", "export", "--format", "csv", cwd=here).out)))
    assert len(rows) == 3
    for row in rows:
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    "data",
    [
        '{"n":' + "9" * 5000 + "}",
        '{"n":NaN}',
        '{"n":1e999}',
        '{"n":' + "[" * 150 + "]" * 150 + "}",
        '{"n":"\\ud800"}',
        '{"n":1,"n":2}',
        '{"suggestion":{"a":[1]},"finding":[[]],"line":{}}',
    ],
    ids=["long number", "no number", "huge number", "nested", "lone surrogate", "twice", "odd forms"],
)
@pytest.mark.parametrize("kind", ["weather", "run"])
def test_a44_odd_json_in_an_unknown_record_breaks_no_command(here: Path, remote: Path, kind: str, data: str) -> None:
    body = f'{{"at":"2024-05-06T07:08:09Z","clock":2,"data":{data},"kind":"{kind}","schema":7,"writer":"{"ab" * 8}"}}'
    line = b'{"id":"%s",%s' % (hashlib.sha256(body.encode()).hexdigest().encode(), body[1:].encode())
    mine = append(here, [note(1)])
    plant(remote, [line])
    for args in (
        SYNC,
        ("state", "log"),
        ("state", "log", "--format", "json"),
        ("state", "log", "--format", "yaml"),
        ("state", "export"),
        ("state", "export", "--format", "csv"),
        ("state", "verify"),
    ):
        ran = run_bot(*args, cwd=here)
        assert ran.code in ((0, 1) if "verify" in args else (0,)), (args, ran.err)
    assert mine <= ids_at(here)
