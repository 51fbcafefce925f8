"""One list of requests for two servers, and what each of them answers: ours, and the emulator of `tests/support`.

Where the two differ, GitHub's own description and documentation say who is right. What the emulator has wrong is listed
in `deviations.py`, with the reason; anything else that differs is a mistake of ours, or news of a new version of it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

BEFORE, AFTER = "one = 1\ntwo = 2\n", "one = 1\ntwo = eval('2')\nthree = 3\n"
REPO = "/repos/octo/app"
PULL = f"{REPO}/pulls/{{number}}"


@dataclass(frozen=True)
class Step:
    """A request. `keep`: what later ones need of its answer, by name. `values`: fields of the answer that must be equal;
    of those named here alone, and of lists their length. `is_shape`: every field must be of the same kind."""

    name: str
    method: str
    path: str
    body: Any = None
    who: str = "octo"
    keep: Mapping[str, str] = field(default_factory=dict)
    values: str = ""
    is_shape: bool = False


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    data: Any


@dataclass(frozen=True)
class Played:
    """What a server answered, by step, and how it names what the steps made."""

    said: Mapping[str, Said]
    kept: Mapping[str, Any]

    def value(self, step: str, path: str) -> Any:
        """A field of an answer; the commits, which hold a time, by our names for them, and a text without its line ends."""
        value = _get(self.said[step].data, path)
        if isinstance(value, list):
            return len(value)
        names = {self.kept[name]: name for name in ("base", "head")}
        return re.sub(r"\s", "", names.get(value, value)) if isinstance(value, str) else value


def _contents(text: str) -> dict[str, str]:
    return {"content": base64.b64encode(text.encode()).decode(), "encoding": "base64"}


def _tree(blob: str, **more: str) -> dict[str, Any]:
    return {**more, "tree": [{"path": "a.py", "mode": "100644", "type": "blob", "sha": f"{{{blob}}}"}]}


def _commit(message: str, tree: str, *parents: str) -> dict[str, Any]:
    return {"message": message, "tree": f"{{{tree}}}", "parents": [f"{{{parent}}}" for parent in parents]}


NOTE = {
    "path": "a.py", "start_line": 2, "end_line": 2, "annotation_level": "failure", "message": "bad", "title": "t",
}  # fmt: skip
OUTPUT = {"title": "1 finding", "summary": "text"}
DONE = {"name": "nootropic-bot", "head_sha": "{head}", "status": "completed", "conclusion": "failure"}
_PULL = "state title body draft merged locked number head.ref head.sha base.ref base.sha user.login"
_COMMENT = "path body side line position commit_id in_reply_to_id subject_type user.login"
_CHECK = "name head_sha status conclusion external_id output.title output.summary output.annotations_count app.slug"

STEPS: Sequence[Step] = (
    Step("repository", "GET", REPO, values="full_name private fork default_branch owner.login", is_shape=True),
    Step("who", "GET", "/user", values="login type", is_shape=True),
    Step("nobody", "GET", "/users/nobody"),
    Step("no repository", "GET", "/repos/octo/none"),
    Step("bad token", "GET", REPO, who="bad"),
    # git's objects.
    Step("blob", "POST", f"{REPO}/git/blobs", _contents(BEFORE), keep={"old": "sha"}, values="sha", is_shape=True),
    Step("blob's text", "GET", f"{REPO}/git/blobs/{{old}}", values="content encoding size sha", is_shape=True),
    Step("tree", "POST", f"{REPO}/git/trees", _tree("old"), keep={"old_tree": "sha"}, values="sha tree", is_shape=True),
    Step("tree's entries", "GET", f"{REPO}/git/trees/{{old_tree}}?recursive=1", values="truncated tree.0.path tree.0.sha"),
    Step("commit", "POST", f"{REPO}/git/commits", _commit("one", "old_tree"), keep={"base": "sha"}, is_shape=True),
    Step("commit's message", "GET", f"{REPO}/git/commits/{{base}}", values="message tree.sha parents"),
    Step("new blob", "POST", f"{REPO}/git/blobs", _contents(AFTER), keep={"new": "sha"}, values="sha"),
    Step(
        "new tree", "POST", f"{REPO}/git/trees", _tree("new", base_tree="{old_tree}"), keep={"new_tree": "sha"},
        values="sha",
    ),
    Step("new commit", "POST", f"{REPO}/git/commits", _commit("two", "new_tree", "base"), keep={"head": "sha"}),
    # Refs.
    Step("branch", "POST", f"{REPO}/git/refs", {"ref": "refs/heads/main", "sha": "{base}"}, values="ref", is_shape=True),
    Step("branch again", "POST", f"{REPO}/git/refs", {"ref": "refs/heads/main", "sha": "{base}"}),
    Step("feature", "POST", f"{REPO}/git/refs", {"ref": "refs/heads/feature", "sha": "{head}"}, values="ref object.sha"),
    Step("ref", "GET", f"{REPO}/git/ref/heads/feature", values="ref object.sha object.type", is_shape=True),
    Step("no ref", "GET", f"{REPO}/git/ref/heads/nowhere"),
    Step("matching refs", "GET", f"{REPO}/git/matching-refs/heads/f", values="0.ref"),
    Step("back without force", "PATCH", f"{REPO}/git/refs/heads/feature", {"sha": "{base}", "force": False}),
    Step("branches", "GET", f"{REPO}/branches", values="0.name 1.name 0.commit.sha"),
    Step("history", "GET", f"{REPO}/commits?sha=feature", values="0.sha 1.sha 0.commit.message", is_shape=True),
    Step("comparison", "GET", f"{REPO}/compare/main...feature", values="status ahead_by behind_by total_commits"),
    Step("file", "GET", f"{REPO}/contents/a.py?ref=feature", values="type name path sha encoding size", is_shape=True),
    Step("no file", "GET", f"{REPO}/contents/b.py?ref=feature"),
    # Pull requests.
    Step(
        "pull request", "POST", f"{REPO}/pulls", {"title": "A", "head": "feature", "base": "main", "body": "why"},
        keep={"number": "number"}, values=_PULL, is_shape=True,
    ),
    Step("the same once more", "POST", f"{REPO}/pulls", {"title": "A", "head": "feature", "base": "main"}),
    Step("pull request as it is", "GET", PULL, values=f"{_PULL} additions deletions changed_files mergeable_state"),
    Step("no pull request", "GET", f"{REPO}/pulls/99"),
    Step("pull requests of a branch", "GET", f"{REPO}/pulls?state=all&head=octo:feature", values="# 0.head.sha", is_shape=True),
    Step("of another's branch", "GET", f"{REPO}/pulls?state=all&head=eve:feature", values="#"),
    Step("as an issue", "GET", f"{REPO}/issues/{{number}}"),
    Step("new title", "PATCH", PULL, {"title": "B"}, values="title state"),
    Step("its commits", "GET", f"{PULL}/commits", values="# 0.sha"),
    Step("its files", "GET", f"{PULL}/files", values="# 0.filename 0.patch"),
    # The conversation.
    Step("talk", "POST", f"{REPO}/issues/{{number}}/comments", {"body": "hello"}, keep={"talk": "id"}, values="body user.login", is_shape=True),
    Step("talk of nothing", "POST", f"{REPO}/issues/{{number}}/comments", {"body": ""}),
    Step("what was said", "GET", f"{REPO}/issues/{{number}}/comments", values="# 0.body"),
    Step("said otherwise", "PATCH", f"{REPO}/issues/comments/{{talk}}", {"body": "bye"}, values="body"),
    Step("another's words", "PATCH", f"{REPO}/issues/comments/{{talk}}", {"body": "mine"}, who="eve"),
    Step("a reaction", "POST", f"{REPO}/issues/comments/{{talk}}/reactions", {"content": "eyes"}),
    Step("unsaid", "DELETE", f"{REPO}/issues/comments/{{talk}}"),
    Step("what was unsaid", "GET", f"{REPO}/issues/comments/{{talk}}"),
    Step("unsaid again", "DELETE", f"{REPO}/issues/comments/{{talk}}"),
    # Reviews and comments on lines.
    Step(
        "review", "POST", f"{PULL}/reviews",
        {"event": "COMMENT", "body": "found", "commit_id": "{head}", "comments": [{"path": "a.py", "position": 3, "body": "here"}]},
        keep={"review": "id"}, values="state body commit_id user.login", is_shape=True,
    ),
    Step(
        "review by line", "POST", f"{PULL}/reviews",
        {"event": "COMMENT", "body": "found", "comments": [{"path": "a.py", "line": 2, "side": "RIGHT", "body": "here"}]},
    ),
    Step(
        "review of a place that is none", "POST", f"{PULL}/reviews",
        {"event": "COMMENT", "body": "found", "comments": [{"path": "a.py", "position": 99, "body": "here"}]},
    ),
    Step("review without words", "POST", f"{PULL}/reviews", {"event": "COMMENT"}),
    Step("the review", "GET", f"{PULL}/reviews/{{review}}", values="state body"),
    Step("its comments", "GET", f"{PULL}/reviews/{{review}}/comments", keep={"comment": "0.id"}, values=f"# 0.{_COMMENT.replace(' ', ' 0.')}"),
    Step("another text for it", "PUT", f"{PULL}/reviews/{{review}}", {"body": "taken back"}),
    Step("a comment's text", "PATCH", f"{REPO}/pulls/comments/{{comment}}", {"body": "fixed"}, values="body path"),
    Step(
        "comment by line", "POST", f"{PULL}/comments",
        {"body": "one", "commit_id": "{head}", "path": "a.py", "line": 3, "side": "RIGHT"},
        keep={"other": "id"}, values=_COMMENT, is_shape=True,
    ),
    Step("comment", "GET", f"{REPO}/pulls/comments/{{other}}", values=_COMMENT),
    Step("comment taken back", "DELETE", f"{REPO}/pulls/comments/{{other}}"),
    Step("what was taken back", "GET", f"{REPO}/pulls/comments/{{other}}"),
    # Checks.
    Step("check by a person", "POST", f"{REPO}/check-runs", {"name": "c", "head_sha": "{head}"}),
    Step(
        "check", "POST", f"{REPO}/check-runs", {**DONE, "external_id": "abc", "output": {**OUTPUT, "annotations": [NOTE]}},
        who="app", keep={"check": "id"}, values=_CHECK, is_shape=True,
    ),
    Step(
        "more annotations", "PATCH", f"{REPO}/check-runs/{{check}}", {"output": {**OUTPUT, "annotations": [NOTE]}},
        who="app", values=_CHECK,
    ),
    Step("annotations", "GET", f"{REPO}/check-runs/{{check}}/annotations", who="app", values="#", is_shape=True),
    Step("second check", "POST", f"{REPO}/check-runs", {**DONE, "external_id": "def"}, who="app", values="external_id"),
    Step(
        "checks of a name", "GET", f"{REPO}/commits/{{head}}/check-runs?check_name=nootropic-bot", who="app",
        values="total_count check_runs.0.external_id",
    ),
    Step("of no name", "GET", f"{REPO}/commits/{{head}}/check-runs?check_name=x", who="app", values="total_count"),
    Step("check without an end", "POST", f"{REPO}/check-runs", {"name": "n", "head_sha": "{head}", "status": "completed"}, who="app"),
    Step("check of no commit", "POST", f"{REPO}/check-runs", {**DONE, "head_sha": "f" * 40}, who="app"),
    # Who may what.
    *(Step(f"what {who} may", "GET", f"{REPO}/collaborators/{who}/permission", values="permission role_name user.login") for who in ("octo", "mona", "eve", "nobody")),
    Step("installation", "GET", f"{REPO}/installation", who="jwt", values="repository_selection account.login", is_shape=True),
    Step("the app", "GET", "/app", who="jwt", values="slug name", is_shape=True),
    Step("the app by a person", "GET", "/app"),
    # Workflows.
    Step("workflows", "GET", f"{REPO}/actions/workflows", values="total_count"),
    Step("artifacts", "GET", f"{REPO}/actions/artifacts", values="total_count"),
    Step("artifacts of no run", "GET", f"{REPO}/actions/runs/1/artifacts"),
    # The end.
    Step("closed", "PATCH", PULL, {"state": "closed"}, values="state merged"),
    Step("review of what is closed", "POST", f"{PULL}/reviews", {"event": "COMMENT", "body": "late"}),
    Step("opened again", "PATCH", PULL, {"state": "open"}, values="state merged"),
    Step("merged", "PUT", f"{PULL}/merge", {}, values="merged message"),
    Step("merged again", "PUT", f"{PULL}/merge", {}),
    Step("what was merged", "GET", PULL, values="state merged merged_by.login mergeable mergeable_state"),
    Step("branch away", "DELETE", f"{REPO}/git/refs/heads/feature"),
)  # fmt: skip


def play(address: str, tokens: Mapping[str, str]) -> Played:
    """What a server answers to each step, in turn."""
    kept: dict[str, Any] = {}
    found: dict[str, Said] = {}
    with requests.Session() as session:
        for step in STEPS:
            headers = {"Authorization": f"Bearer {tokens[step.who]}", "Accept": "application/vnd.github+json"}
            place, body = address + _filled(step.path, kept), _filled(step.body, kept)
            answer = session.request(step.method, place, json=body, headers=headers, timeout=30)
            is_json = "json" in answer.headers.get("content-type", "")
            said = Said(answer.status_code, answer.json() if answer.content and is_json else None)
            kept |= {name: _get(said.data, path) for name, path in step.keep.items()}
            found[step.name] = said
    return Played(found, kept)


def _filled(value: Any, kept: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: str(kept[found[1]]), value)
    if isinstance(value, dict):
        return {name: _filled(each, kept) for name, each in value.items()}
    return [_filled(each, kept) for each in value] if isinstance(value, list) else value


def _get(data: Any, path: str) -> Any:
    """A field by its dotted path; `#`: how many there are."""
    for part in path.split("."):
        if part == "#":
            return len(data)
        if isinstance(data, list):
            data = data[int(part)] if int(part) < len(data) else None
        else:
            data = data.get(part) if isinstance(data, dict) else None
    return data


def differences(ours: Played, theirs: Played) -> Iterator[tuple[str, str, Any, Any]]:
    """Step, field (or `status`), our answer and theirs, where they differ."""
    for step in STEPS:
        mine, other = ours.said[step.name], theirs.said[step.name]
        if mine.status != other.status:
            yield step.name, "status", mine.status, other.status
        if mine.status >= 300 or other.status >= 300:
            continue
        for path in step.values.split():
            one, two = ours.value(step.name, path), theirs.value(step.name, path)
            if one != two:
                yield step.name, path, one, two
        if step.is_shape:
            yield from ((step.name, *found) for found in _kinds(mine.data, other.data))


def _kinds(ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """The fields that only the other one has, or whose values are of another kind. What is null may be anything; that a
    field of ours is not there is no news, since ours are held to the description."""
    one, two = _kind(ours), _kind(theirs)
    if "null" in (one, two):
        return
    if one != two:
        yield path or ".", one, two
    elif one == "list" and ours and theirs:
        yield from _kinds(ours[0], theirs[0], f"{path}.0".lstrip("."))
    elif one == "object":
        for name in sorted(theirs):
            place = f"{path}.{name}".lstrip(".")
            if name not in ours and theirs[name] is not None:
                yield place, "-", _kind(theirs[name])
            elif name in ours and not (path and name in ("repo", "user", "owner", "account")):
                # People and repositories are compared once.
                yield from _kinds(ours[name], theirs[name], place)


def _kind(value: Any) -> str:
    names: Sequence[tuple[type, str]] = (
        (bool, "boolean"), (int, "number"), (float, "number"), (str, "text"), (list, "list"), (dict, "object"),
    )  # fmt: skip
    return next((name for kind, name in names if isinstance(value, kind)), "null")
