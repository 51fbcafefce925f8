"""`init`, `doctor`, `demo`, `explain`, `rules list`, `completion`: what a new user tries first."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import yaml

from tests.support.repo import PROJECT, Repo, run_bot

EXISTING = "repos:\n  - repo: https://example.invalid/x\n    rev: v1\n    hooks:\n      - id: x\n# the end\n"


def test_init_writes_what_is_missing_and_twice_changes_nothing(repo: Repo) -> None:
    assert repo.bot("init", "--dry-run").code == 0
    assert not (repo.path / "nootropic.toml").exists()
    first = repo.bot("init")
    assert first.code == 0
    assert "+fail_on" in first.out
    written = repo.state()[2]
    assert {"nootropic.toml", ".pre-commit-config.yaml"} <= written.keys()
    assert "nothing to do" in repo.bot("init").out
    assert repo.state()[2] == written
    repo.git("add", "--all")
    assert repo.review("--staged").code == 0, "the configuration that init writes is valid"


def test_init_extends_an_existing_file_and_keeps_the_rest(repo: Repo) -> None:
    repo.write(".pre-commit-config.yaml", EXISTING)
    assert repo.bot("init").code == 0
    text = (repo.path / ".pre-commit-config.yaml").read_text()
    assert [entry["repo"] for entry in yaml.safe_load(text)["repos"]] == ["https://example.invalid/x", "local"]
    assert all(line in text for line in EXISTING.splitlines())


def test_init_refuses_what_it_cannot_extend_safely(repo: Repo) -> None:
    repo.write(".pre-commit-config.yaml", "repos: [{repo: local, hooks: []}]\n")
    run = repo.bot("init")
    assert run.code == 2
    assert "can't be extended safely" in run.err
    assert not (repo.path / "nootropic.toml").exists()


def test_doctor_finds_this_machine_fit(repo: Repo) -> None:
    run = repo.bot("doctor", "--format", "json")
    assert run.code == 0
    status = {entry["name"]: entry["status"] for entry in run.report}
    assert {status[name] for name in ("Python", "git", "Semgrep", "ruff", "temporary files", "repository")} == {"ok"}


def test_doctor_says_what_is_missing(tmp_path: Path) -> None:
    run = run_bot("doctor", cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert run.code == 3
    assert "missing   git" in run.out
    assert "→ install git" in run.out


def test_demo_keeps_a_repository_to_play_with(tmp_path: Path) -> None:
    run = run_bot("demo", "--keep", "play", cwd=tmp_path)
    assert run.code == 0
    assert "proved" in run.out
    play = Repo(tmp_path / "play")
    assert play.git("log", "--format=%s").splitlines() == ["Import orders from partners", "Orders service"]
    assert run_bot("demo", "--keep", "play", cwd=tmp_path).code == 2


def test_explain_a_rule_and_a_finding(repo: Repo) -> None:
    assert "safe_load" in repo.bot("explain", "yaml-unsafe-load").out
    unknown = repo.bot("explain", "yaml-unsafe-laod")
    assert unknown.code == 2
    assert "perhaps you meant `yaml-unsafe-load`" in unknown.err
    repo.stage({"a.py": "def f(x):\n    return x == None\n"})
    run = repo.review("--staged")
    repo.write("report.json", run.out)
    (finding,) = run.report["findings"]
    told = repo.bot("explain", finding["id"], "--report", "report.json").out
    assert "a.py:2" in told
    assert "+    return x is None" in told


def test_rules_list_and_completion(tmp_path: Path) -> None:
    listed = run_bot("rules", "list", "--format", "json", cwd=tmp_path).report
    assert len(listed) >= 80
    assert "_NOOTROPIC_BOT_COMPLETE" in run_bot("completion", "zsh", cwd=tmp_path).out


def test_the_pre_push_shim_reviews_the_first_push_whole(repo: Repo, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    program = tools / "nootropic-bot"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={PROJECT} exec {sys.executable} -m nootropic_bot "$@"\n')
    program.chmod(0o755)
    shutil.copy(PROJECT / "hooks" / "pre-push", repo.path / ".git" / "hooks")
    Repo.init(tmp_path / "remote").git("config", "core.bare", "true")
    repo.git("remote", "add", "origin", str(tmp_path / "remote"))
    env = {"PATH": f"{tools}:{os.environ['PATH']}"}

    def is_pushed() -> bool:
        repo.git("push", "--quiet", "origin", "HEAD:main", env=env, check=False)
        return bool(repo.git("ls-remote", "origin", "main"))

    repo.commit({"a.py": "import yaml\nx = yaml.load(open('f'), Loader=yaml.Loader)\n"})
    assert not is_pushed()
    repo.commit({"a.py": "x = 1\n"})
    assert is_pushed()
