"""`init --github`: the workflows of a repository."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nootropic_bot import __version__
from nootropic_bot.errors import UsageError
from nootropic_bot.workflowfiles import Actions, Setup, workflows
from tests.actions.conftest import ACTIONS
from tests.support.repo import PROJECT, Repo

SHA = "0123456789abcdef0123456789abcdef01234567"
HOSTED = {f".github/workflows/nootropic-{name}.yml" for name in ("review", "retarget", "publish", "commands", "wheel")}
OWN = {f".github/workflows/nootropic-{name}.yml" for name in ("review", "retarget", "commands")}


def written(repo: Repo) -> dict[str, str]:
    return {
        str(path.relative_to(repo.path)): path.read_text()
        for path in sorted((repo.path / ".github").rglob("*.yml"))
    }  # fmt: skip


def test_the_workflows_are_written_once_and_what_is_there_is_kept(repo: Repo) -> None:
    tried = repo.bot("init", "--github", "--ref", SHA, "--dry-run")
    assert tried.code == 0
    assert f"uses: nootropic-bot/nootropic-bot/actions/review@{SHA} # v{__version__}" in tried.out
    assert not (repo.path / ".github").exists()
    repo.write(".github/workflows/nootropic-wheel.yml", "name: mine\n")
    first = repo.bot("init", "--github", "--ref", SHA)
    assert first.code == 0, first.err
    files = written(repo)
    assert files.keys() == HOSTED
    assert files[".github/workflows/nootropic-wheel.yml"] == "name: mine\n"
    # All is there: no network is needed to say so.
    again = repo.bot("init", "--github").out
    assert "nothing was written" in again
    assert "kept as it is, though these options give something else: .github/workflows/nootropic-wheel.yml\n" in again
    assert written(repo) == files


def test_what_other_options_would_give_is_not_taken_for_done(repo: Repo) -> None:
    assert repo.bot("init", "--github", "--ref", SHA).code == 0
    # What Dependabot or Renovate brings up to date, and where the actions come from, is nobody's other wish.
    for name, text in written(repo).items():
        (repo.path / name).write_text(text.replace("# v", "# v9").replace("uses: nootropic-bot/", "uses: octo-org/"))
    assert "nothing to do" in repo.bot("init", "--github").out
    files = written(repo)
    sharded = repo.bot("init", "--github", "--shards", "4")
    assert (sharded.code, written(repo)) == (0, files)
    assert "nothing to do" not in sharded.out
    said = "kept as it is, though these options give something else: .github/workflows/nootropic-review.yml\n"
    assert said in sharded.out
    assert "delete it and run this again" in sharded.out
    for wish in (["--actions", "mona/copy"], ["--ref", "f" * 40]):
        other = repo.bot("init", "--github", *wish)
        assert (other.code, written(repo), "nothing to do" in other.out) == (0, files, False)
        assert "kept as it is, though these options give something else: .github/workflows/" in other.out
    same = repo.bot("init", "--github", "--actions", "octo-org/nootropic-bot", "--ref", SHA)
    assert "nothing to do" in same.out
    (repo.path / ".github/workflows/nootropic-review.yml").unlink()
    again = repo.bot("init", "--github", "--shards", "4", "--ref", SHA)
    assert (again.code, "kept as it is" in again.out) == (0, False)
    assert "1/4" in written(repo)[".github/workflows/nootropic-review.yml"]


@pytest.mark.parametrize("is_own", [False, True])
def test_workflows_for_both_kinds_of_runners_never_stand_beside_each_other(repo: Repo, is_own: bool) -> None:
    """What is found would be posted twice."""
    kinds: list[list[str]] = [["--self-hosted"], []]
    assert repo.bot("init", "--github", "--ref", SHA, *kinds[not is_own]).code == 0
    files = written(repo)
    run = repo.bot("init", "--github", "--ref", SHA, *kinds[is_own])
    assert (run.code, written(repo)) == (2, files)
    assert "nothing was written" in run.err
    assert "delete .github/workflows/nootropic-*.yml first" in run.err
    for name in files:
        (repo.path / name).unlink()
    assert repo.bot("init", "--github", "--ref", SHA, *kinds[is_own]).code == 0
    assert written(repo).keys() == (HOSTED if is_own else OWN)


def test_self_hosted_and_sharded(repo: Repo) -> None:
    assert repo.bot("init", "--github", "--ref", SHA, "--self-hosted", "--shards", "3").code == 0
    files = written(repo)
    assert files.keys() == OWN
    flow = yaml.safe_load(files[".github/workflows/nootropic-review.yml"])
    assert flow["jobs"].keys() == {"analyse", "join", "publish"}
    assert flow["jobs"]["analyse"]["strategy"]["matrix"]["shard"] == ["1/3", "2/3", "3/3"]
    runners = [job.get("runs-on") for text in files.values() for job in yaml.safe_load(text)["jobs"].values()]
    assert runners.count(["self-hosted", "linux"]) == len(runners) - 1, "all but the one that calls a workflow"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ref", "v1"], "not a full commit id"),
        (["--ref", f"{SHA}\n"], "not a full commit id"),
        (["--ref", SHA, "--actions", "octo/app@main #"], "not the name of a repository"),
        (["--ref", SHA, "--actions", "../../etc"], "not the name of a repository"),
        (["--ref", SHA, "--shards", "0"], "does not lie in 1..100"),
    ],
)
def test_what_would_become_part_of_a_workflow_is_checked(repo: Repo, options: list[str], said: str) -> None:
    run = repo.bot("init", "--github", *options)
    assert run.code == 2
    assert said in run.err
    assert not (repo.path / "nootropic.toml").exists()


def test_options_of_the_workflows_need_the_workflows(repo: Repo) -> None:
    run = repo.bot("init", "--self-hosted")
    assert run.code == 2
    assert "add --github" in run.err


@pytest.mark.parametrize("is_annotated", [False, True])
def test_the_pin_is_the_commit_of_this_versions_tag(repo: Repo, tmp_path: Path, is_annotated: bool) -> None:
    home = Repo.init(tmp_path / "octo-org" / "bot.git")
    sha = home.commit({"a": "1\n"})
    home.git("tag", *(["--annotate", "--message", "x"] if is_annotated else []), f"v{__version__}")
    home.commit({"a": "2\n"})
    repo.git("config", "--global", f"url.file://{tmp_path}/.insteadOf", "https://github.com/")
    run = repo.bot("init", "--github", "--actions", "octo-org/bot")
    assert run.code == 0, run.err
    text = written(repo)[".github/workflows/nootropic-review.yml"]
    assert f"uses: octo-org/bot/actions/review@{sha} # v{__version__}\n" in text


def test_a_tag_that_cannot_be_looked_up(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "--global", f"url.file://{tmp_path}/.insteadOf", "https://github.com/")
    run = repo.bot("init", "--github")
    assert run.code == 5
    assert "could not be asked for the commit" in run.err
    assert "fatal: " in run.err, "in git's own words"
    assert "--ref <40 characters>" in run.err
    Repo.init(tmp_path / "nootropic-bot" / "nootropic-bot.git").commit({"a": "1\n"})
    run = repo.bot("init", "--github")
    assert run.code == 5
    assert f"has no tag v{__version__}" in run.err
    assert not (repo.path / "nootropic.toml").exists()
    bad = repo.bot("init", "--github", env={"GITHUB_SERVER_URL": "file:///etc"})
    assert bad.code == 2


def test_this_project_uses_what_it_offers() -> None:
    for path, text in workflows(Setup(None)).items():
        assert (PROJECT / path).read_text() == text, f"{path} is not what the template gives"


@pytest.mark.parametrize("setup", [Setup(ACTIONS), Setup(ACTIONS, shards=2), Setup(ACTIONS, True), Setup(None)])
def test_a_job_that_may_write_never_analyses_and_one_that_analyses_never_writes(setup: Setup) -> None:
    seen = set()
    for text in workflows(setup).values():
        flow = yaml.safe_load(text)
        assert flow["permissions"] == {}, "nothing is given to all jobs"
        for job in flow["jobs"].values():
            if "uses" in job:
                # It gives the jobs of "nootropic review" at most what those ask for.
                assert job["uses"] == "./.github/workflows/nootropic-review.yml"
                assert setup.self_hosted or job["permissions"] == {"contents": "read"}
                continue
            names = {step["uses"].rpartition("actions/")[2].partition("@")[0] for step in job["steps"]}
            writes = {name for name, level in job["permissions"].items() if level == "write"}
            seen |= names
            assert not ("review" in names and writes)
            assert not ("review" in names and names & {"publish", "respond"})
    assert {"review", "publish", "respond"} <= seen


def test_only_full_pins_can_be_written() -> None:
    for bad in ("main", "0" * 39, "0" * 41, SHA.upper()):
        with pytest.raises(UsageError):
            Actions("octo/app", bad, "1.0.0")
    with pytest.raises(UsageError):
        Actions("octo/app", SHA, "1\nruns-on: x")
