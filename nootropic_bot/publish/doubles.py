"""What two runs posted that were at it at the same time: the later one of each pair is taken back.

Each run posts first and reads again then. So of two comments on one finding, whoever wrote the later one sees both; and
since the oldest is never taken back, by nobody, one always stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nootropic_bot.forge import Thread


@dataclass(frozen=True, slots=True)
class Doubles:
    """Comments of ours to take back; `left`: how many others came with the same review, by its id."""

    threads: tuple[Thread, ...] = ()
    left: Mapping[str, int] | None = None


def find_doubles(threads: Sequence[Thread]) -> Doubles:
    """The comments of ours that say of a finding what an older one says, and that nobody answered or resolved."""
    oldest: dict[str, Thread] = {}
    later = []
    for thread in threads:
        marker = thread.marker
        # What was settled says nothing of a finding that is back.
        if marker is None or thread.is_settled or oldest.setdefault(marker.finding, thread) is thread:
            continue
        if thread.is_ours and not (thread.has_replies or thread.is_resolved):
            later.append(thread)
    taken = {thread.id for thread in later}
    left = Counter(thread.review_id for thread in threads if thread.review_id is not None and thread.id not in taken)
    return Doubles(tuple(later), {each: left[each] for each in {t.review_id for t in later} if each is not None})
