"""A pull request with real diffs, for tests of what is posted on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from nootropic_bot.forge import Limits
from nootropic_bot.git import Repository
from nootropic_bot.marker import digest
from nootropic_bot.publish.anchors import Diff, read_diff
from nootropic_bot.publish.plan import Plan, Policy, plan
from nootropic_bot.publish.poster import Published, publish_report
from nootropic_bot.records import Finding, Report
from nootropic_bot.source import decode
from tests.support.forge import MemoryForge
from tests.support.repo import Repo
from tests.support.reports import make_finding, make_report, make_suggestion


def lines(number: int, *changed: int) -> str:
    """A file of so many lines, some of them as they are after the change."""
    return "".join(f"new {n}\n" if n in changed else f"line {n}\n" for n in range(1, number + 1))


@dataclass
class Scene:
    """A pull request with its forge; `review` answers what a review of its head would report."""

    repo: Repo
    forge: MemoryForge

    @classmethod
    def open(cls, repo: Repo, new: dict[str, str | bytes], limits: Limits | None = None) -> Scene:
        base = repo.commit({"README": "x\n", **{path: lines(400) for path in new}})
        return cls(repo, MemoryForge(repo, base, repo.commit(new), limits or Limits()))

    def report(self, findings: Sequence[Finding], **more: Any) -> Report:
        return make_report(findings, **{"base": self.forge.base, "head": self.forge.head, **more})

    def diff(self, findings: Sequence[Finding]) -> Diff:
        return read_diff(Repository.open(self.repo.path), self.forge.base, self.forge.head, findings)

    def plan(self, findings: Sequence[Finding], policy: Policy | None = None, **more: Any) -> Plan:
        report = self.report(findings, **more)
        summary = self.forge.summaries[0] if self.forge.summaries else None
        threads = tuple(self.forge.posted)
        return plan(report, self.diff(findings), threads, self.forge.limits, summary=summary, policy=policy)

    def publish(self, findings: Sequence[Finding], sarif: str | None = None, **more: Any) -> Published:
        return publish_report(self.report(findings, **more), self.diff(findings), self.forge, sarif=sarif)

    def finding(self, path: str, line: int, fix: tuple[int, int, str] | None = None, **more: Any) -> Finding:
        """A finding at head, with a proved fix."""
        if fix is not None:
            identity = more.pop("fix_id", digest([path, str(fix)])[:16])
            more["suggestion"] = make_suggestion(decode(path, self.forge.read(path)), fix, id=identity)
        more.setdefault("id", f"{path.encode().hex()[-12:]}{line:08x}")
        return make_finding(path, line, **more)

    def many(self, path: str, number: int, **more: Any) -> list[Finding]:
        """Findings on the first lines of a file, every other one with a fix."""
        return [self.finding(path, n, (n, n, f"fixed {n}\n") if n % 2 else None, **more) for n in range(1, number + 1)]

    def texts(self) -> str:
        """Everything that is on the pull request."""
        checks = [f"{c.title}\n{c.summary}\n{c.annotations}" for c in self.forge.checks.values()]
        return "\n".join([*(thread.body for thread in self.forge.posted), *self.forge.summaries, *checks])


@pytest.fixture
def scene(repo: Repo) -> Scene:
    """A pull request that changes line 10 and line 100 of `a.py` and all 400 lines of `b.py`."""
    return Scene.open(repo, {"a.py": lines(400, 10, 100), "b.py": lines(400, *range(1, 401))})
