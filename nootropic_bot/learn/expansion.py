"""Templates of the rules' examples, ready to be filled: what is flagged in them, and how they vary.

Of each example the engine is asked once, with simple values in its holes, what it flags; the proof is asked whether the
example's safe side would be accepted. Only such examples teach, and every expansion of one carries the flagged range
over by its place in the template.
"""

from __future__ import annotations

import ast
import builtins
import io
import random
import re
import tokenize
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nootropic_bot.records import Position, Rule
from nootropic_bot.templates import SAMPLES, Example, HoleType

_SNIPPET = re.compile(r"(?m)^([ \t]*)\$SNIPPET[ \t]*$")
_BUILTINS = frozenset(dir(builtins)) | {"self", "cls"}


@dataclass(frozen=True, slots=True)
class Template:
    """An example and the part of its unsafe snippet that is flagged: (0-based line, column) to (line, column).

    Columns count in the snippet as written, holes as `$NAME`.
    """

    rule: Rule
    number: int
    example: Example
    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Filled:
    """A template filled in and set into code: whole files with the unsafe and the safe snippet, and what is flagged."""

    unsafe: str
    safe: str
    start: Position
    end: Position


def fill(
    template: Template, values: Mapping[str, str], around: tuple[Sequence[str], Sequence[str]] = ((), ())
) -> Filled | None:
    """The template with these values, real lines before and after its snippet; None where the flagged place is lost."""
    example = template.example
    unsafe, start, end = _fill(example.unsafe.rstrip("\n"), values, template.start, template.end)
    safe, _start, _end = _fill(example.safe.rstrip("\n"), values, (0, 0), (0, 0))
    if start is None or end is None:
        return None
    place = _SNIPPET.search(example.setup)
    indent = place[1] if place else ""
    head = example.setup[: place.start()] if place else example.setup.rstrip("\n") + "\n" * bool(example.setup)
    tail = example.setup[place.end() :].rstrip("\n") if place else ""
    above = "".join(indent + line + "\n" if line else "\n" for line in around[0])
    below = "".join("\n" + indent + line if line else "\n" for line in around[1])

    def whole(snippet: str) -> str:
        lines = "\n".join(indent + line if line.strip() else line for line in snippet.split("\n"))
        return head + above + lines + below + tail + "\n"

    shift = (head + above).count("\n")
    return Filled(
        whole(unsafe),
        whole(safe),
        Position(shift + start[0] + 1, len(indent) + start[1] + 1),
        Position(shift + end[0] + 1, len(indent) + end[1] + 1),
    )


_Place = tuple[int, int]


def _fill(
    snippet: str, values: Mapping[str, str], start: _Place, end: _Place
) -> tuple[str, _Place | None, _Place | None]:
    """The snippet with its holes filled, and where two of its places lie now."""
    names = sorted(values, key=len, reverse=True)
    pattern = re.compile("|".join(rf"\${name}" for name in names)) if names else None
    out: list[str] = []
    moved: dict[_Place, _Place] = {}
    for number, line in enumerate(snippet.split("\n")):
        text, done = "", 0
        block = next((n for n in names if line.strip() == f"${n}" and "\n" in values[n]), None)
        if block is not None:
            indent = line[: len(line) - len(line.lstrip())]
            first = len(out)
            out += [indent + each if each.strip() else each for each in values[block].split("\n")]
            for place in (start, end):
                if place[0] == number:
                    at_start = place[1] <= len(indent)
                    moved[place] = (first, len(indent)) if at_start else (len(out) - 1, len(out[-1]))
            continue
        shifts: list[tuple[int, int]] = []
        for hole in pattern.finditer(line) if pattern else ():
            text += line[done : hole.start()] + values[hole[0][1:]]
            done = hole.end()
            shifts.append((hole.end(), len(text) - hole.end()))
        text += line[done:]
        for place in (start, end):
            if place[0] == number:
                moved[place] = (len(out), place[1] + next((d for c, d in reversed(shifts) if c <= place[1]), 0))
        out.append(text)
    return "\n".join(out), moved.get(start), moved.get(end)


def simple_values(example: Example) -> dict[str, str]:
    """The values with which the engine is asked what it flags; the setups know these names."""
    return {name: SAMPLES[kind][0] for name, kind in example.holes.items()}


def place_in_template(snippet: str, values: Mapping[str, str], line: int, col: int) -> tuple[int, int]:
    """The place in a snippet (0-based) that a place (0-based) of its filled text comes from."""
    best = (0, 0)
    for number, text in enumerate(snippet.rstrip("\n").split("\n")):
        for column in range(len(text) + 1):
            _text, moved, _end = _fill(snippet.rstrip("\n"), values, (number, column), (number, column))
            if moved is not None and moved <= (line, col):
                best = (number, column)
    return best


def random_values(
    example: Example, draw: Mapping[HoleType, Callable[[], str]], random_: random.Random
) -> dict[str, str]:
    """Values for the holes, from real code; no name is taken that the template itself uses."""
    taken = set(re.findall(r"[A-Za-z_]\w*", example.unsafe + example.safe + example.setup))
    values: dict[str, str] = {}
    for name, kind in example.holes.items():
        for _attempt in range(20):
            value = draw[kind]()
            if kind != "name" or value not in taken:
                break
        values[name] = value
        taken.add(value)
    return values


def renamed(example: Example, names: Sequence[str], random_: random.Random) -> Example:
    """The example with its own local names replaced by others, the same in all its parts."""
    fixed = _BUILTINS | set(example.holes)
    for part in (example.setup, example.unsafe, example.safe):
        fixed |= _imported(part)
    try:
        own = _own_names(_bare(example.unsafe)) & _own_names(_bare(example.safe)) - fixed
    except SyntaxError:
        return example
    used = set(re.findall(r"[A-Za-z_]\w*", example.unsafe + example.safe + example.setup))
    # A name that is a parameter with a default, or a keyword, stays: which one it is takes more than tokens to tell.
    own -= set(re.findall(r"(\w+)=(?!=)", example.unsafe + example.safe + example.setup))
    mapping: dict[str, str] = {}
    for name in sorted(own):
        other = random_.choice(names)
        if other not in used and other not in mapping.values() and random_.random() < 0.6:
            mapping[name] = other
    if not mapping:
        return example
    parts = [_rename(part, mapping) for part in (example.unsafe, example.safe, example.setup)]
    return Example(parts[0], parts[1], parts[2], example.holes)


def _bare(snippet: str) -> str:
    return re.sub(r"\$([A-Z]+)", r"\1", snippet)


def _imported(setup: str) -> set[str]:
    found: set[str] = set()
    for line in setup.splitlines():
        match = re.match(r"\s*(?:from [\w.]+ )?import (.+)", line)
        if match:
            found |= set(re.findall(r"\w+", match[1]))
    return found


def _own_names(code: str) -> set[str]:
    """Local names of lower case that a snippet reads or binds."""
    nodes = list(ast.walk(ast.parse(code)))
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    names = {node.id for node in nodes if isinstance(node, ast.Name)} | {n.arg for n in nodes if isinstance(n, ast.arg)}
    return {name for name in names - called if name.islower() and len(name) > 2}


def _rename(text: str, mapping: Mapping[str, str]) -> str:
    """Names replaced wherever they stand alone: not after a dot, not as a keyword, in f-strings only in braces."""
    bare = text.replace("$", "\u0394")  # A letter, so that holes are names to the tokenizer.
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(bare).readline))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return text
    lines = bare.split("\n")
    for index in range(len(tokens) - 1, -1, -1):
        token = tokens[index]
        if token.start[0] != token.end[0]:
            continue
        new = token.string
        if token.type == tokenize.NAME and token.string in mapping:
            is_attribute = index > 0 and tokens[index - 1].string == "."
            is_keyword = tokens[index + 1].string == "=" and index > 0 and tokens[index - 1].string in ("(", ",")
            new = token.string if is_attribute or is_keyword else mapping[token.string]
        elif token.type == tokenize.STRING and re.match(r"[rR]?[fF]", token.string):
            new = re.sub(r"\{\{|\}\}|\{[^{}]*\}", lambda m: _in_braces(m[0], mapping), token.string)
        if new != token.string:
            line = lines[token.start[0] - 1]
            lines[token.start[0] - 1] = line[: token.start[1]] + new + line[token.end[1] :]
    return "\n".join(lines).replace("\u0394", "$")


def _in_braces(text: str, mapping: Mapping[str, str]) -> str:
    names = r"'[^']*'|\"[^\"]*\"|(?<![.\w])[A-Za-z_]\w*"  # Strings are matched so that nothing in them is.
    return re.sub(names, lambda m: mapping.get(m[0], m[0]), text)
