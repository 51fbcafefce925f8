"""Everything a user, a repository or a machine can get wrong: the message, the exit code, and what is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.engines import PACKAGE, RUN_NATIVE, link_but
from tests.support.engines import make_engine as make_standin
from tests.support.repo import PROJECT, Repo, Run, run_bot

UNSAFE = "import yaml\n\n\ndef load(text):\n    return yaml.load(text)\n"
SAFE = UNSAFE.replace("yaml.load", "yaml.safe_load")
RULE = "yaml-unsafe-load"
BOT = (sys.executable, "-m", "nootropic_bot")


def findings(run: Run) -> list[tuple[str, str, int]]:
    return [(f["rule_id"], f["path"], f["start"]["line"]) for f in run.report["findings"] if f["in_scope"]]


def assert_refused(run: Run, *parts: str, code: int = 2) -> None:
    """It ended with this code, said all of `parts` on standard error, and nothing on standard output."""
    assert run.code == code, run.err or run.out
    for part in parts:
        assert part in run.err
    assert run.out == ""


# Where it is called


def test_not_a_repository(tmp_path: Path) -> None:
    ran = run_bot("review", cwd=tmp_path)
    assert_refused(ran, f"{tmp_path} is not in a git repository", "git init")


def test_a_bare_repository(repo: Repo) -> None:
    repo.git("init", "--quiet", "--bare", "bare.git")
    assert_refused(run_bot("review", cwd=repo.path / "bare.git"), "bare repository", "clone")


def test_an_empty_repository_is_clean(repo: Repo) -> None:
    for mode in ("--worktree", "--staged", "--all"):
        ran = repo.review(mode)
        assert ran.code == 0
        assert (ran.report["complete"], ran.report["findings"], ran.report["base"]) == (True, [], None)
    assert_refused(repo.bot("review", "--base", "HEAD"), "unknown revision 'HEAD'")


# What it is asked


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (("--base", "nowhere"), ("unknown revision 'nowhere'", "fetch it first")),
        (("--base", "HEAD", "--head", "nowhere"), ("unknown revision 'nowhere'",)),
        (("--base", "HEAD~99"), ("unknown revision",)),
        (("--base", "HEAD\n"), ("unknown revision",)),
        (("--base", ""), ("unknown revision",)),
        (("--head", "HEAD"), ("--head needs --base", "--base origin/main")),
        (("--staged", "--all"), ("--staged and --all exclude each other",)),
        (("--base", "HEAD", "--worktree"), ("--base and --worktree exclude each other",)),
        (("../elsewhere",), ("../elsewhere lies outside the repository",)),
        (("/etc/passwd",), ("/etc/passwd lies outside the repository",)),
        (("--shard", "4/3"), ("4/3", "I/N")),
        (("--shard", "0/3"), ("0/3", "I/N")),
        (("--output", "json"), ("FORMAT=PATH",)),
        (("--output", "jsn=x"), ("jsn", "perhaps you meant `json`")),
        (("--format", "html"), ("html", "sarif")),
        (("--fail-on", "fatal"), ("fatal", "never")),
        (("--bass", "x"), ("--bass",)),
    ],
)
def test_a_wrong_command_line(repo: Repo, args: tuple[str, ...], parts: tuple[str, ...]) -> None:
    repo.commit({"app.py": UNSAFE})
    assert_refused(repo.bot("review", *args), *parts)


def test_a43_a_revision_that_looks_like_an_option_is_not_handed_to_git(repo: Repo) -> None:
    repo.commit({"app.py": UNSAFE})
    for revision in ("--upload-pack=touch P", "--upload-pack=touch${IFS}P", "--output=P", "-h"):
        assert_refused(repo.bot("review", f"--base={revision}"), "unknown revision")
        assert_refused(repo.bot("review", "--base=HEAD", f"--head={revision}"), "unknown revision")
    assert not (repo.path / "P").exists()


def test_a_mistyped_command_is_guessed(repo: Repo) -> None:
    assert_refused(repo.bot("reveiw"), "no command `reveiw`", "Perhaps you meant `review`")


# What is reviewed


def test_binary_content_in_a_python_file_is_incomplete(repo: Repo) -> None:
    repo.stage({"app.py": b"\x7fELF\x00\x01" + bytes(range(256)), "other.py": UNSAFE})
    ran = repo.review("--staged")
    assert ran.code == 4
    assert ran.report["complete"] is False
    assert ran.report["incomplete_reasons"] == ["app.py: binary file (it holds NUL bytes)"]
    assert findings(ran) == [(RULE, "other.py", 5)]


def test_a_large_file_is_scanned_to_its_end(repo: Repo) -> None:
    """Semgrep's own limit is 1 MB."""
    filler = "".join(f'    "{number:08d}: {"x" * 80}",\n' for number in range(52_000))
    content = f"ROWS = [\n{filler}]\nprint(ROWS)\n"
    assert len(content) > 5_000_000
    # One rule, because time is not the matter here.
    settings = 'bundled_rules = false\nrules = ["rule.yaml"]\nfail_on = "warning"\n'
    repo.stage({"rows.py": content, "rule.yaml": GOOD_RULE, "nootropic.toml": settings})
    ran = repo.review("--staged")
    assert ran.report["incomplete_reasons"] == []
    assert findings(ran) == [("no-print", "rows.py", 52_003)]
    assert ran.code == 1


def test_a_syntax_error_is_incomplete_and_named_by_its_line(repo: Repo) -> None:
    repo.stage({"broken.py": f"{UNSAFE}\n\ndef broken(:\n    pass\n", "good.py": UNSAFE})
    ran = repo.review("--staged", "--unproved")
    assert ran.code == 4
    assert any(reason.startswith("broken.py: line 8: ") for reason in ran.report["incomplete_reasons"])
    assert findings(ran) == [(RULE, "broken.py", 5), (RULE, "good.py", 5)]
    by_path = {f["path"]: f["suggestion"] for f in ran.report["findings"]}
    assert by_path["good.py"]["verified"] is True
    assert by_path["broken.py"] is None or by_path["broken.py"]["verified"] is False


# Rules

GOOD_RULE = """\
rules:
  - id: no-print
    languages: [python]
    severity: WARNING
    message: No printing.
    pattern: print(...)
"""


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({"a.yaml": "rules: [\n"}, ("a.yaml is not valid YAML",)),
        ({"a.yaml": "just text\n"}, ("a.yaml is no rule file", "`rules`")),
        ({"a.yaml": b"\xff\xfe\x00"}, ("a.yaml is not valid YAML",)),
        ({"a.yaml": GOOD_RULE.replace("print(...)", "print((")}, ("a.yaml", "'no-print'", "invalid")),
        ({"a.yaml": GOOD_RULE.replace("    message: No printing.\n", "")}, ("a.yaml", "'no-print'", "`message`")),
        ({"a.yaml": GOOD_RULE.replace("WARNING", "DEADLY")}, ("a.yaml", "'no-print'", "'DEADLY'")),
        ({"a.yaml": GOOD_RULE.replace("python", "klingon")}, ("a.yaml", "'no-print'", "klingon")),
        ({"a.yaml": GOOD_RULE, "b.yaml": GOOD_RULE}, ("'no-print' is used twice", "a.yaml", "b.yaml")),
        ({"a.yaml": GOOD_RULE.replace("no-print", RULE)}, (f"'{RULE}' is used twice", "a.yaml", f"{RULE}.yaml")),
        ({"readme.txt": "nothing\n"}, ("holds no rule file",)),
    ],
)
def test_a_bad_rule_file(repo: Repo, files: Mapping[str, str | bytes], parts: tuple[str, ...]) -> None:
    repo.stage({f"extra/{name}": content for name, content in files.items()})
    repo.stage({"app.py": "print(1)\n"})
    assert_refused(repo.bot("review", "--staged", "--rules", "extra"), *parts)


@pytest.mark.parametrize("name", ["p/ci", "r/python.lang", "auto", "https://semgrep.dev/p/ci", "http://x", "git@x:y"])
def test_rules_of_a_registry_are_refused(repo: Repo, name: str) -> None:
    assert_refused(
        repo.bot("review", "--rules", name), f"--rules {name} names a remote rule set", "nothing is downloaded"
    )


def test_missing_rules(repo: Repo) -> None:
    assert_refused(repo.bot("review", "--rules", "nowhere"), "--rules nowhere: no such file or folder")
    repo.commit({"nootropic.toml": 'rules = ["nowhere"]\n'})
    assert_refused(repo.bot("review", "--all"), "the rules 'nowhere' are not in the repository")
    assert_refused(repo.bot("review", "--base", "HEAD"), "the rules 'nowhere' are not in commit")
    repo.commit({"nootropic.toml": "bundled_rules = false\n"})
    assert_refused(repo.bot("review", "--all"), "there are no rules")


# Configuration


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("exclud = []\n", ("nootropic.toml: unknown key `exclud`", "perhaps you meant `exclude`")),
        ("[hook]\nbudget = 3\n", ("unknown key `hook.budget`", "perhaps you meant `hook.budget_seconds`")),
        ("[rule.bare-except]\nseverty = 'info'\n", ("`rule.bare-except.severty`", "perhaps you meant")),
        ("quantum = 1\n", ("unknown key `quantum`", "known keys")),
        ("[publish]\naccount = []\n", ("unknown key `publish.account`", "perhaps you meant `publish.accounts`")),
        ('[publish]\naccounts = ["mona"]\n', ("'mona' is not the name of an app", "my-app[bot]")),
        ("exclude = [\n", ("nootropic.toml is not valid TOML",)),
        (b"exclude = ['\xff']\n", ("nootropic.toml is not valid TOML",)),
        ("exclude = 'x'\n", ("`exclude`",)),
        ("fail_on = 'fatal'\n", ("`fail_on`", "never")),
        ("[hook]\nbudget_seconds = 0\n", ("hook.budget_seconds",)),
        ("[critique]\njobs = -1\n", ("critique.jobs",)),
        ("[rule.bare-except]\nenabled = false\n", ("rule.bare-except is switched off without a reason", "reason = ")),
        ("[rule.bare-exept]\nseverity = 'info'\n", ("unknown rule `bare-exept`", "perhaps you meant `bare-except`")),
        ("hook = 3\n", ("`hook`",)),
    ],
)
def test_a_bad_configuration(repo: Repo, content: str | bytes, parts: tuple[str, ...]) -> None:
    repo.stage({"nootropic.toml": content, "app.py": SAFE})
    for args in (("--staged",), ("--worktree",)):
        assert_refused(repo.bot("review", *args), *parts)
    assert_refused(repo.bot("hook"), *parts)


def test_configuration_in_two_places(repo: Repo) -> None:
    repo.stage({"nootropic.toml": "exclude = []\n", "pyproject.toml": "[tool.nootropic]\nexclude = []\n"})
    assert_refused(repo.bot("review", "--staged"), "both nootropic.toml and [tool.nootropic] of pyproject.toml")
    repo.stage({"pyproject.toml": "[tool.other]\nname = 'nootropic'\n"})
    assert repo.bot("review", "--staged").code == 0
    repo.git("rm", "--quiet", "-f", "nootropic.toml")
    repo.stage({"pyproject.toml": "[tool.nootropic]\nexclud = []\n"})
    assert_refused(repo.bot("review", "--staged"), "[tool.nootropic] of pyproject.toml", "perhaps you meant `exclude`")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOOTROPIC_FAIL_ON", "fatal"),
        ("NOOTROPIC_HOOK_BUDGET_SECONDS", "soon"),
        ("NOOTROPIC_HOOK_BUDGET_SECONDS", "nan"),
        ("NOOTROPIC_JOBS", "-1"),
    ],
)
def test_a_bad_environment_variable(repo: Repo, name: str, value: str) -> None:
    assert_refused(repo.bot("review", "--staged", env={name: value}), name, value)


# Where the output goes


@pytest.mark.parametrize(
    ("path", "part"),
    [("missing/report.json", "make the folder"), ("app.py/report.json", "Not a directory"), (".", "Is a directory")],
)
def test_an_output_that_cannot_be_written(repo: Repo, path: str, part: str) -> None:
    repo.stage({"app.py": UNSAFE})
    before = repo.state()
    assert_refused(repo.bot("review", "--staged", "--output", f"json={path}"), path, part, code=3)
    assert repo.state() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_f5_a_full_device_as_output(repo: Repo, unbuffered: str) -> None:
    repo.stage({"app.py": UNSAFE})
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": unbuffered}
    assert_refused(repo.bot("review", "--staged", "--output", "json=/dev/full"), "/dev/full: No space left", code=3)
    for args in (("review", "--staged", "--format", "json"), ("hook",), ("rules", "list"), ("--version",)):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*BOT, *args], cwd=repo.path, env=env, stdout=full, stderr=subprocess.PIPE, check=False
            )
        assert done.returncode == 3, (args, done.stderr)
        assert done.stderr.count(b"\n") == 1
        assert b"the output could not be written: No space left on device" in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_failure_of_ours(repo: Repo, unbuffered: str) -> None:
    repo.stage({f"app_{number}.py": UNSAFE for number in range(80)})
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": unbuffered}
    shell = f"{' '.join(BOT)} review --staged --format json | head -1"
    done = subprocess.run(["sh", "-c", shell], cwd=repo.path, env=env, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"{\n", b"")

    # A reader that was never there; findings stay findings.
    read, write = os.pipe()
    os.close(read)
    for args in (("review", "--staged"), ("review", "--staged", "--format", "json")):
        done = subprocess.run([*BOT, *args], cwd=repo.path, env=env, stdout=write, stderr=subprocess.PIPE, check=False)
        assert (done.returncode, done.stderr) == (1, b"")
    os.close(write)


# Semgrep missing, broken, interrupted

MakeEngine = Callable[[str, str], Mapping[str, str]]
_IS_NATIVE = 'if "--experimental" not in sys.argv: os.execv(REAL, ["semgrep-core", *sys.argv[1:]])\n'
_CRASH = "os.kill(os.getpid(), signal.SIGSEGV)\n"
_HOLDS_BOOM = 'any(b"BOOM" in p.read_bytes() for p in pathlib.Path(".").rglob("*.py"))'
_NO_WRAPPER = "def main():\n    return 2\n"


@pytest.fixture
def make_engine(tmp_path: Path) -> MakeEngine:
    """Makes the environment in which the installed Semgrep is another: the same files, but for its two entries."""

    def make(core: str, wrapper: str = "") -> Mapping[str, str]:
        standin = make_standin(tmp_path / "standin", core, wrapper)
        return {"PYTHONPATH": f"{standin}{os.pathsep}{PROJECT}"}

    return make


def test_semgrep_missing(repo: Repo, tmp_path: Path) -> None:
    """An installation with everything but Semgrep: its packages, linked one by one."""
    packages = tmp_path / "packages"
    link_but(PACKAGE.parent, packages, {p.name for p in PACKAGE.parent.glob("semgrep*")})
    repo.stage({"app.py": UNSAFE})
    env = {**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{packages}", "PATH": str(tmp_path / "bin")}
    (tmp_path / "bin").mkdir()
    git = subprocess.run(["which", "git"], capture_output=True, check=True).stdout.decode().strip()
    (tmp_path / "bin/git").symlink_to(git)
    for args in (("review", "--staged"), ("hook",)):
        done = subprocess.run(
            [sys.executable, "-S", *BOT[1:], *args], cwd=repo.path, env=env, capture_output=True, check=False
        )
        ran = Run(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert_refused(ran, "Semgrep is not installed for this Python", "pip install semgrep", code=3)


def test_semgrep_that_always_crashes(repo: Repo, make_engine: MakeEngine) -> None:
    env = make_engine(_CRASH, _NO_WRAPPER)
    repo.stage({f"app_{number}.py": SAFE for number in range(4)})
    assert_refused(repo.bot("review", "--staged", env=env), "Semgrep crashed on every file", "doctor", code=3)
    assert_refused(repo.bot("hook", env=env), "Semgrep crashed on every file", code=3)
    assert repo.review("--staged").code == 0, "what a broken engine said must not be remembered"


def test_semgrep_that_crashes_on_one_file(repo: Repo, make_engine: MakeEngine) -> None:
    env = make_engine(f"if {_HOLDS_BOOM}:\n    {_CRASH}{RUN_NATIVE}", _NO_WRAPPER)
    repo.stage({**{f"app_{number}.py": UNSAFE for number in range(6)}, "boom.py": "# BOOM\n"})
    for _again in range(2):
        ran = repo.review("--staged", env=env)
        assert ran.code == 4
        assert ran.report["incomplete_reasons"] == ["boom.py: the scanner crashed on this file"]
        assert findings(ran) == [(RULE, f"app_{number}.py", 5) for number in range(6)]
        assert ran.report["summary"]["verified_suggestions"] == 6


def test_the_wrapper_steps_in_for_a_native_engine_that_crashes(repo: Repo, make_engine: MakeEngine) -> None:
    repo.stage({"app.py": UNSAFE, "tests/odd.py": f"# ünï\n{UNSAFE[:-1]}  # nosemgrep\n"})
    expected = repo.review("--staged")
    assert len(expected.report["findings"]) >= 2
    ran = repo.review("--staged", env=make_engine(f"{_IS_NATIVE}{_CRASH}", ""))
    assert ran.report["findings"] == expected.report["findings"]
    assert ran.report["complete"] is True
    assert ran.code == expected.code


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped by init doesn't."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return bool(done.stdout.strip()) and not done.stdout.strip().startswith(b"Z")


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something holds; a minute is a failure."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)


@contextlib.contextmanager
def running(args: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that hears a closed terminal, even where the tests themselves run below `nohup`."""
    started = subprocess.Popen(
        args,
        cwd=cwd,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_during_a_scan_nothing_is_left(
    repo: Repo, make_engine: MakeEngine, tmp_path: Path, how: signal.Signals
) -> None:
    """Ctrl-C reaches the program only: what it started runs in sessions of their own."""
    pids = tmp_path / "pids"
    core = (
        'child = subprocess.Popen(["sleep", "600"])\n'
        f"pathlib.Path({str(pids)!r} + '.part').write_text(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(pids)!r} + '.part', {str(pids)!r})\n"
        "time.sleep(600)\n"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    env = {**os.environ, **make_engine(core, _NO_WRAPPER), "TMPDIR": str(scratch)}
    repo.write("app.py", UNSAFE)
    before = repo.state()
    with running([*BOT, "review", "--worktree", "--apply"], repo.path, env) as started:
        wait_for(pids.exists)
        assert list(scratch.iterdir()), "the export is there while the scan runs"
        started.send_signal(how)
        out, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert out == b""
    assert err.decode().strip() == "interrupted; nothing was changed half-way"
    wait_for(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()))
    assert list(scratch.iterdir()) == []
    assert repo.state() == before


def test_a_scanner_that_outlasts_the_time_budget_is_ended_and_never_green(
    repo: Repo, make_engine: MakeEngine, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    core = f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(600)\n"
    repo.stage({"app.py": SAFE, "other.py": SAFE})
    ran = repo.bot("hook", env={**make_engine(core, _NO_WRAPPER), "NOOTROPIC_HOOK_BUDGET_SECONDS": "3"})
    assert ran.code == 4, ran.err
    for name in ("app.py", "other.py"):
        assert f"{name}: skipped: the time budget was used up while the scanner ran" in ran.out
    wait_for(lambda: not is_alive(int(pid.read_text())))
    assert repo.bot("hook", env={"NOOTROPIC_HOOK_BUDGET_SECONDS": "600"}).code == 0, "a time-out is not remembered"


# Shards


def shards(repo: Repo, count: int, folder: Path) -> list[Path]:
    made = []
    for number in range(1, count + 1):
        ran = repo.review("--all", "--shard", f"{number}/{count}")
        assert ran.report["shard"] == f"{number}/{count}"
        made.append(folder / f"shard-{number}.json")
        made[-1].write_text(ran.out)
    return made


def merge(*reports: Path | str) -> Run:
    return run_bot("review", "merge", *map(str, reports), cwd=PROJECT)


def without_seconds(report: dict[str, Any]) -> dict[str, Any]:
    del report["summary"]["seconds"]
    return report


@pytest.fixture
def sharded(repo: Repo, tmp_path: Path) -> list[Path]:
    """The reports of three shards."""
    repo.commit({**{f"app_{number}.py": UNSAFE for number in range(7)}, "nul.py": b"\0", "ok.py": SAFE})
    return shards(repo, 3, tmp_path)


def test_merged_shards_equal_one_run(repo: Repo, sharded: list[Path]) -> None:
    sizes = [len(json.loads(path.read_text())["findings"]) for path in sharded]
    assert sum(sizes) == 7
    assert max(sizes) < 7, "one shard did all the work"
    whole = repo.review("--all")
    merged = merge(*reversed(sharded))
    assert merged.code == whole.code == 4
    assert without_seconds(merged.report) == without_seconds(whole.report)


def test_merge_says_which_shards_are_missing(repo: Repo, sharded: list[Path]) -> None:
    """A runner may be lost; what the others found is not."""
    whole = repo.review("--all").report
    parts = [json.loads(path.read_text())["findings"] for path in sharded]
    for kept, missing in (((0, 2), ["2/3"]), ((1,), ["1/3", "3/3"])):
        ran = merge(*(sharded[number] for number in kept))
        assert ran.code == 4
        report = ran.report
        assert (report["shard"], report["missing_shards"], report["complete"]) == (None, missing, False)
        assert f"no report came from shard{'s' * (len(missing) > 1)} {', '.join(missing)}: " in "".join(
            report["incomplete_reasons"]
        )
        expected = [finding["id"] for number in kept for finding in parts[number]]
        assert sorted(finding["id"] for finding in report["findings"]) == sorted(expected)
        assert len(expected) < len(whole["findings"])
    text = run_bot("review", "merge", "--format", "text", str(sharded[0]), cwd=PROJECT)
    assert "no report came from shards 2/3, 3/3" in text.out


def test_many_missing_shards_are_counted(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"app.py": SAFE})
    part = tmp_path / "part.json"
    part.write_text(repo.review("--all", "--shard", "7/9999").out)
    report = merge(part).report
    assert len(report["missing_shards"]) == 9998
    assert report["incomplete_reasons"] == [
        "no report came from shards 1/9999, 2/9999, 3/9999, 4/9999, 5/9999, 6/9999, 8/9999, 9/9999, 10/9999, "
        "11/9999 and 9988 more: what was to be looked at there is unknown"
    ]


def test_merge_refuses_what_is_not_shards_of_one_run(repo: Repo, sharded: list[Path], tmp_path: Path) -> None:
    one, two, three = sharded
    assert_refused(merge(one, two, two), "not shards of one run")
    assert_refused(merge(one, two, three, three), "not shards of one run")
    for shard in ("4/3", "0/3", "1/4", "x", "1/30000"):
        odd = tmp_path / "odd.json"
        odd.write_text(json.dumps({**json.loads(three.read_text()), "shard": shard}))
        assert_refused(merge(one, two, odd), "not shards of one run", shard)
    whole = tmp_path / "whole.json"
    whole.write_text(repo.review("--all").out)
    assert_refused(merge(one, two, whole), "not shards of one run")
    assert_refused(merge(one, two, tmp_path / "missing.json"), "missing.json can't be read")
    other = tmp_path / "other.json"
    repo.commit({"later.py": SAFE})
    other.write_text(repo.review("--all", "--shard", "3/3").out)
    assert_refused(merge(one, two, other), "differ in `head`")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda r: r["findings"][0].update(path="../../x"), "'../../x' leads outside"),
        (lambda r: r["findings"][0].update(path="/etc/passwd"), "leads outside"),
        (lambda r: r["findings"][0].update(path=".git/hooks/pre-commit"), "into .git"),
        (lambda r: r["findings"][0]["suggestion"]["edits"][0].update(path="a/../../x"), "leads outside"),
        (lambda r: r.update(extra=1), "`extra`"),
        (lambda r: r["findings"][0].update(extra=1), "extra`"),
        (lambda r: r.update(schema_version=2), "schema version 2"),
        (lambda r: r.pop("schema_version"), "schema version None"),
        (lambda r: r["findings"][0].update(severity="fatal"), "severity`"),
        (lambda r: r["findings"][0]["start"].update(line="one"), "line`"),
        (lambda r: r.pop("findings"), "`findings`"),
    ],
)
def test_a7_a_tampered_report_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], object], part: str) -> None:
    report = json.loads(REPORT)
    change(report)
    path = tmp_path / "tampered.json"
    path.write_text(json.dumps(report))
    assert_refused(merge(path), part)


def test_a_report_that_is_no_json_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"<html>", b"[1]", b"\xff\xfe", b"null", b"[" * 100_000):
        (tmp_path / "report.json").write_bytes(content)
        assert_refused(merge(tmp_path / "report.json"), "report.json")


_EDIT = {"path": "a.py", "start_line": 5, "end_line": 5, "replacement": "    return yaml.safe_load(text)\n"}
REPORT = json.dumps(
    {
        "schema_version": 1,
        "tool": {"name": "nootropic-bot", "version": "0.1.0"},
        "base": None,
        "head": None,
        "rules_hash": "0" * 64,
        "shard": "1/1",
        "complete": True,
        "incomplete_reasons": [],
        "not_scanned": [],
        "findings": [
            {
                "id": "0" * 20,
                "rule_id": RULE,
                "path": "a.py",
                "start": {"line": 5, "col": 12},
                "end": {"line": 5, "col": 27},
                "severity": "error",
                "message": "Unsafe.",
                "cwe": [],
                "owasp": [],
                "principle": None,
                "in_scope": True,
                "suppressed": None,
                "suggestion": {
                    "id": "0" * 16,
                    "edits": [_EDIT],
                    "source": "rule",
                    "verified": True,
                    "checks": [{"name": "parse", "status": "passed", "detail": ""}],
                    "diff": "",
                    "model": None,
                    "prompt": None,
                    "confidence": None,
                },
            }
        ],
        "summary": {
            "findings": 1,
            "in_scope": 1,
            "suppressed": 0,
            "verified_suggestions": 1,
            "unfixed": 0,
            "seconds": {"critique": 0, "propose": 0, "verify": 0, "total": 0},
        },
    }
)


def test_the_report_that_is_tampered_with_is_valid_before(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(REPORT)
    ran = merge(tmp_path / "report.json")
    assert ran.code == 1, ran.err
    assert ran.report["findings"][0]["path"] == "a.py"


def test_a_mistyped_path_is_not_clean(repo: Repo) -> None:
    repo.commit({"a.py": "x = 1\n"})
    for mode in ("--worktree", "--all", "--base=HEAD"):
        run = repo.bot("review", mode, "nosuch.py")
        assert run.code == 2
        assert "nosuch.py" in run.err


def test_pythons_warnings_about_the_code_are_not_ours_to_say(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newer Pythons show them by default; here they are asked for."""
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    repo.commit({"app.py": UNSAFE + '\n\nPATTERN = "\\d+"\nLIMIT = 1if PATTERN is 1 else 2\n'})
    ran = repo.review("--all")
    assert (RULE, "app.py", 5) in findings(ran)
    assert "Warning" not in ran.err
