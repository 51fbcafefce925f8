"""The circuit breaker, alone and against a model of it that remembers everything."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nootropic_bot.models.breaker import MAX_FAILURES, PAUSE_SECONDS, WINDOW_SECONDS, Breaker
from tests.support.clock import Clock


def failing(clock: Clock, times: int, every: float = 0.0) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(times):
        breaker.begin()
        breaker.failed()
        clock.sleep(every)
    return breaker


def test_five_failures_are_borne_the_sixth_opens() -> None:
    assert (MAX_FAILURES, WINDOW_SECONDS, PAUSE_SECONDS) == (5, 60.0, 300.0)
    assert failing(Clock(), 5).state == "closed"
    assert failing(Clock(), 6).state == "open"


def test_failures_count_for_a_minute() -> None:
    assert failing(Clock(), 50, every=12.0).state == "closed", "the sixth comes just when the first is forgotten"
    assert failing(Clock(), 6, every=11.9).state == "open"


def test_successes_in_between_do_not_hide_failures() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(6):
        breaker.failed()
        breaker.succeeded()
    assert breaker.state == "open"


def test_it_stays_open_for_five_minutes_whatever_arrives_late() -> None:
    clock = Clock()
    breaker = failing(clock, 6)
    clock.sleep(10)
    breaker.failed()
    clock.sleep(289.9)
    breaker.failed()
    breaker.succeeded()
    assert breaker.state == "open"
    assert not breaker.is_admitting
    clock.sleep(0.2)
    assert breaker.state == "half_open"
    assert breaker.is_admitting


def test_half_open_admits_one_trial() -> None:
    clock = Clock()
    breaker = failing(clock, 6)
    clock.sleep(300)
    breaker.begin()
    assert not breaker.is_admitting
    breaker.succeeded()
    assert breaker.state == "closed"
    for _ in range(5):
        breaker.failed()
    assert breaker.is_admitting, "what was before is forgotten"


def test_a_window_longer_than_the_pause_does_not_count_what_was_before() -> None:
    clock = Clock()
    breaker = Breaker(clock, max_failures=1, window=1000, pause=10)
    breaker.failed()
    breaker.failed()
    clock.sleep(10)
    breaker.begin()
    breaker.succeeded()
    breaker.failed()
    assert breaker.state == "closed"


def test_a_failed_trial_opens_it_again() -> None:
    clock = Clock()
    breaker = failing(clock, 6)
    clock.sleep(300)
    breaker.begin()
    breaker.failed()
    assert breaker.state == "open"
    clock.sleep(299)
    assert not breaker.is_admitting
    clock.sleep(1)
    assert breaker.is_admitting


def test_a_trial_that_nobody_waits_for_can_be_made_again() -> None:
    clock = Clock()
    breaker = failing(clock, 6)
    clock.sleep(300)
    breaker.begin()
    breaker.abandoned()
    assert breaker.state == "half_open"
    assert breaker.is_admitting


def test_the_reason_does_not_change_with_time() -> None:
    clock = Clock()
    breaker = failing(clock, 6)
    first = breaker.reason
    clock.sleep(100)
    assert breaker.reason == first
    assert "5 times" in first
    assert "300 s" in first


class BreakerMachine(RuleBasedStateMachine):
    """Against a model that keeps every failure and decides by the three sentences of the module's docstring."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(self.clock)
        self.failures: list[float] = []
        self.opened: float | None = None
        self.is_on_trial = False

    def expected(self) -> str:
        if self.opened is None:
            return "closed"
        return "open" if self.clock() < self.opened + PAUSE_SECONDS else "half_open"

    @rule(seconds=st.sampled_from([0.0, 1.0, 10.0, 59.0, 60.0, 299.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    @rule(ending=st.sampled_from(["succeeded", "failed", "abandoned"]), seconds=st.sampled_from([0.0, 5.0, 61.0]))
    def is_asked(self, ending: str, seconds: float) -> None:
        if self.breaker.is_admitting:
            self.asked(ending, seconds)

    def asked(self, ending: str, seconds: float) -> None:
        before = self.expected()
        self.breaker.begin()
        assert self.breaker.is_admitting == (before == "closed"), "half open admits one"
        self.clock.sleep(seconds)
        getattr(self.breaker, ending)()
        if ending == "failed":
            self.failures.append(self.clock())
            recent = [when for when in self.failures if self.clock() - when < WINDOW_SECONDS]
            if before == "half_open" or len(recent) > MAX_FAILURES:
                self.opened = self.clock()
        elif ending == "succeeded" and before == "half_open":
            self.opened = None
            self.failures.clear()

    @rule(times=st.integers(1, 7))
    def fails_again_and_again(self, times: int) -> None:
        for _ in range(times):
            if self.breaker.is_admitting:
                self.asked("failed", 0.0)

    @precondition(lambda self: self.expected() == "open")
    @rule(ending=st.sampled_from(["succeeded", "failed"]))
    def late_answer(self, ending: str) -> None:
        getattr(self.breaker, ending)()

    @invariant()
    def states_agree(self) -> None:
        assert self.breaker.state == self.expected()
        assert self.breaker.is_admitting == (self.expected() != "open")


BreakerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBreakerMachine = BreakerMachine.TestCase
