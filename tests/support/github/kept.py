"""What is kept of GitHub's GraphQL schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_PAGES = "edges nodes pageInfo totalCount"
_COMMENT = (
    "id databaseId fullDatabaseId body author authorAssociation createdAt updatedAt url isMinimized minimizedReason "
    "viewerCanMinimize viewerDidAuthor pullRequest"
)
# The fields that the server has, by type. `trim_openapi.py` keeps these of GitHub's schema.
KEPT: Mapping[str, Sequence[str]] = {
    name: fields.split()
    for name, fields in {
        "Query": "node nodes repository rateLimit viewer",
        "Mutation": "resolveReviewThread unresolveReviewThread minimizeComment unminimizeComment updateRefs",
        "Node": "id",
        "Actor": "login url avatarUrl",
        "User": "id databaseId login url avatarUrl name",
        "Bot": "id databaseId login url avatarUrl",
        "Minimizable": "isMinimized minimizedReason viewerCanMinimize",
        "Repository": "id databaseId name nameWithOwner isPrivate url pullRequest",
        "PullRequest": "id databaseId fullDatabaseId number title body state isDraft merged closed url headRefOid "
        "headRefName baseRefOid baseRefName isCrossRepository headRepository author reviewThreads comments repository",
        "PullRequestReviewThread": "id isResolved isOutdated isCollapsed path line startLine originalLine "
        "originalStartLine diffSide startDiffSide subjectType resolvedBy viewerCanResolve viewerCanUnresolve "
        "viewerCanReply comments pullRequest",
        "PullRequestReviewComment": f"{_COMMENT} path line startLine originalLine originalStartLine outdated diffHunk "
        "position originalPosition replyTo subjectType commit originalCommit pullRequestReview",
        "PullRequestReview": "id databaseId fullDatabaseId body state author url",
        "IssueComment": _COMMENT,
        "Commit": "id oid",
        "PullRequestReviewThreadConnection": _PAGES,
        "PullRequestReviewThreadEdge": "cursor node",
        "PullRequestReviewCommentConnection": _PAGES,
        "PullRequestReviewCommentEdge": "cursor node",
        "IssueCommentConnection": _PAGES,
        "IssueCommentEdge": "cursor node",
        "PageInfo": "endCursor hasNextPage hasPreviousPage startCursor",
        "RateLimit": "cost limit nodeCount remaining resetAt used",
        "ResolveReviewThreadPayload": "clientMutationId thread",
        "UnresolveReviewThreadPayload": "clientMutationId thread",
        "MinimizeCommentPayload": "clientMutationId minimizedComment",
        "UnminimizeCommentPayload": "clientMutationId unminimizedComment",
        "UpdateRefsPayload": "clientMutationId",
    }.items()
}
