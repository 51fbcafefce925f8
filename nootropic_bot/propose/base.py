"""The ladder of proposers, and the protocol that each rung satisfies.

A proposer is a module with a class that has `propose`. They are asked cheapest first:

1. `rule_fix`    the rule's own `fix:`, deterministic, no model; the tuple `ladder()` of `pipeline.py`;
2. `model_fix`   where nothing of it was proved: local models, with context, up to k candidates, in a second round.

Proposals are proved in the order they come; the first that is proved wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from nootropic_bot.records import FileAnalysis, Finding, Match, Proposal, Rule
from nootropic_bot.source import Source


@dataclass(frozen=True, slots=True)
class Context:
    """What a proposer may know: the decoded file, the engine's match, the rule, and the file's analysis."""

    source: Source
    match: Match
    rule: Rule
    analysis: FileAnalysis


class Proposer(Protocol):
    """Anything that can suggest a fix. It reads; it changes nothing and proves nothing."""

    def propose(self, finding: Finding, context: Context) -> Iterator[Proposal]:
        """Candidate fixes for one finding, best first; none when it has nothing to say."""
        ...


def climb(ladder: Sequence[Proposer], finding: Finding, context: Context) -> Iterable[Proposal]:
    """Every proposal of every rung, in order, each set of edits once."""
    seen = set()
    for proposer in ladder:
        for proposal in proposer.propose(finding, context):
            if proposal.edits not in seen:
                seen.add(proposal.edits)
                yield proposal
