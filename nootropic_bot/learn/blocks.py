"""Blocks of real code made unsafe: handlers that pass over every error, and checks of a file before its use."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Sequence

from nootropic_bot.learn.strings import Written

_MOST_LINES = 20
_HEADS = ("except Exception:", "except Exception:", "except Exception as error:", "except BaseException:", "except:")
_REMARKS = ("", "", "", "", "  # noqa: BLE001", "  # pylint: disable=broad-except", "  # pragma: no cover", "  # nosec")
_COMMENTS = ("# best effort", "# Ignore errors.", "# nothing to do", "# not critical", "# may be gone already")
_LOGS = ("log", "log", "logger", "logger", "LOG", "_log", "_logger", "LOGGER")


def idle_handlers(tree: ast.Module, lines: Sequence[str], random_: random.Random) -> Iterator[Written]:
    """Real try statements, a handler of which passes over every error; the answer reports it."""
    comments = [line.strip() for line in lines if re.match(r"\s*# \w", line) and line.isascii() and len(line) < 90]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try) or not node.handlers:
            continue
        handler, last = node.handlers[-1], node.end_lineno or 0  # A bare `except:` must be the last.
        first, end = handler.lineno, handler.end_lineno or 0
        block = [line[node.col_offset :] for line in lines[node.lineno - 1 : last]]
        is_plain = handler.body[0].lineno > first and lines[first - 1].rstrip().endswith(":")
        if last - node.lineno > _MOST_LINES or not is_plain or not all(line.isascii() for line in block):
            continue
        said: list[str] = []
        if random_.random() < 0.4:
            said = [random_.choice(comments or _COMMENTS) for _line in range(random_.choice((1, 1, 2)))]
        yield _idle(block, (first - node.lineno, end - node.lineno), said, random_)


def _idle(block: Sequence[str], handler: tuple[int, int], said: Sequence[str], random_: random.Random) -> Written:
    """`handler`: the lines of the block from its `except` to its end, both counted."""
    log = random_.choice(_LOGS) if random_.random() < 0.5 else "logging"
    imports = ("import logging", f"{log} = logging.getLogger(__name__)") if log != "logging" else ("import logging",)
    report, head = f'    {log}.exception("could not finish")', random_.choice(_HEADS)
    top, bottom = [*block[: handler[0]], head + random_.choice(_REMARKS)], block[handler[1] + 1 :]
    top += ["    " + comment for comment in said]
    is_loop = random_.random() < 0.25
    word = "    continue" if is_loop else random_.choice(("    pass", "    pass", "    pass", "    ..."))
    unsafe = [*top, word, *bottom]
    safe = [*top, report, *([word] if is_loop else []), *bottom]
    row, column = handler[0], 0
    if is_loop:
        opening = f"for {random_.choice(('item', 'each', 'name', 'key', 'entry'))} in {random_.choice(_LISTS)}:"
        unsafe, safe = _under(opening, unsafe), _under(opening, safe)
        row, column = row + 1, 4
    place = (row, column), (row, column + len(head))
    return Written("swallowed-exception", "\n".join(unsafe), "\n".join(safe), imports, *place)


_LISTS = ("items", "names", "self.entries", "list(pending)", "found", "result.values()", "sorted(paths)", "values")


def _under(opening: str, block: Sequence[str]) -> list[str]:
    return [opening, *("    " + line if line.strip() else line for line in block)]


_CHECKS = ("os.path.exists(@)", "os.path.exists(@)", "os.path.isfile(@)", "os.path.lexists(@)", "os.access(@, os.R_OK)")
_USES = ("open", "io.open", "codecs.open")


def checked_files(tree: ast.Module, lines: Sequence[str], random_: random.Random) -> Iterator[Written]:
    """Real blocks that read a file, under a check that it is there; the answer handles its absence instead."""
    for node in ast.walk(tree):
        path = _path_of(node)
        if path is None or not isinstance(node, ast.With | ast.Expr | ast.Assign | ast.Return):
            continue
        block = [line[node.col_offset :] for line in lines[node.lineno - 1 : node.end_lineno or 0]]
        if len(block) > 6 or not all(line.isascii() for line in block):
            continue
        check, suppressed = random_.choice(_CHECKS).replace("@", path), "FileNotFoundError"
        if "access" in check:  # It is also false where there is no file.
            suppressed = "OSError"
        unsafe = _under(f"if {check}:", block)
        safe = _under(f"with contextlib.suppress({suppressed}):", block)
        place, imports = ((0, 0), (0, len(unsafe[0]))), ("import contextlib", "import os")
        yield Written("toctou-access", "\n".join(unsafe), "\n".join(safe), imports, *place)


def _path_of(node: ast.AST) -> str | None:
    """The path that a statement opens to read, or removes."""
    call: ast.expr | None = None
    if isinstance(node, ast.With) and len(node.items) == 1:
        call = node.items[0].context_expr
    elif isinstance(node, ast.Expr | ast.Assign | ast.Return):
        call = node.value
    if not isinstance(call, ast.Call) or not call.args or not isinstance(call.args[0], ast.Name | ast.Attribute):
        return None
    name, path = ast.unparse(call.func), ast.unparse(call.args[0])
    if name in ("os.remove", "os.unlink"):
        return path
    mode = next((each.value for each in call.keywords if each.arg == "mode"), call.args[1] if call.args[1:] else None)
    reads = mode is None or (isinstance(mode, ast.Constant) and str(mode.value) in ("r", "rb", "rt"))
    return path if name in _USES and reads else None
