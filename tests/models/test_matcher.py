"""Which model is chosen, what is refused, and that each number says where it comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nootropic_bot.config import MatcherSettings
from nootropic_bot.models.base import Answer, BadAnswer, Request
from nootropic_bot.models.figures import Figures, measure, read_figures, write_figures
from nootropic_bot.models.hardware import Gpu, Hardware
from nootropic_bot.models.matcher import Match, Term, kv_cache_bytes, needed_bytes, rank
from nootropic_bot.models.registry import Entry, builtin
from nootropic_bot.models.scripted import Scripted

GIB = 1 << 30
ENTRIES = tuple(entry for entry in builtin() if entry.size_bytes)
SMALL = next(entry for entry in ENTRIES if entry.name == "qwen2.5-coder-1.5b")
LARGE = next(entry for entry in ENTRIES if entry.name == "qwen2.5-coder-7b")


def machine(available: float, *gpus: Gpu, cpu: str = "Some CPU") -> Hardware:
    return Hardware("Linux", "x86_64", cpu, 8, 16, int(available * GIB), int(available * GIB), gpus)


def only(**weights: float) -> MatcherSettings:
    return replace(MatcherSettings(0, 0, 0, 0), **weights)


def names(matches: tuple[Match, ...]) -> list[str]:
    return [match.entry.name for match in matches]


def term(match: Match, name: str) -> Term:
    return next(each for each in match.terms if each.name == name)


def test_the_cache_of_keys_and_values() -> None:
    # 28 layers of 2 heads of 128, keys and values of two bytes: 28 KiB a token.
    assert kv_cache_bytes(SMALL, 1) == 28 * 1024
    assert kv_cache_bytes(SMALL, 4096) == 112 << 20
    assert kv_cache_bytes(Entry("x", "1", "chat", "x.gguf"), 4096) == 0


def test_what_a_model_needs() -> None:
    assert needed_bytes(LARGE) == LARGE.size_bytes + kv_cache_bytes(LARGE, 4096) + (320 << 20)
    assert needed_bytes(LARGE, 10**9) == needed_bytes(LARGE, LARGE.context)
    tiny = Entry("t", "1", "fixer", "t.gguf", size_bytes=7 << 20)
    assert needed_bytes(tiny) == 39 << 20


def test_accuracy_alone_chooses_the_best_published_one() -> None:
    found = rank(ENTRIES, machine(64), only(accuracy=1), figures={})
    assert found[0].entry.humaneval == max(entry.humaneval for entry in ENTRIES)
    assert term(found[0], "accuracy").basis == "published"


def test_throughput_and_memory_alone_choose_the_smallest() -> None:
    smallest = min(ENTRIES, key=lambda entry: entry.size_bytes).name
    assert rank(ENTRIES, machine(64), only(throughput=1), figures={})[0].entry.name == smallest
    assert rank(ENTRIES, machine(64), only(memory=1), figures={})[0].entry.name == smallest


def test_cost_alone_chooses_what_is_here() -> None:
    found = rank(ENTRIES, machine(64), only(cost=1), figures={}, installed={LARGE.name})
    assert found[0].entry.name == LARGE.name
    assert term(found[0], "cost").detail == "installed"
    dear = rank(ENTRIES, machine(64), only(cost=1), figures={}, installed={LARGE.name}, prices={LARGE.name: 50.0})
    assert dear[0].entry.name != LARGE.name
    assert "50 dollars" in term(next(m for m in dear if m.entry.name == LARGE.name), "cost").detail


def test_what_does_not_fit_is_refused_and_last() -> None:
    found = rank(ENTRIES, machine(3), MatcherSettings(), figures={})
    refused = [match for match in found if match.refused]
    assert LARGE.name in names(tuple(refused))
    assert names(found)[-len(refused) :] == names(tuple(refused))
    large = next(match for match in found if match.entry.name == LARGE.name)
    assert "GiB" in large.refused
    assert rank(ENTRIES, machine(0), MatcherSettings(), figures={})[0].refused


def test_a_gpu_is_used_where_a_model_fits_into_it() -> None:
    gpu = Gpu("cuda", "NVIDIA L4", 24 * GIB, 3 * GIB)
    found = {match.entry.name: match for match in rank(ENTRIES, machine(64, gpu), MatcherSettings(), figures={})}
    assert found[SMALL.name].place == "cuda"
    assert found[LARGE.name].place == "cpu"
    assert "300 GB/s of the data sheet" in term(found[SMALL.name], "throughput").detail


def test_metal_of_m1_max() -> None:
    gpu = Gpu("metal", "Apple M1 Max", 48 * GIB, 40 * GIB)
    found = rank([LARGE], machine(40, gpu, cpu="Apple M1 Max"), MatcherSettings(), figures={})
    assert found[0].place == "metal"
    speed = term(found[0], "throughput")
    assert speed.basis == "estimated"
    assert "400 GB/s of the data sheet" in speed.detail


def test_an_estimate_is_bandwidth_by_bytes() -> None:
    found = rank([SMALL], machine(64), MatcherSettings(), figures={})
    expected = 40e9 * 0.6 / SMALL.size_bytes
    speed = term(found[0], "throughput")
    assert speed.detail.startswith(f"{expected:.3g} tokens a second")
    assert "assuming 40 GB/s" in speed.detail
    assert speed.value == pytest.approx(expected / (expected + 20))


def test_a_measured_figure_replaces_the_estimate_and_mends_those_of_others() -> None:
    figures = {SMALL.sha256 or "": Figures("m", 100.0, 30.0, 1.0, 5, "now")}
    found = {match.entry.name: match for match in rank([SMALL, LARGE], machine(64), MatcherSettings(), figures=figures)}
    assert term(found[SMALL.name], "throughput").basis == "measured"
    assert term(found[SMALL.name], "throughput").value == pytest.approx(30 / 50)
    other = term(found[LARGE.name], "throughput")
    expected = 30 * SMALL.size_bytes / LARGE.size_bytes
    assert other.basis == "estimated"
    assert other.detail == f"{expected:.3g} tokens a second, from what was measured with another model"


def test_a_measured_fix_rate_replaces_what_was_published() -> None:
    figures = {SMALL.sha256 or "": Figures("m", 1.0, 1.0, 1.0, 5, "now", fix_rate=0.97)}
    found = rank([SMALL, LARGE], machine(64), only(accuracy=1), figures=figures)
    assert found[0].entry.name == SMALL.name
    assert term(found[0], "accuracy").basis == "measured"


def test_unknown_things_are_called_assumptions() -> None:
    fixer = Entry("bundled", "1", "fixer", "f.gguf", size_bytes=7 << 20)
    unknown = Entry("mine", "1", "chat", "m.gguf", size_bytes=GIB)
    sized = replace(unknown, name="sized", parameters=7 * 10**9)
    for match in rank([fixer, unknown, sized], machine(64), MatcherSettings(), figures={}):
        assert term(match, "accuracy").basis == "estimated"
        assert "assumed" in term(match, "accuracy").detail


def test_a_model_of_unknown_size_is_not_recommended() -> None:
    found = rank([Entry("bundled", "1", "fixer", "f.gguf"), SMALL], machine(64), MatcherSettings(), figures={})
    assert names(found) == [SMALL.name, "bundled"]
    assert "not installed" in found[1].refused


def test_no_weights_at_all_leave_it_to_the_names() -> None:
    found = rank(ENTRIES, machine(64), only(), figures={})
    assert names(found) == sorted(names(found))


@given(
    weights=st.builds(MatcherSettings, *[st.floats(0, 1e6) for _ in range(4)]),
    available=st.floats(0, 1000),
    free=st.floats(0, 200),
)
def test_scores_are_shares_and_the_order_is_one(weights: MatcherSettings, available: float, free: float) -> None:
    size = int(free * GIB)
    hardware = machine(available, Gpu("cuda", "G", size, size))
    found = rank(ENTRIES, hardware, weights, figures={})
    assert sorted(names(found)) == sorted(entry.name for entry in ENTRIES)
    for match in found:
        assert 0 <= match.score <= 1 + 1e-9
        assert all(0 <= each.value <= 1 for each in match.terms)
        assert {each.name for each in match.terms} == {"accuracy", "throughput", "memory", "cost"}
    usable = [match.score for match in found if not match.refused]
    assert usable == sorted(usable, reverse=True)


# Figures.


def test_figures_are_kept_by_machine_and_file(tmp_path: Path) -> None:
    one, two = Figures("a", 10.0, 5.0, 1.0, 3, "now"), Figures("b", 20.0, 6.0, 1.0, 3, "now", "x", 0.5)
    write_figures(tmp_path, "k1", "a" * 64, one)
    write_figures(tmp_path, "k1", "b" * 64, two)
    assert read_figures(tmp_path, "k1") == {"a" * 64: one, "b" * 64: two}
    assert read_figures(tmp_path, "k2") == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": {"model": "x"}}', '{"a": {"nonsense": 1}}'])
def test_damaged_figures_are_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "k.json").write_text(text)
    assert read_figures(tmp_path, "k") == {}


class Timed(Scripted):
    """Reads 1000 tokens a second, makes 50, and remembers as a runtime does."""

    def __init__(self, ends_after: int = 10**6) -> None:
        super().__init__(["x"], repeat=True)
        self.ends_after = ends_after

    def generate(self, request: Request) -> Answer:
        self.requests.append(request)
        made = min(request.max_tokens, self.ends_after)
        return Answer("x", "m@1", prompt_tokens=200, completion_tokens=made, seconds=200 / 1000 + (made - 1) / 50)


def test_measuring_tells_reading_from_making() -> None:
    model = Timed()
    found = measure(model, rounds=3, at="now", settings={"threads": 2})
    assert found.prompt_speed == pytest.approx(1000)
    assert found.speed == pytest.approx(50)
    assert (found.rounds, found.settings) == (3, "threads 2")
    prompts = [request.prompt for request in model.requests]
    assert len(set(prompts)) == len(prompts) == 7  # no state of an earlier prompt can help


def test_a_model_that_says_nothing_can_not_be_measured() -> None:
    with pytest.raises(BadAnswer, match="it ends its answers at once"):
        measure(Timed(ends_after=1), rounds=2, at="now", settings={})


class Interrupted(Timed):
    """The machine pauses in the first `pauses` short requests that count."""

    def __init__(self, pauses: int) -> None:
        super().__init__()
        self.pauses = pauses

    def generate(self, request: Request) -> Answer:
        answer = super().generate(request)
        if request.max_tokens == 1 and len(self.requests) > 1 and self.pauses:
            self.pauses -= 1
            return replace(answer, seconds=60.0)
        return answer


def test_a_round_that_a_pause_spoiled_is_made_again() -> None:
    found = measure(Interrupted(2), rounds=1, at="now", settings={})
    assert (found.prompt_speed, found.speed) == (pytest.approx(1000), pytest.approx(50))
    with pytest.raises(BadAnswer, match="too busy"):
        measure(Interrupted(10**6), rounds=1, at="now", settings={})
