"""Reviews through PyGithub: where comments may stand, what becomes of them, and their threads."""

from __future__ import annotations

import subprocess

import pytest
from github import GithubException
from github.PullRequestReview import PullRequestReview

from tests.github.conftest import FIVE_AND_THIRTY, Scene, changed

QUERY = """query($after: String) { repository(owner: "octo", name: "app") { pullRequest(number: 1) {
  reviewThreads(first: 2, after: $after) { pageInfo { hasNextPage endCursor } nodes {
    id isResolved isOutdated path line originalLine resolvedBy { login }
    comments(first: 10) { nodes { databaseId body isMinimized } } } } } } }"""


def comment(line: int | None = 5, path: str = "a.py", **more: object) -> dict[str, object]:
    place = {} if line is None else {"line": line}
    return {"path": path, "body": "```suggestion\nx = 1\n```", "side": "RIGHT", **place, **more}


def review(scene: Scene, *comments: dict[str, object], label: str = "bot", **more: object) -> PullRequestReview:
    return scene.pull(label).create_review(body="Found.", event="COMMENT", comments=list(comments), **more)


def threads(scene: Scene) -> list[dict]:
    client, found, after = scene.server.client("bot"), [], None
    while True:
        _, answer = client.requester.graphql_query(QUERY, {"after": after})
        page = answer["data"]["repository"]["pullRequest"]["reviewThreads"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def test_a_review_with_suggestions_stands_where_it_was_put(scene: Scene) -> None:
    made = review(scene, comment(5), comment(31, start_line=29, start_side="RIGHT"), comment(2, "new.py"))
    assert made.state == "COMMENTED"
    found = list(scene.pull().get_review_comments())
    assert [(each.path, each.start_line, each.line) for each in found] == [
        ("a.py", None, 5),
        ("a.py", 29, 31),
        ("new.py", None, 2),
    ]
    assert found[0].diff_hunk.splitlines()[-1] == "+x5 = eval('5')"
    assert {each.pull_request_review_id for each in found} == {made.id}
    assert [each.id for each in scene.pull().get_single_review_comments(made.id)] == [each.id for each in found]
    assert scene.server.log.count("POST") == 1
    assert not scene.server.violations


def test_deleted_lines_are_commented_on_the_left(scene: Scene) -> None:
    review(scene, comment(1, "gone.py", side="LEFT"), comment(5, side="LEFT"))
    assert [each.side for each in scene.pull().get_review_comments()] == ["LEFT", "LEFT"]
    with pytest.raises(GithubException, match="must be part of the diff"):
        review(scene, comment(1, "gone.py"))


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (comment(15), "line must be part of the diff"),
        (comment(500), "line must be part of the diff"),
        (comment(30, start_line=5), "same hunk"),
        (comment(30, start_line=15), "same hunk"),
        (comment(30, start_line=30), "must precede"),
        (comment(30, start_line=31), "must precede"),
        (comment(5, "other.py"), "Path could not be resolved"),
        (comment(None), "Line could not be resolved"),
        (comment(5, body="x" * 65_537), "65536"),
        (comment(5, body="  "), "blank"),
    ],
)
def test_one_bad_comment_refuses_the_whole_review(scene: Scene, bad: dict[str, object], text: str) -> None:
    with pytest.raises(GithubException) as caught:
        review(scene, comment(5), bad, comment(30))
    assert caught.value.status == 422
    assert text in str(caught.value.data["errors"])
    assert "a.py" not in str(caught.value.data), "GitHub does not tell which entry is bad"
    assert scene.pull().get_reviews().totalCount == 0
    assert scene.pull().get_review_comments().totalCount == 0


def test_the_longest_body_and_every_line_of_every_hunk_are_accepted(scene: Scene) -> None:
    lines = [*range(2, 9), *range(27, 34)]
    review(scene, *[comment(line, body="x" * 65_536) for line in lines])
    assert [each.line for each in scene.pull().get_review_comments()] == lines
    for line in (1, 9, 26, 34):
        with pytest.raises(GithubException):
            review(scene, comment(line))


def test_one_comment_alone_says_which_field_is_bad(scene: Scene) -> None:
    pull = scene.pull()
    assert pull.create_review_comment("Look.", pull.head.sha, "a.py", line=5).line == 5
    with pytest.raises(GithubException) as caught:
        pull.create_review_comment("Look.", pull.head.sha, "a.py", line=15)
    assert caught.value.data["errors"][0]["field"] == "pull_request_review_thread.line"


def test_a_position_counts_from_the_first_hunk(scene: Scene) -> None:
    pull = scene.pull()
    patch = next(file.patch for file in pull.get_files() if file.filename == "a.py").split("\n")
    position = patch.index("+x30 = eval('30')")
    made = pull.create_review(body="Old way.", event="COMMENT", comments=[{**comment(None), "position": position}])
    found = next(iter(pull.get_single_review_comments(made.id)))
    assert (found.line, found.position) == (30, position)


def test_a_push_moves_comments_and_outdates_those_whose_lines_it_changed(scene: Scene) -> None:
    review(scene, comment(5), comment(31, start_line=29), comment(30))
    first = scene.pull().head.sha
    head = scene.push({"a.py": changed(at={**FIVE_AND_THIRTY, 5: "x5 = 5.0\n"}, above="import os\n")})
    five, range_, thirty = scene.pull().get_review_comments()
    assert (five.line, five.position, five.original_line, five.commit_id) == (None, None, 5, first)
    assert (range_.start_line, range_.line, range_.original_line, range_.commit_id) == (30, 32, 31, head)
    assert (thirty.line, thirty.original_commit_id) == (31, first)
    scene.push({"a.py": changed(at={**FIVE_AND_THIRTY, 29: "x29 = 'changed'\n"}, above="import os\n")})
    five, range_, thirty = scene.pull().get_review_comments()
    assert (range_.line, thirty.line) == (None, 31), "a range is outdated when any line of it is changed"
    # What is no longer part of the diff has no line either.
    scene.push({"a.py": changed()})
    assert [each.line for each in scene.pull().get_review_comments()] == [None, None, None]


def test_a_comment_moves_through_two_pushes_and_a_force_push(scene: Scene) -> None:
    review(scene, comment(30))
    scene.push({"a.py": changed(at=FIVE_AND_THIRTY, above="import os\n")})
    scene.server.sync()
    scene.work.git("reset", "--quiet", "--hard", "origin/main")
    scene.push({"a.py": changed(at=FIVE_AND_THIRTY, above="import os\nimport sys\n")}, force=True)
    assert [each.line for each in scene.pull().get_review_comments()] == [32]


def test_a_reply_joins_the_thread_and_replies_to_replies_do_not(scene: Scene) -> None:
    review(scene, comment(5))
    pull = scene.pull()
    first = next(iter(pull.get_review_comments()))
    reply = pull.create_review_comment_reply(first.id, "Why?")
    assert reply.in_reply_to_id == first.id
    with pytest.raises(GithubException):
        pull.create_review_comment_reply(reply.id, "Because.")
    assert [len(each["comments"]["nodes"]) for each in threads(scene)] == [2]


def test_threads_are_resolved_and_unresolved(scene: Scene) -> None:
    review(scene, comment(5), comment(6), comment(30))
    found = threads(scene)
    assert [(each["line"], each["isResolved"], each["isOutdated"]) for each in found] == [
        (5, False, False),
        (6, False, False),
        (30, False, False),
    ]
    client = scene.server.client("bot")
    client.requester.graphql_named_mutation("resolveReviewThread", {"threadId": found[1]["id"]}, "thread { id }")
    assert [each["isResolved"] for each in threads(scene)] == [False, True, False]
    client.requester.graphql_named_mutation("unresolveReviewThread", {"threadId": found[1]["id"]}, "thread { id }")
    assert not any(each["isResolved"] for each in threads(scene))


def test_a_token_that_cannot_write_contents_cannot_resolve(scene: Scene) -> None:
    review(scene, comment(5), label="poster")
    wanted = {"threadId": threads(scene)[0]["id"]}
    with pytest.raises(GithubException) as caught:
        scene.server.client("poster").requester.graphql_named_mutation("resolveReviewThread", wanted, "thread { id }")
    assert caught.value.data["errors"][0]["type"] == "FORBIDDEN"
    assert not threads(scene)[0]["isResolved"]


def test_comments_are_edited_deleted_and_hidden(scene: Scene) -> None:
    review(scene, comment(5), comment(30))
    first, second = scene.pull().get_review_comments()
    first.edit("Fixed in abc.")
    second.delete()
    assert [each.body for each in scene.pull().get_review_comments()] == ["Fixed in abc."]
    wanted = {"subjectId": first.raw_data["node_id"], "classifier": "OUTDATED"}
    shown = "minimizedComment { isMinimized minimizedReason }"
    _, answer = scene.server.client("bot").requester.graphql_named_mutation("minimizeComment", wanted, shown)
    assert answer == {"minimizedComment": {"isMinimized": True, "minimizedReason": "outdated"}}
    assert threads(scene)[0]["comments"]["nodes"][0]["isMinimized"]


def test_a_review_is_pending_until_it_is_submitted(scene: Scene) -> None:
    made = scene.pull().create_review(body="Draft.", comments=[comment(5)])
    assert made.state == "PENDING"
    assert scene.pull("app").get_review_comments().totalCount == 0
    with pytest.raises(GithubException, match="one pending review"):
        scene.pull().create_review(body="Again.")
    scene.server.client("bot").requester.requestJsonAndCheck(
        "POST", f"{scene.pull().url}/reviews/{made.id}/events", input={"event": "COMMENT"}
    )
    assert scene.pull("app").get_review_comments().totalCount == 1


def test_what_a_review_needs(scene: Scene) -> None:
    with pytest.raises(GithubException, match="blank"):
        scene.pull().create_review(event="COMMENT", comments=[comment(5)])
    scene.server.add_person("mona")
    with pytest.raises(GithubException, match="approve your own"):
        scene.pull("mona").create_review(event="APPROVE")
    other = scene.work.git("rev-parse", "origin/main")
    commit = scene.server.client("bot").get_repo("octo/app").get_commit(other)
    with pytest.raises(GithubException, match="Commit could not be resolved"):
        review(scene, comment(5), commit=commit)


def test_the_diff_is_what_git_says(scene: Scene) -> None:
    _, _, text = scene.server.client("bot").requester.requestBlob(
        "GET", "/repos/octo/app/pulls/1", headers={"Accept": "application/vnd.github.diff"}
    )
    assert str(text) == scene.work.git("diff", "--full-index", "origin/main", "HEAD") + "\n"
    done = subprocess.run(["git", "apply", "--check", "--reverse"], cwd=scene.work.path, input=str(text).encode())
    assert done.returncode == 0


def test_files_of_every_kind_are_listed(scene: Scene) -> None:
    scene.work.git("mv", "a.py", "renamed.py")
    scene.push(
        {
            "bin.dat": b"\0\1\2",
            "crlf.txt": "a\r\nb\r\n",
            "odd.py": "diff --git a/x b/x\n--- a\n+++ b\n@@ -1 +1 @@\n",
            "é.py": "e = 1",
        }
    )
    (scene.work.path / "new.py").chmod(0o755)
    scene.push({})
    found = {file.filename: file for file in scene.pull().get_files()}
    assert {name: file.status for name, file in found.items()} == {
        "bin.dat": "added",
        "crlf.txt": "added",
        "gone.py": "removed",
        "new.py": "added",
        "odd.py": "added",
        "renamed.py": "renamed",
        "é.py": "added",
    }
    assert found["renamed.py"].previous_filename == "a.py"
    assert found["bin.dat"].patch is None
    assert found["odd.py"].additions == 4
    assert found["é.py"].patch == "@@ -0,0 +1 @@\n+e = 1\n\\ No newline at end of file"
    review(scene, comment(2, "crlf.txt"), comment(4, "odd.py"), comment(1, "é.py"))
