"""Pull requests, their conversations, and reactions."""

from __future__ import annotations

from typing import Any

from tests.support.github import records as r
from tests.support.github.anchors import BODY_LIMIT
from tests.support.github.diffs import diff_text
from tests.support.github.errors import Refused, invalid, not_found
from tests.support.github.pullshapes import PullShapes
from tests.support.github.reviews import check_author, find_comment
from tests.support.github.routing import PULL, REPO, Answer, Listed, Request, route

# From the documentation of the endpoints for pull requests.
DIFF_FILES, DIFF_LINES, LISTED_FILES, LISTED_COMMITS = 300, 20_000, 3_000, 250
ISSUE = REPO + "/issues/{issue_number}"
COMMENT = REPO + "/issues/comments/{comment_id}"


@route(f"GET {REPO}/pulls", "pull_requests:read")
def list_pulls(request: Request) -> Listed:
    query, state = request.query, request.query.get("state", "open")
    pulls = request.hub.pulls_of(request.repository)
    if state != "all":
        pulls = [each for each in pulls if each.state == state]
    if head := query.get("head"):
        # A head without an owner is no filter at all.
        pulls = [each for each in pulls if ":" not in head or f"{each.head_owner.login}:{each.head_branch}" == head]
    if base := query.get("base"):
        pulls = [each for each in pulls if each.base_branch == base]
    if query.get("direction") == "asc":
        pulls.reverse()
    return Listed(pulls, PullShapes(request.hub).simple_pull)


@route(f"POST {REPO}/pulls", "pull_requests:write", is_content=True)
def create_pull(request: Request) -> Answer:
    fields = request.fields
    pull = request.hub.open_pull(
        request.repository, request.user, fields.get("title", ""), head=fields["head"], base=fields["base"],
        body=fields.get("body"), draft=fields.get("draft", False),
    )  # fmt: skip
    shown = PullShapes(request.hub).pull(pull)
    return Answer(shown, 201, {"Location": shown["url"]})


@route(f"GET {PULL}", "pull_requests:read")
def get_pull(request: Request) -> Answer:
    pull = request.pull
    for kind in ("diff", "patch"):
        if f".{kind}" in request.accept:
            return _as_text(request, pull, kind)
    return Answer(PullShapes(request.hub).pull(pull))


def _as_text(request: Request, pull: r.PullRequest, kind: str) -> Answer:
    diff, git = request.hub.diff(pull), pull.repository.git
    for count, most, what in ((len(diff.files), DIFF_FILES, "files"), (diff.lines, DIFF_LINES, "lines")):
        if count > most:
            text = f"Sorry, the diff exceeded the maximum number of {what} ({most})."
            error = {"resource": "PullRequest", "field": "diff", "code": "too_large"}
            raise Refused(406, text, errors=[error])
    merge_base = request.hub.merge_base(pull)
    data = (
        diff_text(git, merge_base, pull.head)
        if kind == "diff"
        else git.run("format-patch", "--stdout", "--no-signature", "--find-renames", f"{merge_base}..{pull.head}")
    )
    return Answer(data, media=f"application/vnd.github.{kind}; charset=utf-8")


@route(f"PATCH {PULL}", "pull_requests:write", is_content=True)
def edit_pull(request: Request) -> Answer:
    pull, fields = request.pull, request.fields
    pull.title, pull.body = fields.get("title", pull.title), fields.get("body", pull.body)
    if fields.get("state") == "closed" and pull.closed is None:
        pull.closed = request.hub.now()
    elif fields.get("state") == "open" and pull.merged is None:
        pull.closed = None
    pull.updated = request.hub.now()
    return Answer(PullShapes(request.hub).pull(pull))


@route(f"GET {PULL}/files", "pull_requests:read")
def list_files(request: Request) -> Listed:
    pull, shapes = request.pull, PullShapes(request.hub)
    files = request.hub.diff(pull).files[:LISTED_FILES]
    return Listed(files, lambda file: shapes.diff_entry(pull.repository, file, pull.head))


@route(f"GET {PULL}/commits", "pull_requests:read")
def list_commits(request: Request) -> Listed:
    pull, shapes = request.pull, PullShapes(request.hub)
    commits = pull.repository.git.log(f"{request.hub.merge_base(pull)}..{pull.head}")[::-1][:LISTED_COMMITS]
    return Listed(commits, lambda commit: shapes.commit(pull.repository, commit))


@route(f"PUT {PULL}/merge", "contents:write", is_content=True)
def merge_pull(request: Request) -> Answer:
    """A merge commit, whatever the method: squashing and rebasing are not known here."""
    pull, hub = request.pull, request.hub
    if pull.state != "open" or pull.is_draft or not pull.is_mergeable or pull.merge_commit is None:
        raise Refused(405, "Pull Request is not mergeable")
    if request.fields.get("sha", pull.head) != pull.head:
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    commit = pull.merge_commit
    pull.repository.git.run("update-ref", f"refs/heads/{pull.base_branch}", commit, pull.base)
    pull.merged = pull.closed = pull.updated = hub.now()
    pull.merged_by = request.user
    return Answer({"sha": commit, "merged": True, "message": "Pull Request successfully merged"})


@route(f"GET {ISSUE}", "issues:read or pull_requests:read")
def get_issue(request: Request) -> Answer:
    return Answer(PullShapes(request.hub).issue(request.pull))


# The conversation.


@route(f"GET {ISSUE}/comments", "issues:read or pull_requests:read")
def list_issue_comments(request: Request) -> Listed:
    since = request.query.get("since", "")
    kept = [each for each in request.pull.comments if (request.hub.iso(each.updated) or "") >= since]
    return Listed(kept, PullShapes(request.hub).issue_comment)


@route(f"POST {ISSUE}/comments", "issues:write or pull_requests:write", is_content=True)
def create_issue_comment(request: Request) -> Answer:
    hub, pull = request.hub, request.pull
    body = _body(request)
    comment = r.IssueComment(hub.new_id(), request.user, body, hub.now(), hub.now(), pull=pull)
    pull.comments.append(comment)
    pull.updated = hub.now()
    hub.keep(comment, "IC")
    shown = PullShapes(hub).issue_comment(comment)
    return Answer(shown, 201, {"Location": shown["url"]})


@route(f"GET {COMMENT}", "issues:read or pull_requests:read")
def get_issue_comment(request: Request) -> Answer:
    return Answer(PullShapes(request.hub).issue_comment(_issue_comment(request)))


@route(f"PATCH {COMMENT}", "issues:write or pull_requests:write", is_content=True)
def edit_issue_comment(request: Request) -> Answer:
    comment = _issue_comment(request)
    check_author(request, comment.user, comment.pull.repository)
    comment.body, comment.updated = _body(request), request.hub.now()
    return Answer(PullShapes(request.hub).issue_comment(comment))


@route(f"DELETE {COMMENT}", "issues:write or pull_requests:write")
def delete_issue_comment(request: Request) -> Answer:
    comment = _issue_comment(request)
    check_author(request, comment.user, comment.pull.repository)
    comment.pull.comments.remove(comment)
    return Answer(None, 204)


def _body(request: Request) -> str:
    body: str = request.fields["body"]
    if not body.strip():
        raise invalid("IssueComment", "body", "body can't be blank")
    if len(body) > BODY_LIMIT:
        raise invalid("IssueComment", "body", f"body is too long (maximum is {BODY_LIMIT} characters)")
    return body


def _issue_comment(request: Request) -> r.IssueComment:
    found = request.hub.nodes.get(f"IC_{request.params['comment_id']}")
    if found is None or found.pull.repository is not request.repository or found not in found.pull.comments:
        raise not_found()
    comment: r.IssueComment = found
    return comment


# Reactions, on both kinds of comment.


def _add_reaction(request: Request, comment: r.Comment) -> Answer:
    """The same reaction a second time is answered with 200 and changes nothing."""
    content = request.fields["content"]
    for each in comment.reactions:
        if each.user is request.user and each.content == content:
            return Answer(PullShapes(request.hub).reaction(each))
    reaction = r.Reaction(request.hub.new_id(), request.user, content, request.hub.now())
    comment.reactions.append(reaction)
    return Answer(PullShapes(request.hub).reaction(reaction), 201)


def _delete_reaction(request: Request, comment: r.Comment) -> Answer:
    for each in comment.reactions:
        if each.id == request.number("reaction_id"):
            check_author(request, each.user, request.repository)
            comment.reactions.remove(each)
            return Answer(None, 204)
    raise not_found()


def _register(path: str, find: Any, talk: str) -> None:
    read, write = (" or ".join(f"{each}:{level}" for each in talk.split()) for level in ("read", "write"))

    @route(f"GET {path}/reactions", read)
    def list_reactions(request: Request) -> Listed:
        wanted = request.query.get("content")
        kept = [each for each in find(request).reactions if wanted in (None, each.content)]
        return Listed(kept, PullShapes(request.hub).reaction)

    @route(f"POST {path}/reactions", write, is_content=True)
    def add(request: Request) -> Answer:
        return _add_reaction(request, find(request))

    @route(f"DELETE {path}/reactions/{{reaction_id}}", write)
    def delete(request: Request) -> Answer:
        return _delete_reaction(request, find(request))


_register(COMMENT, _issue_comment, "issues pull_requests")
_register(REPO + "/pulls/comments/{comment_id}", find_comment, "pull_requests")
