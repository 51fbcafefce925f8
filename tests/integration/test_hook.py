"""The commit hook as people meet it: through the real pre-commit, and as a plain git hook."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.repo import PROJECT, Repo, Run

UNSAFE = "import yaml\n\n\ndef load(text):\n    return yaml.load(text)\n"
SAFE = UNSAFE.replace("yaml.load", "yaml.safe_load")
RULE = "yaml-unsafe-load"


@pytest.fixture(autouse=True)
def patient_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No time budget where it is not the matter, and a pre-commit that keeps to itself."""
    monkeypatch.setenv("NOOTROPIC_HOOK_BUDGET_SECONDS", "600")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit-home"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


def published_hooks() -> list[dict[str, Any]]:
    """The hooks that this project publishes, to be run by this interpreter instead of one that pre-commit builds."""
    hooks: list[dict[str, Any]] = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program = f"{shlex.quote(sys.executable)} -m nootropic_bot"
    for hook in hooks:
        hook["language"] = "system"
        hook["entry"] = hook["entry"].replace("nootropic-bot", program)
        if "--fix" in hook["entry"]:
            hook["stages"] = ["manual"]
    return hooks


PRE_COMMIT_CONFIG = yaml.safe_dump({"repos": [{"repo": "local", "hooks": published_hooks()}]})


@pytest.fixture
def hooked(repo: Repo) -> Repo:
    """A repository in which pre-commit is installed, with one commit."""
    repo.commit({".pre-commit-config.yaml": PRE_COMMIT_CONFIG, "README": "orders\n"})
    installed = pre_commit(repo, "install")
    assert installed.code == 0, installed.out
    return repo


@pytest.fixture
def plain(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository with `hooks/pre-commit` of this project as its git hook, and one commit."""
    repo.commit({"README": "orders\n"})
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "nootropic-bot"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m nootropic_bot "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    for name in ("pre-commit", "pre-push"):
        shutil.copy(PROJECT / "hooks" / name, repo.path / ".git/hooks" / name)
        (repo.path / ".git/hooks" / name).chmod(0o755)
    return repo


def call(*args: str, cwd: Path) -> Run:
    """Run any program to its end, with both outputs in `out`: what a person sees."""
    done = subprocess.run(
        args, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    text = done.stdout.decode("utf-8", "replace")
    assert "Traceback" not in text, text
    return Run(done.returncode, text, "")


def pre_commit(repo: Repo, *args: str) -> Run:
    return call(sys.executable, "-m", "pre_commit", *args, cwd=repo.path)


def commit(repo: Repo, *args: str, cwd: str = ".") -> Run:
    return call("git", "commit", "-m", "change", *args, cwd=repo.path / cwd)


def without_seconds(text: str) -> str:
    return re.sub(r"\d+\.\d+ s\b", "", text)


def commits(repo: Repo) -> int:
    return int(repo.git("rev-list", "--count", "--branches"))


def test_a_commit_is_blocked_then_fixed_then_made(hooked: Repo) -> None:
    hooked.stage({"app.py": UNSAFE})
    before = hooked.state()

    blocked = commit(hooked)
    assert blocked.code == 1
    assert "- exit code: 1" in blocked.out
    assert "app.py:5:12" in blocked.out
    assert RULE in blocked.out
    assert "yaml.safe_load(text)" in blocked.out
    assert commits(hooked) == 1
    assert hooked.state() == before

    fixed = pre_commit(hooked, "run", "nootropic-fix", "--hook-stage", "manual")
    assert fixed.code == 1
    assert "fixed 1 in app.py" in fixed.out
    assert "files were modified by this hook" in fixed.out
    assert (hooked.path / "app.py").read_text() == SAFE
    assert hooked.git("show", ":app.py") + "\n" == UNSAFE, "the index is the user's, the fix is theirs to stage"

    hooked.git("add", "app.py")
    made = commit(hooked)
    assert made.code == 0, made.out
    assert commits(hooked) == 2
    assert hooked.git("show", "HEAD:app.py") + "\n" == SAFE


def test_f9_the_review_changes_neither_index_nor_work_tree(hooked: Repo) -> None:
    hooked.stage({"app.py": UNSAFE, "whole.py": SAFE})
    hooked.write("app.py", UNSAFE + "\n\nprint(load(''))\n")
    hooked.write("untracked.py", UNSAFE)
    before = hooked.state()
    ran = pre_commit(hooked, "run", "nootropic-review")
    assert ran.code == 1
    assert RULE in ran.out
    assert "files were modified by this hook" not in ran.out
    assert "untracked.py" not in ran.out
    assert hooked.state() == before


def test_the_hook_reads_the_index_and_never_the_work_tree(repo: Repo) -> None:
    repo.commit({"README": "orders\n"})
    repo.stage({"bad_staged.py": UNSAFE, "good_staged.py": SAFE})
    repo.write("bad_staged.py", SAFE)
    repo.write("good_staged.py", UNSAFE)
    before = repo.state()
    ran = repo.bot("hook")
    assert ran.code == 1
    assert "bad_staged.py" in ran.out
    assert "good_staged.py" not in ran.out
    assert repo.state() == before

    (repo.path / "bad_staged.py").unlink()
    again = repo.bot("hook")
    assert (again.code, without_seconds(again.out)) == (ran.code, without_seconds(ran.out))


def test_a_clean_hook_says_nothing(repo: Repo) -> None:
    repo.commit({"old.py": UNSAFE})
    repo.stage({"app.py": SAFE})
    ran = repo.bot("hook")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_fix_leaves_a_partially_staged_file_alone_and_says_so(repo: Repo) -> None:
    repo.stage({"half.py": UNSAFE, "whole.py": UNSAFE})
    repo.write("half.py", UNSAFE + "# not staged\n")
    index = repo.git("ls-files", "--stage")
    ran = repo.bot("hook", "--fix")
    assert ran.code == 1
    assert "left alone: half.py: the work tree holds something else than what was reviewed" in ran.out
    assert "fixed 1 in whole.py" in ran.out
    assert (repo.path / "half.py").read_text() == UNSAFE + "# not staged\n"
    assert (repo.path / "whole.py").read_text() == SAFE
    assert repo.git("ls-files", "--stage") == index


def test_all_files_on_a_clean_index_reviews_for_real(hooked: Repo) -> None:
    hooked.commit({"app.py": SAFE})
    green = pre_commit(hooked, "run", "--all-files", "nootropic-review")
    assert green.code == 0, green.out

    hooked.stage({"old.py": UNSAFE})
    assert commit(hooked, "--no-verify").code == 0
    red = pre_commit(hooked, "run", "--all-files", "nootropic-review")
    assert red.code == 1
    assert "old.py:5:12" in red.out

    # The same without `--all-files` looks at what is staged, and nothing is.
    assert pre_commit(hooked, "run", "nootropic-review").code == 0


def test_named_files_that_are_not_staged_are_reviewed_whole(repo: Repo) -> None:
    repo.commit({"old.py": UNSAFE, "other.py": UNSAFE})
    ran = repo.bot("hook", "old.py")
    assert ran.code == 1
    assert "old.py" in ran.out
    assert "other.py" not in ran.out


def test_from_ref_and_to_ref_review_that_range(hooked: Repo) -> None:
    first = hooked.git("rev-parse", "HEAD")
    hooked.stage({"old.py": UNSAFE})
    commit(hooked, "--no-verify")
    second = hooked.git("rev-parse", "HEAD")
    hooked.stage({"app.py": SAFE})
    commit(hooked, "--no-verify")
    # Neither index nor work tree matter to a range.
    hooked.stage({"staged.py": UNSAFE})

    red = pre_commit(hooked, "run", "nootropic-review", "--from-ref", first, "--to-ref", "HEAD")
    assert red.code == 1
    assert "old.py" in red.out
    assert "staged.py" not in red.out
    green = pre_commit(hooked, "run", "nootropic-review", "--from-ref", second, "--to-ref", "HEAD")
    assert green.code == 0, green.out


def test_the_first_commit_of_a_repository_is_reviewed(repo: Repo) -> None:
    repo.stage({".pre-commit-config.yaml": PRE_COMMIT_CONFIG, "app.py": UNSAFE})
    assert pre_commit(repo, "install").code == 0
    blocked = commit(repo)
    assert blocked.code == 1
    assert RULE in blocked.out
    assert commits(repo) == 0
    repo.stage({"app.py": SAFE})
    made = commit(repo)
    assert made.code == 0, made.out
    assert commits(repo) == 1


def test_a_used_up_time_budget_is_never_green_and_the_cache_makes_progress(repo: Repo) -> None:
    names = [f"part_{number}.py" for number in range(60)]
    repo.stage({name: f"{SAFE}\n\nNUMBER = {number}\n" for number, name in enumerate(names)})
    repo.stage({"part_59.py": UNSAFE})
    hasty = {"NOOTROPIC_HOOK_BUDGET_SECONDS": "0.01"}

    def skipped(run: Run) -> set[str]:
        return {name for name in names if re.search(rf"\b{name}\b.*time budget", run.out)}

    first = repo.bot("hook", env=hasty)
    assert first.code == 4
    assert skipped(first) == set(names)

    # Whatever a run did finish is not done again by the next one.
    assert repo.bot("hook", *names[:20]).code == 0
    second = repo.bot("hook", env=hasty)
    assert second.code == 4
    assert skipped(second) == set(names[20:])

    assert repo.bot("hook").code == 1
    last = repo.bot("hook", env=hasty)
    assert last.code == 1
    assert skipped(last) == set()
    assert RULE in last.out


def test_the_plain_git_hook_blocks_and_no_verify_goes_past_it(plain: Repo) -> None:
    plain.stage({"app.py": UNSAFE})
    blocked = commit(plain)
    assert blocked.code == 1
    assert RULE in blocked.out
    assert commits(plain) == 1
    assert commit(plain, "--no-verify").code == 0
    plain.stage({"app.py": SAFE})
    assert commit(plain).code == 0
    assert commits(plain) == 3


def test_commit_all_reviews_what_it_is_about_to_commit(plain: Repo) -> None:
    """`git commit -a` builds its own index and names it in GIT_INDEX_FILE."""
    plain.stage({"app.py": SAFE})
    assert commit(plain).code == 0
    plain.write("app.py", UNSAFE)
    blocked = commit(plain, "-a")
    assert blocked.code == 1
    assert "app.py:5:12" in blocked.out
    assert commits(plain) == 2
    assert plain.git("diff", "--cached", "--name-only") == "", "the failed commit left its index behind"


def test_commit_of_a_path_reviews_that_path_only(plain: Repo) -> None:
    """`git commit PATH` commits the work tree's PATH on top of HEAD, whatever else is staged."""
    plain.stage({"good.py": "", "bad.py": ""})
    assert commit(plain).code == 0
    plain.stage({"good.py": SAFE, "bad.py": UNSAFE})
    blocked = commit(plain, "bad.py")
    assert blocked.code == 1
    assert "bad.py" in blocked.out
    made = commit(plain, "good.py")
    assert made.code == 0, made.out
    assert plain.git("show", "--name-only", "--format=") == "good.py"
    assert plain.git("diff", "--cached", "--name-only") == "bad.py"


def test_commit_all_through_pre_commit(hooked: Repo) -> None:
    hooked.stage({"app.py": SAFE})
    assert commit(hooked).code == 0
    hooked.write("app.py", UNSAFE)
    blocked = commit(hooked, "-a")
    assert blocked.code == 1
    assert RULE in blocked.out
    assert (hooked.path / "app.py").read_text() == UNSAFE


def test_a_commit_from_a_subdirectory(plain: Repo) -> None:
    plain.stage({"deep/er/app.py": UNSAFE, "other/readme.txt": "x\n"})
    blocked = commit(plain, cwd="other")
    assert blocked.code == 1
    assert "deep/er/app.py:5:12" in blocked.out
    blocked = commit(plain, "app.py", cwd="deep/er")
    assert blocked.code == 1
    assert "deep/er/app.py:5:12" in blocked.out
    assert commits(plain) == 1


def test_a_commit_from_a_linked_worktree(plain: Repo, tmp_path: Path) -> None:
    # What the main work tree has staged is not what the linked one commits.
    plain.stage({"main.py": UNSAFE})
    plain.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked")
    linked.stage({"app.py": SAFE})
    made = commit(linked)
    assert made.code == 0, made.out
    linked.stage({"app.py": UNSAFE})
    before, main_before = linked.state(), plain.state()
    blocked = commit(linked)
    assert blocked.code == 1
    assert "app.py:5:12" in blocked.out
    assert "main.py" not in blocked.out
    assert (linked.state(), plain.state()) == (before, main_before)


def test_a_merge_is_not_held_up_by_what_was_there_before(hooked: Repo) -> None:
    """pre-commit names every file of a merge, also those that end as they were at HEAD."""
    hooked.stage({"app.py": UNSAFE, "notes.txt": "base\n"})
    assert commit(hooked, "--no-verify").code == 0
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.stage({"notes.txt": "side\n", "app.py": f"# side\n{UNSAFE}"})
    assert commit(hooked, "--no-verify").code == 0
    hooked.git("checkout", "--quiet", "main")
    hooked.stage({"notes.txt": "main\n", "app.py": f"# main\n{UNSAFE}"})
    assert commit(hooked, "--no-verify").code == 0
    hooked.git("merge", "side", check=False)
    hooked.stage({"notes.txt": "both\n", "app.py": f"# main\n{UNSAFE}"})
    made = commit(hooked)
    assert made.code == 0, made.out


def test_a_push_is_refused_for_what_it_adds_to_the_remote(plain: Repo, tmp_path: Path) -> None:
    plain.git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    plain.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    assert call("git", "push", "origin", "main", cwd=plain.path).code == 0
    plain.stage({"app.py": UNSAFE})
    commit(plain, "--no-verify")
    refused = call("git", "push", "origin", "main", cwd=plain.path)
    assert refused.code == 1
    assert RULE in refused.out
    assert plain.git("ls-remote", "origin", "main").split()[0] == plain.git("rev-parse", "HEAD~1")
    deleted = call("git", "push", "origin", ":absent", cwd=plain.path)
    assert RULE not in deleted.out


@pytest.mark.slow
@pytest.mark.skipif("NOOTROPIC_OFFLINE" in os.environ, reason="pre-commit installs the package from the index")
def test_pre_commit_builds_the_published_hook_from_a_clone(repo: Repo, tmp_path: Path) -> None:
    """What a user gets: the package built and installed by pre-commit, its rules inside, nothing of this checkout."""
    project = Repo(tmp_path / "project")
    left_out = shutil.ignore_patterns(".git", ".venv", "venv", "build", "dist", "__pycache__", ".*_cache")
    shutil.copytree(PROJECT, project.path, ignore=left_out)
    project.git("init", "--quiet")
    project.commit({})
    repo.stage({"app.py": UNSAFE})
    os.environ.pop("PYTHONPATH")
    ran = pre_commit(repo, "try-repo", str(project.path), "nootropic-review", "--verbose")
    assert ran.code == 1, ran.out
    assert "app.py:5:12" in ran.out
    assert RULE in ran.out
    assert "yaml.safe_load(text)" in ran.out
