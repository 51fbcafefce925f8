"""The state through the program: what `state` and `triage` print and refuse, what a review records and honours."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from nootropic_bot.state.schema import Draft, encode
from tests.state.test_schema import made, named
from tests.support.repo import PROJECT, Repo, Run, run_bot
from tests.support.state import drafts, finding, note, store_at, suggestion

UNSAFE = "import yaml\n\n\ndef load(text):\n    return yaml.load(text)\n"
SAFE = UNSAFE.replace("yaml.load", "yaml.safe_load")
RULE = "yaml-unsafe-load"
TODAY = date.today()


def assert_refused(run: Run, *parts: str, code: int = 2) -> None:
    """It ended with this code, said all of `parts` on standard error, and nothing on standard output."""
    assert run.code == code, run.err or run.out
    for part in parts:
        assert part in run.err
    assert run.out == ""


def recorded(repo: Repo, kind: str | None = None) -> list[dict[str, Any]]:
    """The records as `state export` gives them, oldest first."""
    ran = repo.bot("state", "export", *(["--kind", kind] if kind else []))
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.split("\n")[:-1]]


def kinds(repo: Repo) -> list[str]:
    return [record["kind"] for record in recorded(repo)]


def finding_ids(run: Run) -> list[str]:
    return [each["id"] for each in run.report["findings"]]


def parse(text: str, format_: str) -> Any:
    return json.loads(text) if format_ == "json" else yaml.safe_load(text)


def append(repo: Repo, *made_: Draft) -> tuple[str, ...]:
    with store_at(repo.path) as store:
        return store.append(made_).ids


def append_lines(repo: Repo, *lines: bytes) -> None:
    with store_at(repo.path) as store:
        store.append_verbatim(lines)


# state log, show, verify, export


def test_log_lists_the_newest_first(repo: Repo) -> None:
    ids = append(repo, *drafts(0, 25))
    shown = json.loads(repo.bot("state", "log", "--format", "json").out)
    assert [record["id"] for record in shown] == list(reversed(ids))[:20]
    every = repo.bot("state", "log", "--limit", "100", "--format", "yaml")
    assert [record["id"] for record in yaml.safe_load(every.out)] == list(reversed(ids))
    notes = json.loads(repo.bot("state", "log", "--kind", "note", "--limit", "1", "--format", "json").out)
    assert [record["data"]["text"][:8] for record in notes] == ["note 20:"]


def test_log_as_text_has_a_line_a_record_and_a_count(repo: Repo) -> None:
    assert repo.bot("state", "log").out == "nothing is recorded here yet\n"
    ids = append(repo, finding(1))
    assert repo.bot("state", "log").out.endswith("\n\n1 record\n")
    ids += append(repo, suggestion(1), note(3))
    lines = repo.bot("state", "log", "--limit", "2").out.splitlines()
    assert [line[:12] for line in lines[:2]] == [ids[2][:12], ids[1][:12]]
    assert lines[-1] == "2 of 3 records"
    assert "suggestion" in lines[1]
    assert f"{suggestion(1).data['suggestion']}" in lines[1]


def test_show_finds_records_by_every_id(repo: Repo) -> None:
    ids = append(repo, finding(1), Draft("finding", {**finding(1).data, "pull_request": 99}), suggestion(1), note(2))
    for identity in (ids[3], ids[3][:10], ids[3][:10].upper()):
        assert json.loads(repo.bot("state", "show", identity).out)["id"] == ids[3]
    shown = json.loads(repo.bot("state", "show", finding(1).data["finding"]).out)
    assert [record["id"] for record in shown] == list(ids[:2])
    shown = yaml.safe_load(repo.bot("state", "show", suggestion(1).data["suggestion"], "--format", "yaml").out)
    assert shown["data"] == suggestion(1).data


@pytest.mark.parametrize(
    ("identity", "parts"),
    [
        ("ffffffffffff", ("there is no record, finding or suggestion 'ffffffffffff'", "state log")),
        ("", ("'' is no id", "hexadecimal")),
        ("no-id", ("'no-id' is no id", "hexadecimal")),
        ("%", ("is no id",)),
        ("a' OR 1=1 --", ("is no id",)),
        ("\u0661", ("is no id",)),
        ("a\x1b[31m", ("is no id",)),
        ("0" * 63, ("there is no record",)),
        ("0" * 64, ("there is no record",)),
        ("0" * 65, ("no",)),
        ("0" * 66, ("no",)),
        ("0" * 4001, ("no",)),
    ],
)
def test_show_refuses_what_is_no_id(repo: Repo, identity: str, parts: Sequence[str]) -> None:
    append(repo, note(1))
    ran = repo.bot("state", "show", "--", identity)
    assert_refused(ran, "→", *parts)
    assert "\x1b[31m" not in ran.err


def test_show_refuses_a_beginning_of_several(repo: Repo) -> None:
    ids = append(repo, *(note(n) for n in range(17)))
    twice = next(first for first in "0123456789abcdef" if sum(each[0] == first for each in ids) > 1)
    assert_refused(repo.bot("state", "show", twice), f"'{twice}' is the beginning of several ids", "give more of it")


def test_export_gives_the_stored_lines(repo: Repo) -> None:
    lines = [made("hologram", {"z": 1, "a": "ü"}, clock=70), made("note", {"text": "x", "new": None}, clock=71)]
    append(repo, note(1))
    append_lines(repo, *lines)
    assert repo.bot("state", "export").out.encode().split(b"\n")[1:] == [*lines, b""]
    assert [record["kind"] for record in recorded(repo, "note")] == ["note", "note"]
    assert repo.bot("state", "export", "--kind", "cost").out == ""


def table(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run.out, newline="")))


def test_export_as_a_table(repo: Repo) -> None:
    texts = ['comma, "quote"', "two\nlines", "ünï"]
    append(repo, *(Draft("note", {"text": text}) for text in texts), finding(3), suggestion(3))
    rows = table(repo.bot("state", "export", "--format", "csv"))
    assert [row["text"] for row in rows[:3]] == texts
    assert (rows[3]["kind"], rows[3]["line"], rows[3]["path"]) == ("finding", "4", finding(3).data["path"])
    assert json.loads(rows[4]["proof"]) == suggestion(3).data["proof"]
    assert json.loads(rows[4]["edits"]) == suggestion(3).data["edits"]
    assert table(repo.bot("state", "export", "--format", "csv", "--kind", "note"))[0].keys() == {
        *("id", "kind", "schema", "writer", "clock", "at", "text"),
        *("finding", "rule_id", "vote", "author", "pull_request", "command"),
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_a46_a_formula_is_only_text_in_the_table(repo: Repo, text: str) -> None:
    append(repo, Draft("note", {"text": text}))
    assert table(repo.bot("state", "export", "--format", "csv"))[0]["text"] == f"'{text}"


@pytest.mark.parametrize("ending", ["\r", "\n", "\r\n"])
def test_a46_a_line_end_in_a_text_begins_no_row(repo: Repo, ending: str) -> None:
    """A reader that takes a carriage return for the end of a row would find a formula at the start of the next one."""
    append(repo, Draft("note", {"text": f"x{ending}=1+1"}), note(1))
    rows = table(repo.bot("state", "export", "--format", "csv"))
    assert [row["kind"] for row in rows] == ["note", "note"]
    assert rows[0]["text"] == f"x{ending}=1+1"


def test_a46_a_formula_as_a_kind_is_only_text_in_the_table(repo: Repo) -> None:
    """A forged record may be of any kind; unknown ones are kept and exported."""
    append_lines(repo, made("=HYPERLINK(A1)", {}))
    assert not table(repo.bot("state", "export", "--format", "csv"))[0]["kind"].startswith("=")


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_export_to_a_reader_that_goes_away_is_quiet(repo: Repo, format_: str) -> None:
    append(repo, *(Draft("note", {"text": "x" * 200, "n": n}) for n in range(3000)))
    command = [sys.executable, "-m", "nootropic_bot", "state", "export", "--format", format_]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=repo.path, env=env, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize("args", [("log",), ("log", "--format", "json"), ("export",), ("export", "--format", "csv")])
def test_an_output_that_is_not_utf_8_does_not_break(repo: Repo, args: Sequence[str]) -> None:
    append(repo, Draft("note", {"text": "ü – 日本"}), finding(1))
    ran = repo.bot("state", *args, env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert ran.code == 0, ran.err
    assert ran.out


def test_verify_is_content_with_good_records(repo: Repo) -> None:
    assert repo.bot("state", "verify").code == 0
    append(repo, *drafts(0, 14))
    ran = repo.bot("state", "verify")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("14 records (2 cost, 2 finding, 2 note,")
    assert "every record is what its id says" in ran.out
    report = json.loads(repo.bot("state", "verify", "--format", "json").out)
    assert (sum(report["records"].values()), report["quarantined"], report["damaged"]) == (14, [], {})


@pytest.mark.parametrize("format_", ["text", "json", "yaml"])
def test_a44_verify_tells_what_is_quarantined(repo: Repo, format_: str) -> None:
    append(repo, note(1))
    append_lines(repo, b"rubbish", made("note", {"text": 5}), made("note", {"text": "far"}, clock=2**50))
    ran = repo.bot("state", "verify", "--format", format_)
    assert ran.code == 1
    if format_ == "text":
        assert ran.out.count("quarantined: ") == 3
        assert "text is not what it must be" in ran.out
        assert "ahead of all others" in ran.out
        assert "every record is what its id says" not in ran.out
    else:
        assert len(parse(ran.out, format_)["quarantined"]) == 3
    assert kinds(repo) == ["note"], "the rest is readable"


@pytest.mark.parametrize("args", [("state", "log"), ("state", "verify"), ("triage", "list")])
def test_a30_nothing_that_a_forged_record_holds_drives_the_terminal(repo: Repo, args: Sequence[str]) -> None:
    evil = "evil\x1b]0;title\x07\n::error::x"
    lines = [
        made(evil, {}),
        made("note", {"text": evil, evil: evil}, clock=2),
        made("finding", {**finding(1).data, "rule_id": evil, "path": evil}, clock=3),
        made("triage", {"action": "add", "rule_id": evil, "reason": evil, "author": evil}, clock=4),
        made("run", {"mode": evil}, schema=9, clock=5),
        made("outcome", {"result": evil, "findings": evil}, schema=9, clock=6),
        made("experiment", {"name": "n", "status": "s", "metrics": {evil: "low"}}, clock=7),
    ]
    append_lines(repo, *lines)
    ran = repo.bot(*args)
    assert ran.code in (0, 1)
    for said in (ran.out, ran.err):
        assert "\x1b" not in said
        assert "\x07" not in said
        assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]


@pytest.mark.parametrize(
    "args", [("log", "--format", "json"), ("log",), ("export", "--format", "csv"), ("export",), ("verify",)]
)
@pytest.mark.parametrize("kind", ["note", "hologram"])
def test_a44_a_number_of_many_digits_leaves_the_rest_readable(repo: Repo, kind: str, args: Sequence[str]) -> None:
    """Python refuses to convert more than 4300 digits; such a line must not take `state log` with it."""
    _id, _comma, rest = made(kind, {"text": "x", "n": "DIGITS"}).partition(b",")
    append_lines(repo, named(b"{" + rest.replace(b'"DIGITS"', b"9" * 5000)))
    append(repo, note(1))
    ran = repo.bot("state", *args)
    assert ran.code in (0, 1), ran.err
    assert ran.out


# Where it is called


@pytest.mark.parametrize(
    "args",
    [
        *(("state", verb) for verb in ("log", "export", "verify", "sync", "compact")),
        ("state", "show", "abc"),
        ("triage", "list"),
        ("triage", "add", "--rule", RULE, "--reason", "x"),
        ("triage", "remove", "abc"),
    ],
)
def test_outside_a_repository(tmp_path: Path, args: Sequence[str]) -> None:
    assert_refused(run_bot(*args, cwd=tmp_path), "is not in a git repository", "→", "git init")


def test_sync_without_a_remote(repo: Repo) -> None:
    append(repo, note(1))
    assert_refused(repo.bot("state", "sync"), "there is no remote 'origin'", "→", "state.remote")


@pytest.mark.parametrize("args", [("state",), ("triage",)])
def test_a_group_alone_says_what_there_is(repo: Repo, args: Sequence[str]) -> None:
    ran = repo.bot(*args)
    assert ran.code in (0, 2)
    assert "Commands:" in ran.out + ran.err


@pytest.mark.parametrize("verb", ["log", "verify", "export"])
def test_a_subfolder_and_a_worktree_see_the_same_state(repo: Repo, verb: str, tmp_path: Path) -> None:
    repo.commit({"sub/a.py": SAFE})
    append(repo, note(1))
    expected = repo.bot("state", verb)
    repo.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "other")
    assert run_bot("state", verb, cwd=repo.path / "sub") == expected
    assert run_bot("state", verb, cwd=tmp_path / "tree") == expected


# triage


def test_triage_is_added_listed_and_removed_as_text(repo: Repo) -> None:
    assert repo.bot("triage", "list").out == "no decisions\n"
    until = (TODAY + timedelta(days=9)).isoformat()
    added = repo.bot("triage", "add", "--rule", RULE, "--path", "docs/**", "--reason", " examples ", "--expires", until)
    identity = recorded(repo)[0]["id"]
    assert added.out == f"{identity[:12]}: {RULE} does not count until {until}\n"
    expected = f"{identity[:12]}  {RULE} in docs/**  until {until}  examples  (Test <test@example.invalid>)\n"
    assert repo.bot("triage", "list").out == expected
    assert (
        repo.bot("triage", "remove", identity[:8], "--reason", "fixed").out == f"{identity[:12]}: {RULE} counts again\n"
    )
    assert repo.bot("triage", "list").out == "no decisions\n"
    assert recorded(repo)[1]["data"] == {
        "action": "remove",
        "target": identity,
        "reason": "fixed",
        "author": "Test <test@example.invalid>",
    }


def test_a_decision_for_one_pull_request_counts_there_only(repo: Repo) -> None:
    repo.commit({"a.py": "x = None\n"})
    repo.write("a.py", "x = None\nprint(x == None)\n")
    assert repo.review("--pull-request", "7").rules_in_scope() == ["none-comparison"]
    said = repo.bot("triage", "add", "--rule", "none-comparison", "--reason", "legacy", "--pull-request", "7")
    assert said.out.endswith(": none-comparison does not count in pull request 7\n")
    assert "none-comparison in pull request 7  until removed  legacy" in repo.bot("triage", "list").out
    muted = repo.review("--pull-request", "7")
    assert muted.rules_in_scope() == []
    assert muted.report["findings"][0]["suppressed"] == {"by": "triage", "reason": "legacy", "expires": None}
    assert repo.review("--pull-request", "8").rules_in_scope() == ["none-comparison"]
    assert repo.review().rules_in_scope() == ["none-comparison"]


@pytest.mark.parametrize("format_", ["json", "yaml"])
def test_triage_is_added_and_listed_for_machines(repo: Repo, format_: str) -> None:
    assert parse(repo.bot("triage", "list", "--format", format_).out, format_) == []
    added = parse(repo.bot("triage", "add", "--finding", "ab" * 8, "--reason", "why", "--format", format_).out, format_)
    author = "Test <test@example.invalid>"
    record = recorded(repo)[0]
    assert added == {"id": record["id"], **record["data"]}
    assert record["data"] == {"action": "add", "finding": "ab" * 8, "reason": "why", "author": author}
    listed = parse(repo.bot("triage", "list", "--format", format_).out, format_)
    assert len(listed) == 1
    fields = {"finding": "ab" * 8, "rule_id": None, "path": None, "expires": None, "expired": False, "author": author}
    assert {**listed[0], **fields, "id": record["id"], "reason": "why", "at": record["at"]} == listed[0]


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (("--reason", "x"), "either --finding or --rule"),
        (("--finding", "ab" * 8, "--rule", RULE, "--reason", "x"), "either --finding or --rule"),
        (("--finding", "ab" * 8, "--path", "a/**", "--reason", "x"), "--path needs --rule"),
        (("--rule", RULE), "--reason"),
        (("--rule", RULE, "--reason", ""), "--reason is empty"),
        (("--rule", RULE, "--reason", " \n "), "--reason is empty"),
        (("--rule", RULE, "--reason", "x", "--expires", "soon"), "'soon' is no date"),
        (("--rule", RULE, "--reason", "x", "--expires", "2031-02-30"), "is no date"),
        (("--rule", RULE, "--reason", "x", "--expires", ""), "is no date"),
        (("--rule", RULE, "--reason", "x", "--expires", "2001-02-03"), "has passed"),
        (("--rule", RULE, "--reason", "x", "--expires", (TODAY - timedelta(days=1)).isoformat()), "has passed"),
        (("--rule", "", "--reason", "x"), "rule"),
        (("--rule", RULE, "--path", "", "--reason", "x"), "path"),
        (("--finding", "no-id", "--reason", "x"), "this is no finding"),
        (("--finding", "", "--reason", "x"), "this is no finding"),
        (("--finding", "AB" * 8, "--reason", "x"), "this is no finding"),
        (("--finding", "ab", "--reason", "x"), "this is no finding"),
        *((("--rule", RULE, "--path", glob, "--reason", "x"), "--path") for glob in ("!", "\\", "a\\", "[z-a]")),
    ],
)
def test_triage_add_refuses(repo: Repo, args: Sequence[str], part: str) -> None:
    assert_refused(repo.bot("triage", "add", *args), part)
    assert recorded(repo) == []


def test_triage_add_refuses_what_is_not_utf_8(repo: Repo) -> None:
    assert_refused(repo.bot("triage", "add", "--rule", RULE, "--reason", os.fsdecode(b"caf\xe9")))
    assert_refused(repo.bot("triage", "add", "--rule", RULE, "--path", os.fsdecode(b"\xe9/*"), "--reason", "x"))
    assert recorded(repo) == []


def test_triage_add_takes_today_as_the_last_day(repo: Repo) -> None:
    assert repo.bot("triage", "add", "--rule", RULE, "--reason", "x", "--expires", date.today().isoformat()).code == 0


def test_triage_add_says_that_a_rule_is_unknown(repo: Repo) -> None:
    ran = repo.bot("triage", "add", "--rule", "yaml-unsafe-lod", "--reason", "x")
    assert ran.code == 0
    assert f"perhaps you meant {RULE}" in ran.err
    assert repo.bot("triage", "add", "--rule", RULE, "--reason", "x").err == ""


def test_a52_a_secret_in_a_reason_is_not_stored(repo: Repo) -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    ran = repo.bot("triage", "add", "--rule", RULE, "--reason", f"see {token}")
    assert "taken out" in ran.err
    assert recorded(repo)[0]["data"]["reason"] == "see [redacted: GitHub Token]"
    shown = repo.bot("triage", "add", "--rule", RULE, "--reason", f"see {token}", "--format", "json")
    assert json.loads(shown.out)["reason"] == "see [redacted: GitHub Token]", "shown is what was stored"


@pytest.mark.parametrize("identity", ["ffff", "", "no-id", "%", "\x1b[31m"])
def test_triage_remove_refuses_what_is_no_decision(repo: Repo, identity: str) -> None:
    append(repo, note(1))
    repo.bot("triage", "add", "--rule", RULE, "--reason", "x")
    before = recorded(repo)
    ran = repo.bot("triage", "remove", "--", identity)
    assert_refused(ran, "→", "triage list")
    assert "\x1b[31m" not in ran.err
    assert recorded(repo) == before


def test_triage_remove_refuses_a_beginning_of_several_and_one_that_is_gone(repo: Repo) -> None:
    add = {"action": "add", "rule_id": RULE, "author": ""}
    ids = append(repo, *(Draft("triage", {**add, "reason": str(n)}) for n in range(17)))
    twice = next(first for first in "0123456789abcdef" if sum(each[0] == first for each in ids) > 1)
    assert_refused(repo.bot("triage", "remove", twice), "several decisions", "triage list")
    assert repo.bot("triage", "remove", ids[0]).code == 0
    assert_refused(repo.bot("triage", "remove", ids[0]), "there is no decision")


# What triage does


def staged_finding(repo: Repo) -> tuple[str, Run]:
    """Stage a file with one finding; its id and the review."""
    repo.commit({"app.py": SAFE})
    repo.stage({"app.py": UNSAFE})
    ran = repo.review("--staged")
    assert ran.code == 1
    return finding_ids(ran)[0], ran


@pytest.mark.parametrize("how", ["finding", "rule", "rule and path"])
def test_a_triaged_finding_is_listed_and_does_not_fail_the_run(repo: Repo, how: str) -> None:
    identity, _ran = staged_finding(repo)
    what = {
        "finding": ("--finding", identity),
        "rule": ("--rule", RULE),
        "rule and path": ("--rule", RULE, "--path", "*.py"),
    }[how]
    until = (TODAY + timedelta(days=400)).isoformat()
    assert repo.bot("triage", "add", *what, "--reason", "only a test", "--expires", until).code == 0
    ran = repo.review("--staged")
    assert ran.code == 0
    listed = ran.report["findings"][0]
    assert listed["suppressed"] == {"by": "triage", "reason": "only a test", "expires": until}
    assert (listed["id"], listed["in_scope"], listed["suggestion"]) == (identity, True, None)
    assert ran.report["summary"]["suppressed"] == 1
    text = repo.bot("review", "--staged").out
    assert RULE in text
    assert "only a test" in text
    assert until in text


def test_a_decision_taken_back_counts_no_more(repo: Repo) -> None:
    identity, _ran = staged_finding(repo)
    repo.bot("triage", "add", "--finding", identity, "--reason", "x")
    assert repo.review("--staged").code == 0
    decision = json.loads(repo.bot("triage", "list", "--format", "json").out)[0]["id"]
    repo.bot("triage", "remove", decision)
    ran = repo.review("--staged")
    assert ran.code == 1
    assert ran.report["findings"][0]["suppressed"] is None


def test_an_expired_decision_does_not_suppress(repo: Repo) -> None:
    identity, _ran = staged_finding(repo)
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    data = {"action": "add", "finding": identity, "reason": "x", "author": "", "expires": yesterday}
    append(repo, Draft("triage", data))
    assert repo.review("--staged").code == 1
    assert f"expired {yesterday}" in repo.bot("triage", "list").out
    assert json.loads(repo.bot("triage", "list", "--format", "json").out)[0]["expired"] is True
    append(repo, Draft("triage", {**data, "expires": date.today().isoformat()}))
    assert repo.review("--staged").code == 0, "a decision holds on its last day"


@pytest.mark.parametrize(
    ("glob", "covered"),
    [
        ("docs/**", {"docs/a.py", "docs/deep/b.py"}),
        ("docs/*.py", {"docs/a.py"}),
        ("b.py", {"docs/deep/b.py", "src/b.py"}),
        ("/src", {"src/b.py", "src/docs/c.py"}),
        ("**/docs/", {"docs/a.py", "docs/deep/b.py", "src/docs/c.py"}),
        ("none/**", set()),
    ],
)
def test_triage_by_rule_and_path_covers_only_matching_files(repo: Repo, glob: str, covered: set[str]) -> None:
    paths = ["docs/a.py", "docs/deep/b.py", "src/b.py", "src/docs/c.py", "d.py"]
    repo.commit({"first": ""})
    repo.stage(dict.fromkeys(paths, UNSAFE))
    assert repo.bot("triage", "add", "--rule", RULE, "--path", glob, "--reason", "x").code == 0
    ran = repo.review("--staged")
    assert {each["path"] for each in ran.report["findings"]} == set(paths)
    assert {each["path"] for each in ran.report["findings"] if each["suppressed"]} == covered


def test_triage_of_another_rule_or_finding_covers_nothing(repo: Repo) -> None:
    staged_finding(repo)
    repo.bot("triage", "add", "--rule", "subprocess-shell-true", "--reason", "x")
    repo.bot("triage", "add", "--finding", "ab" * 10, "--reason", "x")
    assert repo.review("--staged").code == 1


@pytest.mark.parametrize("glob", ["!", "\\", "a\\", "[z-a]"])
def test_a44_a_forged_path_pattern_breaks_no_review(repo: Repo, glob: str) -> None:
    staged_finding(repo)
    append(repo, Draft("triage", {"action": "add", "rule_id": RULE, "path": glob, "reason": "x", "author": ""}))
    ran = repo.review("--staged")
    assert ran.code == 1, ran.err
    assert ran.report["findings"][0]["suppressed"] is None


def test_a44_a_decision_about_nothing_covers_nothing(repo: Repo) -> None:
    staged_finding(repo)
    append(repo, Draft("triage", {"action": "add", "reason": "x", "author": ""}))
    append(repo, Draft("triage", {"action": "add", "path": "**", "reason": "x", "author": ""}))
    assert repo.review("--staged").code == 1
    assert repo.bot("triage", "list").code == 0


def test_a21_a_range_is_triaged_by_the_state_and_not_by_its_own_files(repo: Repo) -> None:
    base = repo.commit({"app.py": SAFE})
    ref_like = {
        ".nootropic/triage.json": "[]",
        "refs/nootropic/base": "x",
        "nootropic.toml": "[state]\nrecord = false\n",
    }
    head = repo.commit({"app.py": UNSAFE, **ref_like})
    ran = repo.review("--base", base, "--head", head)
    assert ran.code == 1
    assert kinds(repo) == ["run", "finding", "suggestion"], "the change can't switch its recording off"
    repo.bot("triage", "add", "--finding", finding_ids(ran)[0], "--reason", "agreed")
    ran = repo.review("--base", base, "--head", head)
    assert ran.code == 0
    assert ran.report["findings"][0]["suppressed"]["reason"] == "agreed"


# What a review records


@pytest.mark.parametrize("how", ["configuration", "environment"])
def test_nothing_is_recorded_when_recording_is_off_but_triage_is_honoured(repo: Repo, how: str) -> None:
    env = {"NOOTROPIC_RECORD": "0"} if how == "environment" else {}
    files = {"nootropic.toml": "[state]\nrecord = false\n"} if how == "configuration" else {}
    repo.commit({"app.py": SAFE, **files})
    repo.stage({"app.py": UNSAFE})
    for mode in ("--staged", "--worktree", "--all"):
        assert repo.review(mode, env=env).code == 1
    assert repo.git("for-each-ref", "refs/nootropic") == ""
    identity = finding_ids(repo.review("--staged", env=env))[0]
    append(repo, Draft("triage", {"action": "add", "finding": identity, "reason": "x", "author": ""}))
    before = repo.git("for-each-ref", "refs/nootropic")
    assert repo.review("--staged", env=env).code == 0
    assert repo.git("for-each-ref", "refs/nootropic") == before


def test_what_a_review_records(repo: Repo) -> None:
    base = repo.commit({"app.py": SAFE})
    head = repo.commit({"app.py": UNSAFE})
    report = repo.review("--base", base, "--head", head, "--pull-request", "12").report
    run, found, fix = recorded(repo)
    listed = report["findings"][0]
    data = run["data"]
    assert (data["mode"], data["base"], data["head"], data["pull_request"]) == ("range", base, head, 12)
    assert (data["findings"], data["in_scope"], data["verified"], data["complete"]) == (1, 1, 1, True)
    assert data["rules"] == report["rules_hash"]
    assert data["total_ms"] >= data["critique_ms"] > 0
    assert found["data"] == {
        "run": data["run"],
        "finding": listed["id"],
        "rule_id": RULE,
        "path": "app.py",
        "line": 5,
        "end_line": 5,
        "severity": "error",
        "in_scope": True,
        "pull_request": 12,
    }
    assert fix["data"]["suggestion"] == listed["suggestion"]["id"]
    assert fix["data"]["edits"] == [{"start": 46, "end": 50, "text": "safe_load"}]
    assert fix["data"]["proof"]["blob"] == repo.git("rev-parse", f"{head}:app.py")
    assert fix["data"]["proof"]["checks"] == {each["name"]: each["status"] for each in listed["suggestion"]["checks"]}
    assert [record["clock"] for record in (run, found, fix)] == [1, 2, 3]


@pytest.mark.parametrize("mode", ["--staged", "--worktree", "--all", "range"])
def test_every_mode_records_and_leaves_the_rest_alone(repo: Repo, mode: str) -> None:
    repo.commit({"app.py": SAFE, "other.py": UNSAFE})
    repo.commit({"app.py": UNSAFE, "two.py": SAFE})
    repo.stage({"app.py": f"# staged\n{UNSAFE}"})
    repo.write("app.py", f"# in the work tree\n{UNSAFE}")
    repo.write("new.py", UNSAFE)
    before = repo.state()
    heads = (repo.path / ".git/HEAD").read_bytes(), (repo.path / ".git/index").read_bytes()
    args = ("--base", "HEAD~1", "--head", "HEAD") if mode == "range" else (mode,)
    ran = repo.review(*args)
    assert ran.report["findings"]
    assert repo.state() == before
    assert ((repo.path / ".git/HEAD").read_bytes(), (repo.path / ".git/index").read_bytes()) == heads
    assert not (repo.path / ".git/FETCH_HEAD").exists()
    names = repo.git("for-each-ref", "--format=%(refname)", "refs/nootropic").splitlines()
    assert len(names) == 1
    assert names[0].startswith("refs/nootropic/log/")
    assert recorded(repo)[0]["data"]["mode"] == mode.strip("-")
    assert sorted(record["data"]["finding"] for record in recorded(repo, "finding")) == sorted(finding_ids(ran))


def test_a_second_review_records_a_run_and_nothing_twice(repo: Repo) -> None:
    staged_finding(repo)
    assert kinds(repo) == ["run", "finding", "suggestion"]
    repo.review("--staged")
    repo.review("--worktree")
    assert kinds(repo) == ["run", "finding", "suggestion", "run", "run"]


def test_a_pull_request_records_its_findings_again(repo: Repo) -> None:
    base = repo.commit({"app.py": SAFE, "old.py": UNSAFE})
    repo.commit({"app.py": UNSAFE, "old.py": f"# a new line\n{UNSAFE}"})
    for number in ((), ("--pull-request", "7"), ("--pull-request", "7"), ("--pull-request", "8")):
        repo.review("--base", base, *number)
    found = recorded(repo, "finding")
    new = [(r["data"]["pull_request"], r["data"]["in_scope"]) for r in found if r["data"]["path"] == "app.py"]
    assert new == [(None, True), (7, True), (8, True)]
    # It was there before: it belongs to the repository, not to any pull request.
    old = [(r["data"]["pull_request"], r["data"]["in_scope"]) for r in found if r["data"]["path"] == "old.py"]
    assert old == [(None, False)]
    assert [r["data"]["pull_request"] for r in recorded(repo, "suggestion")] == [None, 7, 8]
    assert [r["data"]["pull_request"] for r in recorded(repo, "run")] == [None, 7, 7, 8]


def test_a_triaged_finding_is_recorded_as_suppressed(repo: Repo) -> None:
    repo.commit({"app.py": SAFE})
    repo.bot("triage", "add", "--rule", RULE, "--reason", "x")
    repo.stage({"app.py": UNSAFE})
    repo.review("--staged")
    assert [record["data"].get("suppressed") for record in recorded(repo, "finding")] == ["triage"]
    assert recorded(repo, "suggestion") == []
    assert recorded(repo, "run")[0]["data"]["suppressed"] == 1


def test_f19_a_path_that_is_not_utf_8_is_recorded(repo: Repo) -> None:
    repo.commit({"a.py": SAFE})
    repo.write(b"caf\xe9.py", UNSAFE)
    ran = repo.review("--worktree")
    assert ran.code == 1
    assert ran.err == ""
    assert [record["data"]["path"] for record in recorded(repo, "finding")] == ["caf\\xe9.py"]


def test_a52_a_secret_that_a_fix_brings_in_is_not_recorded_and_that_is_said(repo: Repo, tmp_path: Path) -> None:
    rule = {
        "id": "use-connect",
        "languages": ["python"],
        "severity": "ERROR",
        "message": "use it",
        "pattern": "dial($X)",
        "fix": "connect($X, password='hunter2hunter2')",
    }
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"rules": [rule]}))
    repo.commit({"a.py": "from net import connect, dial\n"})
    repo.stage({"a.py": "from net import connect, dial\n\nprint(connect)\ndial(1)\n"})
    ran = repo.review("--staged", "--rules", str(tmp_path / "rules.yaml"), "--unproved")
    assert ran.report["findings"][0]["suggestion"] is not None, ran.out
    assert recorded(repo, "suggestion")[0]["data"]["redacted"] == 1
    objects = repo.git("cat-file", "--batch-all-objects", "--batch")
    assert "use-connect" in objects
    assert "hunter2" not in objects
    assert "taken out" in ran.err


def test_f6_a_damaged_index_stops_no_review(repo: Repo) -> None:
    staged_finding(repo)
    path = repo.path / ".git/nootropic/state.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    assert repo.review("--staged").code == 1
    assert kinds(repo) == ["run", "finding", "suggestion", "run"]


def test_a44_a_forged_state_stops_no_review(repo: Repo) -> None:
    staged_finding(repo)
    append_lines(
        repo,
        b"rubbish",
        made("hologram", {"x": [1]}, clock=4),
        made("triage", {"action": "add", "shape": "new"}, schema=7, clock=5),
        made("finding", {**finding(1).data, "path": "../../etc/passwd", "line": 2**53 - 1}, clock=6),
        encode(Draft("note", {"text": "far"}), "0" * 16, 2**53 - 1, "9999-99-99T99:99:99Z")[1],
    )
    ran = repo.review("--staged")
    assert ran.code == 1
    assert ran.err == ""


def test_a_clone_is_told_what_it_does_not_know(repo: Repo, tmp_path: Path) -> None:
    """Row F7: a clone does not bring the state along."""
    repo.commit({"a.py": SAFE})
    append(repo, note(1))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(repo.path), str(clone)], check=True)
    for args in (("state", "log"), ("triage", "list")):
        ran = run_bot(*args, cwd=clone)
        assert ran.code == 0
        assert "never synced with 'origin'" in ran.err
        assert "state sync" in ran.err
