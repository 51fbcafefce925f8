"""Budgets of tokens and money in a run, a day and a month."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nootropic_bot.config import BudgetSettings
from nootropic_bot.models.budget import Budget, Charge, Spent, charge_of
from nootropic_bot.state.schema import draft
from tests.support.clock import START, Clock


def charge(tokens: int = 0, microdollars: int = 0) -> Charge:
    return Charge("b", "m@1", tokens, 0, 5, microdollars)


def test_without_limits_everything_is_allowed_and_still_counted() -> None:
    budget = Budget()
    budget.charge(charge(10**9, 10**9))
    assert budget.refusal(is_paid=True) is None
    assert budget.alerts == ()
    assert budget.charges == (charge(10**9, 10**9),)


@pytest.mark.parametrize("period", ["run", "day", "month"])
def test_tokens_stop_every_backend(period: str) -> None:
    budget = Budget(BudgetSettings(**{f"tokens_per_{period}": 100}))  # type: ignore[arg-type]
    budget.charge(charge(99, 10**9))
    assert budget.refusal(is_paid=False) is None
    budget.charge(charge(1))
    for is_paid in (False, True):
        assert budget.refusal(is_paid=is_paid) == f"the {period}'s budget of 100 tokens is used up"


@pytest.mark.parametrize("period", ["run", "day", "month"])
def test_tokens_neither_stop_nor_count_what_runs_in_this_process(period: str) -> None:
    limits = {f"tokens_per_{period}": 100, f"dollars_per_{period}": 1.0}
    budget = Budget(BudgetSettings(**limits))  # type: ignore[arg-type]
    budget.charge(charge(10**6, 999_999), is_in_process=True)
    assert budget.refusal(is_paid=False) is None
    assert [alert for alert in budget.alerts if "tokens" in alert] == []
    assert budget.charges == (charge(10**6, 999_999),), "recorded all the same"
    budget.charge(charge(100))
    assert budget.refusal(is_paid=False) is not None
    assert budget.refusal(is_paid=False, is_in_process=True) is None
    assert budget.refusal(is_paid=True, is_in_process=True) is None
    # A price is a price, wherever it runs.
    budget.charge(charge(0, 1), is_in_process=True)
    refusal = budget.refusal(is_paid=True, is_in_process=True)
    assert refusal is not None
    assert "dollars" in refusal


@pytest.mark.parametrize("period", ["run", "day", "month"])
def test_money_stops_only_what_costs_money(period: str) -> None:
    budget = Budget(BudgetSettings(**{f"dollars_per_{period}": 1.5}))  # type: ignore[arg-type]
    budget.charge(charge(10**6, 1_499_999))
    assert budget.refusal(is_paid=True) is None
    budget.charge(charge(0, 1))
    assert budget.refusal(is_paid=True) == f"the {period}'s budget of 1.50 dollars is used up"
    assert budget.refusal(is_paid=False) is None


def test_what_other_runs_spent_counts_for_the_day_and_the_month_not_for_the_run() -> None:
    settings = BudgetSettings(tokens_per_run=100, tokens_per_day=100)
    assert Budget(settings, Spent(day_tokens=99)).refusal(is_paid=False) is None
    refusal = Budget(settings, Spent(day_tokens=100)).refusal(is_paid=False)
    assert refusal is not None
    assert "day" in refusal
    money = BudgetSettings(dollars_per_month=1)
    assert Budget(money, Spent(month_microdollars=999_999)).refusal(is_paid=True) is None
    assert Budget(money, Spent(month_microdollars=1_000_000)).refusal(is_paid=True) is not None
    assert Budget(money, Spent(day_microdollars=1_000_000)).refusal(is_paid=True) is None


def test_one_alert_a_period_at_eighty_percent() -> None:
    budget = Budget(BudgetSettings(tokens_per_run=100, dollars_per_day=1))
    budget.charge(charge(79))
    assert budget.alerts == ()
    budget.charge(charge(1))
    assert budget.alerts == ("80 % of the run's budget of 100 tokens for models are used",)
    budget.charge(charge(15))
    assert len(budget.alerts) == 1
    budget.charge(charge(0, 1_300_000))
    assert budget.alerts[1:] == ("130 % of the day's budget of 1.00 dollars for models are used",)


def test_a_run_that_starts_above_the_line_does_not_alert_again() -> None:
    budget = Budget(BudgetSettings(tokens_per_day=100), Spent(day_tokens=85))
    budget.charge(charge(5))
    assert budget.alerts == ()
    just_below = Budget(BudgetSettings(tokens_per_day=100), Spent(day_tokens=79))
    just_below.charge(charge(5))
    assert len(just_below.alerts) == 1


def test_days_and_months_begin_anew_in_utc() -> None:
    clock = Clock()
    settings = BudgetSettings(tokens_per_run=1000, tokens_per_day=100, tokens_per_month=150)
    budget = Budget(settings, now=clock.today)
    budget.charge(charge(100))
    clock.seconds += 12 * 3600 - 1
    refusal = budget.refusal(is_paid=False)
    assert refusal is not None
    assert "day" in refusal
    clock.seconds += 1  # 29 February, midnight
    assert budget.refusal(is_paid=False) is None
    budget.charge(charge(90))
    refusal = budget.refusal(is_paid=False)
    assert refusal is not None
    assert "month" in refusal
    clock.seconds += 24 * 3600  # 1 March
    assert budget.refusal(is_paid=False) is None
    assert len(budget.alerts) == 3, "the first day's, the month's and the second day's"


def test_another_time_zone_is_the_same_day() -> None:
    moment = [START.replace(hour=23, minute=30)]
    budget = Budget(BudgetSettings(tokens_per_day=10), now=lambda: moment[0])
    budget.charge(charge(10))
    moment[0] = moment[0].astimezone(timezone(timedelta(hours=9)))
    assert moment[0].day == 29
    assert budget.refusal(is_paid=False) is not None


def test_a_clock_that_is_set_back_frees_nothing() -> None:
    moment = [datetime(2024, 3, 1, tzinfo=timezone.utc)]
    budget = Budget(BudgetSettings(tokens_per_day=10, tokens_per_month=10), now=lambda: moment[0])
    budget.charge(charge(10))
    moment[0] = datetime(2024, 2, 1, tzinfo=timezone.utc)
    assert budget.refusal(is_paid=False) is not None
    moment[0] = datetime(2024, 3, 1, 12, tzinfo=timezone.utc)
    assert budget.refusal(is_paid=False) is not None


def test_the_smallest_budget_is_not_taken_for_none() -> None:
    budget = Budget(BudgetSettings(dollars_per_run=1e-9))
    assert budget.refusal(is_paid=True) is None
    budget.charge(charge(0, 1))
    assert budget.refusal(is_paid=True) is not None


def test_a_charge_is_rounded_up_and_can_be_recorded() -> None:
    made = charge_of("cloud", "m@1", (1000, 10), 1.2345, (0.15, 0.6))
    assert made == Charge("cloud", "m@1", 1000, 10, 1234, 156)
    assert charge_of("cloud", "m@1", (1, 0), 0, (0.15, 0.6)).microdollars == 1
    assert charge_of("local", "m@1", (5000, 5000), 0, (0, 0)).microdollars == 0
    for tokens in ((10**30, 10**30), (-5, -7)):
        odd = charge_of("liar", "m@1", tokens, 1e12, (1e6, 1e6))
        fields = {name: getattr(odd, name) for name in Charge.__slots__}
        draft("cost", {"run": "0" * 16, **fields})
        assert min(odd.input_tokens, odd.output_tokens, odd.microdollars) >= 0


PERIODS = ("run", "day", "month")


@settings(max_examples=200, deadline=None)
@given(
    limits=st.tuples(*[st.integers(0, 60)] * 3),
    money=st.tuples(*[st.integers(0, 60)] * 3),
    spent=st.builds(Spent, *[st.integers(0, 50)] * 4),
    requests=st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 20), st.sampled_from([0, 0, 0, 3600, 40_000, 1_000_000])),
        max_size=40,
    ),
)
def test_never_more_than_the_budget_and_one_request(
    limits: tuple[int, ...], money: tuple[int, ...], spent: Spent, requests: list[tuple[int, int, int]]
) -> None:
    clock = Clock()
    budget = Budget(
        BudgetSettings(
            **{f"tokens_per_{period}": limit for period, limit in zip(PERIODS, limits, strict=True)},  # type: ignore[arg-type]
            **{f"dollars_per_{period}": limit / 1e6 for period, limit in zip(PERIODS, money, strict=True)},  # type: ignore[arg-type]
        ),
        spent,
        clock.today,
    )
    today, month = clock.today().date(), clock.today().month
    used = {
        ("run", 0): 0,
        ("run", 1): 0,
        ("day", 0): spent.day_tokens,
        ("day", 1): spent.day_microdollars,
        ("month", 0): spent.month_tokens,
        ("month", 1): spent.month_microdollars,
    }
    alerts = 0
    for tokens, price, wait in requests:
        clock.seconds += wait
        if clock.today().date() != today:
            today, used["day", 0], used["day", 1] = clock.today().date(), 0, 0
        if clock.today().month != month:
            month, used["month", 0], used["month", 1] = clock.today().month, 0, 0
        bounds = {(p, unit): (limits, money)[unit][i] for i, p in enumerate(PERIODS) for unit in (0, 1)}
        spent_up = {key for key, limit in bounds.items() if limit and used[key] >= limit}
        refusal = budget.refusal(is_paid=price > 0)
        assert (refusal is not None) == any(unit == 0 or price > 0 for _period, unit in spent_up)
        if refusal:
            continue
        budget.charge(charge(tokens, price))
        for (period, unit), limit in bounds.items():
            before, amount = used[period, unit], (tokens, price)[unit]
            used[period, unit] += amount
            assert not limit or amount == 0 or used[period, unit] - amount < limit
            alerts += bool(limit) and before < 0.8 * limit <= used[period, unit]
    assert len(budget.alerts) == alerts
    assert sum(made.input_tokens for made in budget.charges) <= sum(tokens for tokens, _, _ in requests)
