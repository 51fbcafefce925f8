"""Pairs: the answer to a prompt gives exactly the safe text, wordings and shares are as said, and a seed is a seed."""

from __future__ import annotations

import ast
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from nootropic_bot.diff import apply_edits
from nootropic_bot.learn import pairs, sources
from nootropic_bot.learn.expansion import Filled
from nootropic_bot.learn.ingredients import Ingredients, hole_values, load_words, surroundings
from nootropic_bot.learn.material import Material
from nootropic_bot.learn.mutations import mutations
from nootropic_bot.learn.pair import Pair, make_pair
from nootropic_bot.learn.pairs import from_json, generate
from nootropic_bot.learn.planted import planted
from nootropic_bot.learn.reshaped import defaults, stretched
from nootropic_bot.learn.synthetic import written
from nootropic_bot.models.base import Special
from nootropic_bot.models.fixer import AFTER, CODE, END, FIX, SPECIALS, WEAKNESS, decode, shorten
from nootropic_bot.records import Match, Position
from nootropic_bot.source import decode as decode_source
from nootropic_bot.window import window_of
from tests.learn.code import files, ingredients, rules

_COUNT = 900


@pytest.fixture(scope="module")
def drawn() -> list[Pair]:
    return list(generate(ingredients(), _COUNT, 5))


def _text(parts: tuple[str | Special, ...]) -> str:
    return "".join(part if isinstance(part, str) else part.token for part in parts)


def _weakness(pair: Pair) -> str:
    assert pair.prompt[0] == WEAKNESS
    return pair.prompt[1] if isinstance(pair.prompt[1], str) else ""


def test_a_seed_gives_the_same_pairs_and_another_gives_others(drawn: list[Pair]) -> None:
    assert list(generate(ingredients(), 200, 5)) == drawn[:200]
    assert list(generate(ingredients(), 50, 6)) != drawn[:50]


def test_no_two_are_alike(drawn: list[Pair]) -> None:
    assert len(drawn) == _COUNT
    assert len({(pair.prompt, pair.answer) for pair in drawn}) == _COUNT


def test_the_four_sources_have_about_their_shares(drawn: list[Pair]) -> None:
    count = Counter(pair.source for pair in drawn)
    assert set(count) == set(pairs._SHARES)
    for source, share in pairs._SHARES.items():
        assert share * 0.5 < count[source] / _COUNT < share * 1.8, count
    assert len({pair.rule_id for pair in drawn}) > 110


def test_prompts_have_their_parts_in_order_and_answers_end(drawn: list[Pair]) -> None:
    for pair in drawn:
        specials = [part for part in pair.prompt if isinstance(part, Special)]
        order = [specials.index(part) for part in (WEAKNESS, CODE, AFTER, FIX)]
        assert order == sorted(order)
        assert specials[-1] == FIX
        assert pair.answer[-1] == END
        assert "" not in (*pair.prompt, *pair.answer)
        decode(_text(pair.answer))  # Raises where the answer does not follow the format.


def test_prompts_name_no_rule(drawn: list[Pair]) -> None:
    """The model shall read what is wrong, not our name for it, so that it works for other people's rules."""
    for pair in drawn:
        assert not re.search(rf"(?<![\w-]){pair.rule_id}(?![\w-])", _text(pair.prompt)), pair


def test_wordings_held_out_are_never_drawn(drawn: list[Pair]) -> None:
    words = load_words()
    held_out = {shorten(text) for texts in words.held_out.values() for text in texts}
    assert len(held_out) > 150
    for pair in drawn:
        assert _weakness(pair) not in held_out
    random_ = random.Random(1)
    for rule in rules().by_id.values():
        assert not {words.draw(rule, random_) for _round in range(60)} & set(words.held_out.get(rule.id, ()))


def test_every_rule_has_paraphrases_for_both_uses() -> None:
    words = load_words()
    assert set(words.train) == set(words.held_out) == set(rules().by_id)
    for rule_id, texts in words.train.items():
        assert len(set(texts)) == len(texts) >= 3, rule_id
        assert len(words.held_out[rule_id]) >= 2, rule_id
        assert not set(texts) & set(words.held_out[rule_id]), rule_id


def test_a_weakness_is_worded_in_many_ways() -> None:
    words, random_ = load_words(), random.Random(2)
    rule = rules().by_id["bare-except"]
    found = Counter(words.draw(rule, random_) for _round in range(400))
    assert rule.message in found
    assert found[""] > 0
    assert set(words.train[rule.id]) <= set(found)


def test_pairs_survive_storage(drawn: list[Pair]) -> None:
    for pair in drawn:
        line = pair.to_json()
        assert "\n" not in line
        assert from_json(line) == pair
    odd = Pair("rule", "template", "", (Special("<|fix|>"), "<|fix|> as text\n"), ("<|end|>", END))
    assert from_json(odd.to_json()) == odd


def _cases(count: int) -> Iterator[tuple[str, Filled]]:
    """Cases of all four makers."""
    have, random_ = ingredients(), random.Random(8)
    for _round in range(count):
        template, filled = sources._expanded(have, random_)
        if filled is not None and sources._parses(filled.unsafe) and sources._parses(filled.safe):
            yield template.rule.id, filled
        made = written(random_, have.material.expressions, have.material.names)
        code = sources.in_function(have, random_, made)
        if code is not None:
            yield made.rule_id, code
        file = random_.choice(files())
        tree, lines = ast.parse(file.text), file.text.split("\n")
        found = [*mutations(tree, lines, random_), *planted(tree, lines, random_)]
        reshaped = [*stretched(tree, lines, random_), *defaults(tree, lines, random_)]
        for each in random_.sample(found, min(3, len(found))):
            code = sources.mutated(file, tree, each)
            if code is not None:
                yield each.rule_id, code
        for shape in random_.sample(reshaped, min(2, len(reshaped))):
            code = sources.in_function(have, random_, shape)
            if code is not None:
                yield shape.rule_id, code


def test_an_answer_gives_exactly_the_safe_text() -> None:
    """Through the way an answer takes: read by the format, made edits by the window, applied to the file."""
    applied: Counter[str] = Counter()
    for rule_id, code in _cases(120):
        pair = make_pair(rule_id, ("template", ""), "what is wrong", code)
        if pair is None:
            continue
        source = decode_source("corpus.py", code.unsafe.encode())
        window = window_of(source, Match(rule_id, code.start, code.end, 0, 0, "what is wrong", ""))
        assert window is not None
        edits = window.edits(source, decode(_text(pair.answer)))
        assert "".join(apply_edits(source.lines, edits)) == code.safe, (rule_id, code)
        applied[rule_id] += 1
    assert sum(applied.values()) > 300
    assert len(applied) > 60


def test_a_change_outside_the_window_makes_no_pair() -> None:
    code = Filled("import a\n\nbad(1)\nx = 2\n", "import b\n\ngood(1)\nx = 2\n", Position(3, 1), Position(3, 7))
    assert make_pair("rule", ("template", ""), "wrong", code) is None
    near = replace(code, safe="import a\n\ngood(1)\nx = 2\n")
    pair = make_pair("rule", ("template", ""), "wrong", near)
    assert pair is not None
    assert _text(pair.answer) == "<|1|>good(1)<|end|>"


def test_nothing_to_change_is_an_empty_answer() -> None:
    code = Filled("good(1)\n", "good(1)\n", Position(1, 1), Position(1, 8))
    pair = make_pair("rule", ("negative", ""), "wrong", code)
    assert pair is not None
    assert pair.answer == (END,)


def test_the_flagged_part_is_marked_or_the_whole_statement_is() -> None:
    marked: Counter[str] = Counter()
    for number in range(200):
        text = f"value_{number} = call(bad)\n"
        col = text.index("bad") + 1
        code = Filled(text, text.replace("bad", "good"), Position(1, col), Position(1, col + 3))
        pair = make_pair("rule", ("template", ""), "wrong", code)
        assert pair is not None
        flagged = _text(pair.prompt).partition("<|[|>")[2].partition("<|]|>")[0]
        marked["part" if flagged == "bad" else "whole" if flagged == text.rstrip() else flagged] += 1
    assert set(marked) == {"part", "whole"}
    assert 10 < marked["whole"] < 45


def test_negatives_have_no_answer_and_all_their_kinds_of_code(drawn: list[Pair]) -> None:
    negative = [pair for pair in drawn if pair.source == "negative"]
    assert all(pair.answer == (END,) for pair in negative)
    assert {bool(pair.package) for pair in negative} == {True, False}


def test_already_fixed_code_comes_from_all_examples_of_a_rule() -> None:
    """A rule's first example alone would teach to know that one by heart."""
    have, random_ = ingredients(), random.Random(3)
    only = [template for template in have.templates if template.rule.id == "bare-except"]
    assert len(only) > 1
    few = replace(have, templates=only)
    texts = {_text(pair.prompt) for _round in range(60) for pair in sources._already_fixed(few, random_)}
    heads = {text.partition("<|code|>")[2].partition("<|after|>")[0] for text in texts}
    assert len(heads) > 1


def test_an_answer_that_the_prompt_does_not_tell_is_no_pair() -> None:
    have, random_ = ingredients(), random.Random(3)
    chosen = [
        template for template in have.templates if template.rule.id == "ssrf-from-request" and template.number == 1
    ]
    assert "CALLBACKS[" in chosen[0].example.safe
    few = replace(have, templates=chosen)
    made = [pair for _round in range(40) for pair in sources.from_template(few, random_)]
    assert all("CALLBACKS" in _text(pair.prompt) for pair in made)


def test_commands_without_a_fix_are_few_but_there(drawn: list[Pair]) -> None:
    synthetic = [pair for pair in drawn if pair.source == "synthetic"]
    empty = [pair for pair in synthetic if pair.answer == (END,)]
    assert 0 < len(empty) < len(synthetic) / 5


def test_mutations_say_whose_code_they_are(drawn: list[Pair]) -> None:
    assert {pair.package for pair in drawn if pair.source == "mutation"} == {"nootropic-bot"}
    assert {pair.package for pair in drawn if pair.source in ("template", "synthetic")} == {""}


def test_rare_mutations_come_before_frequent_ones() -> None:
    """One file has hundreds of calls to plant into and few handlers; the balance gives both a chance."""
    have, random_ = ingredients(), random.Random(4)
    balance: dict[str, int] = {}
    for _round in range(60):
        list(sources.from_mutations(have, random_, balance))
    assert len(balance) > 20
    assert max(balance.values()) < sum(balance.values()) / 6


def test_values_and_surroundings_are_of_the_material() -> None:
    material = Material(["call(x)"], ["name"], ["'text'"], ["7"], [[["first()"], ["if x:", "    pass"]]])
    have = Ingredients([], {}, [], material, load_words())
    random_ = random.Random(1)
    draw = hole_values(have, random_)
    assert {draw["expr"]() for _round in range(30)} == {"call(x)", "name"}
    assert (draw["name"](), draw["str"](), draw["int"]()) == ("name", "'text'", "7")
    assert {draw["block"]() for _round in range(40)} == {"first()", "if x:\n    pass", "first()\nif x:\n    pass"}
    sides = [surroundings(have, random_) for _round in range(60)]
    assert any(before == [] for before, _after in sides)
    assert any(after == ["if x:", "    pass"] for _before, after in sides)


def test_text_that_looks_like_a_control_token_stays_text() -> None:
    text = f'x = call("{SPECIALS[1].token}", bad)\n'
    code = Filled(text, text.replace("bad", "good"), Position(1, 1), Position(1, len(text)))
    pair = make_pair("rule", ("template", ""), "wrong <|fix|>", code)
    assert pair is not None
    assert sum(part == FIX for part in pair.prompt) == 1
    assert any(isinstance(part, str) and "<|fix|>" in part for part in pair.prompt)


def test_half_of_the_templates_pairs_are_set_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """In real code the `except` clause of a `raise` is often further up than the lines that are shown."""
    made: list[Filled] = []
    set_apart = sources.set_apart  # type: ignore[attr-defined]

    def kept(code: Filled, before: list[str], after: list[str]) -> Filled:
        made.append(set_apart(code, before, after))
        return made[-1]

    monkeypatch.setattr(sources, "set_apart", kept)
    used: list[str] = []
    remarked = sources.remarked  # type: ignore[attr-defined]

    def noted(code: Filled, random_: random.Random) -> Filled:
        used.append(code.unsafe)
        return remarked(code, random_)

    monkeypatch.setattr(sources, "remarked", noted)
    have, random_ = ingredients(), random.Random(4)
    count = sum(1 for _round in range(300) for _pair in sources.from_template(have, random_))
    assert count > 100
    texts = {each.unsafe for each in made}
    assert 0.35 < sum(text in texts for text in used) / len(used) < 0.65
