"""How many tokens and how much money may be used: in a run, a day and a month (`[models.budget]`).

At 80 % of a limit one sentence is said, once a period: by the charge that crosses the line, so runs that start above
it say nothing more. At 100 % the backend is not asked; the next one in order that the limit does not concern is
(`router.py`). A limit of tokens concerns servers and clouds, one of money what has a price. A model that runs in this
process costs nobody any tokens: such a limit neither stops it nor counts what it reads and writes, so it is what the
bot falls back to. What a request will cost is known only afterwards, so a budget can be exceeded by the last request
that began below it.

Periods are UTC. Money is counted in whole millionths of a US dollar, so that sums don't depend on their order; dollars
for a million tokens are the same number as millionths for one token.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal

from nootropic_bot.config import BudgetSettings

ALERT_SHARE = 0.8
# The largest figure that a record of the state holds (`Figure` in state/schema.py).
_MAX_FIGURE = 2**40

Unit = Literal["tokens", "microdollars"]


@dataclass(frozen=True, slots=True)
class Spent:
    """What other runs used since the day and the month began (UTC), this run not counted."""

    day_tokens: int = 0
    day_microdollars: int = 0
    month_tokens: int = 0
    month_microdollars: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request used; the fields of a `cost` record, which adds the run."""

    backend: str
    model: str
    input_tokens: int
    output_tokens: int
    milliseconds: int
    microdollars: int


@dataclass(slots=True)
class _Account:
    """One limit: what is used of it in the current period. `key` names the period; "" never changes."""

    period: Literal["run", "day", "month"]
    unit: Unit
    limit: int
    used: int = 0
    key: str = ""

    def shown(self, amount: int) -> str:
        return f"{amount} tokens" if self.unit == "tokens" else f"{amount / 1e6:.2f} dollars"


def charge_of(
    backend: str,
    model: str,
    tokens: tuple[int, int],
    seconds: float,
    prices: tuple[float, float],
) -> Charge:
    """A charge for (prompt, answer) tokens at prices in dollars for a million of them, rounded up.

    The figures may come from a server: whatever it says, they are ones that can be recorded.
    """
    read, written = (min(max(count, 0), _MAX_FIGURE) for count in tokens)
    microdollars = min(math.ceil(read * prices[0] + written * prices[1]), _MAX_FIGURE)
    return Charge(backend, model, read, written, min(round(seconds * 1000), _MAX_FIGURE), microdollars)


class Budget:
    """The limits of a run and what is used of them. `now` is the wall clock, aware of its time zone."""

    def __init__(
        self,
        settings: BudgetSettings | None = None,
        spent: Spent | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._now = now
        self._accounts = tuple(_accounts(settings or BudgetSettings(), spent or Spent()))
        self._alerts: list[str] = []
        self._charges: list[Charge] = []
        self._roll()

    @property
    def alerts(self) -> tuple[str, ...]:
        """Sentences for people: limits that this run brought to 80 %."""
        return tuple(self._alerts)

    @property
    def charges(self) -> tuple[Charge, ...]:
        """Everything this run used, in order, to be recorded."""
        return tuple(self._charges)

    def refusal(self, *, is_paid: bool, is_in_process: bool = False) -> str | None:
        """Why a backend may not be asked, None when it may.

        Money that is used up does not stop a free one, tokens don't stop one that runs in this process.
        """
        self._roll()
        for account in self._accounts:
            is_concerned = not is_in_process if account.unit == "tokens" else is_paid
            if account.used >= account.limit and is_concerned:
                return f"the {account.period}'s budget of {account.shown(account.limit)} is used up"
        return None

    def charge(self, charge: Charge, *, is_in_process: bool = False) -> None:
        """Take note of what a request used; tokens that were made in this process count against no limit."""
        self._roll()
        self._charges.append(charge)
        for account in self._accounts:
            before = account.used
            tokens = 0 if is_in_process else charge.input_tokens + charge.output_tokens
            account.used += tokens if account.unit == "tokens" else charge.microdollars
            if before < ALERT_SHARE * account.limit <= account.used:
                self._alerts.append(
                    f"{100 * account.used // account.limit} % of the {account.period}'s budget of "
                    f"{account.shown(account.limit)} for models are used"
                )

    def _roll(self) -> None:
        """Begin new days and months; a wall clock that was set back begins none."""
        today = self._now().astimezone(timezone.utc).strftime("%Y-%m-%d")
        for account in self._accounts:
            key = {"run": "", "day": today, "month": today[:7]}[account.period]
            if not account.key:
                account.key = key
            elif key > account.key:
                account.key, account.used = key, 0


def _accounts(settings: BudgetSettings, spent: Spent) -> Iterator[_Account]:
    limits: tuple[tuple[Literal["run", "day", "month"], int, float, int, int], ...] = (
        ("run", settings.tokens_per_run, settings.dollars_per_run, 0, 0),
        ("day", settings.tokens_per_day, settings.dollars_per_day, spent.day_tokens, spent.day_microdollars),
        ("month", settings.tokens_per_month, settings.dollars_per_month, spent.month_tokens, spent.month_microdollars),
    )
    for period, tokens, dollars, used_tokens, used_microdollars in limits:
        if tokens > 0:
            yield _Account(period, "tokens", tokens, used_tokens)
        if dollars > 0:
            # The smallest limit must not round to 0, which means without limit.
            yield _Account(period, "microdollars", max(1, round(dollars * 1e6)), used_microdollars)
