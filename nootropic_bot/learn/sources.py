"""The four makers of pairs; `pairs.py` says what each is for."""

from __future__ import annotations

import ast
import builtins
import random
import re
from collections.abc import Iterator, Sequence

from nootropic_bot.learn.blocks import checked_files, idle_handlers
from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.expansion import Filled, Template, fill, random_values, renamed
from nootropic_bot.learn.ingredients import Ingredients, hole_values, surroundings
from nootropic_bot.learn.mutations import Mutation, mutations
from nootropic_bot.learn.pair import Pair, make_pair
from nootropic_bot.learn.planted import planted
from nootropic_bot.learn.remarks import remarked
from nootropic_bot.learn.reshaped import defaults, stretched
from nootropic_bot.learn.spacing import set_apart
from nootropic_bot.learn.strings import Written
from nootropic_bot.learn.synthetic import written
from nootropic_bot.records import Position

_SET_APART = 0.5


def from_template(have: Ingredients, random_: random.Random) -> Iterator[Pair]:
    """At most one pair from a template of a rule drawn at random."""
    template, filled = _expanded(have, random_)
    if filled is not None and _parses(filled.unsafe) and _parses(filled.safe):
        if random_.random() < _SET_APART:
            apart = set_apart(filled, *surroundings(have, random_))
            filled = apart if _parses(apart.unsafe) and _parses(apart.safe) else filled
        weakness = have.words.draw(template.rule, random_)
        pair = make_pair(template.rule.id, ("template", ""), weakness, remarked(filled, random_))
        if pair is not None and _is_answerable(pair, filled):
            yield pair


def _expanded(have: Ingredients, random_: random.Random) -> tuple[Template, Filled | None]:
    by_rule: dict[str, list[Template]] = {}
    for each in have.templates:
        by_rule.setdefault(each.rule.id, []).append(each)
    template = random_.choice(by_rule[random_.choice(sorted(by_rule))])
    example = renamed(template.example, have.material.names, random_) if random_.random() < 0.75 else template.example
    changed = Template(template.rule, template.number, example, template.start, template.end)
    if example is not template.example:
        changed = moved(template, changed)
    values = random_values(example, hole_values(have, random_), random_)
    return template, fill(changed, values, surroundings(have, random_))


def moved(old: Template, new: Template) -> Template:
    """The template with changed names, and the flagged place moved along: counted in tokens, which are the same."""

    def move(place: tuple[int, int]) -> tuple[int, int]:
        before = old.example.unsafe.rstrip("\n").split("\n")[place[0]]
        after = new.example.unsafe.rstrip("\n").split("\n")[place[0]]
        words = re.compile(r"\w+|\s+|[^\w\s]")
        count = len(words.findall(before[: place[1]]))
        return place[0], sum(len(word) for word in words.findall(after)[:count])

    return Template(new.rule, new.number, new.example, move(old.start), move(old.end))


def _is_answerable(pair: Pair, code: Filled) -> bool:
    """Whether the answer reads no name of the file that the prompt does not show: such an answer can't be known."""
    shown = {word for part in pair.prompt if isinstance(part, str) for word in re.findall(r"\w+", part)}
    return _assumed(code) <= shown


def _assumed(code: Filled) -> set[str]:
    """The names that only the safe text reads, and that neither an import nor the safe text itself makes known."""
    before, after = ast.parse(code.unsafe), ast.parse(code.safe)
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(after)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    new = _names(after, ast.Load) - _names(before, ast.Load) - imported - set(dir(builtins))
    return new - (_names(after, ast.Store) - _names(before, ast.Store))


def _names(tree: ast.Module, context: type[ast.expr_context]) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def from_written(have: Ingredients, random_: random.Random) -> Iterator[Pair]:
    """At most one pair of a command or a query, in a function between real statements."""
    made = written(random_, have.material.expressions, have.material.names)
    yield from _pair_of(have, random_, made.rule_id, ("synthetic", ""), in_function(have, random_, made))


def _pair_of(
    have: Ingredients, random_: random.Random, rule_id: str, origin: tuple[str, str], code: Filled | None
) -> Iterator[Pair]:
    if code is not None:
        pair = make_pair(rule_id, origin, have.words.draw(have.rules[rule_id], random_), remarked(code, random_))
        if pair is not None:
            yield pair


def in_function(have: Ingredients, random_: random.Random, made: Written) -> Filled | None:
    """The statement in a function of its own, between real statements; None where that does not parse."""
    before, after = surroundings(have, random_)
    head = [*made.imports, "", f"def {random_.choice(have.material.names)}(self):", *("    " + line for line in before)]
    tail = ["    " + line for line in after]
    texts = []
    for snippet in (made.unsafe, made.safe):
        texts.append("\n".join([*head, *("    " + line for line in snippet.split("\n")), *tail]) + "\n")
    start = Position(len(head) + made.start[0] + 1, made.start[1] + 5)
    end = Position(len(head) + made.end[0] + 1, made.end[1] + 5)
    return Filled(texts[0], texts[1], start, end) if all(map(_parses, texts)) else None


def from_mutations(have: Ingredients, random_: random.Random, balance: dict[str, int]) -> Iterator[Pair]:
    """A few pairs from one real file, rare rules before frequent ones."""
    file = random_.choice(have.files)
    tree, lines = ast.parse(file.text), file.text.split("\n")
    found: list[Mutation | Written] = [*mutations(tree, lines, random_), *planted(tree, lines, random_)]
    for maker in (stretched, defaults, idle_handlers, checked_files):
        found += maker(tree, lines, random_)
    random_.shuffle(found)
    for each in sorted(found, key=lambda each: balance.get(each.rule_id, 0))[:6]:
        middle = sorted(balance.values())[len(balance) // 2] if balance else 0
        if balance.get(each.rule_id, 0) > 200 + 4 * middle:
            continue
        code = in_function(have, random_, each) if isinstance(each, Written) else mutated(file, tree, each)
        for pair in _pair_of(have, random_, each.rule_id, ("mutation", file.package), code):
            balance[each.rule_id] = balance.get(each.rule_id, 0) + 1
            yield pair


def mutated(file: CodeFile, tree: ast.Module, mutation: Mutation) -> Filled | None:
    """The function around the mutation, under the file's imports, in both forms; None where that makes no sense."""
    lines = file.text.split("\n")
    function = _around(tree, mutation.line)
    if function is None or _has_other(function, tree, mutation.imports):
        return None
    first, last, indent = function.lineno, function.end_lineno or function.lineno, function.col_offset
    if last - first > 150 or any(line and not line.startswith(" " * indent) for line in lines[first - 1 : last]):
        return None
    imports = [*mutation.imports, *(ast.unparse(n) for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom))]
    head = sorted(dict.fromkeys(imports), key=lambda line: not line.startswith("from __future__"))
    texts = []
    for new in (mutation.unsafe, mutation.safe):
        body = lines[first - 1 : last]
        line = body[mutation.line - first]
        body[mutation.line - first] = line[: mutation.first] + new + line[mutation.last :]
        texts.append("\n".join([*head, *(each[indent:] for each in body)]) + "\n")
    if not all(map(_parses, texts)):
        return None
    row, col = len(head) + mutation.line - first + 1, mutation.first - indent + 1
    start = mutation.flag_from or (mutation.line, mutation.first)
    begin = Position(row + start[0] - mutation.line, start[1] - indent + 1)
    length = len(mutation.unsafe) if mutation.flag_length is None else mutation.flag_length
    return Filled(texts[0], texts[1], begin, Position(row, col + length))


def _has_other(function: ast.AST, tree: ast.Module, imports: Sequence[str]) -> bool:
    """Whether what these imports bind is something else in the file or the function."""
    wanted = dict(_bindings(ast.parse("\n".join(imports))))
    bound = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return bool(bound & wanted.keys()) or any(wanted.get(name, origin) != origin for name, origin in _bindings(tree))


def _bindings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What import statements bind, and to what."""
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            module = f"{node.module}:" if isinstance(node, ast.ImportFrom) else ""
            name = alias.asname or alias.name.partition(".")[0]
            yield name, module + (alias.name if alias.asname or module else name)


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
    yield from _already_fixed(have, random_) if random_.random() < 0.5 else _unrelated(have, random_)


def _already_fixed(have: Ingredients, random_: random.Random) -> Iterator[Pair]:
    template, filled = _expanded(have, random_)
    if filled is None or not _parses(filled.safe):
        return
    lines = filled.safe.split("\n")
    end = max(filled.start.line, filled.end.line + len(lines) - len(filled.unsafe.split("\n")))
    code = Filled(filled.safe, filled.safe, Position(filled.start.line, 1), Position(end, len(lines[end - 1]) + 1))
    yield from _pair_of(have, random_, template.rule.id, ("negative", ""), code)


def _unrelated(have: Ingredients, random_: random.Random) -> Iterator[Pair]:
    file = random_.choice(have.files)
    tree = ast.parse(file.text)
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.Expr | ast.Return)]
    if statements:
        node = random_.choice(statements)
        end = Position(node.end_lineno or node.lineno, (node.end_col_offset or 0) + 1)
        code = Filled(file.text, file.text, Position(node.lineno, node.col_offset + 1), end)
        rule_id = random_.choice(sorted(have.rules))
        yield from _pair_of(have, random_, rule_id, ("negative", file.package), code)
