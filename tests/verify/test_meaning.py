"""What a model's fix must keep: conditions, arguments, defaults, used results, words. A rule's own fix is not asked."""

from __future__ import annotations

import pytest

from nootropic_bot.records import FixSource
from tests.support.cases import failed, make_case


def bounded(before: str, after: str, at: str = "", source: FixSource = "model") -> str:
    """Why the change of a function's body is not bounded; empty where it is."""
    setup = "import ast\nimport json\nimport hmac\nimport subprocess\nimport contextlib\n\n\ndef f(self, x, y, z):\n"
    one, other = (setup + "".join(f"    {line}\n" for line in text.split("\n")) for text in (before, after))
    case = make_case(one, other, at or before.split("\n")[0], source_of_fix=source)
    return failed(case).get("bounded", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return type(x) not in (list, dict)", "return isinstance(x, (list, dict))"),
        ("return type(x) in (list, dict)", "return not isinstance(x, (list, dict))"),
        ("if type(x) != int:\n    return y", "if isinstance(x, int):\n    return y"),
        ("while x == None:\n    x = y.next()", "while x is not None:\n    x = y.next()"),
        ("z = y if x != y else x", "z = y if x == y else x"),
        ("if x.token != self.token:\n    return y", "if hmac.compare_digest(x.token, self.token):\n    return y"),
    ],
)
def test_a_condition_may_not_be_turned_round(before: str, after: str) -> None:
    assert bounded(before, after) == "it turns a condition round"
    assert bounded(before, after, source="rule") == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return not x is None", "return x is not None"),
        ("return not x in y", "return x not in y"),
        ("return x == None", "return x is None"),
        ("return x != None", "return x is not None"),
        ("return None == x", "return x is None"),
        ("return x == False", "return not x"),
        ("return x != True", "return not x"),
        ("return x == True", "return x"),
        ("return len(x) == 0", "return not x"),
        ("return type(x) not in (list, dict)", "return not isinstance(x, (list, dict))"),
        ("return x.token != y", "return not hmac.compare_digest(x.token, y)"),
        ("assert self.check(x, y)", "if not self.check(x, y):\n    raise ValueError(x, y)"),
        ("if not self.has(x):\n    self.make(x)", "with contextlib.suppress(OSError):\n    self.make(x)"),
    ],
)
def test_the_same_condition_in_other_words_passes(before: str, after: str) -> None:
    assert bounded(before, after) == ""


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("y = open(x, 'w', newline='')", 'y = open(x, encoding="utf-8")', "`newline=` of `open`"),
        ("y = open(x, 'w')", 'y = open(x, encoding="utf-8")', "`'w'` of `open`"),
        ("self.get(x, headers=y)", "self.get(x, timeout=30)", "`headers=` of `self.get`"),
        ("subprocess.run(x, cwd=y, shell=True)", "subprocess.run([x], check=True)", "`cwd=` of `subprocess.run`"),
    ],
)
def test_a_setting_may_not_be_lost(before: str, after: str, lost: str) -> None:
    assert bounded(before, after) == f"{lost} is lost"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("subprocess.run(x, shell=True)", "subprocess.run([x])"),
        ("self.get(x, verify=False)", "self.get(x)"),
        ("self.decode(x, options={'verify': False}, key=y)", "self.decode(x, key=y)"),
        ("self.get(x, y, timeout=None)", "self.get(x, y)"),
        ("self.log('a %s', x)", "self.log('a', extra={'x': x})"),
        ("y = open(x, 'w')", "y = open(x, mode='w', encoding='utf-8')"),
        ("self.get(x, **y)", "self.get(x, timeout=3, **y)"),
        ("self.run(x, 'a'), self.run(y, 'b')", "self.run(x), self.run(y)"),
    ],
)
def test_an_argument_that_was_wrong_or_moved_may_go(before: str, after: str) -> None:
    assert bounded(before, after) == ""


def test_a_default_goes_on_to_the_body() -> None:
    before = "def g(a, b=['x', 'y'], *, c={}):\n    return a, b, c"
    kept = "def g(a, b=None, *, c={}):\n    if b is None:\n        b = ['x', 'y']\n    return a, b, c"
    lost = kept.replace("b = ['x', 'y']", "b = []")
    assert bounded(before, kept, "def g(") == ""
    assert bounded(before, lost, "def g(") == "the default `['x', 'y']` is lost"
    assert bounded(before, kept.replace("c={}", "c=None"), "def g(") == "the default `{}` is lost"
    whole = "def g(a, b=None, *, c={}):\n    return a, ['x', 'y'] if b is None else b, c"
    assert "default" not in bounded(before, whole, "def g(")


def test_a_guard_does_not_push_the_docstring_down() -> None:
    before = 'def f(items=[]):\n    """Doc."""\n    return items\n'
    after = 'def f(items=None):\n    if items is None:\n        items = []\n    """Doc."""\n    return items\n'
    assert "scope" in failed(make_case(before, after, "[]"))


@pytest.mark.parametrize(
    ("before", "after", "function"),
    [
        ("return eval(x, y, z)", "return ast.literal_eval(x, y, z)", "ast.literal_eval"),
        ("return type(x) == y", "return isinstance(x)", "isinstance"),
        ("return x == y", "return hmac.compare_digest(x)", "hmac.compare_digest"),
        ("return self.load(x, y)", "return json.loads(x, y)", "json.loads"),
        ("self.run(x)", "subprocess.check_call(x, 1, None, y, 1, 2, 3)", ""),
    ],
)
def test_a_function_that_comes_in_takes_what_it_is_given(before: str, after: str, function: str) -> None:
    assert bounded(before, after) == (f"`{function}` does not take these arguments" if function else "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return self.load(x)", "return json.loads(x)"),
        ("return self.load(x, *y)", "return json.loads(x, *y)"),
        ("return self.load(x)", "return other.loads(x, 1, 2)"),
        ("def isinstance(a):\n    return type(a) == x", "def isinstance(a):\n    return isinstance(a)"),
    ],
)
def test_a_call_that_is_right_or_unknown_passes(before: str, after: str) -> None:
    assert "arguments" not in bounded(before, after, before.split("\n")[-1].strip())


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("x = y.execute('a ' + z).fetchall()", "x = y.execute('a ?', (z,))", "`.fetchall()` of the result"),
        ("self.run(f'git push --force {x}')", "self.run(['git', 'push', x])", "`--force` of the text"),
        ("self.run('a b c d ' + x)", "self.run('a b d ' + x)", ""),
    ],
)
def test_results_and_words_stay(before: str, after: str, lost: str) -> None:
    at = "y.execute('a ' + z)" if "execute" in before else before
    assert bounded(before, after, at) == (f"{lost} is lost" if lost else "")
