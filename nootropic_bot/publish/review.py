"""Posts the comments of a plan as one review, and finds out which of them a forge does not take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nootropic_bot.forge import Forge, ForgeError, Refused, Unanswered
from nootropic_bot.marker import key
from nootropic_bot.publish.plan import Post
from nootropic_bot.publish.summary import Listed, Reason, review_body

# Of 30 comments, isolating a bad one takes up to eleven reviews, and three bad ones up to twenty-five.
MAX_REVIEWS = 25


@dataclass(slots=True)
class Reviewer:
    """Posts comments on the commit `head`.

    `elsewhere`: the findings that have no comment; the planned ones, then those that a forge did not take.
    `errors`: what was done when the forge refused something, and the refusal.
    """

    forge: Forge
    head: str
    elsewhere: tuple[Listed, ...]
    commented: list[Post] = field(default_factory=list)
    errors: list[tuple[str, ForgeError]] = field(default_factory=list)
    _pending: list[Sequence[Post]] = field(default_factory=list)
    _has_looked_up: bool = False

    def post(self, posts: Sequence[Post]) -> None:
        """Post them all; where that is refused, halves of them, until the bad ones are known.

        At most `MAX_REVIEWS` requests are made, so that a forge that refuses everything is not asked for ever.
        """
        self._pending = [posts] if posts else []
        requests = 0
        while self._pending:
            batch = self._pending.pop(0)
            if requests >= MAX_REVIEWS:
                self.leave(batch, "unposted")
                continue
            requests += 1
            try:
                self.forge.post_review(self.head, self._body(batch), [post.comment for post in batch])
            except Refused as error:
                self._divide(batch, error)
            except Unanswered as error:
                self._look_up(batch, error)
            except ForgeError as error:
                self._give_up(batch, error)
            else:
                self.commented += batch

    def leave(self, posts: Iterable[Post], reason: Reason) -> None:
        """Findings that get no comment."""
        self.elsewhere += tuple(Listed(post.finding, post.fix, reason) for post in posts)

    def _body(self, batch: Sequence[Post]) -> str:
        fixes = [post.fix for post in batch if post.fix is not None]
        return review_body(len(batch), fixes, self.elsewhere, is_rest=bool(self.commented))

    def _divide(self, batch: Sequence[Post], error: ForgeError) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            self._pending[:0] = [batch[:middle], batch[middle:]]
            return
        comment = batch[0].comment
        self.errors.append((f"the comment on {comment.path}:{comment.line}", error))
        self.leave(batch, "refused")

    def _look_up(self, batch: Sequence[Post], error: ForgeError) -> None:
        """See which comments are there after all; the others are tried once more."""
        try:
            there = {thread.marker.finding for thread in self.forge.threads() if thread.marker is not None}
        except ForgeError as second:
            self._give_up(batch, second)
            return
        self.commented += [post for post in batch if key(post.finding.id) in there]
        missing = [post for post in batch if key(post.finding.id) not in there]
        if missing and self._has_looked_up:
            self._give_up(missing, error)
        elif missing:
            self._has_looked_up = True
            self._pending[:0] = [missing]

    def _give_up(self, batch: Sequence[Post], error: ForgeError) -> None:
        """What refused this batch refuses the others as well."""
        self.errors.append(("the review", error))
        for posts in (batch, *self._pending):
            self.leave(posts, "unposted")
        self._pending = []
