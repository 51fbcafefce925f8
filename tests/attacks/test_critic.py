"""Rows A23-A31 of the attack corpus: what a pull request can do to the scanner, and what must happen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.repo import Repo

BAD = "import subprocess\n\n\ndef run(command):\n    return subprocess.call(command, shell=True)\n"
SINK = "value = eval(input())\n"


def flagged(repo: Repo, path: str, *args: str) -> set[str]:
    """The rules that speak about a path of the staged content."""
    run = repo.review("--staged", *args)
    return {f["rule_id"] for f in run.report["findings"] if f["path"] == path}


def test_a25_ignore_files_of_the_repository_decide_nothing(repo: Repo) -> None:
    repo.stage({"app/run.py": BAD})
    before = repo.review("--staged").report["findings"]
    assert before
    repo.stage(
        {".semgrepignore": "*.py\n", "app/.semgrepignore": "*\n", ".gitignore": "*.py\n", ".semgrep.yml": "rules: []\n"}
    )
    after = [f for f in repo.review("--staged").report["findings"] if f["path"] == "app/run.py"]
    assert after == before


def test_a25_a_file_named_like_the_ignore_file_cannot_become_one(repo: Repo, tmp_path: Path) -> None:
    """With rules that read any file, `.semgrepignore` is scanned under another name, and hides nothing."""
    rules = tmp_path / "any.yaml"
    rules.write_text(
        "rules: [{id: star, languages: [generic], severity: ERROR, message: a star line that is found anywhere, pattern: 'run.py'}]"
    )
    repo.stage({".semgrepignore": "run.py\n", "run.py": BAD})
    found = {(f["rule_id"], f["path"]) for f in repo.review("--staged", "--rules", str(rules)).report["findings"]}
    assert ("star", ".semgrepignore") in found
    assert any(path == "run.py" for _rule, path in found)


def test_a26_nosemgrep_is_listed_as_suppressed(repo: Repo) -> None:
    repo.stage({"run.py": BAD.replace("shell=True)", "shell=True)  # nosemgrep: subprocess-shell-true")})
    run = repo.review("--staged")
    (finding,) = [f for f in run.report["findings"] if f["rule_id"] == "subprocess-shell-true"]
    assert finding["suppressed"]["by"] == "nosemgrep"
    assert run.report["summary"]["suppressed"] == 1
    assert "subprocess-shell-true" not in run.rules_in_scope()


def test_a26_nosemgrep_for_another_rule_suppresses_nothing(repo: Repo) -> None:
    repo.stage({"run.py": BAD.replace("shell=True)", "shell=True)  # nosemgrep: some-other-rule")})
    assert "subprocess-shell-true" in repo.review("--staged").rules_in_scope()


@pytest.mark.parametrize("path", ["tests/test_run.py", "vendor/lib/run.py", "node_modules/x/run.py", ".hidden/run.py"])
def test_a27_no_folder_is_skipped(repo: Repo, path: str) -> None:
    repo.stage({path: BAD})
    assert "subprocess-shell-true" in flagged(repo, path)


def test_a27_a_file_over_a_megabyte_is_scanned(repo: Repo) -> None:
    repo.stage({"big.py": "# filler\n" * 150_000 + BAD})
    (finding,) = [f for f in repo.review("--staged").report["findings"] if f["rule_id"] == "subprocess-shell-true"]
    assert finding["start"]["line"] == 150_005


def test_a28_a_scanner_time_out_is_incomplete_and_never_green(repo: Repo) -> None:
    repo.stage(
        {
            "slow.py": "total = " + " + ".join(["a"] * 60_000) + "\n",
            "nootropic.toml": "[critique]\ntimeout_seconds = 1\n",
        }
    )
    run = repo.review("--staged")
    assert run.code == 4
    assert run.report["complete"] is False
    assert any(reason.startswith("slow.py: ") for reason in run.report["incomplete_reasons"])
    assert {"slow.py"} <= {entry["path"] for entry in run.report["not_scanned"]}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"# coding: utf-7\nvalue = +AGUAdgBhAGw-(input())\n", id="utf-7"),
        pytest.param("value = ｅｖａｌ(input())\n".encode(), id="full-width"),
        pytest.param(b"# a comment\rvalue = eval(input())\n", id="lone-carriage-return"),
        pytest.param(b"\xef\xbb\xbfvalue = eval(input())\n", id="byte-order-mark"),
        pytest.param(b"# coding: latin-1\nname = '\xe9'; value = eval(input())\n", id="latin-1"),
    ],
)
def test_a29_what_python_runs_is_flagged(repo: Repo, content: bytes) -> None:
    repo.stage({"sly.py": content})
    run = repo.review("--staged", "--fail-on", "warning")
    (finding,) = [f for f in run.report["findings"] if f["rule_id"] == "eval-exec-use"]
    assert finding["in_scope"]
    assert run.code == 1


def test_a29_an_unusual_encoding_and_a_lone_return_are_findings_of_their_own(repo: Repo) -> None:
    repo.stage({"a.py": b"# coding: utf-7\nx = 1\n", "b.py": b"# hi\rx = 1\n", "c.py": b"x = 1\r\ny = 2\r\n"})
    assert flagged(repo, "a.py") == {"source-unusual-encoding"}
    assert flagged(repo, "b.py") == {"source-lone-carriage-return"}
    assert flagged(repo, "c.py") == set()


def test_a29_columns_are_code_points_of_the_original(repo: Repo) -> None:
    repo.stage({"sly.py": "\ufeffé = 'é'; value = ｅｖａｌ(input())\n"})
    (finding,) = [f for f in repo.review("--staged").report["findings"] if f["rule_id"] == "eval-exec-use"]
    assert finding["start"] == {"line": 1, "col": 18}
    assert finding["end"] == {"line": 1, "col": 31}
    assert finding["suggestion"] is None, "the scanner's text is not the file's text here"


def test_a29_an_encoding_that_does_not_hold_is_incomplete(repo: Repo) -> None:
    repo.stage({"a.py": b"# coding: no-such-codec\nx = 1\n", "b.py": b"# coding: hex\n787\n"})
    run = repo.review("--staged")
    assert run.code == 4
    assert {entry["path"] for entry in run.report["not_scanned"]} == {"a.py", "b.py"}


def test_a30_bidirectional_controls_are_a_finding_and_shown_escaped(repo: Repo) -> None:
    repo.stage({"bidi.py": "level = 'user\u202e \u2066# admin\u2069'\n"})
    assert flagged(repo, "bidi.py") == {"source-bidirectional-control"}
    text = repo.bot("review", "--staged").out
    assert "\u202e" not in text
    assert "\\u202e" in text


def test_a31_configuration_and_rules_of_the_head_are_not_loaded(repo: Repo) -> None:
    repo.commit({"readme.txt": "hello\n"})
    base = repo.git("rev-parse", "HEAD")
    repo.commit(
        {
            "run.py": BAD,
            "nootropic.toml": 'exclude = ["*.py"]\n[rule.subprocess-shell-true]\nenabled = false\nreason = "trust me"\n',
            "pyproject.toml": '[tool.semgrep]\nexclude = ["*"]\n[tool.ruff]\nexclude = ["*"]\n',
        }
    )
    assert "subprocess-shell-true" in repo.review("--base", base).rules_in_scope()


def test_a31_rules_named_on_the_command_line_come_from_the_base(repo: Repo) -> None:
    rule = "rules: [{id: no-print, languages: [python], severity: ERROR, message: do not print in this code, pattern: print(...)}]"
    base = repo.commit({"house/rules.yaml": rule})
    repo.commit({"house/rules.yaml": rule.replace("print(...)", "never_called(...)"), "run.py": "print(1)\n"})
    assert "no-print" in repo.review("--base", base, "--rules", "house").rules_in_scope()


def test_a41_links_in_the_tree_are_never_followed(repo: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text(BAD)
    os.symlink(outside, repo.path / "linked")
    os.symlink(outside / "secret.py", repo.path / "one.py")
    repo.git("add", "--all")
    for mode in ("--staged", "--worktree", "--all"):
        run = repo.review(mode)
        assert run.report["findings"] == []
        assert {"path": "one.py", "reason": "symbolic link, never followed"} in run.report["not_scanned"]


def test_a41_a_fix_is_not_written_through_a_link(repo: Repo, tmp_path: Path) -> None:
    """The staged file became a link to a file outside with the same content since."""
    victim = tmp_path / "victim.py"
    content = "def f(x):\n    return x == None\n"
    victim.write_text(content)
    repo.stage({"a.py": content})
    (repo.path / "a.py").unlink()
    os.symlink(victim, repo.path / "a.py")
    run = repo.bot("review", "--staged", "--apply")
    assert "symbolic link" in run.err
    assert victim.read_text() == content


def test_a42_nothing_that_the_repository_configures_runs(repo: Repo, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    evil = repo.write(".evil.sh", f"#!/bin/sh\necho ran >> {proof}\ncat\n")
    evil.chmod(0o755)
    repo.commit({"run.py": "x = 1\n", ".gitattributes": "*.py filter=evil diff=evil\n"})
    for key, value in {
        "filter.evil.clean": str(evil),
        "filter.evil.smudge": str(evil),
        "filter.evil.process": str(evil),
        "diff.evil.textconv": str(evil),
        "diff.evil.command": str(evil),
        "diff.external": str(evil),
        "core.fsmonitor": str(evil),
        "core.pager": str(evil),
        "core.hooksPath": str(repo.path),
    }.items():
        repo.git("config", key, value)
    for name in ("post-index-change", "pre-commit", "post-checkout", "reference-transaction"):
        repo.write(name, evil.read_bytes()).chmod(0o755)
    repo.write("run.py", BAD)
    proof.unlink(missing_ok=True)
    for mode in ("--staged", "--worktree", "--all", "--base=HEAD"):
        assert repo.review(mode).code in (0, 1)
    assert "subprocess-shell-true" in repo.review("--worktree").rules_in_scope()
    assert not proof.exists(), proof.read_text()


@pytest.mark.parametrize(
    "revision",
    ["--upload-pack=touch PROOF", "--upl=touch PROOF", "--output=PROOF", "-oPROOF", "HEAD\n--all", "$(touch PROOF)"],
)
def test_a43_a_revision_cannot_become_an_option(repo: Repo, revision: str) -> None:
    repo.commit({"a.py": "x = 1\n"})
    for args in ((f"--base={revision}",), ("--base=HEAD", f"--head={revision}")):
        run = repo.review(*args)
        assert run.code == 2
        assert "unknown revision" in run.err
    assert not list(repo.path.glob("*PROOF*"))


def test_a43_a_file_named_like_an_option_is_a_file(repo: Repo) -> None:
    repo.stage({"--output=x.py": BAD, "-rf.py": BAD, "sub/--config=auto.py": BAD})
    found = {f["path"] for f in repo.review("--staged").report["findings"] if f["rule_id"] == "subprocess-shell-true"}
    assert found == {"--output=x.py", "-rf.py", "sub/--config=auto.py"}
