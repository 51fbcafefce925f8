"""What commands need of the recorded state, and what they add to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nootropic_bot.state.schema import Draft
from nootropic_bot.state.views import KnownFinding, LastRun, Triage


class Memory(Protocol):
    """The state, as far as one pull request is concerned. Every method raises a `NootropicError` where it fails."""

    def is_carried_out(self, command: str) -> bool:
        """Whether something was recorded for a command, by its key."""
        ...

    def findings(self) -> Sequence[KnownFinding]:
        """What was recorded as found in the pull request."""
        ...

    def last_run(self) -> LastRun | None:
        """The latest review of it."""
        ...

    def decisions(self) -> Sequence[Triage]:
        """The decisions that hold here: those that speak of this pull request, or of all of them."""
        ...

    def record(self, drafts: Sequence[Draft]) -> None:
        """Write down, and share with everyone; what was not shared did not happen."""
        ...
