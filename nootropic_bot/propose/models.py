"""The models of one session: opened when the first finding needs one, closed with the session."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from nootropic_bot.models.identity import identity
from nootropic_bot.session import Session

if TYPE_CHECKING:
    from nootropic_bot.models.budget import Spent
    from nootropic_bot.propose.model_fix import ModelFix


@dataclass(slots=True)
class Models:
    """What `[models]` of the configuration names. `identity` keys what was proved with them.

    Imports what it needs when it is needed: the warm hook only asks for the identity.
    """

    session: Session
    identity: str
    _proposer: ModelFix | None = None
    _said: set[str] = field(default_factory=set)

    @staticmethod
    def of(session: Session) -> Models:
        """The models of a session; the same ones each time."""
        if session.models is None:
            session.models = Models(session, identity(session.config, os.environ, session.model_lock))
        assert isinstance(session.models, Models)
        return session.models

    def proposer(self, left: Callable[[], float | None]) -> ModelFix:
        """The proposer; `left` answers the seconds that the run may still take, None for as long as it needs.

        Raises:
            UsageError: `nootropic.lock` is damaged.
        """
        if self._proposer is None:
            from nootropic_bot.models.answercache import AnswerCache
            from nootropic_bot.models.factory import Place, groups, local_only
            from nootropic_bot.models.lock import parse
            from nootropic_bot.promptfiles import newest
            from nootropic_bot.propose.calibration import load_calibration
            from nootropic_bot.propose.model_fix import ModelFix
            from nootropic_bot.state.redact import find_secrets

            settings, raw = self.session.config.models, self.session.model_lock
            place = Place(os.environ, parse(raw) if raw is not None else None)
            folder = self.session.repo.cache_dir / "answers"
            answers = AnswerCache(folder, may_keep=lambda text: not find_secrets(text))
            made = groups(self.session.config, place, answers=answers, spent=self._spent())
            if len(local_only(made)) < len(made) and newest("fix").header.local_only:
                made = local_only(made)
            self._proposer = ModelFix(
                made, load_calibration(), settings.candidates, settings.timeout_seconds, lambda: _seconds(left())
            )
            self.session.resources.callback(self._proposer.close)
        return self._proposer

    def report(self) -> None:
        """Add to the session's remarks why models did not answer, each reason once; and what asking them cost."""
        if self._proposer is None:
            return
        for reason in self._proposer.reasons():
            if reason not in self._said:
                self._said.add(reason)
                self.session.notes.append(f"asking models for fixes: {reason}")
        if self._proposer.groups:
            self.session.charges[:] = self._proposer.groups[0].router.budget.charges

    def _spent(self) -> Spent:
        """What the state says was used today and this month; only where a budget asks for it."""
        from nootropic_bot.errors import NootropicError
        from nootropic_bot.models.budget import Spent
        from nootropic_bot.state.views import cost_by_day

        budget = self.session.config.models.budget
        if not any((budget.tokens_per_day, budget.tokens_per_month, budget.dollars_per_day, budget.dollars_per_month)):
            return Spent()
        today = datetime.now(timezone.utc).strftime("%Y-%m-%d")
        try:
            days = cost_by_day(self.session.store.index)
        except (NootropicError, sqlite3.DatabaseError):
            self.session.notes.append("the budget of models counts this run only: the state can't be read")
            return Spent()
        month = [day for day in days if day.day[:7] == today[:7]]
        # What runs in this process costs no tokens of a budget, and stands in no `[backend.…]` of another kind.
        backends = self.session.config.backend
        served = [day for day in month if day.backend in backends and backends[day.backend].kind != "llama_cpp"]
        return Spent(
            day_tokens=sum(day.input_tokens + day.output_tokens for day in served if day.day == today),
            day_microdollars=sum(day.microdollars for day in month if day.day == today),
            month_tokens=sum(day.input_tokens + day.output_tokens for day in served),
            month_microdollars=sum(day.microdollars for day in month),
        )


def _seconds(left: float | None) -> float:
    return math.inf if left is None else left
