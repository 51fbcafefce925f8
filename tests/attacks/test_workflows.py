"""Rows A1-A6, A9 and A10: what a pull request can do to the jobs that look at it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nootropic_bot.workflowfiles import Setup, workflows
from tests.actions.conftest import ACTIONS, CLEAN, OWN, WRONG, Place
from tests.actions.conftest import place as place  # the fixture
from tests.actions.conftest import server as server
from tests.support.job_runner import Job
from tests.support.lint import CACHE, CHECKOUT, SET_UP, lint, lint_sample
from tests.support.repo import PROJECT
from tests.support.runner_files import read_outputs

HEAD_OF_PULL = "${{ github.event.pull_request.head.sha }}"
HEAD_OF_RUN = "${{ github.event.workflow_run.head_sha }}"
WITHOUT_CREDENTIALS = "  with:\n    persist-credentials: false\n"
EVIL_TITLE = '";touch P;#'
EVIL_BRANCH = "$(touch${IFS}P)"


def texts() -> Iterator[tuple[str, str]]:
    """Everything that runs in jobs: what `init` writes, and the actions."""
    for own in (False, True):
        for shards in (1, 3):
            yield from workflows(Setup(ACTIONS, own, shards)).items()
    for path in sorted((PROJECT / "actions").rglob("*")):
        if path.suffix in (".yml", ".sh"):
            yield str(path), path.read_text()


@pytest.mark.parametrize(
    "trigger", ["pull_request_target", "workflow_run: {workflows: [x], types: [completed]}\n  push"]
)
def test_a1_a_job_with_a_token_that_checks_out_the_head_fails_ci(tmp_path: Path, trigger: str) -> None:
    ref = HEAD_OF_PULL if trigger == "pull_request_target" else HEAD_OF_RUN
    step = f"uses: {CHECKOUT}\n{WITHOUT_CREDENTIALS}    ref: {ref}"
    found = lint_sample(tmp_path / "plain", trigger, step, is_excused=False)
    assert not found.is_good
    assert found.says(r"dangerous-triggers"), found.text
    # Somebody tells zizmor to overlook it.
    found = lint_sample(tmp_path / "excused", trigger, step)
    assert not found.is_good
    assert found.says("A1: a job with a token checks out the pull request"), found.text


def test_a1_a_job_with_a_token_that_fetches_the_head_fails_ci(tmp_path: Path) -> None:
    found = lint_sample(tmp_path, "issue_comment", "run: gh pr checkout 1")
    assert not found.is_good
    assert found.says("A1: a job with a token fetches the pull request")


def test_a2_a_value_in_a_script_fails_ci(tmp_path: Path) -> None:
    found = lint_sample(tmp_path, "pull_request", "run: echo '${{ github.event.pull_request.title }}'")
    assert not found.is_good
    assert found.says("A2: a value from outside"), found.text
    assert found.says("template-injection")


def test_a2_title_and_branch_run_nothing(place: Place) -> None:
    evil = {"load__py": WRONG, "$(touch P)__py": WRONG, "venv__py": "raise SystemExit(3)\n", "click__py": "import os\n"}
    pull = place.open(EVIL_BRANCH, fork="eve", title=EVIL_TITLE, **evil)
    jobs = place.analyse(pull)
    assert jobs["analyse"].result == "success", jobs["analyse"].log
    report = json.loads(place.machine.artifacts["nootropic-report"]["report.json"])
    assert {finding["path"] for finding in report["findings"]} >= {"load.py", "$(touch P).py"}
    assert not list(place.machine.folder.rglob("P"))


# Each input of the action, how the analysis of such a value ends, and where it is seen to have come as data.
INPUTS = {
    "base": ("failure", "must be full commit ids"),
    "head": ("failure", "must be full commit ids"),
    "pull-request": ("failure", "is not a valid integer"),
    "shard": ("failure", "is not of the form I/N"),
    "merge": ("failure", "No shard left a report"),
    "fail-on": ("failure", "is not one of 'error'"),
    "model": ("success", ""),
    "reuse": ("success", ""),
    "artifact": ("success", ""),
    "token": ("success", ""),
}
# What would run in a script: without quotes, between quotes of either kind, and as a line of its own.
EVIL_VALUE = f"x{EVIL_TITLE}`touch P`$(touch P)';touch P;'\ntouch P\n"


@pytest.mark.parametrize("name", INPUTS)
def test_a2_inputs_of_the_action_run_nothing(place: Place, name: str) -> None:
    place.machine = dataclasses.replace(place.machine, with_inputs={"install": "false", name: EVIL_VALUE})
    job = place.analyse(place.open())["analyse"]
    assert not list(place.machine.folder.rglob("P"))
    result, said = INPUTS[name]
    assert job.result == result, job.log
    assert said in job.log
    if result == "success":
        expected = EVIL_VALUE if name == "artifact" else "nootropic-report"
        assert list(place.machine.artifacts) == [expected]


def test_a2_no_input_is_forgotten() -> None:
    action = yaml.safe_load((PROJECT / "actions" / "review" / "action.yml").read_text())
    # What decides whether and how the program is installed; a test of its own installs it.
    assert action["inputs"].keys() == INPUTS.keys() | {"install", "python-version"}


def test_a3_texts_of_the_pull_request_give_no_command_to_the_runner(place: Place) -> None:
    work = place.server.checkout(place.repository, place.machine.folder / "work")
    name = "x\n::stop-commands::y\n::error::z.py"
    work.commit({name: WRONG, "b.py": "# ::set-output name=a::b\ndef f(:\n"})
    work.git("push", "--quiet", "origin", "HEAD:feature")
    jobs = place.analyse(place.server.open_pull(place.repository, "feature"))
    for line in jobs["analyse"].log.splitlines():
        assert not line.startswith("::"), line
    assert "report.json" in place.machine.artifacts["nootropic-report"]


def test_a4_only_delimiters_that_nobody_can_guess() -> None:
    """What a script of ours writes as an output has one line; what has more is the program's, with a random delimiter."""
    for path, text in texts():
        for line in text.splitlines():
            assert "GITHUB_ENV" not in line, path
            assert "GITHUB_PATH" not in line, path
            assert "<<" not in line, f"{path}: {line}"


def test_a4_the_runner_of_these_tests_would_notice() -> None:
    assert dict(read_outputs("a=1\nb<<X\nc=2\nX\n")) == {"a": "1", "b": "c=2"}
    assert dict(read_outputs("a=1\nplan=evil\n"))["plan"] == "evil"
    with pytest.raises(AssertionError, match="invalid format"):
        dict(read_outputs("no output\n"))
    with pytest.raises(AssertionError, match="was not found"):
        dict(read_outputs("a<<X\n1\n"))


def test_a5_an_action_pinned_by_tag_fails_ci(tmp_path: Path) -> None:
    found = lint_sample(tmp_path, "pull_request", f"uses: actions/checkout@v6\n{WITHOUT_CREDENTIALS.rstrip()}")
    assert not found.is_good
    assert found.says("A5: not pinned"), found.text
    assert found.says("unpinned-uses")


@pytest.mark.parametrize(
    "step", [f"uses: {CACHE}\n  with:\n    path: x\n    key: x", f"uses: {SET_UP}\n  with:\n    cache: pip"]
)
def test_a6_a_cache_used_by_a_privileged_job_fails_ci(tmp_path: Path, step: str) -> None:
    found = lint_sample(tmp_path / "bad", "issue_comment", step)
    assert not found.is_good
    assert found.says("A6: a cache is used where a job may have a token"), found.text
    assert not lint_sample(tmp_path / "other", "pull_request", step).says("A6")


def action_with(folder: Path, name: str, old: str, new: str) -> Path:
    """One of our actions, changed, as that of another repository."""
    text = (PROJECT / "actions" / name / "action.yml").read_text()
    assert old in text
    path = folder / "actions" / name / "action.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace(old, new))
    return folder


OF_ONE_PULL_REQUEST = "&& github.event_name == 'pull_request'"


@pytest.mark.parametrize("instead", [
    "",
    "&& github.event_name == 'pull_request_target'",
    "&& (github.event_name == 'pull_request' || github.event_name == 'push')",
    "|| github.event_name == 'pull_request'",
])  # fmt: skip
def test_a6_a_review_that_keeps_what_others_read_fails_ci(tmp_path: Path, instead: str) -> None:
    found = lint(action_with(tmp_path, "review", OF_ONE_PULL_REQUEST, instead))
    assert not found.is_good
    assert found.says("A6: a cache is written that runs of others read"), found.text


@pytest.mark.parametrize("name", ["publish", "respond"])
def test_a6_a_cache_read_by_an_action_with_a_token_fails_ci(tmp_path: Path, name: str) -> None:
    uses = CACHE.replace("cache@", "cache/restore@")
    step = f"  steps:\n    - name: Get\n      uses: {uses}\n      with:\n        path: x\n        key: x\n"
    found = lint(action_with(tmp_path, name, "  steps:\n", step))
    assert not found.is_good
    assert found.says("A6: a cache is used where a job may have a token: Get"), found.text


def test_a6_only_the_default_branch_builds_and_keeps_the_runtime() -> None:
    saving = {path: text for path, text in texts() if "actions/cache/save@" in text or "actions/cache@" in text}
    actions = PROJECT / "actions"
    assert saving.keys() == {str(actions / name / "action.yml") for name in ("wheel", "review")}
    (kept,) = [step for step in yaml.safe_load(saving[str(actions / "review" / "action.yml")])["runs"]["steps"]
               if "actions/cache/save@" in step.get("uses", "")]  # fmt: skip
    assert all(line.startswith(".git/nootropic/") for line in kept["with"]["path"].splitlines()), "and no runtime"
    using = [(path, text) for path, text in texts() if "/actions/wheel@" in text]
    assert {path for path, _text in using} == {".github/workflows/nootropic-wheel.yml"}
    for _path, text in using:
        assert "github.ref_name == github.event.repository.default_branch" in text
        assert "pull_request" not in text


def only_analyse(place: Place, pull: object, *, private: bool) -> Job:
    """The action itself on a self-hosted runner, without the condition that our workflow puts before it."""
    text = workflows(Setup(ACTIONS))[".github/workflows/nootropic-review.yml"]
    event = place.server.events.pull_request(pull)  # type: ignore[arg-type]
    event["repository"]["private"] = private
    return place.machine.run(text, "pull_request", event, sha=pull.head)["analyse"]  # type: ignore[attr-defined]


def test_a9_a_forks_pull_request_starts_no_work_on_a_self_hosted_runner(place: Place) -> None:
    place.machine.environment, place.setup = "self-hosted", OWN
    place.repository.is_private = True
    place.repository.roles["eve"] = "read"
    pull = place.open(fork="eve")
    jobs = place.analyse(pull)
    assert [job.result for job in jobs.values()] == ["skipped", "skipped"]
    assert not place.machine.played, "not even a checkout"
    job = only_analyse(place, pull, private=True)
    assert job.result == "failure"
    assert "comes from a fork: nothing was started" in job.log
    assert [step.name for step in job.steps if step.result == "success"] == ["actions/checkout"]


def test_a9_a_forks_commit_under_another_event_is_refused(place: Place) -> None:
    """A comment's event doesn't say where the head is from; the clone does."""
    place.machine.environment = "self-hosted"
    pull = place.open(fork="eve")
    text = workflows(OWN)[".github/workflows/nootropic-review.yml"]
    event = {"repository": {"private": True}, "inputs": {"pull-request": str(pull.number), "base": pull.base}}
    job = place.machine.run(text, "workflow_dispatch", event, sha=pull.head)["analyse"]
    assert job.result == "failure"
    assert "lies on no branch of this repository" in job.log
    assert not [step for step in job.steps if step.name in ("Fetch", "Review") and step.result != "skipped"]


def test_a9_a_public_repository_is_refused(place: Place) -> None:
    place.machine.environment = "self-hosted"
    job = only_analyse(place, place.open(), private=False)
    assert job.result == "failure"
    assert "not known to be private" in job.log


def test_a9_the_teams_own_pull_request_is_analysed(place: Place) -> None:
    """So that the refusals above are about forks."""
    place.machine.environment = "self-hosted"
    job = only_analyse(place, place.open(), private=True)
    assert job.result == "success", job.log


# All that workflows, actions and their scripts look at of the event and the run. Nothing here says who did something, but
# where the head comes from, which GitHub says, and the comment, whose author the program asks the API about.
SEEN = {
    "github.action_path", "github.event.changes.base", "github.event.comment.body", "github.event.comment.id",
    "github.event.issue.pull_request", "github.event.pull_request.base.sha", "github.event.pull_request.head.repo.full_name",
    "github.event.pull_request.head.sha", "github.event.pull_request.number", "github.event.repository.default_branch",
    "github.event.repository.private", "github.event.workflow_run.conclusion", "github.event.workflow_run.event",
    "github.event.workflow_run.id", "github.event_name", "github.ref_name", "github.repository", "github.run_attempt",
    "github.run_id", "github.sha", "github.token",
}  # fmt: skip
VARIABLES = {
    "GITHUB_ACTION_PATH", "GITHUB_OUTPUT", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_STEP_SUMMARY", "GITHUB_TOKEN",
}  # fmt: skip


def test_a10_nothing_looks_at_who_started_a_run() -> None:
    seen: set[str] = set()
    for path, text in texts():
        code = "\n".join(line.partition("# ")[0] for line in text.splitlines())
        assert not re.search(r"github(?:\.[\w-]+)*\[", code), f"{path}: an index can name anything"
        assert not re.search(r"toJSON|fromJSON", code, re.IGNORECASE), f"{path}: so can the whole context"
        seen |= set(re.findall(r"\bgithub(?:\.(?!sh\b)[a-z_]+)+", code))
        seen |= set(re.findall(r"\bGITHUB_[A-Z_]+", code))
    assert seen <= SEEN | VARIABLES, "look whether this is said by whoever started the run, and add it here"
    assert seen >= {"github.event.pull_request.head.sha", "GITHUB_OUTPUT"}, "the search finds what is there"


@pytest.mark.parametrize("fork", ["", "eve"])
def test_a10_a_run_that_the_bot_started_again_is_like_any_other(place: Place, fork: str) -> None:
    pull = place.open(fork=fork, load__py=WRONG, other__py=CLEAN)
    ended = []
    for login in (fork or "mona", "github-actions[bot]", "dependabot[bot]"):
        event = place.server.events.pull_request(pull)
        event["sender"]["login"] = login
        job = place.analyse(pull, event)["analyse"]
        report = json.loads(place.machine.artifacts["nootropic-report"]["report.json"])
        del report["summary"]["seconds"]
        (token,) = [each for each in place.server.hub.tokens.values() if each.label == job.token]
        ended.append((job.result, [(step.name, step.result) for step in job.steps], report, token.permissions))
    assert ended[0][0] == "success"
    assert ended[0] == ended[1] == ended[2]
    # What the workflow itself asks for; that a fork gets no more is GitHub's.
    assert ended[0][3] == {"contents": "read", "metadata": "read"}
