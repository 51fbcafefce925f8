"""Mutations: what each kind writes, and that the real engine flags its unsafe text, where it says, and not its safe one."""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from nootropic_bot.critique.critic import Critic, Deadline
from nootropic_bot.learn.blocks import checked_files, idle_handlers
from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.expansion import Filled
from nootropic_bot.learn.mutations import Mutation, mutations, nodes_of
from nootropic_bot.learn.planted import _PLANTS, planted
from nootropic_bot.learn.reshaped import _CALLS, defaults, stretched
from nootropic_bot.learn.sources import in_function, mutated
from nootropic_bot.learn.strings import Written
from nootropic_bot.learn.teachable import open_critic
from nootropic_bot.pynames import dotted
from nootropic_bot.records import Position
from nootropic_bot.source import decode
from tests.learn.code import files, ingredients

_CODE = """
import ast
import asyncio
import hashlib
import io
import json
import secrets
import socket
import subprocess

import requests
import torch
import yaml


class Gate:
    async def pass_by(self, value):
        await asyncio.sleep(value)
        return value


def compare(value, other, table):
    if value is None:
        return other is not None
    if value in table.fields:
        return value not in table or (value or other) is None
    return value == "text" or len(other) != 3 or isinstance(value, str) or isinstance(other, (int, Gate))


def read(path, payload, raw):
    with open(path, encoding="utf-8") as source:
        first = source.read()
    with io.open(path, "w", encoding="utf-8") as source:
        source.write(first)
    one = json.loads(payload)
    two = json.load(raw)
    three = yaml.safe_load(payload)
    signature = hashlib.sha256(payload).hexdigest()
    password = "".join(secrets.choice(payload) for _ in range(8))
    return one, two, three, signature, password, ast.literal_eval(payload), torch.load(path, weights_only=True)


def call(url, command):
    subprocess.run(command, check=True)
    done = subprocess.run(command, check=True)
    socket.create_connection((url, 80), timeout=30)
    try:
        requests.post(url, json={}, timeout=30)
        return requests.get(url, timeout=30), done
    except ValueError as error:
        raise RuntimeError(url) from error
    except KeyError as missing:
        if missing.args:
            raise
        try:
            command()
        except OSError:
            raise  # Another exception than `missing`.
    except Exception:
        pass
    raise NotImplementedError("no such call")
"""
_PLACE = """
def place(payload, tar):
    {}
"""


def _trees(text: str) -> tuple[ast.Module, list[str], CodeFile]:
    return ast.parse(text), text.split("\n"), CodeFile("own", "own.py", text)


def _mutations_of(text: str, seeds: range = range(30)) -> dict[tuple[str, str], Mutation]:
    """Every mutation of a text, whatever is drawn."""
    tree, lines, _file = _trees(text)
    return {(each.rule_id, each.unsafe): each for seed in seeds for each in mutations(tree, lines, random.Random(seed))}


def _code_of(text: str, made: Mutation | Written) -> Filled:
    tree, _lines, file = _trees(text)
    if isinstance(made, Mutation):
        code = mutated(file, tree, made)
    else:
        code = in_function(ingredients(), random.Random(0), made)
    assert code is not None, made
    return code


def _verdicts(critic: Critic, cases: list[tuple[str, Filled]]) -> Iterator[tuple[set[tuple[Position, Position]], bool]]:
    """What the rule flags in the unsafe text, and whether it flags anything at that place of the safe one."""
    sources = [
        decode(f"{n}_{side}.py", text.encode())
        for n, (_rule_id, code) in enumerate(cases)
        for side, text in (("unsafe", code.unsafe), ("safe", code.safe))
    ]
    analyses = critic.analyse_sources(sources, Deadline(None))
    for n, (rule_id, code) in enumerate(cases):
        found = {(match.start, match.end) for match in analyses[2 * n].matches if match.rule_id == rule_id}
        after = [match for match in analyses[2 * n + 1].matches if match.rule_id == rule_id]
        yield found, any(code.start.line <= match.start.line <= code.end.line for match in after)


@pytest.fixture(scope="module")
def critic() -> Critic:
    return open_critic()


def test_each_kind_of_undoing_is_flagged_where_it_says(critic: Critic) -> None:
    found = _mutations_of(_CODE)
    rules = Counter(rule_id for rule_id, _unsafe in found)
    assert set(rules) == {
        "bare-except",
        "eval-exec-use",
        "exception-without-raise",
        "http-call-without-timeout",
        "identity-not-is",
        "insecure-random",
        "is-literal",
        "is-literal-negated",
        "jsonpickle-decode",
        "keys-membership",
        "lost-exception-cause",
        "marshal-load",
        "membership-not-in",
        "missing-await",
        "none-comparison",
        "none-comparison-negated",
        "open-without-encoding",
        "pickle-load",
        "raise-caught-exception-by-name",
        "raise-not-implemented-constant",
        "socket-without-timeout",
        "subprocess-unchecked-run",
        "torch-load-unsafe",
        "type-comparison",
        "weak-hash",
        "yaml-unsafe-load",
    }
    cases = [(rule_id, _code_of(_CODE, each)) for (rule_id, _unsafe), each in sorted(found.items())]
    for (rule_id, code), (places, is_flagged_after) in zip(cases, _verdicts(critic, cases), strict=True):
        assert (code.start, code.end) in places, (rule_id, code.unsafe.split("\n")[code.start.line - 1], code, places)
        assert not is_flagged_after, (rule_id, code.safe)


def test_each_planted_call_is_flagged_where_it_says(critic: Critic) -> None:
    """`signature = load(payload)` and `load(payload)`: one of them bears every call of the table."""
    found: dict[str, tuple[str, Mutation]] = {}
    for text in (_PLACE.format("signature = load(payload)\n    return signature"), _PLACE.format("load(payload)")):
        tree, lines, _file = _trees(text)
        for seed in range(400):
            for each in planted(tree, lines, random.Random(seed)):
                found.setdefault(each.unsafe, (text, each))
    assert {plant.unsafe.replace("@", "payload") for plant in _PLANTS} == set(found)
    cases = [(each.rule_id, _code_of(text, each)) for text, each in found.values()]
    for (rule_id, code), (places, is_flagged_after) in zip(cases, _verdicts(critic, cases), strict=True):
        assert (code.start, code.end) in places, (rule_id, code.unsafe, code.start, code.end, places)
        assert not is_flagged_after, (rule_id, code.safe)


def test_each_request_and_each_stretched_call_is_flagged(critic: Critic) -> None:
    request = _PLACE.format("return client.get(payload)")
    tree, lines, _file = _trees(request)
    found: dict[str, tuple[str, Mutation | Written]] = {}
    for seed in range(100):
        for each in planted(tree, lines, random.Random(seed)):
            if each.rule_id == "http-call-without-timeout":
                found.setdefault(each.unsafe, (request, each))
    assert len(found) == 8
    wide = _PLACE.format("client.get(\n        # The first.\n        payload,\n    )")
    tree, lines, _file = _trees(wide)
    for seed in range(200):
        for made in stretched(tree, lines, random.Random(seed)):
            found.setdefault(made.unsafe, (wide, made))
    assert len(found) == 8 + len(_CALLS)
    cases = [(each.rule_id, _code_of(text, each)) for text, each in found.values()]
    for (rule_id, code), (places, is_flagged_after) in zip(cases, _verdicts(critic, cases), strict=True):
        assert (code.start, code.end) in places, (rule_id, code.unsafe, places)
        assert not is_flagged_after, (rule_id, code.safe)


def test_a_mutable_default_is_flagged_and_its_guard_is_not(critic: Critic) -> None:
    text = '''
def first(name, words=None, *, more=None):
    """Docstring."""
    return [name, words, more]


def second(
    name,
    found=None,
):
    # A comment.
    found.append(name)
'''
    tree, lines, _file = _trees(text)
    made = {each.unsafe: each for seed in range(60) for each in defaults(tree, lines, random.Random(seed))}
    cases = [(each.rule_id, _code_of(text, each)) for each in made.values()]
    assert len(cases) > 6
    for (_rule_id, code), (places, is_flagged_after) in zip(cases, _verdicts(critic, cases), strict=True):
        around = {(start, end) for start, end in places if start <= code.start and code.end <= end}
        assert around, (code, places)
        assert not is_flagged_after, code.safe


def test_an_idle_handler_and_a_checked_file_are_flagged_where_they_say(critic: Critic) -> None:
    text = """
def first(self, path, names):
    # Why it is so.
    try:
        self.names = names[path]
    except KeyError:
        self.names = []
        raise
    finally:
        self.done = True
    with open(path, "rb") as source:
        self.data = source.read()
    os.unlink(self.path)
"""
    tree, lines, _file = _trees(text)
    makers = (idle_handlers, checked_files)
    made = {
        each.unsafe: each for seed in range(80) for maker in makers for each in maker(tree, lines, random.Random(seed))
    }
    assert {each.rule_id for each in made.values()} == {"swallowed-exception", "toctou-access"}
    assert len(made) > 30
    cases = [(each.rule_id, _code_of(text, each)) for each in made.values()]
    for (rule_id, code), (places, is_flagged_after) in zip(cases, _verdicts(critic, cases), strict=True):
        assert (code.start, code.end) in places, (rule_id, code.unsafe, code.start, code.end, places)
        assert not is_flagged_after, (rule_id, code.safe)


@pytest.mark.parametrize(
    "code",
    [
        "with open(path, 'w') as out:\n        out.write(text)",
        "with open(path, mode=mode) as out:\n        out.write(text)",
        "with open(f'{path}.x') as out:\n        out.write(text)",
        "os.rename(path, other)",
        "try: call()\n    except ValueError: pass",
    ],
)
def test_what_writes_or_stands_on_one_line_makes_no_block(code: str) -> None:
    tree, lines, _file = _trees(f"def f(path, other, mode, text):\n    {code}\n")
    found = [*idle_handlers(tree, lines, random.Random(1)), *checked_files(tree, lines, random.Random(1))]
    assert not found


def test_most_mutations_of_real_code_are_flagged(critic: Critic) -> None:
    """Rules that decide by names or by what is known of a function can't flag all; none flags the original."""
    random_ = random.Random(6)
    cases = []
    for file in random_.sample(files(), 40):
        tree, lines = ast.parse(file.text), file.text.split("\n")
        found = [*mutations(tree, lines, random_), *planted(tree, lines, random_)]
        for each in random_.sample(found, min(2, len(found))):
            code = mutated(file, tree, each)
            if code is not None and each.rule_id not in ("weak-hash", "missing-await"):
                cases.append((each.rule_id, code))
    assert len(cases) > 40
    verdicts = list(_verdicts(critic, cases))
    missed = [case[0] for case, (places, _after) in zip(cases, verdicts, strict=True) if not places]
    assert len(missed) < len(cases) / 8, missed
    for (rule_id, code), (places, is_flagged_after) in zip(cases, verdicts, strict=True):
        assert not places or (code.start, code.end) in places, (rule_id, code.unsafe, code.start, places)
        assert not is_flagged_after, (rule_id, code.safe)


def test_both_texts_of_real_code_parse_and_the_safe_one_is_the_original() -> None:
    random_ = random.Random(7)
    checked = 0
    for file in random_.sample(files(), 50):
        tree, lines = ast.parse(file.text), file.text.split("\n")
        for each in mutations(tree, lines, random_):
            line = lines[each.line - 1]
            assert line[each.first : each.last] == each.safe, each
            assert each.unsafe != each.safe
            changed = [
                *lines[: each.line - 1],
                line[: each.first] + each.unsafe + line[each.last :],
                *lines[each.line :],
            ]
            ast.parse("\n".join(changed))
            checked += 1
    assert checked > 300


@pytest.mark.parametrize(
    ("code", "unsafe"),
    [
        ("(a or b) is None", "(a or b) == None"),
        ("(a := b) is not None", "(a := b) != None"),
        ("a is (None)", "a == None"),
        ("(a if b else c) not in (d or e)", "not (a if b else c) in (d or e)"),
        ("a  not  in  b", "not a in b"),
        ("a=='x'", "a is 'x'"),
        ("a.b[c] != 3", "a.b[c] is not 3"),
        ("isinstance(a, B)", "type(a) == B"),
        ("isinstance(a.b, (B, c.D))", "type(a.b) in (B, c.D)"),
        ("not isinstance(a, B)", "type(a) == B"),
        ("not isinstance(a, B)", "type(a) != B"),
        ("not isinstance(a, (B, C))", "type(a) not in (B, C)"),
        ('(a / "b").read_text(encoding="utf-8")', '(a / "b").read_text()'),
        ('a.b.write_text(c, encoding="utf-8")', "a.b.write_text(c)"),
    ],
)
def test_both_sides_of_a_comparison_keep_their_parentheses(code: str, unsafe: str) -> None:
    assert unsafe in {text for _rule_id, text in _mutations_of(f"x = {code}\n")}


@pytest.mark.parametrize(
    "code",
    [
        "x = isinstance(a, B) == c",
        "x = isinstance(a, B).real",
        "x = isinstance(a, B | C)",
        "x = a is not b is None",
        "x = a == True",
        "x = a is b",
        'x = f"{a is None} {isinstance(a, B)}"',
        "raise Problem('NotImplementedError') from None",
        "return await call()",
        "x = open(path, encoding='latin-1')",
        "x = open(path, encoding='utf-8', errors='replace')",
        "x = requests.get(url, timeout=limit)",
        "x = subprocess.run(command, check=True)",
        "café = call(a is None)",
    ],
)
def test_what_can_not_be_undone_is_left_alone(code: str) -> None:
    assert not _mutations_of(f"async def f(a, b):\n    {code}\n", range(5))


def test_a_raise_keeps_its_words() -> None:
    found = _mutations_of("def f():\n    raise NotImplementedError('no Error')\n", range(1))
    assert ("raise-not-implemented-constant", "raise NotImplemented('no Error')") in found
    assert ("exception-without-raise", "NotImplementedError('no Error')") in found


@pytest.mark.parametrize(
    "code",
    [
        "load(x for x in payload)",
        "load(lambda: payload)",
        "load('text')",
        "load(*payload)",
        "load(payload, other)",
        "load(self)",
        "raise load(payload)",
        "await load(payload)",
        'x = f"{load(payload)}"',
    ],
)
def test_nothing_is_planted_around_what_is_no_argument(code: str) -> None:
    tree, lines, _file = _trees(f"async def f(self, payload):\n    {code}\n")
    assert not [each for seed in range(60) for each in planted(tree, lines, random.Random(seed))]


def test_a_difference_is_planted_only_where_it_holds_together() -> None:
    for code, expected in (
        ("x = load(payload)", True),
        ("x = load(payload).total", False),
        ("x = 2 * load(payload)", False),
    ):
        tree, lines, _file = _trees(f"def f(payload):\n    {code}\n")
        found = [each for seed in range(200) for each in planted(tree, lines, random.Random(seed))]
        assert any(each.unsafe.startswith("payload - ") for each in found) is expected, code
        assert found


def test_an_import_that_the_file_has_otherwise_forbids_the_mutation() -> None:
    made = Mutation("x", 4, 4, 5, "b", "a", imports=("import datetime",))
    for above, is_fine in (
        ("import datetime", True),
        ("import json", True),
        ("from datetime import datetime", False),
        ("import other as datetime", False),
    ):
        tree, _lines, file = _trees(f"{above}\n\ndef f(path):\n    a\n")
        assert (mutated(file, tree, made) is not None) is is_fine, above
    tree, _lines, file = _trees("import json\n\ndef f(datetime):\n    a\n")
    assert mutated(file, tree, made) is None


def test_futures_stay_at_the_top() -> None:
    tree, _lines, file = _trees("from __future__ import annotations\n\ndef f(path):\n    a\n")
    code = mutated(file, tree, Mutation("x", 4, 4, 5, "b", "a", imports=("import datetime",)))
    assert code is not None
    assert code.unsafe == "from __future__ import annotations\nimport datetime\ndef f(path):\n    b\n"
    compile(code.unsafe, "own.py", "exec")


def test_names_with_dots() -> None:
    tree = ast.parse("a.b.c(1)\na().b(1)\n")
    calls = [node for node, _parent in nodes_of(tree) if isinstance(node, ast.Call)]
    assert sorted(dotted(call.func) for call in calls) == ["", "a", "a.b.c"]
