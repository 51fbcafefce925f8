"""What a review looks at in each mode, what of it counts, and that the same question gets the same answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.repo import PROJECT, Repo, Run

UNSAFE = "import yaml\n\n\ndef load(text):\n    return yaml.load(text)\n"
SAFE = UNSAFE.replace("yaml.load", "yaml.safe_load")
RULE = "yaml-unsafe-load"

PRINT_RULE = """\
rules:
  - id: no-print
    languages: [python]
    severity: WARNING
    message: No printing.
    pattern: print(...)
"""
TAINT_RULE = """\
rules:
  - id: input-reaches-run
    languages: [python]
    severity: ERROR
    message: Input reaches a command.
    mode: taint
    pattern-sources: [{pattern: read_input()}]
    pattern-sanitizers: [{pattern: clean(...)}]
    pattern-sinks: [{pattern: run_command(...)}]
"""
JAVASCRIPT_RULE = """\
rules:
  - id: no-document-write
    languages: [javascript]
    severity: ERROR
    message: Use append.
    pattern: document.write($X)
    fix: document.body.append($X)
"""

Place = tuple[str, str, int]


def places(run: Run, *, in_scope: bool = True) -> list[Place]:
    """Rule, path and line of the findings that count (or of those outside the change)."""
    chosen = [f for f in run.report["findings"] if f["in_scope"] is in_scope and not f["suppressed"]]
    return [(f["rule_id"], f["path"], f["start"]["line"]) for f in chosen]


def outcome(run: Run) -> dict[str, Any]:
    """A report without what differs from run to run: the time."""
    report = run.report
    del report["summary"]["seconds"]
    return report


@pytest.fixture
def extra(tmp_path: Path) -> Path:
    """Rules outside the repository: a pattern, a data flow, another language."""
    folder = tmp_path / "extra"
    folder.mkdir()
    for name, text in (("print", PRINT_RULE), ("taint", TAINT_RULE), ("javascript", JAVASCRIPT_RULE)):
        (folder / f"{name}.yaml").write_text(text)
    return folder


# What is in scope


def test_a_finding_counts_on_a_changed_line_and_is_only_marked_elsewhere(repo: Repo, extra: Path) -> None:
    base = repo.commit({"app.py": "print(1)\nx = 1\ny = 1\nz = 1\nprint(2)\n"})
    head = repo.commit({"app.py": "print(1)\nx = 1\nprint(3)\ny = 1\nz = 1\nprint(2 + 0)\n"})
    ran = repo.review("--base", base, "--rules", str(extra), "--fail-on", "warning")
    assert places(ran) == [("no-print", "app.py", 3), ("no-print", "app.py", 6)]
    assert places(ran, in_scope=False) == [("no-print", "app.py", 1)]
    assert (ran.report["base"], ran.report["head"], ran.code) == (base, head, 1)
    assert ran.report["summary"]["findings"] == 3
    assert ran.report["summary"]["in_scope"] == 2
    text = repo.bot("review", "--base", base, "--rules", str(extra))
    assert "app.py:1:1" not in text.out
    assert "app.py:1:1" in repo.bot("review", "--base", base, "--rules", str(extra), "--show-all").out


def test_a_finding_on_an_unchanged_line_counts_when_a_change_elsewhere_made_it(repo: Repo, extra: Path) -> None:
    body = "def work():\n    value = {source}\n    other = 1\n    more = 2\n    run_command(value)\n"
    base = repo.commit({"app.py": body.format(source="'constant'")})
    repo.commit({"app.py": body.format(source="read_input()")})
    ran = repo.review("--base", base, "--rules", str(extra))
    assert places(ran) == [("input-reaches-run", "app.py", 5)]
    assert ran.code == 1


def test_deleted_lines_bring_in_what_they_touched_and_what_they_caused(repo: Repo, extra: Path) -> None:
    before = [
        "print(1)",
        "x = 1",
        "print(2)",
        "y = 2",
        "",
        "def work():",
        "    value = read_input()",
        "    value = clean(value)",
        "    other = 1",
        "    more = 2",
        "    run_command(value)",
        "",
    ]
    base = repo.commit({"app.py": "\n".join(before)})
    after = [line for line in before if line not in ("y = 2", "    value = clean(value)")]
    repo.commit({"app.py": "\n".join(after)})
    ran = repo.review("--base", base, "--rules", str(extra))
    assert places(ran) == [("no-print", "app.py", 3), ("input-reaches-run", "app.py", 9)]
    assert places(ran, in_scope=False) == [("no-print", "app.py", 1)]


def test_a_deleted_file_needs_no_review(repo: Repo) -> None:
    base = repo.commit({"app.py": UNSAFE, "other.py": SAFE})
    repo.git("rm", "--quiet", "app.py")
    assert repo.review("--staged").report["findings"] == []
    assert repo.review("--worktree").report["findings"] == []
    repo.commit({})
    assert repo.review("--base", base).report["findings"] == []


def test_a_rename_brings_only_its_edits_into_scope(repo: Repo, extra: Path) -> None:
    filler = "".join(f"value_{number} = {number}\n" for number in range(30))
    base = repo.commit({"old.py": f"print(1)\n{filler}", "plain.py": f"print(2)\n{filler}# plain\n"})
    repo.git("mv", "old.py", "new.py")
    repo.git("mv", "plain.py", "moved.py")
    repo.commit({"new.py": f"print(1)\n{filler}print(3)\n"})
    ran = repo.review("--base", base, "--rules", str(extra))
    assert places(ran) == [("no-print", "new.py", 32)]
    assert places(ran, in_scope=False) == [("no-print", "moved.py", 1), ("no-print", "new.py", 1)]


def test_fingerprints_survive_moved_lines_and_tell_equal_lines_apart(repo: Repo, extra: Path) -> None:
    repo.commit({"app.py": "print(1)\nprint(1)\nif x:\n    print(1)\n\nprint(2)\n"})
    before = repo.review("--all", "--rules", str(extra)).report["findings"]
    ids = [f["id"] for f in before]
    assert len(set(ids)) == 4
    repo.commit({"app.py": "# moved\n\n\nprint(1)\n\nprint( 1 )\nwhile x:\n        print(1)\n\nprint(2)\n"})
    after = repo.review("--all", "--rules", str(extra)).report["findings"]
    assert [f["start"]["line"] for f in after] == [4, 6, 8, 10]
    same = [f["id"] for f in after]
    assert (same[0], same[2], same[3]) == (ids[0], ids[1], ids[3])
    assert same[1] not in ids, "white space inside a line is folded, not removed"
    repo.git("mv", "app.py", "other.py")
    moved = repo.review("--all", "--rules", str(extra)).report["findings"]
    assert not {f["id"] for f in moved} & set(ids), "another path is another finding"


def test_the_head_is_compared_with_where_it_parted_from_the_base(repo: Repo) -> None:
    repo.commit({"app.py": SAFE})
    repo.git("branch", "feature")
    repo.commit({"main.py": UNSAFE})
    repo.git("checkout", "--quiet", "feature")
    repo.commit({"feature.py": UNSAFE})
    ran = repo.review("--base", "main", "--head", "feature")
    assert places(ran) == [(RULE, "feature.py", 5)]
    assert ran.report["base"] == repo.git("rev-parse", "main")


# What each mode looks at


def test_the_modes_look_at_different_things(repo: Repo) -> None:
    gone = "try:\n    work()\nexcept:\n    pass\n"
    base = repo.commit({"dirty.py": SAFE, "gone.py": gone, ".gitignore": "ignored.py\n", "old.py": UNSAFE})
    repo.commit({"committed.py": UNSAFE})
    repo.stage({"staged.py": UNSAFE, "undone.py": UNSAFE})
    repo.write("undone.py", SAFE)
    repo.write("dirty.py", UNSAFE)
    repo.write("untracked.py", UNSAFE)
    repo.write("ignored.py", UNSAFE)
    (repo.path / "gone.py").unlink()
    before = repo.state()
    seen = {
        mode: [path for _rule, path, _line in places(repo.review(*mode.split()))]
        for mode in ("--staged", "--worktree", "", "--all", f"--base {base}", f"--base {base} --head {base}")
    }
    assert seen == {
        "--staged": ["staged.py", "undone.py"],
        "--worktree": ["dirty.py", "staged.py", "untracked.py"],
        "": ["dirty.py", "staged.py", "untracked.py"],
        "--all": ["committed.py", "dirty.py", "old.py", "staged.py", "untracked.py"],
        f"--base {base}": ["committed.py"],
        f"--base {base} --head {base}": [],
    }
    assert repo.state() == before


def test_paths_narrow_a_review_from_where_the_user_stands(repo: Repo) -> None:
    repo.commit({"app.py": UNSAFE, "sub/app.py": UNSAFE, "sub/deep/app.py": UNSAFE, "subway/app.py": UNSAFE})
    assert len(places(repo.review("--all"))) == 4
    assert [p for _r, p, _l in places(repo.review("--all", "sub"))] == ["sub/app.py", "sub/deep/app.py"]
    inside = Repo(repo.path / "sub")
    assert [p for _r, p, _l in places(inside.review("--all", "app.py"))] == ["sub/app.py"]
    assert [p for _r, p, _l in places(inside.review("--all", "../app.py", "deep"))] == ["app.py", "sub/deep/app.py"]
    assert len(places(inside.review("--all"))) == 4


def test_excluded_files_are_listed_as_not_scanned(repo: Repo) -> None:
    repo.stage(
        {
            "nootropic.toml": 'exclude = ["vendor/", "!vendor/ours.py"]\n',
            "vendor/deep/theirs.py": UNSAFE,
            "app_gen.py": UNSAFE,
            "app.py": UNSAFE,
        }
    )
    for mode in ("--staged", "--worktree", "--all"):
        ran = repo.review(mode, "--exclude", "*_gen.py")
        assert places(ran) == [(RULE, "app.py", 5)]
        assert [n["path"] for n in ran.report["not_scanned"]] == ["app_gen.py", "vendor/deep/theirs.py"]
        assert all("excluded" in n["reason"] for n in ran.report["not_scanned"])
        assert ran.report["complete"] is True
    assert [p for _r, p, _l in places(repo.review("--staged"))] == ["app.py", "app_gen.py"]


# What counts


def test_a26_suppressed_findings_are_listed_and_do_not_count(repo: Repo) -> None:
    muted = UNSAFE.replace("yaml.load(text)", "yaml.load(text)  # nosemgrep: yaml-unsafe-load (trusted)")
    other = UNSAFE.replace("yaml.load(text)", "yaml.load(text)  # nosemgrep: another-rule")
    repo.stage({"muted.py": muted})
    ran = repo.review("--staged")
    assert ran.code == 0
    (finding,) = ran.report["findings"]
    assert finding["suppressed"]["by"] == "nosemgrep"
    assert "yaml-unsafe-load" in finding["suppressed"]["reason"]
    assert finding["suggestion"] is None
    assert ran.report["summary"]["suppressed"] == 1
    assert ran.report["summary"]["unfixed"] == 0
    assert "muted.py" in repo.bot("review", "--staged").out

    repo.stage({"other.py": other})
    assert places(repo.review("--staged")) == [(RULE, "other.py", 5)]

    repo.stage({"nootropic.toml": f'[rule.{RULE}]\nenabled = false\nreason = "documents are ours"\n'})
    off = repo.review("--staged")
    assert off.code == 0
    suppressed = {f["path"]: f["suppressed"] for f in off.report["findings"]}
    assert suppressed["other.py"] == {"by": "configuration", "reason": "documents are ours", "expires": None}
    assert off.report["summary"]["suppressed"] == 2


def test_severities_and_fail_on_decide_the_exit_code(repo: Repo, extra: Path) -> None:
    repo.stage({"app.py": "print(1)\n"})
    arguments = ("--staged", "--rules", str(extra))

    def codes() -> list[int]:
        levels = ("error", "warning", "info", "never")
        return [repo.review(*arguments, "--fail-on", level).code for level in levels]

    assert codes() == [0, 1, 1, 0]
    repo.stage({"nootropic.toml": '[rule.no-print]\nseverity = "info"\n'})
    assert codes() == [0, 0, 1, 0]
    repo.stage({"nootropic.toml": 'fail_on = "warning"\n[rule.no-print]\nseverity = "error"\n'})
    assert codes() == [1, 1, 1, 0]
    ran = repo.review(*arguments)
    assert ran.report["findings"][0]["severity"] == "error"
    repo.stage({"nootropic.toml": 'fail_on = "never"\n'})
    assert repo.review(*arguments).code == 0
    assert repo.review(*arguments, env={"NOOTROPIC_FAIL_ON": "info"}).code == 1


# The same question, the same answer


@pytest.mark.slow
def test_the_cache_changes_nothing_but_the_time(repo: Repo) -> None:
    base = repo.commit({"nootropic.toml": '[rule.bare-except]\nseverity = "info"\n', "old.py": UNSAFE})
    repo.commit({"app.py": f"# ünï\n{UNSAFE}", "old.py": f"{UNSAFE}\nX = 1\n"})
    cache = repo.path / ".git/nootropic"

    def review() -> dict[str, Any]:
        return outcome(repo.review("--base", base))

    cold = review()
    assert cold["summary"]["verified_suggestions"] == 1
    assert [f["in_scope"] for f in cold["findings"]] == [True, False]
    entries = [path for path in cache.rglob("*") if path.is_file()]
    assert {path.relative_to(cache).parts[0] for path in entries} == {
        *("analyses", "config", "proofs", "rules"),
        *("state.sqlite", "writers"),
    }
    assert review() == cold
    assert [path for path in cache.rglob("*") if path.is_file()] == entries, "the second run found everything"

    for damage in (b"", b"\0\xff garbage", b"null", b"[]", b"{}", b'{"matches": [{}]}', b"[" * 100_000):
        for path in entries:
            path.write_bytes(damage)
        assert review() == cold, damage[:40]
    for path in [path for path in cache.rglob("*") if path.is_file()]:
        path.write_bytes(path.read_bytes()[:-40])
    assert review() == cold

    shutil.rmtree(cache)
    assert review() == cold
    # Not even root can write below a file.
    shutil.rmtree(cache)
    cache.write_text("in the way")
    assert review() == cold
    assert cache.read_text() == "in the way"


def test_eight_runs_at_once_say_the_same(repo: Repo) -> None:
    repo.commit({"README": "orders\n"})
    for number in range(12):
        repo.write(f"app_{number}.py", f"# {number}\n{UNSAFE}")
    before = repo.state()
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "nootropic_bot", "review", "--worktree", "--format", "json"]
    started = [
        subprocess.Popen(command, cwd=repo.path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _number in range(8)
    ]
    runs = []
    for each in started:
        out, err = each.communicate(timeout=240)
        runs.append(Run(each.returncode, out.decode(), err.decode()))
    assert [(run.code, run.err) for run in runs] == [(1, "")] * 8
    expected = outcome(repo.review("--worktree"))
    assert expected["summary"]["verified_suggestions"] == 12
    assert all(outcome(run) == expected for run in runs)
    assert repo.state() == before


# Fixes


def test_apply_twice_changes_nothing_the_second_time(repo: Repo) -> None:
    repo.commit({"app.py": SAFE, "old.py": UNSAFE})
    repo.write("app.py", UNSAFE)
    repo.write("new/other.py", UNSAFE)
    index = repo.git("ls-files", "--stage")
    first = repo.review("--worktree", "--apply")
    assert first.code == 0, "what was found was fixed"
    assert first.report["summary"]["findings"] == 2
    assert "wrote 2 fixes to 2 files" in first.err
    assert (repo.path / "app.py").read_text() == SAFE
    assert (repo.path / "new/other.py").read_text() == SAFE
    assert (repo.path / "old.py").read_text() == UNSAFE, "what is outside the change is left alone"
    assert repo.git("ls-files", "--stage") == index
    before = repo.state()
    second = repo.review("--worktree", "--apply")
    assert second.code == 0
    assert second.report["findings"] == []
    assert "no proved fix to write" in second.err
    assert repo.state() == before


def test_fixes_that_overlap_on_one_line_are_all_applied(repo: Repo) -> None:
    repo.write("app.py", "import yaml\n\n\ndef load(a, b):\n    return yaml.load(a), [yaml.load(b), yaml.load(a)]\n")
    ran = repo.review("--worktree", "--apply")
    assert ran.report["summary"]["verified_suggestions"] == 3
    assert "wrote 3 fixes to 1 file" in ran.err
    assert (
        "    return yaml.safe_load(a), [yaml.safe_load(b), yaml.safe_load(a)]\n" in (repo.path / "app.py").read_text()
    )
    assert ran.code == 0


def test_a_fix_in_another_language_is_shown_on_demand_and_never_written(repo: Repo, extra: Path) -> None:
    repo.stage({"app.js": "function f(x) {\n  document.write(x);\n}\n", "app.py": UNSAFE})
    arguments = ("--staged", "--rules", str(extra))
    plain = repo.review(*arguments)
    assert places(plain) == [("no-document-write", "app.js", 2), (RULE, "app.py", 5)]
    assert [bool(f["suggestion"]) for f in plain.report["findings"]] == [False, True]

    shown = repo.review(*arguments, "--unproved", "--apply")
    suggestion = shown.report["findings"][0]["suggestion"]
    assert suggestion["verified"] is False
    assert suggestion["edits"][0]["replacement"] == "  document.body.append(x);\n"
    statuses = {check["name"]: check["status"] for check in suggestion["checks"]}
    assert statuses["parse"] == "not_run"
    assert statuses["gone"] == "passed"
    assert shown.report["summary"]["verified_suggestions"] == 1
    assert "document.write(x)" in (repo.path / "app.js").read_text()
    assert (repo.path / "app.py").read_text() == SAFE
    assert shown.code == 1
    text = repo.bot("review", *arguments, "--unproved").out
    assert "unproved" in text
    assert repo.review(*arguments).report["findings"][0]["suggestion"] is None, "the cache keeps the two apart"


# Whose configuration and rules


def test_a21_a_range_is_reviewed_with_the_configuration_of_its_base(repo: Repo) -> None:
    base = repo.commit({"README": "orders\n"})
    off = f'exclude = ["*.py"]\nbundled_rules = false\nfail_on = "never"\n[rule.{RULE}]\nenabled = false\nreason = "mine"\n'
    head = repo.commit({"app.py": UNSAFE, "nootropic.toml": off})
    ran = repo.review("--base", base)
    assert places(ran) == [(RULE, "app.py", 5)]
    assert ran.report["not_scanned"] == []
    assert ran.code == 1
    hook = repo.bot("hook", env={"PRE_COMMIT_FROM_REF": base, "PRE_COMMIT_TO_REF": head})
    assert hook.code == 1
    assert "app.py:5:12" in hook.out

    # Once it is the base's own, it holds; broken at the head, it is nobody's business.
    later = repo.commit({"nootropic.toml": f'[rule.{RULE}]\nenabled = false\nreason = "agreed"\n'})
    repo.commit({"later.py": UNSAFE, "nootropic.toml": "= broken"})
    agreed = repo.review("--base", later)
    assert agreed.code == 0
    assert [f["suppressed"]["reason"] for f in agreed.report["findings"]] == ["agreed"]


def test_the_staged_configuration_is_read_from_the_index_and_the_other_from_the_work_tree(repo: Repo) -> None:
    off = f'[rule.{RULE}]\nenabled = false\nreason = "{{}}"\n'
    repo.stage({"app.py": UNSAFE, "nootropic.toml": off.format("index")})
    repo.write("nootropic.toml", off.format("work tree"))
    reasons = {
        mode: [f["suppressed"]["reason"] for f in repo.review(mode).report["findings"]]
        for mode in ("--staged", "--worktree", "--all")
    }
    assert reasons == {"--staged": ["index"], "--worktree": ["work tree"], "--all": ["work tree"]}


def test_a31_rules_inside_the_repository_come_from_the_base(repo: Repo) -> None:
    base = repo.commit({"rules/mine.yaml": PRINT_RULE})
    repo.commit({"app.py": "print(1)\n", "rules/mine.yaml": PRINT_RULE.replace("print(...)", "never_called(...)")})
    # On the command line, from anywhere, a file or a folder; it is the base's rule that speaks.
    for rules in ("rules", "rules/mine.yaml", str(repo.path / "rules"), "./rules/", "."):
        assert places(repo.review("--base", base, "--rules", rules)) == [("no-print", "app.py", 1)]
    assert places(Repo(repo.path / "rules").review("--base", base, "--rules", ".")) == [("no-print", "app.py", 1)]
    # The work tree's own review takes the work tree's own rules.
    assert places(repo.review("--all", "--rules", "rules")) == []


def test_a31_configured_rules_come_from_the_base(repo: Repo) -> None:
    settings = {"nootropic.toml": 'rules = ["rules"]\n'}
    base = repo.commit({**settings, "rules/mine.yaml": PRINT_RULE})
    repo.git("rm", "--quiet", "-r", "rules")
    repo.commit({"app.py": "print(1)\n"})
    assert places(repo.review("--base", base)) == [("no-print", "app.py", 1)]
    # A rule that only the head has is not loaded; asked for by name, that is said.
    repo.commit({"own/new.yaml": PRINT_RULE.replace("no-print", "brand-new")})
    assert places(repo.review("--base", base)) == [("no-print", "app.py", 1)]
    refused = repo.bot("review", "--base", base, "--rules", "own")
    assert refused.code == 2
    assert f"the rules 'own' are not in commit {base[:12]}" in refused.err


def test_a31_a_link_does_not_lead_past_the_base(repo: Repo, tmp_path: Path) -> None:
    """Reached through a link outside, the rules are still those of the repository."""
    base = repo.commit({"rules/mine.yaml": PRINT_RULE})
    repo.commit({"app.py": "print(1)\n", "rules/mine.yaml": PRINT_RULE.replace("print(...)", "never_called(...)")})
    (tmp_path / "link").symlink_to(repo.path / "rules")
    (tmp_path / "door").symlink_to(repo.path)
    for rules in (tmp_path / "link", tmp_path / "door/rules"):
        assert places(repo.review("--base", base, "--rules", str(rules))) == [("no-print", "app.py", 1)]


def test_a_finding_on_a_whole_function_is_about_its_head(repo: Repo) -> None:
    """A change in the body brings up no old finding on the signature, which keeps its fingerprint."""
    before = "def collect(item, seen=[]):\n    seen.append(item)\n    return seen\n"
    repo.commit({"a.py": before})
    repo.write("a.py", before.replace("    return seen\n", "    print(seen)\n    return seen\n"))
    run = repo.review("--worktree")
    (finding,) = [f for f in run.report["findings"] if f["rule_id"] == "mutable-default-argument"]
    assert not finding["in_scope"]
    assert (finding["start"]["line"], finding["end"]["line"]) == (1, 1)
