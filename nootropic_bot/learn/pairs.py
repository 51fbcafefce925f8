"""Training pairs: a finding in its context, and the lines that a careful author would write instead.

From four sources, so that the model learns the weakness and not the sample:

template    the examples of the rules, their holes and local names filled from real code, between real statements
mutation    real code with a fix undone (`mutations.py`); the real text is the answer
synthetic   commands and queries written in the many ways people write them (`synthetic.py`)
negative    findings for which no fix is right, or which is none: the answer is empty

What is wrong is said in the rule's own words, in paraphrases (`paraphrases.toml`), in part, or not at all, and never by
the rule's id, so that findings of other people's rules are read the same way.
"""

from __future__ import annotations

import ast
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.expansion import Template, fill, random_values, renamed
from nootropic_bot.learn.material import Material
from nootropic_bot.learn.mutations import Mutation, defaults, mutations, stretched
from nootropic_bot.learn.synthetic import Written, written
from nootropic_bot.models.base import Prompt, Special
from nootropic_bot.models.fixer import answer_parts, encode
from nootropic_bot.records import Match, Position, Rule
from nootropic_bot.resources import read_toml
from nootropic_bot.source import decode
from nootropic_bot.templates import HoleType
from nootropic_bot.window import Mark, changes_of, window_of

PARAPHRASES = Path(__file__).with_name("paraphrases.toml")
_SHARES = {"template": 0.58, "mutation": 0.2, "synthetic": 0.17, "negative": 0.05}


@dataclass(frozen=True, slots=True)
class Pair:
    """One example. `source` is one of the four above; `package` says whose code it borrows, where it is one's."""

    rule_id: str
    source: str
    package: str
    prompt: Prompt
    answer: Prompt

    def to_json(self) -> str:
        """One line; control tokens are objects."""
        parts = {"prompt": _plain(self.prompt), "answer": _plain(self.answer)}
        return json.dumps({"rule": self.rule_id, "source": self.source, "package": self.package, **parts})


def _plain(prompt: Prompt) -> list[object]:
    return [{"special": part.token} if isinstance(part, Special) else part for part in prompt]


def from_json(line: str) -> Pair:
    """What `to_json` wrote."""
    data = json.loads(line)

    def parts(name: str) -> Prompt:
        return tuple(Special(each["special"]) if isinstance(each, dict) else each for each in data[name])

    return Pair(data["rule"], data["source"], data["package"], parts("prompt"), parts("answer"))


@dataclass(frozen=True, slots=True)
class Words:
    """How weaknesses are worded. `held_out` serves evaluation only."""

    train: Mapping[str, Sequence[str]]
    held_out: Mapping[str, Sequence[str]]

    def draw(self, rule: Rule, random_: random.Random) -> str:
        """One wording for a training pair."""
        kind = random_.random()
        if kind < 0.45 and self.train.get(rule.id):
            return random_.choice(self.train[rule.id])
        sentences = re.split(r"(?<=[.!?]) ", rule.message)
        if kind < 0.55 and rule.cwe:
            return rule.cwe[0].partition(": ")[2]
        if kind < 0.7:
            return random_.choice(sentences)
        return "" if kind < 0.74 else rule.message


def load_words() -> Words:
    """The paraphrases of the pack's messages."""
    table = read_toml(PARAPHRASES)
    return Words(
        {rule: entry["train"] for rule, entry in table.items()}, {rule: entry["held_out"] for rule, entry in table.items()}
    )


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a generator of pairs needs: templates and rules, one split's code and pieces, and wordings."""

    templates: Sequence[Template]
    rules: Mapping[str, Rule]
    files: Sequence[CodeFile]
    material: Material
    words: Words


def generate(have: Ingredients, count: int, seed: int) -> Iterator[Pair]:
    """`count` pairs, no two alike, the same for the same seed."""
    random_ = random.Random(seed)
    makers: Mapping[str, Callable[[], Iterator[Pair]]] = {
        "template": lambda: from_template(have, random_),
        "synthetic": lambda: from_written(have, random_),
        "mutation": lambda: from_mutations(have, random_, balance),
        "negative": lambda: from_nothing(have, random_),
    }
    balance: dict[str, int] = {}
    seen: set[bytes] = set()
    made = dict.fromkeys(makers, 0)
    total = 0
    while total < count:
        source = min(makers, key=lambda name: made[name] / _SHARES[name])
        made[source] += 1  # A maker that comes back empty-handed has had its turn.
        for pair in makers[source]():
            made[source] += 1
            digest = hashlib.blake2b(repr((pair.prompt, pair.answer)).encode("utf-8", "replace"), digest_size=12).digest()
            if digest not in seen and total < count:
                seen.add(digest)
                total += 1
                yield pair


def make_pair(rule_id: str, origin: tuple[str, str], weakness: str, texts: tuple[str, str], place: tuple[Position, Position]) -> Pair | None:
    """A pair from the unsafe and the safe text of a file; None where the change does not lie in the window."""
    try:
        source = decode("corpus.py", texts[0].encode())
    except (ValueError, UnicodeError):
        return None
    window = window_of(source, Match(rule_id, place[0], place[1], 0, 0, weakness, ""))
    if window is None:
        return None
    if hash_of(texts[0]) % 8 == 0:  # Other people's rules flag other ranges: now and then the whole statement is marked.
        last = len(window.items) - 1
        window = replace(window, start=Mark(0, 0), end=Mark(last, len(window.items[last].text)))
    changes = changes_of(window, source.lines, texts[1].splitlines(keepends=True))
    if changes is None:
        return None
    return Pair(rule_id, *origin, encode(weakness, window), answer_parts(changes))


def hash_of(text: str) -> int:
    """A number that is the same in every run."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).digest(), "big")


def hole_values(have: Ingredients, random_: random.Random) -> Mapping[HoleType, Callable[[], str]]:
    """How a hole of each type is filled: names more often than whole expressions, as people write."""
    material = have.material

    def expression() -> str:
        return random_.choice(material.names if random_.random() < 0.4 else material.expressions)

    def block() -> str:
        return "\n".join(line for statement in material.neighbours(random_, 2) for line in statement)

    return {
        "expr": expression,
        "name": lambda: random_.choice(material.names),
        "str": lambda: random_.choice(material.strings),
        "int": lambda: random_.choice(material.numbers),
        "block": block,
    }


def surroundings(have: Ingredients, random_: random.Random) -> tuple[list[str], list[str]]:
    """Real statements to stand before and after a snippet."""
    sides = []
    for most in (3, 2):
        statements = have.material.neighbours(random_, most) if random_.random() < 0.8 else []
        sides.append([line for statement in statements for line in statement])
    return sides[0], sides[1]


def from_template(have: Ingredients, random_: random.Random) -> Iterator[Pair]:
    """At most one pair from a template of a rule drawn at random."""
    by_rule: dict[str, list[Template]] = {}
    for template in have.templates:
        by_rule.setdefault(template.rule.id, []).append(template)
    template = random_.choice(by_rule[random_.choice(sorted(by_rule))])
    example = renamed(template.example, have.material.names, random_) if random_.random() < 0.75 else template.example
    changed = Template(template.rule, template.number, example, template.start, template.end)
    if example is not template.example:
        changed = moved(template, changed)
    filled = fill(changed, random_values(example, hole_values(have, random_), random_), surroundings(have, random_))
    if filled is not None and _parses(filled.unsafe) and _parses(filled.safe):
        weakness = have.words.draw(template.rule, random_)
        pair = make_pair(
            template.rule.id, ("template", ""), weakness, (filled.unsafe, filled.safe), (filled.start, filled.end)
        )
        if pair is not None:
            yield pair


def moved(old: Template, new: Template) -> Template:
    """The template whose names were changed, with the flagged place moved along: counted in tokens, which are the same."""

    def move(place: tuple[int, int]) -> tuple[int, int]:
        before = old.example.unsafe.rstrip("\n").split("\n")[place[0]]
        after = new.example.unsafe.rstrip("\n").split("\n")[place[0]]
        words = re.compile(r"\w+|\s+|[^\w\s]")
        count = len(words.findall(before[: place[1]]))
        return place[0], sum(len(word) for word in words.findall(after)[:count])

    return Template(new.rule, new.number, new.example, move(old.start), move(old.end))


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def from_written(have: Ingredients, random_: random.Random) -> Iterator[Pair]:
    """At most one pair of a command or a query, in a function between real statements."""
    yield from _set_in_code(have, random_, written(random_, have.material.expressions, have.material.names), "synthetic", "")


def _set_in_code(have: Ingredients, random_: random.Random, made: Written, source: str, package: str) -> Iterator[Pair]:
    before, after = surroundings(have, random_)
    head = [*made.imports, "", f"def {random_.choice(have.material.names)}(self):", *("    " + line for line in before)]
    tail = ["    " + line for line in after]
    texts = []
    for snippet in (made.unsafe, made.safe):
        texts.append("\n".join([*head, *("    " + line for line in snippet.split("\n")), *tail]) + "\n")
    if _parses(texts[0]) and _parses(texts[1]):
        start = Position(len(head) + made.start[0] + 1, made.start[1] + 5)
        end = Position(len(head) + made.end[0] + 1, made.end[1] + 5)
        rule = have.rules[made.rule_id]
        pair = make_pair(rule.id, (source, package), have.words.draw(rule, random_), (texts[0], texts[1]), (start, end))
        if pair is not None:
            yield pair


def from_mutations(have: Ingredients, random_: random.Random, balance: dict[str, int]) -> Iterator[Pair]:
    """A few pairs from one real file, rare rules before frequent ones."""
    file = random_.choice(have.files)
    tree, lines = ast.parse(file.text), file.text.split("\n")
    found: list[Mutation | Written] = [*mutations(tree, lines, random_), *stretched(tree, lines, random_)]
    found += defaults(tree, lines, random_)
    random_.shuffle(found)
    for mutation in sorted(found, key=lambda each: balance.get(each.rule_id, 0))[:6]:
        middle = sorted(balance.values())[len(balance) // 2] if balance else 0
        if balance.get(mutation.rule_id, 0) > 200 + 4 * middle:
            continue
        pairs = (
            _mutated(have, random_, file, tree, mutation)
            if isinstance(mutation, Mutation)
            else _set_in_code(have, random_, mutation, "mutation", file.package)
        )
        for pair in pairs:
            balance[mutation.rule_id] = balance.get(mutation.rule_id, 0) + 1
            yield pair


def _mutated(have: Ingredients, random_: random.Random, file: CodeFile, tree: ast.Module, mutation: Mutation) -> Iterator[Pair]:
    """The function around the mutation, under the file's imports, in both forms."""
    lines = file.text.split("\n")
    function = _around(tree, mutation.line)
    if function is None:
        return
    first, last = function.lineno, function.end_lineno or function.lineno
    if last - first > 150 or any(line and not line.startswith(" " * function.col_offset) for line in lines[first - 1 : last]):
        return
    imports = [*mutation.imports, *(ast.unparse(n) for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom))]
    head = list(dict.fromkeys(imports))
    texts = []
    for new in (mutation.unsafe, mutation.safe):
        body = lines[first - 1 : last]
        line = body[mutation.line - first]
        body[mutation.line - first] = line[: mutation.first] + new + line[mutation.last :]
        texts.append("\n".join([*head, *(each[function.col_offset :] for each in body)]) + "\n")
    if not (_parses(texts[0]) and _parses(texts[1])):
        return
    row = len(head) + mutation.line - first + 1
    col = mutation.first - function.col_offset + 1
    start = mutation.flag_from
    begin = Position(row + start[0] - mutation.line, start[1] - function.col_offset + 1) if start else Position(row, col)
    length = len(mutation.unsafe) if mutation.flag_length is None else mutation.flag_length
    place = begin, Position(row, col + length)
    rule = have.rules[mutation.rule_id]
    weakness = have.words.draw(rule, random_)
    pair = make_pair(rule.id, ("mutation", file.package), weakness, (texts[0], texts[1]), place)
    if pair is not None:
        yield pair


def _around(tree: ast.Module, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The outermost function around a line."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) or 0
        if not first <= line <= last:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return node
        pending += list(ast.iter_child_nodes(node))
    return None


def from_nothing(have: Ingredients, random_: random.Random) -> Iterator[Pair]:
    """A finding that does not hold: real code under a weakness that it doesn't have, or already fixed code."""
    if random_.random() < 0.5:
        for pair in from_template(have, random_):
            template = next(each for each in have.templates if each.rule.id == pair.rule_id)
            values = random_values(template.example, hole_values(have, random_), random_)
            filled = fill(template, values, surroundings(have, random_))
            if filled is None or not _parses(filled.safe):
                return
            start = filled.start.line
            end = min(filled.end.line, filled.safe.count("\n"))
            line = filled.safe.split("\n")[end - 1]
            place = Position(start, 1), Position(max(start, end), len(line) + 1)
            texts = filled.safe, filled.safe
            made = make_pair(pair.rule_id, ("negative", ""), have.words.draw(template.rule, random_), texts, place)
            if made is not None:
                yield made
        return
    file = random_.choice(have.files)
    statements = [node for node in ast.walk(ast.parse(file.text)) if isinstance(node, ast.Assign | ast.Expr | ast.Return)]
    if statements:
        node = random_.choice(statements)
        rule = have.rules[random_.choice(sorted(have.rules))]
        place = Position(node.lineno, node.col_offset + 1), Position(node.end_lineno or node.lineno, (node.end_col_offset or 0) + 1)
        origin = "negative", file.package
        made = make_pair(rule.id, origin, have.words.draw(rule, random_), (file.text, file.text), place)
        if made is not None and rule.message:
            yield made
