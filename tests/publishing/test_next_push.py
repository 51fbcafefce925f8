"""What happens on the next push, over the server: nothing twice, what moved follows, what is fixed is settled."""

from __future__ import annotations

import pytest

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
