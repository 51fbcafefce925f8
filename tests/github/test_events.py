"""Events and what people do in the page."""

from __future__ import annotations

import pytest

from tests.github.conftest import Scene
from tests.support.github.people import NotApplicable, suggestion


def test_events_are_as_described(scene: Scene) -> None:
    hub = scene.server.hub
    pull, forked = hub.pulls[scene.repository.id, 1], scene.open_from_fork()
    said = scene.server.comment(pull, "mona", "/nootropic status")
    events = scene.server.events
    told = events.issue_comment(said)
    assert (told["action"], told["comment"]["body"], told["issue"]["number"]) == ("created", "/nootropic status", 1)
    assert "pull_request" in told["issue"]
    assert events.pull_request(forked)["pull_request"]["head"]["repo"]["full_name"] == "eve/app"
    assert events.pull_request(pull, "synchronize", before=scene.main)["after"] == scene.head
    workflow = scene.server.add_workflow(scene.repository, ".github/workflows/analyse.yml", "analyse")
    for of, numbers in ((pull, [1]), (forked, [])):
        run = events.workflow_run(scene.server.add_run(workflow, of, {}))["workflow_run"]
        assert [each["number"] for each in run["pull_requests"]] == numbers
        assert run["head_sha"] == of.head


def comment_on(scene: Scene, line: int, text: str, start: int | None = None, **more: str) -> int:
    place = {"line": line} if start is None else {"line": line, "start_line": start}
    entry = {"path": "a.py", "body": f"Better:\n\n```suggestion\n{text}\n```", **place, **more}
    made = scene.pull().create_review(body="Found.", event="COMMENT", comments=[entry])
    return next(iter(scene.pull().get_single_review_comments(made.id))).id


def test_suggestions_are_applied_as_the_page_does(scene: Scene) -> None:
    one = comment_on(scene, 5, "x5 = 5")
    two = comment_on(scene, 31, "x29 = 29\nx30 = 30\n# new\nx31 = 31", start=29)
    sha = scene.server.apply_suggestions(one, two, user="mona")
    assert scene.pull().head.sha == sha
    scene.work.git("pull", "--quiet")
    text = (scene.work.path / "a.py").read_text()
    assert text == scene.work.git("show", f"{scene.main}:a.py").replace("x30 = 30\n", "x30 = 30\n# new\n") + "\n"
    assert scene.work.git("log", "-1", "--format=%an|%cn") == "mona|web-flow"
    assert "Co-authored-by: github-actions[bot] <" in scene.work.git("log", "-1", "--format=%B")
    assert all(each.line is None for each in scene.pull().get_review_comments()), "they are outdated by their own fix"


def test_what_the_page_does_not_apply(scene: Scene) -> None:
    same = comment_on(scene, 6, "x6 = 6")
    with pytest.raises(NotApplicable, match="no changes"):
        scene.server.apply_suggestions(same)
    with pytest.raises(NotApplicable, match="deleted lines"):
        scene.server.apply_suggestions(comment_on(scene, 5, "x", side="LEFT"))
    overlapping = [comment_on(scene, 5, "a"), comment_on(scene, 6, "b", start=4)]
    with pytest.raises(NotApplicable, match="one suggestion per line"):
        scene.server.apply_suggestions(*overlapping)
    scene.server.apply_suggestions(overlapping[0])
    with pytest.raises(NotApplicable, match="outdated"):
        scene.server.apply_suggestions(overlapping[0])
    late = comment_on(scene, 30, "x30 = 0")
    scene.pull().edit(state="closed")
    with pytest.raises(NotApplicable, match="closed"):
        scene.server.apply_suggestions(late)


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("```suggestion\n```", []),
        ("```suggestion\n\n```", [""]),
        ("````suggestion\n```py\n````", ["```py"]),
        ("```python\nx\n```", None),
        ("```suggestion\nnever closed", None),
    ],
)
def test_what_counts_as_a_suggestion(body: str, lines: list[str] | None) -> None:
    assert suggestion(body) == lines
