"""The faults of the corpus that a review can meet: each row by its number (`attacks.md`)."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.repo import PROJECT, Repo, Run, run_bot

UNSAFE = "import yaml\n\n\ndef load(text):\n    return yaml.load(text)\n"
SAFE = UNSAFE.replace("yaml.load", "yaml.safe_load")
RULE = "yaml-unsafe-load"
BOT = (sys.executable, "-m", "nootropic_bot")
KILLED = -9


def outcome(run: Run) -> dict[str, Any]:
    """A report without what differs from run to run: the time."""
    report = run.report
    del report["summary"]["seconds"]
    return report


def findings(run: Run) -> list[tuple[str, str, int, bool]]:
    return [(f["rule_id"], f["path"], f["start"]["line"], f["in_scope"]) for f in run.report["findings"]]


def call(args: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Run:
    full = {**os.environ, "PYTHONPATH": str(PROJECT), **(env or {})}
    done = subprocess.run(args, cwd=cwd, env=full, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    err = done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in err, err
    return Run(done.returncode, done.stdout.decode("utf-8", "surrogateescape"), err)


# F1


@pytest.fixture
def deadly_git(tmp_path: Path) -> dict[str, str]:
    """An environment in which the git call of number KILL_AT kills the program that made it, before git does anything."""
    folder = tmp_path / "deadly"
    folder.mkdir()
    shim = folder / "git"
    shim.write_text(
        "#!/bin/sh\n"
        f"count={shlex.quote(str(folder / 'count'))}\n"
        'number=$(($(cat "$count" 2>/dev/null || echo 0) + 1))\n'
        'echo "$number" > "$count"\n'
        '[ "$number" = "$KILL_AT" ] && kill -9 "$PPID"\n'
        f'exec {shlex.quote(str(shutil.which("git")))} "$@"\n'
    )
    shim.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "COUNT": str(folder / "count")}


def is_killed_at(number: int, repo: Repo, deadly_git: Mapping[str, str], *args: str) -> bool:
    """Run with no analysis and no proof remembered; whether there was a git call of this number."""
    Path(deadly_git["COUNT"]).unlink(missing_ok=True)
    for remembered in ("analyses", "proofs"):
        shutil.rmtree(repo.path / ".git/nootropic" / remembered, ignore_errors=True)
    ran = repo.review(*args, env={**deadly_git, "KILL_AT": str(number)})
    assert ran.code in (0, 1, KILLED), ran.err
    assert ran.code != KILLED or ran.out == "", "a report of a run that was killed half-way is no report"
    return ran.code == KILLED


@pytest.mark.slow
def test_f1_kill_at_every_git_call_of_a_review(repo: Repo, deadly_git: dict[str, str]) -> None:
    repo.commit({"app.py": SAFE, "old.py": UNSAFE})
    repo.stage({"app.py": UNSAFE})
    before = repo.state()
    expected = outcome(repo.review("--staged"))
    assert expected["summary"]["verified_suggestions"] == 1
    number = 1
    while is_killed_at(number, repo, deadly_git, "--staged"):
        assert repo.state() == before
        assert outcome(repo.review("--staged")) == expected
        number += 1
    assert number > 4, "the shim was not called"


@pytest.mark.slow
def test_f1_kill_at_every_git_call_of_an_apply(repo: Repo, deadly_git: dict[str, str]) -> None:
    repo.commit({"one.py": SAFE, "two.py": SAFE})
    changed = {"one.py": UNSAFE, "two.py": f"# two\n{UNSAFE}"}
    for name, text in changed.items():
        repo.write(name, text)
    before = repo.state()
    fixed = {name: text.replace("yaml.load", "yaml.safe_load").encode() for name, text in changed.items()}
    number = 1
    while is_killed_at(number, repo, deadly_git, "--worktree", "--apply"):
        index, refs, files = repo.state()
        assert (index, refs) == before[:2]
        assert set(files) == set(before[2]), "nothing is left behind in the work tree"
        assert all(files[name] in (before[2][name], fixed[name]) for name in files)
        again = repo.review("--worktree", "--apply")
        assert again.code == 0, again.err
        assert repo.state() == (*before[:2], fixed)
        for name, text in changed.items():
            repo.write(name, text)
        number += 1
    assert number > 6, "the shim was not called"
    assert repo.state() == (*before[:2], fixed), "the run that was not killed did all of it"


# F5

# A disk of our own, seen by the program alone: filled up, used, and copied out for the test to look at.
_ON_A_FULL_DISK = """
disk=$1 content=$2 result=$3; shift 3
mount -t tmpfs -o size=512k tmpfs "$disk" || exit 99
cp -R "$content/." "$disk"
cat /dev/zero > "$disk/filler" 2>/dev/null
truncate -s "-$FREE" "$disk/filler"
"$@"
code=$?
rm "$disk/filler"
cp -R "$disk/." "$result"
exit $code
"""


def on_a_full_disk(disk: Path, result: Path, *args: str, cwd: Path, free: int = 0, **env: str) -> Run:
    """Run the program while `disk` is a full file system that holds what `disk` held; `result`: what it holds after."""
    env["FREE"] = str(free)
    content = disk.with_name(f"{disk.name}-content")
    shutil.copytree(disk, content)
    result.mkdir()
    enter = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    shell = ["sh", "-c", f"cd {shlex.quote(str(cwd))}\n{_ON_A_FULL_DISK}", "sh", str(disk), str(content), str(result)]
    # A shell that stands in the folder before it is mounted over would still see the old one.
    inner = ["sh", "-c", 'cd "$0" && exec "$@"', str(cwd), *BOT, *args]
    try:
        ran = call([*enter, *shell, *inner], cwd=disk.parent, env=env)
    except FileNotFoundError:
        pytest.skip("no unshare on this system")
    if ran.code == 99 or ran.err.startswith("unshare:"):
        pytest.skip(f"nothing can be mounted here: {ran.err.strip()}")
    return ran


def test_f5_no_space_for_a_fix(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "disk")
    repo.commit({"README": "orders\n"})
    repo.write("app.py", UNSAFE)
    shutil.move(repo.path / ".git", tmp_path / "elsewhere.git")
    repo.write(".git", f"gitdir: {tmp_path / 'elsewhere.git'}\n")
    ran = on_a_full_disk(repo.path, tmp_path / "after", "review", "--worktree", "--apply", cwd=repo.path)
    assert ran.code == 3, ran.err
    assert "app.py could not be written: No space left on device; it is unchanged" in ran.err
    assert (tmp_path / "after/app.py").read_text() == UNSAFE
    assert sorted(os.listdir(tmp_path / "after")) == [".git", "README", "app.py"]


def test_f5_no_space_for_a_report(repo: Repo, tmp_path: Path) -> None:
    repo.stage({"app.py": UNSAFE})
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "report.json").write_text("old")
    args = ("review", "--staged", "--output", f"json={disk}/report.json")
    ran = on_a_full_disk(disk, tmp_path / "after", *args, cwd=repo.path)
    assert ran.code == 3, ran.err
    assert "report.json: No space left on device" in ran.err
    assert os.listdir(tmp_path / "after") == ["report.json"]
    assert (tmp_path / "after/report.json").read_text() == "old"


def test_f5_no_space_for_the_export(repo: Repo, tmp_path: Path) -> None:
    repo.stage({"app.py": UNSAFE})
    before = repo.state()
    disk = tmp_path / "disk"
    disk.mkdir()
    args = ("review", "--staged")
    ran = on_a_full_disk(disk, tmp_path / "after", *args, cwd=repo.path, free=16384, TMPDIR=str(disk))
    assert ran.code == 3, ran.err
    assert f"could not be copied to {disk}: No space left on device" in ran.err
    assert "TMPDIR" in ran.err
    assert ran.out == ""
    assert os.listdir(tmp_path / "after") == []
    assert repo.state() == before
    assert repo.review("--staged").code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; the full disk covers it there")
def test_f5_a_fix_in_a_folder_that_may_not_be_written(repo: Repo) -> None:
    app = repo.write("locked/app.py", UNSAFE)
    app.parent.chmod(0o555)
    try:
        ran = repo.bot("review", "--worktree", "--apply")
    finally:
        app.parent.chmod(0o755)
    assert ran.code == 3
    assert "locked/app.py could not be written: Permission denied; it is unchanged" in ran.err
    assert app.read_text() == UNSAFE
    assert os.listdir(app.parent) == ["app.py"]


def with_file_size_limit(size: int, *args: str, cwd: Path) -> Run:
    """No file may grow past `size` bytes: what a quota does, on any system."""
    limit = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); os.execv(sys.argv[1], sys.argv[1:])"
    return call([sys.executable, "-c", limit, *BOT, *args], cwd=cwd)


def test_f5_a_file_size_limit(repo: Repo, tmp_path: Path) -> None:
    repo.stage({"app.py": UNSAFE})
    cold = with_file_size_limit(4096, "review", "--staged", cwd=repo.path)
    assert cold.code == 3
    assert "File too large" in cold.err
    assert "TMPDIR" in cold.err

    # Warm, nothing but the report is written.
    assert repo.review("--staged").code == 1
    report = tmp_path / "report.json"
    report.write_text("old")
    warm = with_file_size_limit(64, "review", "--staged", "--output", f"json={report}", cwd=repo.path)
    assert warm.code == 3
    assert "report.json: File too large" in warm.err
    assert report.read_text() == "old"
    assert not list(tmp_path.glob(".report*"))


# F7


@pytest.fixture
def origin(tmp_path: Path) -> Repo:
    """`main` and `feature` went apart after a commit with an old finding; `feature` adds one."""
    origin = Repo.init(tmp_path / "origin")
    origin.commit({"old.py": UNSAFE, "app.py": f"# The app.\n{UNSAFE}", "main.txt": "1\n"})
    origin.git("checkout", "--quiet", "-b", "feature")
    origin.commit({"app.py": f"# The app.\n{UNSAFE}\n\ndef load_all(text):\n    return yaml.load_all(text)\n"})
    origin.git("checkout", "--quiet", "main")
    origin.commit({"main.txt": "2\n"})
    return origin


def shallow_clone(origin: Repo, path: Path) -> Repo:
    origin.git("clone", "--quiet", "--depth=1", "--branch=feature", f"file://{origin.path}", str(path))
    return Repo(path)


def test_f7_an_unknown_base_in_a_shallow_clone_names_the_remedy(origin: Repo, tmp_path: Path) -> None:
    clone = shallow_clone(origin, tmp_path / "clone")
    ran = clone.review("--base", origin.git("rev-parse", "main"))
    assert ran.code == 2
    assert ran.out == ""
    assert "unknown revision" in ran.err
    assert "git fetch --unshallow" in ran.err


def test_f7_without_a_merge_base_not_everything_is_new(origin: Repo, tmp_path: Path) -> None:
    clone = shallow_clone(origin, tmp_path / "clone")
    clone.git("fetch", "--quiet", "--depth=1", "origin", "main:refs/remotes/origin/main")
    ran = clone.review("--base", "origin/main")
    assert "no common ancestor of base and head is known in this shallow clone" in ran.err
    assert "git fetch --unshallow" in ran.err
    assert ran.code == 1
    assert findings(ran) == [(RULE, "app.py", 6, False), (RULE, "app.py", 10, True)]

    clone.git("fetch", "--quiet", "--unshallow", "origin")
    whole = clone.review("--base", "origin/main")
    assert whole.err == ""
    assert findings(whole) == findings(ran)


# F8


def test_f8_detached_head_linked_worktree_and_hook_variables_give_the_same_findings(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    base = repo.commit({"app.py": SAFE, "sub/old.py": UNSAFE})
    head = repo.commit({"app.py": UNSAFE})
    expected = [(RULE, "app.py", 5, True)]
    assert findings(repo.review("--base", base)) == expected

    repo.git("checkout", "--quiet", "--detach", head)
    assert findings(repo.review("--base", base)) == expected

    repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"), base)
    linked = Repo(tmp_path / "linked")
    linked.stage({"app.py": UNSAFE})
    assert findings(linked.review("--staged")) == expected
    assert findings(linked.review("--worktree")) == expected
    assert findings(linked.review("--base", base, "--head", head)) == expected

    repo.git("reset", "--quiet", "--soft", base)
    in_hook = {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": "", "GIT_EDITOR": ":"}
    assert findings(repo.review("--staged", env=in_hook)) == expected
    # git itself goes to the top before it starts a hook; a program that the hook starts elsewhere sees the same.
    absolute = {"GIT_DIR": str(repo.path / ".git"), "GIT_INDEX_FILE": str(repo.path / ".git/index")}
    assert findings(run_bot("review", "--staged", "--format", "json", cwd=repo.path / "sub", env=absolute)) == expected
    for mode in ("--staged", "--worktree"):
        misleading = {"GIT_DIR": str(tmp_path / "nowhere"), "GIT_WORK_TREE": "/", "GIT_OBJECT_DIRECTORY": "/nowhere"}
        assert findings(repo.review(mode, env=misleading)) == expected


def test_f8_another_index_of_a_hook_is_the_one_that_is_read(repo: Repo) -> None:
    repo.commit({"app.py": SAFE})
    shutil.copy(repo.path / ".git/index", repo.path / ".git/next-index")
    repo.write("app.py", UNSAFE)
    repo.git("add", "app.py", env={"GIT_INDEX_FILE": ".git/next-index"})
    repo.write("app.py", SAFE)
    for name in (".git/next-index", str(repo.path / ".git/next-index")):
        assert findings(repo.review("--staged", env={"GIT_INDEX_FILE": name})) == [(RULE, "app.py", 5, True)]
    assert findings(repo.review("--staged")) == []


def test_f8_a_submodule_is_reviewed_where_it_lives(tmp_path: Path) -> None:
    library = Repo.init(tmp_path / "library")
    library.commit({"app.py": SAFE})
    parent = Repo.init(tmp_path / "parent")
    parent.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "vendor/library")
    listed = parent.review("--staged")
    assert listed.code == 0
    assert [n["path"] for n in listed.report["not_scanned"]] == ["vendor/library"]
    assert "submodule" in listed.report["not_scanned"][0]["reason"]

    inside = Repo(parent.path / "vendor/library")
    inside.stage({"app.py": UNSAFE})
    for mode in ("--staged", "--worktree"):
        assert findings(inside.review(mode)) == [(RULE, "app.py", 5, True)]
    # What is dirty in the submodule is no change of the parent's files.
    assert findings(parent.review("--worktree")) == []


# F9


def test_f9_a_locked_index_is_read_and_nothing_changes(repo: Repo) -> None:
    repo.commit({"app.py": SAFE})
    repo.stage({"app.py": UNSAFE})
    lock = repo.path / ".git/index.lock"
    lock.write_bytes(b"")
    raw_index = (repo.path / ".git/index").read_bytes()
    before = repo.state()
    hook = repo.bot("hook")
    assert hook.code == 1
    assert "app.py:5:12" in hook.out
    for mode in ("--staged", "--worktree"):
        assert findings(repo.review(mode)) == [(RULE, "app.py", 5, True)]
    assert repo.state() == before
    assert lock.read_bytes() == b""
    assert (repo.path / ".git/index").read_bytes() == raw_index, "not even the stat data may be refreshed"


# F19

CRLF = UNSAFE.replace("\n", "\r\n")
ROUND_TRIP: dict[bytes, bytes] = {
    b"crlf.py": CRLF.encode(),
    b"crlf_no_newline.py": CRLF.rstrip().encode(),
    b"mixed.py": b"import yaml\r\nx = 1\nyaml.load(x)\r\ny = 2\r\n\n\n",
    b"no_newline.py": UNSAFE.rstrip().encode(),
    b"bom.py": b"\xef\xbb\xbf" + UNSAFE.encode(),
    b"bom_first_line.py": b"\xef\xbb\xbfimport yaml; yaml.load(input())\r\n",
    b"latin1.py": b"# -*- coding: latin-1 -*-\nimport yaml\nname = '\xe9t\xe9'; yaml.load(input(name))  # \xdf\nlast = '\xff'\n",
    b"utf8.py": "import yaml\n名 = 'ünï🎉'; yaml.load(input(名))  # 🎉\n".encode(),
    b"bad_bytes.py": b"import yaml\nyaml.load('x' + input())\n# not UTF-8: \xff\xfe\n",
    b"form_feed.py": b"import yaml\n\x0c\nyaml.load(input())\n# \xe2\x80\xa8 separator\n",
    b"caf\xe9.py": UNSAFE.encode(),
    b"odd name'\"$(x) .py": UNSAFE.encode(),
    b"new\nline.py": UNSAFE.encode(),
    b"dir\xff/tab\t.py": UNSAFE.encode(),
}
UNTOUCHED: dict[bytes, bytes] = {
    b"nul.py": UNSAFE.encode() + b"\0",
    b"binary.py": bytes(range(256)),
    b"data.bin": bytes(range(256)),
    b"utf16.py": UNSAFE.encode("utf-16"),
    b"empty.py": b"",
}


def test_f19_only_the_fixed_lines_change(repo: Repo) -> None:
    repo.commit({"README": "orders\n"})
    for name, content in {**ROUND_TRIP, **UNTOUCHED}.items():
        repo.write(name, content)
    (repo.path / "crlf.py").chmod(0o755)
    ran = repo.review("--worktree", "--apply", "--fail-on", "never")
    reviewed = {f["path"] for f in ran.report["findings"] if f["rule_id"] == RULE}
    listed = {n["path"] for n in ran.report["not_scanned"]}
    assert ran.code == 4, "binary content in a changed .py is never green"
    assert {"nul.py", "binary.py", "utf16.py"} <= listed
    assert reviewed == {os.fsdecode(name) for name in ROUND_TRIP}
    after = {os.fsencode(name): content for name, content in repo.state()[2].items()}
    del after[b"README"]
    # Bytes that hold for nothing in the declared encoding make a syntax error, for which nothing can be proved.
    kept = {**UNTOUCHED, b"bad_bytes.py": ROUND_TRIP[b"bad_bytes.py"]}
    fixed = {n: c.replace(b"yaml.load(", b"yaml.safe_load(") for n, c in ROUND_TRIP.items() if n not in kept}
    assert after == {**fixed, **kept}
    assert (repo.path / "crlf.py").stat().st_mode & 0o777 == 0o755


def test_f19_the_staged_review_says_the_same_of_odd_files(repo: Repo) -> None:
    repo.stage({os.fsdecode(name): content for name, content in {**ROUND_TRIP, **UNTOUCHED}.items()})
    staged, worktree = repo.review("--staged"), repo.review("--worktree")
    assert outcome(staged) == outcome(worktree)
    base = repo.git("commit-tree", "-m", "base", repo.git("mktree", feed=b""))
    head = repo.git("commit-tree", "-m", "head", "-p", base, repo.git("write-tree"))
    ranged = repo.review("--base", base, "--head", head)
    assert ranged.report["findings"] == staged.report["findings"]
    assert ranged.report["not_scanned"] == staged.report["not_scanned"]


# F20


def peak_memory(repo: Repo, *args: str) -> int:
    """The largest resident size of the program and what it started; an unnamed unit, fit to be compared."""
    measure = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    return int(call([sys.executable, "-c", measure, *BOT, *args], cwd=repo.path).out)


@pytest.mark.slow
def test_f20_a_large_repository_costs_no_more_memory(tmp_path: Path) -> None:
    small, large = Repo.init(tmp_path / "small"), Repo.init(tmp_path / "large")
    large.path.joinpath("tree").mkdir()
    for number in range(20_000):
        folder = large.path / f"tree/{number // 200}"
        folder.mkdir(exist_ok=True)
        (folder / f"module_{number}.py").write_text(f"NUMBER = {number}\n")
    for repo in (small, large):
        repo.commit({"app.py": SAFE})
        repo.stage({"app.py": UNSAFE})
    for mode in ("--staged", "--worktree"):
        ran = large.review(mode)
        assert findings(ran) == [(RULE, "app.py", 5, True)]
        assert outcome(ran)["summary"] == outcome(small.review(mode))["summary"]
        # Warm, so that the engine's own memory does not hide ours.
        assert peak_memory(large, "review", mode) < 2 * peak_memory(small, "review", mode)
