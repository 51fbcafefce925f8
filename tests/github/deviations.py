"""Where the emulator `emulate` 0.12.2 answers otherwise than our server: why, and the step, the field and its answer.

A reason names GitHub's description (`tests/data/github/`), its documentation, or what is not covered. `-` for ours: the
field is one that ours leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Entry = tuple[str, str, Any]

# What ours gets right.
DEVIATIONS: Mapping[str, Sequence[Entry]] = {
    "a token that nobody was given is no token: 401": [("bad token", "status", 200)],
    "a branch has one open pull request for the same base: 422": [
        ("the same once more", "status", 201),
        ("pull requests of a branch", "#", 2),
    ],
    "its pull requests have no diff: nothing is counted, and no file is listed": [
        ("pull request as it is", "additions", 0),
        ("pull request as it is", "deletions", 0),
        ("pull request as it is", "changed_files", 0),
        ("its files", "#", 0),
        ("its files", "0.filename", None),
        ("its files", "0.patch", None),
    ],
    "the commits of a pull request are those that its base does not have": [
        ("its commits", "#", 2),
        ("its commits", "0.sha", "base"),
    ],
    "in a list, a pull request is described without what takes a computation": [
        *(
            ("pull requests of a branch", f"0.{name}", "number")
            for name in ("additions", "changed_files", "comments", "commits", "deletions", "review_comments")
        ),
        *(
            ("pull requests of a branch", f"0.{name}", "boolean")
            for name in ("maintainer_can_modify", "mergeable", "merged", "rebaseable")
        ),
        ("pull requests of a branch", "0.mergeable_state", "text"),
    ],
    "a pull request is an issue, too": [("as an issue", "status", 404)],
    "what is merged can't be merged: 405, and whether it could be is not computed any more": [
        ("merged again", "status", 422),
        ("what was merged", "mergeable", False),
    ],
    "another's comment is changed by who may write, nobody else: 403": [("another's words", "status", 200)],
    "it has no reactions": [("a reaction", "status", 404)],
    "a review that is made is described with 200": [
        ("review", "status", 201),
        ("review of what is closed", "status", 201),
    ],
    "it knows no line in the comments of a review, only the deprecated position, and tells no line of it": [
        ("review by line", "status", 422),
        ("its comments", "0.line", None),
    ],
    "nor does it tell the position of a line": [
        ("comment by line", "position", None),
        ("comment", "position", None),
    ],
    "a comment stands on a line of the diff: 422, and none of the review is made": [
        ("review of a place that is none", "status", 201),
    ],
    "a review that only comments has a body: 422": [("review without words", "status", 201)],
    "the text of a review that was submitted can be changed by its author": [("another text for it", "status", 422)],
    "a review is described without the times of its making": [
        ("review", "created_at", "text"),
        ("review", "updated_at", "text"),
    ],
    "checks are made by apps, whose they say they are: 403 to a person": [
        ("check by a person", "status", 201),
        ("check", "app.slug", None),
        ("more annotations", "app.slug", None),
    ],
    "a check is of a commit: 422": [("check of no commit", "status", 201)],
    "annotations that come later are added to those that are there": [
        ("more annotations", "output.annotations_count", 1),
    ],
    "the annotations of a check are described as a list": [("annotations", ".", "object")],
    "of a check's suite only the id is described": [
        ("check", f"check_suite.{name}", "text") for name in ("head_branch", "head_sha", "node_id", "url")
    ],
    "a blob that is made is described by its id and address alone": [
        ("blob", "node_id", "text"),
        ("blob", "size", "number"),
    ],
    "`permission` knows admin, write, read and none; the documentation maps maintain to write, triage to read": [
        ("what mona may", "permission", "push"),
    ],
    "everybody may read a public repository": [("what eve may", "status", 404)],
}

# What ours leaves out, because it may be left out and the program does not read it.
LEFT_OUT: Sequence[Entry] = (
    *(
        ("repository", name, "boolean")
        for name in (
            "allow_auto_merge", "allow_merge_commit", "allow_rebase_merge", "allow_squash_merge",
            "delete_branch_on_merge",
        )
    ),
    ("repository", "permissions", "object"),
    *(
        (step, f"{place}user_view_type", "text")
        for step, place in (
            ("repository", "owner."), ("who", ""), ("history", "0.author."), ("history", "0.committer."),
            ("pull request", "user."), ("talk", "user."), ("review", "user."), ("comment by line", "user."),
        )
    ),
    ("installation", "has_multiple_single_files", "boolean"),
    ("installation", "single_file_paths", "list"),
    ("the app", "installations_count", "number"),
    *(("the app", f"permissions.{name}", "text") for name in ("checks", "contents", "issues", "metadata", "pull_requests")),
)  # fmt: skip
