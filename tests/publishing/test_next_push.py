"""What happens on the next push, over the server: nothing twice, what moved follows, what is fixed is settled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.trusted import TrustedJob, numbered


@pytest.mark.parametrize(("label", "is_resolved"), [("bot", True), ("poster", False)])
def test_what_is_fixed_is_settled_and_the_rest_stays(job: TrustedJob, label: str, is_resolved: bool) -> None:
    """`poster` may not write contents, without which no thread can be resolved: the comment says it then."""
    findings = [job.finding("a.py", 10, (10, 10, "safe(10)\n")), job.finding("a.py", 20), job.finding("b.py", 5)]
    job.deliver(findings, label=label)
    person = job.server.client("bot").get_repo("octo/app").get_pull(1)
    (answered,) = [comment.id for comment in job.pull.review_comments() if comment.thread.anchor.path == "b.py"]
    person.create_review_comment_reply(answered, "Is that so?")

    # Line 10 is fixed; above line 20, another is added.
    job.push({"a.py": numbered(10) + "added\n" + "".join(numbered(40, 20).splitlines(keepends=True)[10:])})
    left = [job.finding("a.py", 21, id=findings[1].id), job.finding("b.py", 5, id=findings[2].id)]
    published = job.deliver(left, label=label).published
    assert (published.commented, len(published.fixed), published.not_posted) == ((), 1, ())
    first, second, third = sorted(job.pull.threads, key=lambda thread: (thread.anchor.path, thread.anchor.line or 0))
    assert (first.resolved_by is not None) is is_resolved
    assert first.comments[0].body.startswith("**Fixed in") is not is_resolved
    assert (second.place.line, second.resolved_by) == (21, None)
    assert [comment.body for comment in third.comments][1:] == ["Is that so?"]
    assert len(job.pull.comments) == 1
    assert "1 of the earlier comments fixed" in job.pull.comments[0].body

    writes = len(job.server.log.writes())
    job.deliver(left, label=label)
    assert [each.path for each in job.server.log.writes()[writes:]] == ["/graphql"], "only the reading"


def test_a_summary_that_was_deleted_is_made_again(job: TrustedJob) -> None:
    job.deliver([job.finding("a.py", 10), job.finding("a.py", 35)])
    job.server.client("bot").get_repo("octo/app").get_issue(1).get_comment(job.pull.comments[0].id).delete()
    job.deliver([job.finding("a.py", 10), job.finding("a.py", 35)])
    assert (len(job.pull.comments), len(job.bodies())) == (1, 1)


def test_somebody_elses_marker_is_not_ours(job: TrustedJob) -> None:
    """A person copies our comments word for word: theirs are neither edited nor resolved, ours are not left out."""
    findings = [job.finding("a.py", 10), job.finding("a.py", 35)]
    job.server.comment(job.pull, "mallory", "<!-- nootropic:v1 summary=1 -->")
    mallory = job.server.client(job.server.add_person("mallory", job.repository).label)
    body = f"mine\n<!-- nootropic:v1 finding={findings[0].id} -->"
    entry = {"path": "a.py", "line": 10, "body": body}
    mallory.get_repo("octo/app").get_pull(1).create_review(body="x", event="COMMENT", comments=[entry])
    published = job.deliver(findings).published
    assert len(published.commented) == 1
    assert [comment.user.login for comment in job.pull.comments] == ["mallory", "github-actions[bot]"]
    assert job.bodies()[0] == body


@pytest.mark.parametrize(("named", "is_known"), [("other-app[bot]", False), ("My-App[bot]", True)])
def test_an_app_that_the_base_names_is_the_bot_and_no_other_is(
    server: GitHubServer, tmp_path: Path, clock: Clock, named: str, is_known: bool
) -> None:
    """Two tokens in one repository: an app's posts the reviews, the workflow's own answers a command."""
    base = {"a.py": numbered(40), "nootropic.toml": f'[publish]\naccounts = ["{named}"]\n'}
    # What the pull request says of itself does not count (row A21).
    head = {"a.py": numbered(40, 10, 20), "nootropic.toml": '[publish]\naccounts = ["my-app[bot]"]\n'}
    job = TrustedJob.open(server, tmp_path, base, head)
    job.clock = clock
    server.add_token("ours", "my-app[bot]", permissions=r.WRITE_ALL)
    findings = [job.finding("a.py", 10), job.finding("a.py", 35)]
    assert len(job.deliver(findings, label="ours").published.commented) == 1
    second = job.deliver(findings).published
    assert (second.commented, second.not_posted) == (() if is_known else (findings[0],), ())
    assert len(job.pull.comments) == (1 if is_known else 2)
    job.push({"a.py": numbered(40, 20)})
    fixed = job.deliver([findings[1]]).published.fixed
    assert [thread.comment_id == str(job.pull.threads[0].comments[0].id) for thread in fixed] == [is_known]
    assert (job.pull.threads[0].resolved_by is not None) is is_known
    # A person of the app's name is none.
    body = f"mine\n<!-- nootropic:v1 finding={job.finding('a.py', 20).id} -->"
    mallory = server.client(server.add_person("my-app", job.repository).label)
    entry = {"path": "a.py", "line": 20, "body": body}
    mallory.get_repo("octo/app").get_pull(1).create_review(body="x", event="COMMENT", comments=[entry])
    last = job.deliver([job.finding("a.py", 20), findings[1]]).published
    assert [each.id for each in last.commented] == [job.finding("a.py", 20).id]


def test_what_comes_back_after_it_was_fixed_is_said_again(job: TrustedJob) -> None:
    """The bot settled the first comment, so that nobody looks there; what a person resolves stays said."""
    finding = job.finding("a.py", 10)
    job.deliver([finding])
    before = {"a.py": numbered(40, 10, 20)}
    job.push({"a.py": numbered(40, 20)})
    assert len(job.deliver([]).published.fixed) == 1
    job.push(before)
    assert [each.id for each in job.deliver([finding]).published.commented] == [finding.id]
    first, second = job.pull.threads
    assert first.resolved_by is not None
    assert (second.place.line, second.resolved_by) == (10, None)
    assert "1 of the earlier comments fixed" in job.pull.comments[0].body
    assert job.deliver([finding]).published.commented == ()
    assert len(job.pull.threads) == 2, "nor is one of them taken for a double"

    mona = job.server.client(job.server.add_person("mona", job.repository, "write").label)
    wanted = {"threadId": f"PRRT_{second.id}"}
    mona.requester.graphql_named_mutation("resolveReviewThread", wanted, "thread { id }")
    job.push({"b.py": "other\n"})
    assert job.deliver([finding]).published.commented == ()
    assert len(job.pull.threads) == 2
    assert "1 still there in resolved threads" in job.pull.comments[0].body


def test_where_nothing_can_be_resolved_what_comes_back_is_said_in_its_place(job: TrustedJob) -> None:
    finding = job.finding("a.py", 10)
    job.deliver([finding], label="poster")
    (said,) = job.bodies()
    job.push({"a.py": numbered(40, 20)})
    job.deliver([], label="poster")
    assert job.bodies()[0].startswith("**Fixed in")
    job.push({"a.py": numbered(40, 10, 20)})
    job.deliver([finding], label="poster")
    assert job.bodies() == [said]


def test_copies_of_a_marker_by_many_cost_few_requests(job: TrustedJob) -> None:
    """Anybody can write one, and whether they may is a question each."""
    finding = job.finding("a.py", 10)
    entry = {"path": "a.py", "line": 10, "body": f"mine\n<!-- nootropic:v1 finding={finding.id} -->"}
    for number in range(15):
        token = job.server.add_person(f"passer-by-{number}", job.repository)
        pull = job.server.client(token.label).get_repo("octo/app").get_pull(1)
        pull.create_review(body="x", event="COMMENT", comments=[entry])
    assert [each.id for each in job.deliver([finding]).published.commented] == [finding.id]
    assert job.server.log.count(path="/collaborators/") == 10


def test_what_a_person_posted_and_resolved_by_hand_stays_resolved(job: TrustedJob) -> None:
    """With a token of one's own, nobody can tell the program's doing from the person's."""
    label = job.server.add_person("mona", job.repository, "write").label
    finding = job.finding("a.py", 10)
    job.deliver([finding], label=label)
    (thread,) = job.pull.threads
    wanted = {"threadId": f"PRRT_{thread.id}"}
    job.server.client(label).requester.graphql_named_mutation("resolveReviewThread", wanted, "thread { id }")
    job.push({"b.py": "other\n"})
    assert job.deliver([finding], label=label).published.commented == ()
    assert job.pull.threads == [thread]
