"""Models for tests of what uses them: scripted ones behind a real router, and a review of a real repository with them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nootropic_bot.config import Config
from nootropic_bot.models.answercache import AnswerCache
from nootropic_bot.models.asking import Pace
from nootropic_bot.models.base import Model
from nootropic_bot.models.budget import Budget
from nootropic_bot.models.factory import Group
from nootropic_bot.models.registry import Kind
from nootropic_bot.models.router import Router
from nootropic_bot.models.routing import Backend
from nootropic_bot.pipeline import Outcome, review
from nootropic_bot.propose.calibration import Calibration
from nootropic_bot.propose.model_fix import ModelFix
from nootropic_bot.propose.models import Models
from nootropic_bot.records import Finding
from nootropic_bot.session import Request, open_session
from tests.support.clock import Clock
from tests.support.repo import Repo


def group(*models: Model, kind: Kind = "chat", budget: Budget | None = None, cache: AnswerCache | None = None) -> Group:
    """A group with a router that asks each model once and never sleeps."""
    clock = Clock()
    backends = [Backend(model.name.partition("@")[0], lambda model=model: model) for model in models]  # type: ignore[misc]
    return Group(kind, Router(backends, budget=budget, cache=cache, pace=Pace(0, clock, clock.sleep, lambda: 0.0)))


def says(*lines: tuple[int, str]) -> str:
    """An answer to `prompts/fix`."""
    return json.dumps({"edits": [{"line": line, "text": text} for line, text in lines]})


def proposer(
    *groups: Group,
    candidates: int = 3,
    timeout: float = 20.0,
    left: Callable[[], float] = lambda: math.inf,
    calibration: Calibration | None = None,
) -> ModelFix:
    """The model stage over these groups."""
    return ModelFix(groups, calibration or Calibration(), candidates, timeout, left)


@dataclass(frozen=True)
class Reviewed:
    """A review's outcome, and its findings by rule."""

    outcome: Outcome

    def findings(self, rule_id: str) -> list[Finding]:
        return [finding for finding in self.outcome.report.findings if finding.rule_id == rule_id]

    @property
    def notes(self) -> list[str]:
        """Remarks that are about models."""
        return [note for note in self.outcome.notes if "model" in note]


def review_with(repo: Repo, groups: Sequence[Group], *, identity: str = "test", unproved: bool = False) -> Reviewed:
    """Everything of the work tree reviewed by the real engine, fixes by these models; `NOOTROPIC_MODEL` may not be 0."""
    with open_session(repo.path, Request(mode="all", unproved=unproved)) as session:
        assert session.config.models.enabled
        assert session.config.models == Config().models
        session.models = Models(session, identity, _proposer=proposer(*groups))
        return Reviewed(review(session))
