"""Whether every word of a small model's fix is accounted for: by the statement, the lines around it, or the rule.

The examples of a rule say what its fixes bring in, take away and repeat. A fix that loses a word which no example takes
away, writes one twice which none repeats, or brings in one that stands nowhere, was copied with a mistake: small models
lose the middle of a path or run two words into one, and are sure of it. Larger models know other fixes than the
examples; they are not held to them.

Words are runs of letters, digits and underscores, of code and of texts alike; punctuation does not count.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from nootropic_bot.pynames import imported_names
from nootropic_bot.templates import SAMPLES, Example

# The prefix of a text (`f"…"`) is no word, nor is the letter of an escape (`\n`).
_NO_WORD = re.compile(r"""\b[bBfFrRuU]{1,2}(?=["'])|\\[abfnrtv]""")
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
_TEXT = re.compile(r"""(["'])(?:\\.|(?!\1).)*\1""")
_SETTING = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_READS_SETTING = frozenset({"environ", "getenv"})
# Stands for a hole's name while words are counted; no code has it.
_HOLE = "\N{LATIN SMALL LETTER O WITH STROKE}"


Problem = Literal["lost", "repeated", "from nowhere"]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a rule's examples do to words.

    `brings`: words of the safe sides, and by how many more at most an example has of them than on its unsafe side;
    `names`: local names there; `texts`: texts without words. `takes`: words that it has fewer of. `takes_any`,
    `takes_texts`, `takes_numbers`: it has fewer of a hole or local name, which can be any word; of a word in a text; of
    a number. `brings_any`, `repeats_any`: it has more of a hole or local name; of one that the unsafe side has, too.
    """

    brings: Mapping[str, int]
    names: frozenset[str]
    texts: frozenset[str]
    takes: frozenset[str]
    takes_any: bool
    takes_texts: bool
    takes_numbers: bool
    brings_any: bool
    repeats_any: bool


def ledger_of(examples: Iterable[Example]) -> Ledger | None:
    """The ledger of a rule; None where it has no examples."""
    brings: dict[str, int] = {}
    names: set[str] = set()
    texts: set[str] = set()
    takes: set[str] = set()
    in_texts: set[str] = set()
    takes_any = brings_any = repeats_any = False
    for example in examples:
        unsafe, safe = (_hide_holes(side, example) for side in (example.unsafe, example.safe))
        before, after = words(unsafe), words(safe)
        free = {word for word in before.keys() | after.keys() if word.startswith(_HOLE)} | _local_names(example)
        taken = {word for word in before if after[word] < before[word]}
        texts |= _wordless_texts(safe)
        for word in after.keys() - (free & before.keys()):
            brings[word] = max(brings.get(word, 0), after[word] - before[word])
        names |= after.keys() & free
        takes |= taken - free
        in_texts |= taken & words_of_texts(unsafe)
        takes_any |= bool(taken & free)
        brings_any |= any(word.startswith(_HOLE) and not before[word] for word in after)
        repeats_any |= any(after[word] > before[word] > 0 for word in free)
    if not brings and not takes:
        return None
    takes_numbers = any(word[0].isdigit() for word in takes)
    return Ledger(
        brings,
        frozenset(names),
        frozenset(texts),
        frozenset(takes),
        takes_any,
        bool(in_texts),
        takes_numbers,
        brings_any,
        repeats_any,
    )


def words(text: str) -> Counter[str]:
    """The words of a text, counted."""
    return Counter(_WORD.findall(_NO_WORD.sub(" ", text)))


def words_of_texts(code: str) -> set[str]:
    """The words that stand in the texts of a piece of code, as far as quotes tell."""
    return {word for found in _TEXT.finditer(code) for word in words(found[0])}


def unaccounted(ledger: Ledger, old: str, new: str, around: Sequence[str]) -> dict[str, Problem]:
    """The words of a fix that nothing accounts for, and what became of them.

    `old` and `new`: the changed lines. `around`: other lines that the model was shown.
    """
    before, after = words(old), words(new)
    free = words_of_texts(old) if ledger.takes_texts else set()
    nearby = words("\n".join(around)).keys() | ledger.names
    found: dict[str, Problem] = {}
    for word in before.keys() | after.keys():
        more = after[word] - before[word]
        if not before[word] and word not in ledger.brings:
            if not (word in nearby or ledger.brings_any or _is_setting(word, ledger, nearby | before.keys())):
                found[word] = "from nowhere"
        elif before[word] and more > ledger.brings.get(word, 0) and not ledger.repeats_any:
            found[word] = "repeated"
        may_go = ledger.takes_any or word in ledger.takes | free or (ledger.takes_numbers and word[0].isdigit())
        if more < 0 and not may_go:
            found[word] = "lost"
    made_up = _wordless_texts(new) - _wordless_texts(old) - ledger.texts
    return found | dict.fromkeys(made_up, "from nowhere")


def restored(ledger: Ledger, old: str, new: str, around: Sequence[str]) -> str | None:
    """The fix without those of its changes that nothing accounts for; None where no fix is left.

    Of `(a / "b" / "c").read_text()` that became `(a / "c").read_text(encoding="utf-8")` the encoding stays, and `"b"`
    comes back. Whether that is a fix is for the proof to say.
    """
    wrong = unaccounted(ledger, old, new, around)
    if not wrong:
        return new
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    made = ""
    for tag, i, j, k, m in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        is_lost = any(wrong.get(token) == "lost" for token in before[i:j])
        is_made_up = any(wrong.get(token, "lost") != "lost" for token in after[k:m])
        if tag == "insert" and is_made_up:
            made += _without(wrong, "".join(after[k:m]))
        else:
            made += "".join(before[i:j] if tag == "equal" or is_lost or is_made_up else after[k:m])
    return None if made.split() == old.split() or unaccounted(ledger, old, made, around) else made


def _without(wrong: Mapping[str, Problem], inserted: str) -> str:
    """Of inserted arguments those that nothing is wrong with; nothing of an insertion that is no list of arguments."""
    kept = [part for part in inserted.split(",") if not any(wrong.get(word, "lost") != "lost" for word in words(part))]
    text = ",".join(kept)
    return text if _are_balanced(text) else ""


def _are_balanced(text: str) -> bool:
    return all(text.count(one) == text.count(other) for one, other in ("()", "[]", "{}"))


def _is_setting(word: str, ledger: Ledger, known: AbstractSet[str]) -> bool:
    """Whether a word is the name of a setting that may be read here; a model makes it of words that it has seen."""
    if not ledger.brings.keys() & _READS_SETTING or not _SETTING.fullmatch(word):
        return False
    parts = {part.lower() for each in (*known, *ledger.brings) for part in re.split(r"[\W_]+", each)}
    return all(part.lower() in parts for part in word.split("_"))


def _wordless_texts(code: str) -> set[str]:
    """The texts of nothing but punctuation and white space, as far as quotes tell."""
    return {found[0][1:-1] for found in _TEXT.finditer(code) if not _WORD.search(found[0]) and len(found[0]) > 2}


def _hide_holes(snippet: str, example: Example) -> str:
    for hole in sorted(example.holes, key=len, reverse=True):
        snippet = snippet.replace(f"${hole}", f"{_HOLE}{hole}")
    return snippet


def _local_names(example: Example) -> set[str]:
    """The names of an example that stand for whatever real code calls them."""
    values = {hole: SAMPLES[kind][0] for hole, kind in example.holes.items()}
    found: set[str] = set()
    for side in (example.expand("unsafe", values), example.expand("safe", values)):
        try:
            tree = ast.parse(side)
        except SyntaxError:
            continue
        nodes = list(ast.walk(tree))
        found |= {node.id for node in nodes if isinstance(node, ast.Name)}
        found |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        found |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
        imports = (node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))
        found -= {name for statement in imports for name in imported_names(statement)}
    return found - set(dir(builtins))
