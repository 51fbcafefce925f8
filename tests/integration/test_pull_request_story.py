"""The whole story of a pull request, played through our workflows: from the first review to the one that has nothing to say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import story
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.job_runner import Job
from tests.support.place import Place

REASON = "the cache is meant"
Threads = dict[str, r.Thread]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path / "github") as server:
        yield server
        assert not server.violations
        assert not server.limits.exceeded


@pytest.fixture
def place(server: GitHubServer, tmp_path: Path) -> Place:
    return story.set_up(server, tmp_path / "machine")


def succeeded(jobs: dict[str, Job]) -> str:
    """All that the jobs printed; all of them went well."""
    text = "\n".join(f"=== {name}: {job.result}\n{job.log}" for name, job in jobs.items())
    assert {job.result for job in jobs.values()} <= {"success", "skipped"}, text
    return text


def analysed(place: Place, pull: r.PullRequest) -> None:
    """The analysis, which asked the forge nothing and was shown no token."""
    before = len(place.server.log)
    jobs = place.analyse(pull)
    succeeded(jobs)
    secrets = [token.value for token in place.server.hub.tokens.values()]
    (review,) = [step for step in jobs["analyse"].steps if step.name == "Review"]
    assert "GITHUB_TOKEN" not in review.env
    assert not [value for value in review.env.values() if any(secret in value for secret in secrets)]
    assert len(place.server.log) == before, "the analysis made a request"
    assert place.machine.artifacts.keys() == {"nootropic-report"}


def writes(place: Place, since: int) -> list[str]:
    """What was written to the pull request since then."""
    return [
        f"{each.method} {each.path}"
        for each in place.server.log[since:]
        if each.method in ("PUT", "PATCH", "DELETE")
        or (each.method == "POST" and each.path != "/graphql")
        or (each.method == "POST" and "mutation" in json.dumps(each.body))
    ]


def reviews(pull: r.PullRequest) -> list[r.Review]:
    """Those of the bot."""
    return [review for review in pull.reviews if review.user.type == "Bot"]


def threads(pull: r.PullRequest) -> Threads:
    """The bot's threads by the rule that each is about."""
    rules = (story.UNSAFE, story.NONE, story.TOKEN, story.DEFAULT)
    return {rule: story.review_comment(pull, rule).thread for rule in rules}


def recorded(place: Place, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The state by kind, as somebody sees it who clones the repository now, the newest first."""
    clone = place.server.checkout(place.repository, folder)
    assert clone.bot("state", "sync").code == 0
    text = clone.bot("state", "log", "--limit", "1000", "--format", "json").out
    found: dict[str, list[dict[str, Any]]] = {}
    for record in json.loads(text):
        found.setdefault(record["kind"], []).append(record["data"])
    return found


@pytest.mark.slow
def test_a_fork_s_pull_request_from_the_first_review_to_silence(place: Place, tmp_path: Path) -> None:
    server = place.server
    pull = place.open("reports", fork="eve", title="Share reports", **{story.PATH: story.OPENED})

    # Opened: analysed without a token, posted by the trusted job, as one review and one summary.
    analysed(place, pull)
    asked = len(server.log)
    assert "4 commented" in succeeded(place.publish(pull))
    assert len(server.log) - asked <= 10, [f"{each.method} {each.path}" for each in server.log[asked:]]
    assert [len(review.comments) for review in reviews(pull)] == [4]
    (summary,) = story.replies(pull)
    assert "4 findings in 1 file" in summary
    opened = threads(pull)
    assert "```suggestion" not in opened[story.TOKEN].comments[0].body, "its fix adds an import far above"
    assert "as a patch" in opened[story.TOKEN].comments[0].body

    # The author talks, applies one suggestion in the page, another one with a change of her own, and pushes over a third.
    server.add_person("eve")
    eve = server.client("eve").get_repo("octo/app").get_pull(pull.number)
    eve.create_review_comment_reply(opened[story.DEFAULT].comments[0].id, "This is a cache. It is meant to be shared.")
    applied = server.apply_suggestions(opened[story.UNSAFE].comments[0].id, user="eve")
    assert "SafeLoader" in story.file_at_head(place, pull)
    assert pull.head == applied
    fork = opened[story.UNSAFE].pull.head_repository
    assert fork is not None
    for change, message in ((story.edited, "Take blank titles for none"), (story.pushed_over, "Share by id")):
        text = change(story.file_at_head(place, pull))
        server.commit(fork, "reports", {story.PATH: text}, message, user="eve")

    # A maintainer says what is no problem, with the id that the comment shows.
    shown = opened[story.DEFAULT].comments[0].body.partition("/nootropic fp ")[2].partition(" ")[0]
    assert len(shown) >= 8
    jobs = place.say(pull, f"/nootropic fp {shown} {REASON}")
    succeeded(jobs)
    assert [job.result for job in jobs.values()] == ["success"] * 3, "an analysis of our own says what the id means"
    assert "is a false positive, says `mona`: the cache is meant" in story.replies(pull)[-1]

    # The second review: nothing new; what is fixed is resolved, what was said stays, and the false positive is muted.
    before = len(server.log)
    analysed(place, pull)
    report = json.loads(place.machine.artifacts["nootropic-report"]["report.json"])
    (finding,) = report["findings"]
    assert (finding["rule_id"], finding["suppressed"]["reason"]) == (story.DEFAULT, REASON)
    log = succeeded(place.publish(pull))
    assert "commented" not in log
    assert "3 resolved" in log, log
    assert len(reviews(pull)) == 1
    assert writes(place, before).count("POST /graphql") == 3
    after = threads(pull)
    assert after == opened
    assert all(after[rule].resolved_by is not None for rule in (story.UNSAFE, story.NONE, story.TOKEN))
    assert [each.user.login for each in after[story.DEFAULT].comments] == ["github-actions[bot]", "eve"]
    assert "**Marked as a false positive** by `mona`" in after[story.DEFAULT].comments[0].body
    assert "no findings" in story.replies(pull)[0]
    assert len(story.replies(pull)) == 2, "the summary, and the answer to the command"

    # The third: nothing has changed, and nothing is written but the check of the same commit, in its place.
    before = len(server.log)
    analysed(place, pull)
    succeeded(place.publish(pull))
    assert not [each for each in writes(place, before) if "/pulls/" in each or "/issues/" in each or "graphql" in each]
    assert len([check for check in server.hub.checks.values() if check.fields["head_sha"] == pull.head]) == 1

    # All of it is in the state of a fresh clone.
    state = recorded(place, tmp_path / "colleague")
    assert {each["pull_request"] for each in state["run"]} == {pull.number}
    numbers = [(each["findings"], each["suppressed"]) for each in reversed(state["run"])]
    assert (numbers[0], set(numbers[1:])) == ((4, 0), {(1, 1)})
    assert {each["rule_id"] for each in state["finding"]} == set(opened)
    assert {each["rule_id"] for each in state["suggestion"]} == set(opened)
    assert [(each["action"], each["author"], each["reason"]) for each in state["triage"]] == [("add", "mona", REASON)]
    assert state["triage"][0]["finding"].startswith(shown)
    refused = [f"{each.method} {each.path}" for each in server.log if each.status in (401, 403)]
    assert not refused, "each job has the permissions that it needs"


@pytest.mark.slow
def test_a_branch_of_the_repository_is_mended_by_command(place: Place, tmp_path: Path) -> None:
    server = place.server
    pull = place.open("reports", title="Share reports", **{story.PATH: story.OPENED})
    analysed(place, pull)
    succeeded(place.publish(pull))
    opened = threads(pull)
    before = pull.head

    jobs = place.say(pull, "/nootropic fix")
    succeeded(jobs)
    assert [job.result for job in jobs.values()] == ["success"] * 3
    text = story.file_at_head(place, pull)
    assert ("SafeLoader" in text, "is None" in text, "secrets.choice" in text) == (True, True, True)
    assert "Committed 4 proved fixes" in story.replies(pull)[-1]
    message = place.repository.git.run("log", "-1", "--format=%B", pull.head).decode()
    assert f"Each proved by itself on {before}" in message
    assert "Co-authored-by: mona" in message

    # The commit started the checks again, which a push with a workflow's token does not do by itself.
    (run,) = [run for run in server.hub.runs.values() if run.event == "workflow_dispatch"]
    assert (run.head, run.inputs["pull-request"]) == (pull.head, str(pull.number))
    event = {"repository": {"private": False}, "inputs": run.inputs}
    succeeded(place.run("review", "workflow_dispatch", event, sha=pull.head, ref="reports"))
    log = succeeded(place.publish(pull, event="workflow_dispatch"))
    assert "4 resolved" in log, log
    assert threads(pull) == opened
    assert all(thread.resolved_by is not None for thread in opened.values())

    state = recorded(place, tmp_path / "colleague")
    assert {(each["result"], each["commit"]) for each in state["outcome"]} == {("accepted", pull.head)}
    assert len(state["outcome"]) == 4
