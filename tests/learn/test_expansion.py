"""Templates filled from real code: both sides parse, the flagged place moves along, names change together or not at all."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Mapping

import pytest

from nootropic_bot.critique.critic import Deadline
from nootropic_bot.learn.expansion import (
    Filled,
    Template,
    fill,
    place_in_template,
    random_values,
    renamed,
    simple_values,
)
from nootropic_bot.learn.ingredients import hole_values, surroundings
from nootropic_bot.learn.sources import moved
from nootropic_bot.learn.teachable import lessons, open_critic
from nootropic_bot.records import Position
from nootropic_bot.source import decode
from nootropic_bot.templates import Example
from tests.learn.code import ingredients, rules, unproved_templates


def _template(unsafe: str, safe: str, setup: str = "", **holes: str) -> Template:
    example = Example(unsafe, safe, setup, holes)  # type: ignore[arg-type]
    rule = next(iter(rules().by_id.values()))
    return Template(rule, 0, example, (0, 0), (0, len(unsafe.split("\n")[0])))


def _filled(template: Template, **values: str) -> Filled:
    filled = fill(template, values)
    assert filled is not None
    return filled


def _cut(text: str, start: Position, end: Position) -> str:
    lines = text.split("\n")[start.line - 1 : end.line]
    lines[-1] = lines[-1][: end.col - 1]
    lines[0] = lines[0][start.col - 1 :]
    return "\n".join(lines)


def test_every_template_of_the_pack_parses_on_both_sides() -> None:
    """With simple values, and (but for what a name or block can break) with values of real code."""
    have, random_ = ingredients(), random.Random(1)
    broken = []
    for template in unproved_templates():
        simple = fill(template, simple_values(template.example))
        assert simple is not None, template.rule.id
        ast.parse(simple.unsafe)
        ast.parse(simple.safe)
        values = random_values(template.example, hole_values(have, random_), random_)
        filled = fill(template, values, surroundings(have, random_))
        assert filled is not None, template.rule.id
        try:
            ast.parse(filled.unsafe)
            ast.parse(filled.safe)
        except SyntaxError:
            broken.append(template.rule.id)
    assert len(broken) < len(unproved_templates()) / 25, broken


def test_places_move_with_the_values_before_them() -> None:
    template = _template("$OUT = load($X, mode=$S)", "$OUT = safe($X)", OUT="name", X="expr", S="str")
    snippet = template.example.unsafe
    begin, stop = snippet.index("load"), snippet.index(", mode")
    marked = Template(template.rule, 0, template.example, (0, begin), (0, stop))
    filled = _filled(marked, OUT="a_long_name", X="first.second(third)", S="'text'")
    assert filled.unsafe == "a_long_name = load(first.second(third), mode='text')\n"
    assert filled.safe == "a_long_name = safe(first.second(third))\n"
    assert _cut(filled.unsafe, filled.start, filled.end) == "load(first.second(third)"


def test_a_hole_whose_name_begins_like_another_is_its_own() -> None:
    filled = _filled(_template("f($A, $AB)", "g($AB, $A)", A="expr", AB="expr"), A="one", AB="two")
    assert (filled.unsafe, filled.safe) == ("f(one, two)\n", "g(two, one)\n")


def test_blocks_are_indented_and_places_after_them_move_down() -> None:
    template = _template(
        "try:\n    $BODY\nexcept:\n    pass", "try:\n    $BODY\nexcept Exception:\n    pass", BODY="block"
    )
    marked = Template(template.rule, 0, template.example, (2, 0), (2, 7))
    filled = _filled(marked, BODY="first()\nif second:\n    third()")
    assert filled.unsafe == "try:\n    first()\n    if second:\n        third()\nexcept:\n    pass\n"
    assert _cut(filled.unsafe, filled.start, filled.end) == "except:"


def test_real_lines_stand_at_the_indent_of_the_snippet() -> None:
    setup = "import x\n\ndef run(self):\n    $SNIPPET\n    return 1\n"
    template = _template("x.bad($X)", "x.good($X)", setup, X="expr")
    filled = fill(template, {"X": "value"}, (["before = 1", "if before:", "    go()"], ["after = 2"]))
    assert filled is not None
    assert filled.unsafe.split("\n") == [
        "import x",
        "",
        "def run(self):",
        "    before = 1",
        "    if before:",
        "        go()",
        "    x.bad(value)",
        "    after = 2",
        "    return 1",
        "",
    ]
    assert _cut(filled.unsafe, filled.start, filled.end) == "x.bad(value)"
    assert filled.safe == filled.unsafe.replace("bad", "good")


@pytest.mark.parametrize("place", [(0, 0), (0, 6), (1, 4), (1, 9), (2, 1)])
def test_a_place_of_the_filled_text_leads_back_to_the_template(place: tuple[int, int]) -> None:
    template = _template("open($X,\n    $Y, 1\n)", "shut($X)", X="expr", Y="expr")
    values = {"X": "some_path", "Y": "mode_of(x)"}
    marked = Template(template.rule, 0, template.example, place, place)
    filled = _filled(marked, **values)
    back = place_in_template(template.example.unsafe, values, filled.start.line - 1, filled.start.col - 1)
    again = _filled(Template(template.rule, 0, template.example, back, back), **values)
    assert again.start == filled.start


def test_random_values_avoid_the_names_of_the_template() -> None:
    example = _template("data = $N(other)", "data = $N(None, other)", "", N="name").example
    names = iter(["data", "other", "None", "fresh"])
    values = random_values(example, {"name": lambda: next(names)}, random.Random(1))  # type: ignore[dict-item]
    assert values == {"N": "fresh"}


_SAMPLE = 45


def test_the_place_of_a_random_expansion_is_what_the_engine_flags() -> None:
    """Real values, no surroundings: what is flagged depends on nothing but the snippet and its setup."""
    critic, random_ = open_critic(), random.Random(4)
    chosen = set(random_.sample(sorted(rules().by_id), _SAMPLE))
    templates = [lesson.template for lesson in lessons(critic, chosen) if lesson.template is not None]
    assert len({template.rule.id for template in templates}) > _SAMPLE * 2 / 3
    draw = dict(hole_values(ingredients(), random_))
    # A value can be harmless by itself (a constant, a name that a rule knows); such a one is no test of places.
    draw["expr"] = lambda: random_.choice(("self.request_value", "payload", "request_data[key]", "build_value(a, b)"))
    made = [(template, fill(template, random_values(template.example, draw, random_))) for template in templates]
    cases = [(template, filled) for template, filled in made if filled is not None and _parses(filled.unsafe)]
    assert len(cases) > len(templates) * 0.9
    sources = [decode(f"case_{n}.py", filled.unsafe.encode()) for n, (_template, filled) in enumerate(cases)]
    wrong, missed = [], []
    for (template, filled), analysis in zip(cases, critic.analyse_sources(sources, Deadline(None)), strict=True):
        places = {(match.start, match.end) for match in analysis.matches if match.rule_id == template.rule.id}
        if not places:
            missed.append(template.rule.id)
        elif (filled.start, filled.end) not in places:
            wrong.append((template.rule.id, template.number, filled.unsafe, filled.start, filled.end, places))
    assert not wrong
    assert len(missed) < len(cases) / 6, missed


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


_RENAMES = Example(
    unsafe="for entry in $X:\n    total = total + entry.total\n    show(f\"{entry}: {{entry}} {total!r} {ask('entry: ')}\", sep=total)\n",
    safe="for entry in $X:\n    total = total.add(entry.total, len(entry))\n",
    setup="import entries\nfrom shop import basket as cart\n\ndef run(self, total):\n    cart.total = total\n    $SNIPPET\n",
    holes={"X": "expr"},
)


def _all_renamed(example: Example, names: list[str]) -> Example:
    """The example with every name changed that can be: the draw is repeated until all fall."""
    found = [renamed(example, names, random.Random(seed)) for seed in range(40)]
    return max(found, key=lambda each: sum(name in each.unsafe for name in names))


def test_names_change_on_both_sides_and_in_the_setup_alike() -> None:
    example = _all_renamed(_RENAMES, ["fresh_one", "fresh_two", "fresh_three"])
    new = re.findall(r"\bfresh_\w+", example.unsafe)
    assert len(set(new)) == 2
    item, total = new[0], next(name for name in new if name != new[0])
    assert example.safe == f"for {item} in $X:\n    {total} = {total}.add({item}.total, len({item}))\n"
    assert f"def run(self, {total}):\n    cart.total = {total}\n" in example.setup


def test_strings_attributes_keywords_imports_and_builtins_keep_their_names() -> None:
    example = _all_renamed(_RENAMES, ["fresh_one", "fresh_two", "fresh_three"])
    assert ".total" in example.unsafe
    assert "{{entry}}" in example.unsafe
    assert "ask('entry: ')" in example.unsafe
    assert "sep=" in example.unsafe
    assert "import entries\nfrom shop import basket as cart\n" in example.setup
    assert "len(" in example.safe
    assert "show(" in example.unsafe
    assert "$X" in example.unsafe
    imports = Example(
        "import pickle\nvalue = pickle.load(source)\n", "import json as pickle\nvalue = pickle.load(source)\n", "", {}
    )
    for seed in range(30):
        assert renamed(imports, ["fresh"], random.Random(seed)).unsafe.startswith("import pickle\n")


def _shape(code: str, mapping: Mapping[str, str]) -> str:
    """The tree of a snippet with its names put back."""
    tree = ast.parse(re.sub(r"\$([A-Z]+)", r"\1", code))
    for node in ast.walk(tree):
        for field in ("id", "arg", "name"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                setattr(node, field, mapping.get(value, value))
    return ast.dump(tree)


def test_renaming_keeps_the_meaning_of_every_example_of_the_pack() -> None:
    """Put back, the new names give the old trees: no attribute, keyword, import or text was touched."""
    changed = 0
    for template in unproved_templates():
        names = [f"fresh{number}" for number in range(40)]
        example = renamed(template.example, names, random.Random(template.number))
        if example is template.example:
            continue
        changed += 1
        old_words = re.findall(r"\w+|[^\w\s]", f"{template.example.unsafe} {template.example.safe}")
        new_words = re.findall(r"\w+|[^\w\s]", f"{example.unsafe} {example.safe}")
        pairs = {(new, old) for old, new in zip(old_words, new_words, strict=True) if old != new}
        mapping = dict(pairs)
        assert len(mapping) == len(pairs), template.rule.id
        assert set(mapping) <= set(names), template.rule.id
        for before, after in ((template.example.unsafe, example.unsafe), (template.example.safe, example.safe)):
            assert _shape(after, mapping) == _shape(before, {}), (template.rule.id, after)
    assert changed > 100


def test_the_flagged_place_moves_with_changed_names() -> None:
    template = _template("rows = check(rows) + call($X)", "rows = call($X)", X="expr")
    snippet = template.example.unsafe
    marked = Template(template.rule, 0, template.example, (0, snippet.index("call")), (0, len(snippet)))
    other = Example(snippet.replace("rows", "a_much_longer_name"), "", "", template.example.holes)
    after = moved(marked, Template(template.rule, 0, other, marked.start, marked.end))
    assert other.unsafe[after.start[1] : after.end[1]] == "call($X)"
