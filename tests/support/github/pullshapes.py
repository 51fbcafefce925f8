"""Pull requests, reviews and comments as GitHub's JSON."""

from __future__ import annotations

from tests.support.github import records as r
from tests.support.github.shapes import JSON, Shapes

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


class PullShapes(Shapes):
    """The shapes of everything around a pull request."""

    def association(self, repository: r.Repository, user: r.User) -> str:
        """What GitHub says of an author; it says nothing of what they may do."""
        if user is repository.owner:
            return "OWNER"
        return "COLLABORATOR" if user.login in repository.roles else "NONE"

    def pull_url(self, pull: r.PullRequest) -> str:
        return f"{self.repository_url(pull.repository)}/pulls/{pull.number}"

    def pull_html(self, pull: r.PullRequest) -> str:
        return f"{self.html(pull.repository)}/pull/{pull.number}"

    def _end(self, owner: r.User, branch: str, repository: r.Repository | None, sha: str) -> JSON:
        shown = None if repository is None else self.repository(repository)
        return {
            "label": f"{owner.login}:{branch}", "ref": branch, "sha": sha, "user": self.user(owner), "repo": shown,
        }  # fmt: skip

    def simple_pull(self, pull: r.PullRequest) -> JSON:
        url, html = self.pull_url(pull), self.pull_html(pull)
        issue = f"{self.repository_url(pull.repository)}/issues/{pull.number}"
        statuses = f"{self.repository_url(pull.repository)}/statuses/{pull.head}"
        comment = f"{self.repository_url(pull.repository)}/pulls/comments{{/number}}"
        links = {
            "self": url, "html": html, "issue": issue, "comments": f"{issue}/comments",
            "review_comments": f"{url}/comments", "review_comment": comment, "commits": f"{url}/commits",
            "statuses": statuses,
        }  # fmt: skip
        return {
            "url": url, "id": pull.id, "node_id": f"PR_{pull.id}", "html_url": html, "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch", "issue_url": issue, "commits_url": f"{url}/commits",
            "review_comments_url": f"{url}/comments", "review_comment_url": comment,
            "comments_url": f"{issue}/comments", "statuses_url": statuses, "number": pull.number,
            "state": pull.state, "locked": False, "title": pull.title, "user": self.user(pull.user),
            "body": pull.body, "labels": [], "milestone": None, "created_at": self.hub.iso(pull.created),
            "updated_at": self.hub.iso(pull.updated), "closed_at": self.hub.iso(pull.closed),
            "merged_at": self.hub.iso(pull.merged), "merge_commit_sha": pull.merge_commit, "assignee": None,
            "assignees": [], "requested_reviewers": [], "requested_teams": [], "draft": pull.is_draft,
            "head": self._end(pull.head_owner, pull.head_branch, pull.head_repository, pull.head),
            "base": self._end(pull.repository.owner, pull.base_branch, pull.repository, pull.base),
            "_links": {name: {"href": link} for name, link in links.items()},
            "author_association": self.association(pull.repository, pull.user), "auto_merge": None,
        }  # fmt: skip

    def pull(self, pull: r.PullRequest) -> JSON:
        files = self.hub.diff(pull).files
        merged_by = None if pull.merged_by is None else self.user(pull.merged_by)
        # Of one that is merged nothing is computed any more.
        mergeable = None if pull.merged else pull.is_mergeable
        state = {None: "unknown", True: "draft" if pull.is_draft else "clean", False: "dirty"}[mergeable]
        return {
            **self.simple_pull(pull), "merged": pull.merged is not None, "mergeable": mergeable,
            "rebaseable": mergeable, "mergeable_state": state, "merged_by": merged_by,
            "comments": len(pull.comments), "review_comments": len(pull.review_comments()),
            "maintainer_can_modify": pull.is_from_fork, "changed_files": len(files),
            "commits": pull.repository.git.count(f"{self.hub.merge_base(pull)}..{pull.head}"),
            "additions": sum(file.additions for file in files), "deletions": sum(file.deletions for file in files),
        }  # fmt: skip

    def minimal_pull(self, pull: r.PullRequest) -> JSON:
        def end(ref: str, sha: str, repository: r.Repository) -> JSON:
            inner = {"id": repository.id, "url": self.repository_url(repository), "name": repository.name}
            return {"ref": ref, "sha": sha, "repo": inner}

        source = pull.head_repository or pull.repository
        return {
            "id": pull.id, "number": pull.number, "url": self.pull_url(pull),
            "head": end(pull.head_branch, pull.head, source), "base": end(pull.base_branch, pull.base, pull.repository),
        }  # fmt: skip

    def review(self, review: r.Review) -> JSON:
        pull = review.pull
        html = f"{self.pull_html(pull)}#pullrequestreview-{review.id}"
        shown = {
            "id": review.id, "node_id": f"PRR_{review.id}", "user": self.user(review.user), "body": review.body,
            "state": review.state, "html_url": html, "pull_request_url": self.pull_url(pull),
            "_links": {"html": {"href": html}, "pull_request": {"href": self.pull_url(pull)}},
            "commit_id": review.commit, "author_association": self.association(pull.repository, review.user),
        }  # fmt: skip
        return shown if review.submitted is None else {**shown, "submitted_at": self.hub.iso(review.submitted)}

    def rollup(self, comment: r.Comment, url: str) -> JSON:
        counts = {name: sum(each.content == name for each in comment.reactions) for name in CONTENTS}
        return {"url": f"{url}/reactions", "total_count": len(comment.reactions), **counts}

    def reaction(self, reaction: r.Reaction) -> JSON:
        return {
            "id": reaction.id, "node_id": f"REA_{reaction.id}", "user": self.user(reaction.user),
            "content": reaction.content, "created_at": self.hub.iso(reaction.created),
        }  # fmt: skip

    def review_comment(self, comment: r.ReviewComment) -> JSON:
        """An outdated comment keeps its original line and has null for its line, start line and position."""
        thread, pull = comment.thread, comment.thread.pull
        anchor, place = thread.anchor, thread.place
        url = f"{self.repository_url(pull.repository)}/pulls/comments/{comment.id}"
        html = f"{self.pull_html(pull)}#discussion_r{comment.id}"
        links = {"self": url, "html": html, "pull_request": self.pull_url(pull)}
        is_file = anchor.line is None
        shown = {
            "url": url, "pull_request_review_id": comment.review.id, "id": comment.id,
            "node_id": f"PRRC_{comment.id}", "diff_hunk": anchor.hunk, "path": anchor.path,
            "commit_id": thread.commit, "original_commit_id": anchor.commit, "user": self.user(comment.user),
            "body": comment.body, "created_at": self.hub.iso(comment.created),
            "updated_at": self.hub.iso(comment.updated), "html_url": html, "pull_request_url": self.pull_url(pull),
            "author_association": self.association(pull.repository, comment.user),
            "_links": {name: {"href": link} for name, link in links.items()},
            "position": 1 if is_file else place.position, "original_position": anchor.position or 1,
            "line": 1 if is_file else place.line, "original_line": 1 if is_file else anchor.line,
            "start_line": place.start_line, "original_start_line": anchor.start_line,
            "start_side": anchor.start_side, "side": anchor.side, "subject_type": "file" if is_file else "line",
            "reactions": self.rollup(comment, url),
        }  # fmt: skip
        return {**shown, "in_reply_to_id": thread.comments[0].id} if comment.is_reply else shown

    def issue_comment(self, comment: r.IssueComment) -> JSON:
        pull = comment.pull
        url = f"{self.repository_url(pull.repository)}/issues/comments/{comment.id}"
        app = self.app(comment.user) if comment.user.type == "Bot" else None
        return {
            "id": comment.id, "node_id": f"IC_{comment.id}", "url": url,
            "html_url": f"{self.pull_html(pull)}#issuecomment-{comment.id}", "body": comment.body,
            "user": self.user(comment.user), "created_at": self.hub.iso(comment.created),
            "updated_at": self.hub.iso(comment.updated),
            "issue_url": f"{self.repository_url(pull.repository)}/issues/{pull.number}",
            "author_association": self.association(pull.repository, comment.user),
            "performed_via_github_app": app, "reactions": self.rollup(comment, url),
        }  # fmt: skip

    def issue(self, pull: r.PullRequest) -> JSON:
        """A pull request seen as an issue."""
        url = f"{self.repository_url(pull.repository)}/issues/{pull.number}"
        html = self.pull_html(pull)
        return {
            "id": pull.id, "node_id": f"PR_{pull.id}", "url": url, "number": pull.number, "state": pull.state,
            "repository_url": self.repository_url(pull.repository), "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments", "events_url": f"{url}/events", "html_url": html, "title": pull.title,
            "user": self.user(pull.user), "labels": [], "assignee": None, "assignees": [], "milestone": None,
            "locked": False, "comments": len(pull.comments), "closed_at": self.hub.iso(pull.closed),
            "created_at": self.hub.iso(pull.created), "updated_at": self.hub.iso(pull.updated), "body": pull.body,
            "author_association": self.association(pull.repository, pull.user), "draft": pull.is_draft,
            "pull_request": {
                "url": self.pull_url(pull), "html_url": html, "diff_url": f"{html}.diff",
                "patch_url": f"{html}.patch", "merged_at": self.hub.iso(pull.merged),
            },
        }  # fmt: skip
