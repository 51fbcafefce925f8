"""Reviews and their comments."""

from __future__ import annotations

from typing import Any

from tests.support.github import anchors
from tests.support.github import records as r
from tests.support.github.errors import FORBIDDEN, Refused, invalid, not_found, unprocessable
from tests.support.github.pullshapes import PullShapes
from tests.support.github.routing import PULL, REPO, Answer, Listed, Request, route

_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED", None: "PENDING"}


@route(f"GET {PULL}/reviews", "pull_requests:read")
def list_reviews(request: Request) -> Listed:
    shown = [each for each in request.pull.reviews if each.state != "PENDING" or _is_author(request, each.user)]
    return Listed(shown, PullShapes(request.hub).review)


@route(f"GET {PULL}/reviews/{{review_id}}", "pull_requests:read")
def get_review(request: Request) -> Answer:
    return Answer(PullShapes(request.hub).review(_review(request)))


@route(f"GET {PULL}/reviews/{{review_id}}/comments", "pull_requests:read")
def list_comments_of_review(request: Request) -> Listed:
    return Listed(_review(request).comments, PullShapes(request.hub).review_comment)


@route(f"POST {PULL}/reviews", "pull_requests:write", is_content=True)
def create_review(request: Request) -> Answer:
    """All or nothing: every comment is checked before any is made."""
    hub, pull, fields = request.hub, request.pull, request.fields
    event, body = fields.get("event"), fields.get("body") or ""
    _check_event(request, pull, event, body)
    if len(body) > anchors.BODY_LIMIT:
        raise unprocessable(f"Body is too long (maximum is {anchors.BODY_LIMIT} characters)")
    if any(each.state == "PENDING" and each.user is request.user for each in pull.reviews):
        raise unprocessable("User can only have one pending review per pull request")
    commit = anchors.commit_of(pull, fields.get("commit_id"), anchors.as_review)
    placed = []
    for entry in fields.get("comments") or []:
        anchors.check_body(entry["body"], anchors.as_review)
        placed.append((anchors.anchor(hub, pull, entry, commit, anchors.as_review), entry["body"]))
    review = _new_review(request, pull, body, _STATES[event], commit)
    for where, text in placed:
        _new_thread(request, review, where, text)
    return Answer(PullShapes(hub).review(review))


def _check_event(request: Request, pull: r.PullRequest, event: str | None, body: str) -> None:
    # The documentation: the body is "required when using REQUEST_CHANGES or COMMENT".
    if event in ("REQUEST_CHANGES", "COMMENT") and not body.strip():
        raise unprocessable("Body can't be blank")
    if event in ("APPROVE", "REQUEST_CHANGES") and request.user is pull.user:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise unprocessable(f"Can not {verb} your own pull request")


@route(f"PUT {PULL}/reviews/{{review_id}}", "pull_requests:write", is_content=True)
def update_review(request: Request) -> Answer:
    review = _review(request)
    check_author(request, review.user, review.pull.repository)
    anchors.check_body(request.fields["body"], anchors.as_review)
    review.body = request.fields["body"]
    return Answer(PullShapes(request.hub).review(review))


@route(f"POST {PULL}/reviews/{{review_id}}/events", "pull_requests:write", is_content=True)
def submit_review(request: Request) -> Answer:
    review, fields = _review(request), request.fields
    if review.state != "PENDING":
        raise unprocessable("Could not submit a review that was submitted before")
    body = fields.get("body") or review.body
    _check_event(request, review.pull, fields["event"], body)
    review.body, review.state, review.submitted = body, _STATES[fields["event"]], request.hub.now()
    return Answer(PullShapes(request.hub).review(review))


@route(f"PUT {PULL}/reviews/{{review_id}}/dismissals", "pull_requests:write")
def dismiss_review(request: Request) -> Answer:
    review = _review(request)
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise unprocessable("Can not dismiss a commented pull request review")
    review.state = "DISMISSED"
    return Answer(PullShapes(request.hub).review(review))


@route(f"DELETE {PULL}/reviews/{{review_id}}", "pull_requests:write")
def delete_review(request: Request) -> Answer:
    review = _review(request)
    if review.state != "PENDING":
        raise unprocessable("Can not delete a non-pending pull request review")
    shown = PullShapes(request.hub).review(review)
    review.pull.reviews.remove(review)
    review.pull.threads = [each for each in review.pull.threads if each.comments[0].review is not review]
    return Answer(shown)


@route(f"GET {PULL}/comments", "pull_requests:read")
def list_comments(request: Request) -> Listed:
    return _sorted(request, request.pull.review_comments())


@route(f"GET {REPO}/pulls/comments", "pull_requests:read")
def list_comments_of_repository(request: Request) -> Listed:
    pulls = request.hub.pulls_of(request.repository)
    return _sorted(request, sorted((c for pull in pulls for c in pull.review_comments()), key=lambda each: each.id))


def _sorted(request: Request, comments: list[r.ReviewComment]) -> Listed:
    since = request.query.get("since", "")
    kept = [each for each in comments if (request.hub.iso(each.updated) or "") >= since]
    if request.query.get("sort") == "updated":
        kept.sort(key=lambda each: each.updated)
    if request.query.get("direction") == "desc":
        kept.reverse()
    return Listed(kept, PullShapes(request.hub).review_comment)


@route(f"POST {PULL}/comments", "pull_requests:write", is_content=True)
def create_comment(request: Request) -> Answer:
    """One comment is a review of its own."""
    hub, pull, fields = request.hub, request.pull, request.fields
    anchors.check_body(fields["body"], anchors.as_comment)
    if (parent := fields.get("in_reply_to")) is not None:
        return _reply(request, pull, parent, fields["body"])
    commit = anchors.commit_of(pull, fields["commit_id"], anchors.as_comment)
    where = anchors.anchor(hub, pull, fields, commit, anchors.as_comment)
    review = _new_review(request, pull, "", "COMMENTED", commit)
    return _created(request, _new_thread(request, review, where, fields["body"]))


@route(f"POST {PULL}/comments/{{comment_id}}/replies", "pull_requests:write", is_content=True)
def create_reply(request: Request) -> Answer:
    anchors.check_body(request.fields["body"], anchors.as_comment)
    return _reply(request, request.pull, request.number("comment_id"), request.fields["body"])


def _reply(request: Request, pull: r.PullRequest, parent: int, body: str) -> Answer:
    found = next((each for each in pull.review_comments() if each.id == parent), None)
    if found is None:
        raise not_found()
    if found.is_reply:
        # The documentation: "Replies to replies are not supported."
        raise invalid("PullRequestReviewComment", "in_reply_to", "must be a top-level review comment")
    review = _new_review(request, pull, "", "COMMENTED", pull.head)
    return _created(request, _new_comment(request, review, found.thread, body))


def _created(request: Request, comment: r.ReviewComment) -> Answer:
    shown = PullShapes(request.hub).review_comment(comment)
    return Answer(shown, 201, {"Location": shown["url"]})


@route(f"GET {REPO}/pulls/comments/{{comment_id}}", "pull_requests:read")
def get_comment(request: Request) -> Answer:
    return Answer(PullShapes(request.hub).review_comment(find_comment(request)))


@route(f"PATCH {REPO}/pulls/comments/{{comment_id}}", "pull_requests:write", is_content=True)
def edit_comment(request: Request) -> Answer:
    comment = find_comment(request)
    check_author(request, comment.user, comment.thread.pull.repository)
    anchors.check_body(request.fields["body"], anchors.as_comment)
    comment.body, comment.updated = request.fields["body"], request.hub.now()
    return Answer(PullShapes(request.hub).review_comment(comment))


@route(f"DELETE {REPO}/pulls/comments/{{comment_id}}", "pull_requests:write")
def delete_comment(request: Request) -> Answer:
    comment = find_comment(request)
    check_author(request, comment.user, comment.thread.pull.repository)
    thread = comment.thread
    thread.comments.remove(comment)
    comment.review.comments.remove(comment)
    if not thread.comments:
        thread.pull.threads.remove(thread)
    return Answer(None, 204)


def find_comment(request: Request) -> r.ReviewComment:
    """The review comment of the path."""
    found = request.hub.nodes.get(f"PRRC_{request.params['comment_id']}")
    if found is None or found.thread.pull.repository is not request.repository or found not in found.thread.comments:
        raise not_found()
    request.hub.sync(found.thread.pull)
    comment: r.ReviewComment = found
    return comment


def check_author(request: Request, author: r.User, repository: r.Repository) -> None:
    """One's own comments may be changed, and others' with write permission. An app may change only its own."""
    if request.user is author:
        return
    if request.token is None or request.token.kind != "user":
        raise Refused(403, FORBIDDEN)
    if r.ROLES.index(repository.role(request.user)) < r.ROLES.index("write"):
        raise Refused(403, "Must have admin rights to Repository.")


def _is_author(request: Request, user: r.User) -> bool:
    return request.token is not None and request.token.user is user


def _review(request: Request) -> r.Review:
    for each in request.pull.reviews:
        if each.id == request.number("review_id") and (each.state != "PENDING" or _is_author(request, each.user)):
            return each
    raise not_found()


def _new_review(request: Request, pull: r.PullRequest, body: str, state: str, commit: str) -> r.Review:
    submitted = None if state == "PENDING" else request.hub.now()
    review = r.Review(request.hub.new_id(), pull, request.user, body, state, commit, submitted)
    pull.reviews.append(review)
    pull.updated = request.hub.now()
    request.hub.keep(review, "PRR")
    return review


def _new_thread(request: Request, review: r.Review, where: r.Anchor, body: str) -> r.ReviewComment:
    hub = request.hub
    thread = r.Thread(hub.new_id(), review.pull, where, r.Place(), where.commit)
    review.pull.threads.append(thread)
    hub.keep(thread, "PRRT")
    hub.place(thread)
    return _new_comment(request, review, thread, body)


def _new_comment(request: Request, review: r.Review, thread: r.Thread, body: str) -> r.ReviewComment:
    hub = request.hub
    common: dict[str, Any] = {"created": hub.now(), "updated": hub.now()}
    comment = r.ReviewComment(hub.new_id(), request.user, body, **common, review=review, thread=thread)
    thread.comments.append(comment)
    review.comments.append(comment)
    hub.keep(comment, "PRRC")
    return comment
