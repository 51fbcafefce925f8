"""Real statements right before and after a flagged one: in real code, what explains a line is seldom next to it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nootropic_bot.learn.expansion import Filled
from nootropic_bot.records import Position
from nootropic_bot.statements import extent, is_compound, smallest_statement


def set_apart(code: Filled, before: Sequence[str], after: Sequence[str]) -> Filled:
    """The code with these lines around the flagged statement, on both sides; as it is where they can't stand there."""
    lines, safe = code.unsafe.split("\n"), code.safe.split("\n")
    start, end = (code.start.line, code.start.col - 1), (code.end.line, code.end.col - 1)
    node = smallest_statement(ast.parse(code.unsafe), start, end)
    if not isinstance(node, ast.stmt) or isinstance(node, ast.Import | ast.ImportFrom):
        return code
    first, last = extent(node)
    indent = lines[first - 1][: node.col_offset]
    if indent.strip() or lines[: first - 1] != safe[: first - 1]:
        return code
    above = [indent + line for line in before]
    below = [] if is_compound(node) or lines[last:] != safe[len(safe) - len(lines) + last :] else list(after)
    texts = []
    for text in (lines, safe):
        stop = len(text) - len(lines) + last
        texts.append(
            "\n".join(
                [*text[: first - 1], *above, *text[first - 1 : stop], *(indent + line for line in below), *text[stop:]]
            )
        )
    start_line, end_line = (Position(place.line + len(above), place.col) for place in (code.start, code.end))
    return Filled(texts[0], texts[1], start_line, end_line)
