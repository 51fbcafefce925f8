"""The router: who is asked, in which order, how often, and what is said of it. Time is the test's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nootropic_bot.config import BudgetSettings
from nootropic_bot.models.answercache import AnswerCache
from nootropic_bot.models.asking import Pace
from nootropic_bot.models.base import (
    Answer,
    BadAnswer,
    BudgetSpent,
    ContextOverflow,
    Model,
    ModelError,
    NotAllowed,
    OutOfMemory,
    RateLimited,
    Request,
    ServerFailed,
    TimedOut,
    Unavailable,
)
from nootropic_bot.models.breaker import Breaker
from nootropic_bot.models.budget import Budget
from nootropic_bot.models.router import Router
from nootropic_bot.models.routing import Backend
from nootropic_bot.models.scripted import Scripted, Step
from tests.support.clock import Clock

ASK = Request(prompt=("x = 1",), timeout=20.0)


class Slow(Scripted):
    """Takes its time, but no more than it is given: a well-behaved backend. `hangs` does not look at the time-out."""

    def __init__(
        self, clock: Clock, seconds: float, script: Sequence[Step] = ("late",), *, hangs: bool = False
    ) -> None:
        super().__init__(script, repeat=True, name="slow@1")
        self.clock, self.seconds, self.hangs = clock, seconds, hangs
        self.is_closed = False

    def generate(self, request: Request) -> Answer:
        if self.seconds > request.timeout and not self.hangs:
            self.requests.append(request)
            self.clock.sleep(request.timeout)
            raise TimedOut(f"no answer within {request.timeout:g} s")
        self.clock.sleep(self.seconds)
        return super().generate(request)

    def close(self) -> None:
        self.is_closed = True


def always(error: ModelError, name: str = "broken@1") -> Scripted:
    return Scripted([error], repeat=True, name=name)


def good(text: str = "fixed", name: str = "good@1") -> Scripted:
    return Scripted([text], repeat=True, name=name)


def backend(name: str, model: Model, **settings: object) -> Backend:
    return Backend(name, lambda: model, **settings)  # type: ignore[arg-type]


def router(clock: Clock, *backends: Backend, **settings: object) -> Router:
    return Router(backends, pace=Pace(clock=clock, sleep=clock.sleep, jitter=lambda: 1.0), **settings)  # type: ignore[arg-type]


def told(router_: Router) -> list[tuple[str, str]]:
    return [(decision.backend, decision.action) for decision in router_.decisions]


def test_it_is_a_model_of_its_first_backend() -> None:
    first, second = good("one", "first@1"), good("two", "second@1")
    route: Model = router(Clock(), backend("a", first), backend("b", second))
    answer = route.generate(ASK)
    assert (answer.text, answer.model, answer.remarks) == ("one", "first@1", ())
    assert second.requests == []
    assert first.requests == [replace(ASK, timeout=15.0)], (
        "nothing but the time-out changes: the second keeps a quarter"
    )
    assert route.name == "a > b"


def test_nothing_is_made_before_it_is_needed() -> None:
    made: list[str] = []

    def make(name: str) -> Callable[[], Model]:
        def open_() -> Model:
            made.append(name)
            return good()

        return open_

    route = router(Clock(), Backend("a", make("a")), Backend("b", make("b")))
    assert made == []
    route.generate(ASK)
    route.generate(ASK)
    assert made == ["a"]


def test_the_next_one_answers_and_says_why() -> None:
    route = router(Clock(), backend("a", always(Unavailable("there is no file."))), backend("b", good()))
    answer = route.generate(ASK)
    assert answer.text == "fixed"
    assert answer.remarks == ("answered by b, because a: there is no file",)
    assert told(route) == [("a", "asked"), ("a", "failed"), ("b", "asked"), ("b", "answered")]


@pytest.mark.parametrize("kind", [Unavailable, NotAllowed])
def test_who_is_out_is_not_asked_again_in_this_run(kind: type[ModelError]) -> None:
    broken = always(kind("no"))
    route = router(Clock(), backend("a", broken), backend("b", good()))
    for _ in range(5):
        assert route.generate(ASK).remarks == ("answered by b, because a: no",)
    assert len(broken.requests) == 1
    assert route.reasons() == ("a: no",), "said once"


@pytest.mark.parametrize("error", [BadAnswer("rubbish"), ContextOverflow("too long")])
def test_an_error_of_one_question_keeps_nobody_from_the_next(error: ModelError) -> None:
    first = Scripted([*[error] * 20, "good again"], name="first@1")
    route = router(Clock(), backend("a", first), backend("b", good()))
    texts = [route.generate(ASK).text for _ in range(21)]
    assert texts == ["fixed"] * 20 + ["good again"]
    assert len(first.requests) == 21, "neither retried nor shut out"


def test_a_backend_that_cannot_be_made_is_tried_once() -> None:
    tries: list[int] = []

    def fail() -> Model:
        tries.append(1)
        raise ServerFailed("no such thing")

    route = router(Clock(), Backend("a", fail), backend("b", good()))
    assert [route.generate(ASK).text for _ in range(3)] == ["fixed"] * 3
    assert len(tries) == 1
    assert told(route)[:2] == [("a", "failed"), ("b", "asked")]


def test_transient_errors_are_retried_with_growing_pauses() -> None:
    clock = Clock()
    model = Scripted([ServerFailed("503"), TimedOut("slow"), "third time"])
    route = router(clock, backend("a", model))
    assert route.generate(ASK).text == "third time"
    assert clock.slept == [0.5, 1.0]
    assert [d.reason for d in route.decisions if d.action == "asked"] == ["", "again", "again"]
    assert model.requests[2].timeout == pytest.approx(20 - 1.5)


def test_half_of_a_pause_is_chance() -> None:
    clock = Clock()
    model = Scripted([ServerFailed("503"), ServerFailed("503"), "x"])
    Router([backend("a", model)], pace=Pace(clock=clock, sleep=clock.sleep, jitter=lambda: 0.0)).generate(ASK)
    assert clock.slept == [0.25, 0.5]


def test_retries_end_and_the_last_error_is_raised() -> None:
    clock = Clock()
    model = Scripted([ServerFailed("one"), ServerFailed("two"), ServerFailed("three"), "never"])
    with pytest.raises(ServerFailed, match="three"):
        router(clock, backend("a", model)).generate(ASK)


@pytest.mark.parametrize("error", [Unavailable("x"), BadAnswer("x"), OutOfMemory("x"), ContextOverflow("x")])
def test_what_asking_again_cannot_help_is_not_asked_again(error: ModelError) -> None:
    clock, model = Clock(), Scripted([error, "never"])
    with pytest.raises(type(error)):
        router(clock, backend("a", model)).generate(ASK)
    assert clock.slept == []


def test_a_servers_wish_is_honoured_if_it_fits() -> None:
    clock = Clock()
    model = Scripted([RateLimited("429", retry_after=7.0), "patience"])
    assert router(clock, backend("a", model)).generate(ASK).text == "patience"
    assert clock.slept == [7.0]


def test_a_wish_that_does_not_fit_passes_the_turn_and_is_remembered() -> None:
    clock = Clock()
    model = Scripted([RateLimited("429", retry_after=60.0), "rested"])
    route = router(clock, backend("a", model), backend("b", good()))
    assert route.generate(ASK).text == "fixed"
    assert clock.slept == []
    assert route.generate(ASK).remarks == ("answered by b, because a: it asked us to wait",)
    assert len(model.requests) == 1
    clock.sleep(60)
    assert route.generate(ASK).text == "rested"


@pytest.mark.parametrize("retry_after", [float("nan"), -5.0, None, 0.0])
def test_an_odd_wish_is_no_wish(retry_after: float | None) -> None:
    clock = Clock()
    route = router(clock, backend("a", Scripted([RateLimited("429", retry_after), "x"])))
    assert route.generate(ASK).text == "x"
    assert clock.slept == [0.5]


def test_six_failures_open_the_breaker_and_five_minutes_later_one_trial_is_made() -> None:
    clock = Clock()
    model = Scripted([*[ServerFailed("503")] * 7, "well again"], repeat=False)
    route = router(clock, backend("a", model), backend("b", good()))
    for _ in range(4):
        assert route.generate(ASK).text == "fixed"
    assert len(model.requests) == 6
    assert route.decisions[-3].reason.startswith("failed more than 5 times within 60 s")
    clock.sleep(300)
    assert route.generate(ASK).text == "fixed"
    assert len(model.requests) == 7, "the trial failed and was not retried"
    assert route.generate(ASK).text == "fixed"
    assert len(model.requests) == 7
    clock.sleep(300)
    assert route.generate(ASK).text == "well again"
    assert [reason for reason in route.reasons() if "left alone" in reason] == [
        "a: failed more than 5 times within 60 s; left alone for 300 s"
    ]


def test_a_breaker_can_be_shared_by_the_routers_of_a_run() -> None:
    clock = Clock()
    breakers = {"a": Breaker(clock)}
    for _ in range(2):
        router(clock, backend("a", always(ServerFailed("503"))), backend("b", good()), breakers=breakers).generate(ASK)
    model = good()
    route = router(clock, backend("a", model), backend("b", good()), breakers=breakers)
    route.generate(ASK)
    assert model.requests == []


def test_a_trial_that_is_interrupted_does_not_shut_the_backend_out() -> None:
    class Interrupted(Scripted):
        def generate(self, request: Request) -> Answer:
            self.requests.append(request)
            raise KeyboardInterrupt

    clock, breaker = Clock(), Breaker(Clock())
    route = router(clock, backend("a", Interrupted([])), breakers={"a": breaker})
    for _ in range(6):
        breaker.failed()
    breaker._clock.sleep(300)  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        route.generate(ASK)
    assert breaker.is_admitting


def test_slow_answers_are_used_but_count_as_failures() -> None:
    clock = Clock()
    slow = Slow(clock, 3.0)
    route = router(clock, backend("a", slow, latency_seconds=2.0), backend("b", good()))
    assert [route.generate(ASK).text for _ in range(7)] == ["late"] * 6 + ["fixed"]
    assert route.decisions[1].reason == "later than the 2 s it is given"
    assert route.decisions[1].seconds == 3.0
    without = router(clock, backend("a", slow), backend("b", good()))
    assert [without.generate(ASK).text for _ in range(9)] == ["late"] * 9


def test_a_hanging_model_leaves_time_for_the_next() -> None:
    clock = Clock()
    slow = Slow(clock, 1000.0)
    route = router(clock, backend("a", slow), backend("b", good()))
    assert route.generate(ASK).text == "fixed"
    assert [request.timeout for request in slow.requests] == [15.0], "and is not asked again in less time"
    assert clock() - 1000 == 15.0


def test_the_last_one_gets_all_the_time() -> None:
    clock = Clock()
    slow = Slow(clock, 1000.0)
    route = router(clock, backend("a", always(Unavailable("no"))), backend("b", slow), backend("c", good()))
    route.generate(ASK)
    assert [request.timeout for request in slow.requests] == [15.0]
    alone = Slow(clock, 1000.0)
    with pytest.raises(TimedOut, match="within 20 s"):
        router(clock, backend("a", always(Unavailable("no"))), backend("b", alone)).generate(ASK)


def test_who_cannot_answer_is_left_no_time() -> None:
    clock = Clock()
    slow = Slow(clock, 1000.0, [TimedOut("never")])
    route = router(clock, backend("a", slow), backend("b", always(Unavailable("no"))))
    for _ in range(2):
        with pytest.raises(ModelError):
            route.generate(ASK)
    assert [request.timeout for request in slow.requests] == [15.0, 20.0]


@pytest.mark.parametrize(("seconds", "asked"), [(2.0, 3), (8.0, 2), (12.0, 1)])
def test_what_did_not_come_in_time_is_not_asked_in_less_of_it(seconds: float, asked: int) -> None:
    clock = Clock()
    hasty = Slow(clock, seconds, [TimedOut("its own limit")])
    with pytest.raises(TimedOut):
        router(clock, backend("a", hasty)).generate(ASK)
    assert len(hasty.requests) == asked


def test_who_oversleeps_does_not_ask_again() -> None:
    clock, model = Clock(), Scripted([ServerFailed("503"), "never"])
    pace = Pace(clock=clock, sleep=lambda seconds: clock.sleep(seconds + 100), jitter=lambda: 0.0)
    with pytest.raises(ServerFailed):
        Router([backend("a", model)], pace=pace).generate(ASK)
    assert len(model.requests) == 1


def test_nobody_is_asked_when_the_time_is_over() -> None:
    clock = Clock()
    rude = Slow(clock, 25.0, [ServerFailed("at last")], hangs=True)
    second = good()
    route = router(clock, backend("a", rude), backend("b", second))
    with pytest.raises(ServerFailed, match="at last"):
        route.generate(ASK)
    assert second.requests == []
    assert route.decisions[-1].reason == "no time was left"


def test_out_of_memory_goes_to_the_next_smaller_one() -> None:
    clock = Clock()
    big = Slow(clock, 0.0, [OutOfMemory("7 GB are not there")])
    equal, larger, small = good(), good(), good("small")
    server = good("server")
    route = router(
        clock,
        backend("big", big, size_bytes=7_000),
        backend("equal", equal, size_bytes=7_000),
        backend("larger", larger, size_bytes=14_000),
        backend("small", small, size_bytes=1_000),
        backend("server", server),
    )
    for _ in range(3):
        answer = route.generate(ASK)
        assert answer.text == "small"
        assert "big: 7 GB are not there" in answer.remarks[0]
    assert big.is_closed, "before the next is loaded"
    assert (len(big.requests), equal.requests, larger.requests) == (1, [], [])
    assert "equal: it needs no less memory than big, which did not fit" in route.reasons()


def test_out_of_memory_says_nothing_of_what_runs_elsewhere() -> None:
    route = router(
        Clock(),
        backend("big", always(OutOfMemory("no")), size_bytes=7_000),
        backend("cloud", good(), is_local=False, size_bytes=70_000),
    )
    assert route.generate(ASK).text == "fixed"


def test_when_all_fail_the_last_error_is_raised_and_then_all_reasons() -> None:
    route = router(Clock(), backend("a", always(Unavailable("no file"))), backend("b", always(NotAllowed("not you"))))
    with pytest.raises(NotAllowed, match="not you"):
        route.generate(ASK)
    with pytest.raises(Unavailable, match="a: no file; b: not you"):
        route.generate(ASK)


def test_a_spent_budget_downgrades_to_the_free_backend() -> None:
    budget = Budget(BudgetSettings(dollars_per_run=0.000_05))
    cloud = good("clever", "cloud@1")
    paid = backend("cloud", cloud, is_local=False, prompt_price=10.0, answer_price=30.0)
    route = router(Clock(), paid, backend("bundled", good()), budget=budget)
    assert [route.generate(ASK).text for _ in range(3)] == ["clever", "fixed", "fixed"]
    assert budget.charges[0].microdollars == 2 * 10 + 1 * 30
    assert [charge.microdollars for charge in budget.charges[1:]] == [0, 0]
    assert route.reasons() == (
        "cloud: the run's budget of 0.00 dollars is used up",
        "100 % of the run's budget of 0.00 dollars for models are used",
    )


def test_spent_tokens_stop_all_and_the_error_says_so() -> None:
    route = router(Clock(), backend("a", good()), budget=Budget(BudgetSettings(tokens_per_run=1)))
    route.generate(ASK)
    with pytest.raises(BudgetSpent, match="budget of 1 tokens is used up"):
        route.generate(ASK)


def test_spent_tokens_downgrade_to_the_model_of_this_process() -> None:
    """The alert at 80 %, the downgrade at 100 %; what the model here generates counts for neither."""
    budget = Budget(BudgetSettings(tokens_per_run=10))
    here = backend("bundled", good(), is_in_process=True)
    route = router(Clock(), backend("server", good("clever", "s@1")), here, budget=budget)
    assert [route.generate(ASK).text for _ in range(8)] == ["clever"] * 4 + ["fixed"] * 4
    assert [charge.backend for charge in budget.charges] == ["server"] * 4 + ["bundled"] * 4
    assert "server: the run's budget of 10 tokens is used up" in route.reasons()
    assert [alert for alert in budget.alerts if "90 %" in alert] == list(budget.alerts)


def test_a_charge_is_what_the_backend_says_or_else_an_estimate() -> None:
    class Telling(Scripted):
        def generate(self, request: Request) -> Answer:
            return replace(super().generate(request), prompt_tokens=123, completion_tokens=45)

    telling = router(Clock(), backend("a", Telling(["x"])))
    telling.generate(ASK)
    (charge,) = telling.budget.charges
    assert (charge.backend, charge.model, charge.input_tokens, charge.output_tokens) == ("a", "scripted@1", 123, 45)
    silent = router(Clock(), backend("a", Scripted([""])))
    silent.generate(replace(ASK, prompt=("é" * 30,)))
    (charge,) = silent.budget.charges
    assert (charge.input_tokens, charge.output_tokens) == (20, 0)


def test_what_was_generated_in_vain_is_charged_what_never_began_is_not() -> None:
    errors = [TimedOut("slow"), BadAnswer("rubbish")]
    for error, expected in [(each, [(2, 256)]) for each in errors] + [(Unavailable("no"), []), (ServerFailed("5"), [])]:
        route = Router([backend("a", Scripted([error]))], pace=Pace(retries=0))
        with pytest.raises(ModelError):
            route.generate(ASK)
        assert [(c.input_tokens, c.output_tokens) for c in route.budget.charges] == expected


def test_no_retry_when_the_budget_is_used_up() -> None:
    clock, model = Clock(), Scripted([TimedOut("slow"), "never"])
    budget = Budget(BudgetSettings(tokens_per_run=10))
    with pytest.raises(TimedOut):
        router(clock, backend("a", model), budget=budget).generate(ASK)
    assert len(model.requests) == 1


def test_a_known_answer_asks_and_costs_nobody(tmp_path: Path) -> None:
    cache, first = AnswerCache(tmp_path), good("once", "first@1")
    for _ in range(2):
        route = router(Clock(), backend("a", first), backend("b", good()), cache=cache)
        answer = route.generate(ASK)
        assert (answer.text, answer.remarks) == ("once", ())
    assert told(route) == [("a", "cached")]
    assert len(first.requests) == 1
    assert route.budget.charges == ()


def test_a_known_answer_needs_neither_budget_nor_breaker(tmp_path: Path) -> None:
    clock, cache = Clock(), AnswerCache(tmp_path)
    model = Scripted(["once", *[ServerFailed("503")] * 6])
    route = router(clock, backend("a", model), cache=cache, budget=Budget(BudgetSettings(tokens_per_run=1)))
    route.generate(ASK)
    assert route.generate(ASK).text == "once"
    assert len(model.requests) == 1


def test_a_degraded_answer_is_known_as_the_one_who_gave_it(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path)
    router(
        Clock(), backend("a", always(ServerFailed("503"), "a@1")), backend("b", good("b's", "b@1")), cache=cache
    ).generate(ASK)
    recovered = router(Clock(), backend("a", good("a's", "a@1")), backend("b", good("b's", "b@1")), cache=cache)
    answer = recovered.generate(ASK)
    assert (answer.text, answer.remarks) == ("a's", ()), "the first one is asked, whatever the second said before"


def test_who_is_out_does_not_answer_from_the_cache_either(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path)
    model = Scripted(["once", NotAllowed("the key was withdrawn")], name="a@1")
    route = router(Clock(), backend("a", model), backend("b", good(name="b@1")), cache=cache)
    assert route.generate(ASK).text == "once"
    assert route.generate(replace(ASK, max_tokens=9)).text == "fixed"
    assert route.generate(ASK).text == "fixed"


def test_a_stream_falls_over_before_its_first_piece() -> None:
    route = router(Clock(), backend("a", always(Unavailable("no"))), backend("b", good("two words")))
    assert "".join(route.stream(ASK)) == "two words"
    assert told(route) == [("a", "asked"), ("a", "failed"), ("b", "asked"), ("b", "answered")]
    assert route.budget.charges[0].output_tokens == 3


class Broken(Scripted):
    """Streams a piece and breaks, or notices that it is closed."""

    was_closed = False

    def stream(self, request: Request) -> Iterator[str]:
        self.requests.append(request)
        try:
            yield "half"
            raise ServerFailed("the connection broke")
        except GeneratorExit:
            self.was_closed = True
            raise


def test_a_stream_that_breaks_in_the_middle_says_so() -> None:
    model, second = Broken([]), good()
    route = router(Clock(), backend("a", model), backend("b", second))
    pieces = route.stream(ASK)
    assert next(pieces) == "half"
    with pytest.raises(ServerFailed, match="broke"):
        next(pieces)
    assert second.requests == [], "half an answer of another model is none"
    assert told(route) == [("a", "asked"), ("a", "answered"), ("a", "failed")]
    assert len(route.budget.charges) == 1
    for _ in range(5):
        with pytest.raises(ServerFailed):
            list(route.stream(ASK))
    assert list(route.stream(ASK)) == ["fixed"], "six broken streams open the breaker"


def test_a_stream_that_is_closed_stops_the_generation() -> None:
    model = Broken([])
    held = model.stream(ASK)
    model.stream = lambda request: held  # type: ignore[method-assign]
    route = router(Clock(), backend("a", model))
    pieces = route.stream(ASK)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert model.was_closed, "at once, not when the last reference goes"
    assert len(route.budget.charges) == 1


def test_an_empty_stream_is_an_answer() -> None:
    assert list(router(Clock(), backend("a", Scripted([""]))).stream(ASK)) == []


class NoVectors(Scripted):
    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        raise Unavailable("it has no embeddings")


class TwoVectors(Scripted):
    calls = 0

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.calls += 1
        if self.calls > 1:
            raise Unavailable("gone")
        return super().embed(texts)


def test_a_model_without_embeddings_still_generates() -> None:
    route = router(Clock(), backend("a", NoVectors(["text"])), backend("b", good()))
    assert route.embed(["ab"]) == good().embed(["ab"])
    assert route.generate(ASK).text == "text"


def test_all_vectors_of_a_run_are_one_models() -> None:
    route = router(Clock(), backend("a", TwoVectors([])), backend("b", good()))
    assert route.embed(["ab"])
    with pytest.raises(Unavailable, match="gone"):
        route.embed(["cd"])
    assert route.decisions[-1].reason == "the vectors of this run are a's"


def test_it_is_local_only_if_all_are() -> None:
    assert router(Clock(), backend("a", good()), backend("b", good())).is_local
    assert not router(Clock(), backend("a", good()), backend("b", good(), is_local=False)).is_local


def test_the_fingerprint_depends_on_every_backend_and_survives_a_broken_one() -> None:
    def fail() -> Model:
        raise Unavailable("no file")

    one = router(Clock(), backend("a", good()), Backend("b", fail))
    assert one.fingerprint == one.fingerprint
    assert one.reasons() == ("b: no file",)
    other = router(Clock(), backend("a", good(name="good@2")), Backend("b", fail))
    assert one.fingerprint != other.fingerprint


def test_close_closes_what_was_made_twice_if_need_be() -> None:
    clock = Clock()
    made, idle = Slow(clock, 0), Slow(clock, 0)
    route = router(clock, backend("a", made), backend("b", idle))
    route.generate(ASK)
    route.close()
    route.close()
    assert (made.is_closed, idle.is_closed) == (True, False)
    assert route.generate(ASK).text == "late", "and it can be used again"


def test_decisions_read_as_lines_in_which_nothing_acts() -> None:
    clock = Clock()
    route = router(clock, backend("a", always(Unavailable("no\x1b[2J\nfile"))), backend("b", Slow(clock, 1.5)))
    route.generate(ASK)
    assert [str(decision) for decision in route.decisions] == [
        "request 1: a asked",
        "request 1: a failed after 0.00 s: no\\x1b[2J\\nfile",
        "request 1: b asked",
        "request 1: b answered after 1.50 s",
    ]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="different names"):
        Router([])
    with pytest.raises(ValueError, match="different names"):
        Router([backend("a", good()), backend("a", good())])
    for price in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="prices"):
            backend("a", good(), prompt_price=price)


STEPS = st.sampled_from(
    ["an answer", TimedOut("t"), ServerFailed("s"), BadAnswer("b"), ContextOverflow("c")]
    + [RateLimited("r", after) for after in (None, 0.1, 5.0, 100.0)]
    + [Unavailable("u"), OutOfMemory("m")]
)
BACKENDS = st.lists(
    st.tuples(st.lists(STEPS, min_size=1, max_size=8), st.sampled_from([0.0, 0.3, 4.0, 50.0]), st.integers(0, 3)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(specs=BACKENDS, timeouts=st.lists(st.sampled_from([0.1, 1.0, 10.0]), min_size=1, max_size=12))
def test_whatever_happens_it_ends_in_time_and_tells_how(
    specs: list[tuple[list[Step], float, int]], timeouts: list[float]
) -> None:
    clock = Clock()
    models = [Slow(clock, seconds, script) for script, seconds, _size in specs]
    backends = [
        backend(f"b{i}", model, size_bytes=spec[2]) for i, (model, spec) in enumerate(zip(models, specs, strict=True))
    ]
    budget = Budget(BudgetSettings(tokens_per_run=2000))
    route = router(clock, *backends, budget=budget)
    for number, timeout in enumerate(timeouts, 1):
        before = clock()
        spent = sum(charge.input_tokens + charge.output_tokens for charge in budget.charges)
        try:
            answer = route.generate(replace(ASK, timeout=timeout))
        except ModelError:
            answer = None
        assert clock() - before <= timeout + 1e-9
        own = [decision for decision in route.decisions if decision.request == number]
        ends = [decision for decision in own if decision.action == "answered"]
        assert len(ends) == (answer is not None)
        assert [d.backend for d in own] == sorted(d.backend for d in own), "in the configured order"
        if answer is not None:
            assert own[-1] == ends[0]
            assert bool(answer.remarks) == (ends[0].backend != "b0")
        assert spent < 2000 or all(decision.action == "skipped" for decision in own)
    asked = sum(decision.action == "asked" for decision in route.decisions)
    assert asked == sum(len(model.requests) for model in models)
    assert asked == sum(decision.action in ("answered", "failed") for decision in route.decisions)
    assert len(set(route.reasons())) == len(route.reasons())
