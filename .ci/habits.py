"""Reports what is worth a thought (long files, long functions, deep nesting) and fails on a second broad `except`.

Figures of code bases that the field looks up to: median file 79-248 lines, median function 8-11 lines, two broad
excepts at most. Length and depth are prompts to think, not limits; what catches everything is `ending.py`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_FILE, MAX_FUNCTION, MAX_DEPTH = 300, 50, 3
ALLOWED_BROAD = {"nootropic_bot/ending.py": 1}
NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)


def depth(node: ast.AST, level: int = 0) -> int:
    """How deep blocks nest below a node; an `elif` is no deeper than its `if`."""
    deepest = level
    for child in ast.iter_child_nodes(node):
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child, level + (isinstance(child, NESTING) and not is_elif)))
    return deepest


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches (nearly) everything and does not raise it again."""
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    catches_all = any(
        name is None or (isinstance(name, ast.Name) and name.id in ("Exception", "BaseException")) for name in names
    )
    return catches_all and not any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))


def look(path: Path) -> Iterator[tuple[str, str]]:
    """Remarks on one file: (kind, text)."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    if (count := text.count("\n")) > MAX_FILE:
        yield "long file", f"{path}: {count} lines"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                yield "long function", f"{path}:{node.lineno}: {node.name} has {length} lines"
            if depth(node) > MAX_DEPTH:
                yield "deep nesting", f"{path}:{node.lineno}: {node.name} nests {depth(node)} deep"
        if isinstance(node, ast.ExceptHandler) and is_broad(node):
            yield "broad except", f"{path}:{node.lineno}"


def main() -> int:
    """Print the report; 1 when a broad `except` stands where none may."""
    broad: dict[str, int] = {}
    for path in sorted(Path("nootropic_bot").rglob("*.py")):
        if "sample" in path.parts:
            continue
        for kind, text in look(path):
            print(f"{kind}: {text}")
            if kind == "broad except":
                broad[path.as_posix()] = broad.get(path.as_posix(), 0) + 1
    return 0 if broad == ALLOWED_BROAD else 1


if __name__ == "__main__":
    sys.exit(main())
