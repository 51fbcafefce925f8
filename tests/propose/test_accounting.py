"""What a small model's fix may bring in, lose and repeat: what the examples of the rule do."""

from __future__ import annotations

import pytest

from nootropic_bot.propose.accounting import Ledger, ledger_of, restored, unaccounted, words
from nootropic_bot.propose.examples import examples_of, ledgers_of
from nootropic_bot.records import Rule
from nootropic_bot.resources import bundled_rules
from nootropic_bot.rulefiles import find_rule_files, load_rules
from nootropic_bot.templates import SAMPLES, Example

RULES = load_rules(find_rule_files(bundled_rules()), None).by_id


def ledger(rule_id: str) -> Ledger:
    (found,) = ledgers_of(RULES[rule_id])
    return found


@pytest.mark.parametrize(
    ("rule_id", "old", "new", "problem"),
    [
        ("path-read-without-encoding", "x = (a / 'data' / 'b').read_text()", "x = (a / 'data' / 'b').read_text(encoding='utf-8')", None),
        ("path-read-without-encoding", "x = (a / 'data' / 'b').read_text()", "x = (a / 'b').read_text(encoding='utf-8')", {"data": "lost"}),
        ("cookie-without-flags", "r.set_cookie('a', b'bar')", "r.set_cookie('a', b'bar', b'bar')", {"bar": "repeated"}),
        ("cookie-without-flags", "r.set_cookie('a', v)", "r.set_cookie('a', v, secure=True, httponly=True, samesite='Lax')", None),
        ("cookie-without-flags", "r.set_cookie('a', v)", "r.set_cookie('a', v, timeout=30)", {"timeout": "from nowhere", "30": "from nowhere"}),
        ("hardcoded-secret-key", "KEY = 'abc'", "KEY = os.environ['APP_KEY']", None),
        ("hardcoded-secret-key", "KEY = 'abc'", "KEY = vault_of(team)", {"vault_of": "from nowhere", "team": "from nowhere"}),
        ("mutable-default-argument", "def f(a, names=['x']):", "def f(a, names=None):\n    if names is None:\n        names = ['x']", None),
        ("mutable-default-argument", "def f(a, names=['x', 'y']):", "def f(a, names=None):\n    if names is None:\n        names = ['x']", {"y": "lost"}),
        ("weak-password-hash", "d = MD5.new(d + secret + salt)", "d = SHA256.new(d + ')', salt)", {")": "from nowhere", "SHA256": "from nowhere"}),
        ("hardcoded-secret-key", "API_KEY = 'abc'", "API_KEY = os.environ['S_RCCESS_KEY']", {"S_RCCESS_KEY": "from nowhere"}),
        ("permissive-file-mode", "os.chmod(p, 0o766)", "os.chmod(p, 0o755)", None),
    ],
)  # fmt: skip
def test_words_are_accounted_for_by_the_rules_examples(rule_id: str, old: str, new: str, problem: str | None) -> None:
    assert dict(unaccounted(ledger(rule_id), old, new, ())) == (problem or {})


@pytest.mark.parametrize(
    ("rule_id", "old", "new", "expected"),
    [
        (
            "path-read-without-encoding",
            "assert (a / 'data' / 'b').read_text() == 'x y'\n",
            "assert (a / 'b').read_text(encoding='utf-8') == 'x'\n",
            "assert (a / 'data' / 'b').read_text(encoding='utf-8') == 'x y'\n",
        ),
        (
            "http-call-without-timeout",
            "r = get(f'{host}/v1/items', headers=own)\n",
            "r = get(f'{host}/v1items', headers=own, timeout=30)\n",
            "r = get(f'{host}/v1/items', headers=own, timeout=30)\n",
        ),
        ("cookie-without-flags", "r.set_cookie('a', b'bar')\n", "r.set_cookie('a', b'bar', b'bar')\n", None),
        ("cookie-without-flags", "r.set_cookie('a', b'bar')\n", "   r.set_cookie('a', b'bar', b'bar')\n", None),
        (
            "cookie-without-flags",
            "r.set_cookie('a', b'bar')\n",
            "r.set_cookie('a', b'bar', b'bar', secure=True, httponly=True, samesite='Lax')\n",
            "r.set_cookie('a', b'bar', secure=True, httponly=True, samesite='Lax')\n",
        ),
    ],
)
def test_what_was_lost_comes_back_and_what_was_made_up_goes(
    rule_id: str, old: str, new: str, expected: str | None
) -> None:
    assert restored(ledger(rule_id), old, new, ()) == expected


def test_names_that_stand_around_the_statement_may_be_used() -> None:
    handler = "swallowed-exception", "pass", "LOG.exception('could not finish')"
    assert unaccounted(ledger(handler[0]), *handler[1:], ()) == {"LOG": "from nowhere"}
    assert unaccounted(ledger(handler[0]), *handler[1:], ("LOG = logging.getLogger(__name__)",)) == {}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_example_is_accounted_for_by_its_own_rule_whatever_fills_its_holes(rule: Rule) -> None:
    for example in examples_of(rule):
        bare = Example(example.unsafe, example.safe, "", example.holes)
        for number in range(max(map(len, SAMPLES.values()))):
            values = {hole: SAMPLES[kind][number % len(SAMPLES[kind])] for hole, kind in example.holes.items()}
            old, new = bare.expand("unsafe", values), bare.expand("safe", values)
            problems = unaccounted(ledger(rule.id), old, new, example.setup.splitlines())
            # What fills a hole may by chance be a local name of the example.
            assert problems.keys() <= words(" ".join(values.values())).keys()


def test_a_rule_without_examples_is_held_to_what_any_rule_of_the_pack_does() -> None:
    foreign = Rule("their.rule", "error", "m", ("python",))
    assert examples_of(foreign) == ()
    ledgers = ledgers_of(foreign)
    assert len(ledgers) > 100

    def is_fine(old: str, new: str) -> bool:
        return any(not unaccounted(each, old, new, ()) for each in ledgers)

    assert is_fine("x = yaml.load(body)", "x = yaml.safe_load(body)")
    assert is_fine("x = get(url, auth=a)", "x = get(url, auth=a, timeout=30)")
    assert not is_fine("x = yaml.load(body)", "x = yaml.safe_lode(body)")
    assert not is_fine("x = get(f'{host}/v1/items')", "x = get(f'{host}/v1items', timeout=30)")


def test_a_rule_of_the_repository_is_not_read_from_the_work_tree() -> None:
    assert examples_of(Rule("mine", "error", "m", ("python",), file="rules/mine.yaml")) == ()


def test_prefixes_and_escapes_of_texts_are_no_words() -> None:
    assert words(r"""f"{a}\nb" + rb'c'""") == {"a": 1, "b": 1, "c": 1}
    assert ledger_of([]) is None
