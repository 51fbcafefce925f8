"""Where import statements are put: among their like, in the order that isort and ruff keep, with few lines touched.

A module of the standard library joins its group in alphabetical order; a name joins the `from` statement that imports
from its module already; anything else stands where LibCST's own visitor puts it, after the last import at the top.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

import libcst
from libcst.codemod import CodemodContext
from libcst.codemod.visitors import AddImportsVisitor

_Statement = libcst.SimpleStatementLine | libcst.BaseCompoundStatement


def with_imports(text: str, statements: Iterable[str]) -> str | None:
    """The file, which Python can parse, with these import statements too; None where LibCST can't parse it."""
    head, tail = _head(text)
    context = CodemodContext()
    plain: set[str] = set()
    for node in (node for statement in statements for node in ast.parse(statement).body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname is None and _is_standard(alias.name):
                    plain.add(alias.name)
                else:
                    AddImportsVisitor.add_needed_import(context, alias.name, asname=alias.asname)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                AddImportsVisitor.add_needed_import(context, node.module, alias.name, alias.asname)
    try:  # LibCST walks expressions by recursion, too.
        module = libcst.parse_module(head)
        for name in sorted(plain):
            placed = _with_module(module, name)
            if placed is None:
                AddImportsVisitor.add_needed_import(context, name)
            else:
                module = placed
        changed = _AddImports(context).transform_module(module).code
    except (libcst.ParserSyntaxError, RecursionError):
        return None
    return changed.removesuffix(_STOP) + tail if tail else changed


# Stands for the first statement that is no import: LibCST takes seconds for a long file, so it sees the head only.
_STOP = "stop\n"


def _head(text: str) -> tuple[str, str]:
    """The file down to its first statement that is no import, with `_STOP` in its place, and the rest."""
    if "\r" in text:  # A line end for Python and none for `split`.
        return text, ""
    body = ast.parse(text).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    first = next(
        (node for number, node in enumerate(body) if node not in imports and not _is_docstring(number, node)), None
    )
    if first is None:
        return text, ""
    line = min([first.lineno, *(each.lineno for each in getattr(first, "decorator_list", ()))])
    if any(node.lineno <= line <= (node.end_lineno or 0) for node in body if node is not first):
        return text, ""  # Several statements on one line.
    lines = text.split("\n")
    return "\n".join([*lines[: line - 1], _STOP]), "\n".join(lines[line - 1 :])


def _is_docstring(number: int, node: ast.stmt) -> bool:
    return number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _with_module(module: libcst.Module, name: str) -> libcst.Module | None:
    """The module with `import name` in the first block of imports; None where there is no such block."""
    imports = list(_first_block(module))
    block = [(i, n, is_from) for i, n, is_from in imports if n != "__future__"]
    if not block:
        return _after_future(module, imports[-1][0], name) if imports else None
    own = [(i, n) for i, n, is_from in block if not is_from and _is_standard(n)]
    lower = [i for i, n in own if n < name]
    standard = [i for i, n, _is_from in block if _is_standard(n)]
    body: list[_Statement] = list(module.body)
    new = libcst.ensure_type(libcst.parse_statement(f"import {name}"), libcst.SimpleStatementLine)
    if lower:
        body.insert(lower[-1] + 1, new)
        return module.with_changes(body=body)
    place = own[0][0] if own else standard[0] if standard else block[0][0]
    next_one = body[place]
    if any(line.comment is not None for line in next_one.leading_lines):
        return None  # A comment that stands above the whole block, or above this one import: nobody knows.
    below = () if standard else (libcst.EmptyLine(indent=False),)
    body[place : place + 1] = [
        new.with_changes(leading_lines=next_one.leading_lines),
        next_one.with_changes(leading_lines=below),
    ]
    return module.with_changes(body=body)


def _after_future(module: libcst.Module, last: int, name: str) -> libcst.Module:
    """The module with `import name` as a group of its own after the statement `last`, the last `from __future__`."""
    blank = (libcst.EmptyLine(indent=False),)
    body: list[_Statement] = list(module.body)
    if last + 1 < len(body) and not body[last + 1].leading_lines:
        body[last + 1] = body[last + 1].with_changes(leading_lines=blank)
    new = libcst.ensure_type(libcst.parse_statement(f"import {name}"), libcst.SimpleStatementLine)
    body.insert(last + 1, new.with_changes(leading_lines=blank))
    return module.with_changes(body=body)


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def _first_block(module: libcst.Module) -> Iterator[tuple[int, str, bool]]:
    """The imports at the top: index in the body, name of the module, whether it is a `from`."""
    for index, statement in enumerate(module.body):
        small = statement.body[0] if isinstance(statement, libcst.SimpleStatementLine) else None
        if isinstance(small, libcst.Import):
            yield index, _dotted(small.names[0].name), False
        elif isinstance(small, libcst.ImportFrom):
            yield index, "." if small.relative or small.module is None else _dotted(small.module), True
        elif index or not isinstance(small, libcst.Expr):  # Anything else than the docstring.
            return


def _dotted(node: libcst.BaseExpression) -> str:
    return libcst.Module([]).code_for_node(node)


class _AddImports(AddImportsVisitor):
    """LibCST's visitor, with the names of a widened `from` statement in the order that they were in."""

    def leave_ImportFrom(  # noqa: N802
        self, original_node: libcst.ImportFrom, updated_node: libcst.ImportFrom
    ) -> libcst.ImportFrom:
        """See `AddImportsVisitor`, which puts new names first."""
        widened = super().leave_ImportFrom(original_node, updated_node)
        old, new = original_node.names, widened.names
        if isinstance(old, libcst.ImportStar) or isinstance(new, libcst.ImportStar) or len(new) == len(old):
            return widened
        names = list(old)
        for alias in new[: len(new) - len(old)]:
            names = _joined(names, alias)
        return widened.with_changes(names=names)


def _by_type(name: str) -> tuple[int, str]:
    """Constants, classes, the rest: the order of isort and ruff unless they are told otherwise."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name


_ORDERS: tuple[Callable[[str], object], ...] = (_by_type, str.lower, str)


def _joined(names: Sequence[libcst.ImportAlias], alias: libcst.ImportAlias) -> list[libcst.ImportAlias]:
    """The names with one more, where their order puts it, or at their end."""
    texts = [_dotted(each.name) for each in names]
    place = len(names)
    for order in _ORDERS:
        if texts == sorted(texts, key=order):  # type: ignore[arg-type]  # Keys of one order compare.
            place = sorted([*texts, _dotted(alias.name)], key=order).index(_dotted(alias.name))  # type: ignore[arg-type]
            break
    between = _separator(names)
    result = list(names)
    if place == len(names):
        last = names[-1]
        result[-1] = last.with_changes(comma=between)
        result.append(alias.with_changes(comma=last.comma))
    else:
        result.insert(place, alias.with_changes(comma=between))
    return result


def _separator(names: Sequence[libcst.ImportAlias]) -> libcst.Comma:
    """The comma between two names, with the line break of those that have a line each."""
    first = names[0].comma
    if len(names) > 1 and isinstance(first, libcst.Comma):
        space = first.whitespace_after
        if isinstance(space, libcst.ParenthesizedWhitespace):
            space = space.with_changes(first_line=libcst.TrailingWhitespace(), empty_lines=())
        return libcst.Comma(whitespace_after=space)
    return libcst.Comma(whitespace_after=libcst.SimpleWhitespace(" "))
