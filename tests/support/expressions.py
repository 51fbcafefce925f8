"""The `${{ … }}` of workflows, as far as ours use it. Anything else raises: a workflow must not pass by being misread.

Values are None, bool, int, str, list or dict. As on GitHub a property that is missing is None, None is shown as "", texts
are compared without regard to case, and values of different kinds as numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<op>==|!=|&&|\|\||[!().,])|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_][\w-]*))"
)
_STATUS = ("always", "success", "failure", "cancelled")


class Unsupported(Exception):
    """An expression that this evaluator does not know."""


@dataclass(frozen=True)
class Scope:
    """What an expression can see. `status`: how the steps or jobs before ended: success, failure or cancelled."""

    contexts: Mapping[str, Any]
    status: str = "success"

    def evaluate(self, expression: str) -> Any:
        """The value of an expression without its braces."""
        parser = _Parser(expression, self)
        value = parser.either()
        if parser.left:
            raise Unsupported(f"{expression!r}: {parser.left[0]!r} was not expected")
        return value

    def fill(self, template: Any) -> str:
        """A text with its expressions replaced."""
        if isinstance(template, bool):
            return show(template)
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: show(self.evaluate(found[1])), str(template), flags=re.DOTALL)

    def holds(self, condition: object) -> bool:
        """Whether an `if` lets a step or job start; without a word on the status it means `success() &&`."""
        text = show(condition).strip()
        whole = re.fullmatch(r"\$\{\{(.*)\}\}", text, flags=re.DOTALL)
        text = whole[1] if whole else text
        if "${{" in text:
            raise Unsupported(f"{text!r} mixes text and expressions: it would always hold")
        asks = any(f"{name}(" in text for name in _STATUS)
        return (asks or self.status == "success") and is_true(self.evaluate(text or "true"))


def show(value: Any) -> str:
    """A value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise Unsupported("an object has no text")
    return str(value)


def is_true(value: Any) -> bool:
    """GitHub's idea of truth: all but null, false, 0 and the empty text."""
    return value not in (None, False, 0, "")


class _Parser:
    def __init__(self, text: str, scope: Scope) -> None:
        self.scope = scope
        self.left: list[str] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise Unsupported(f"{text!r} at {text[at:]!r}")
            self.left.append(found[0].strip())
            at = found.end()

    def _take(self, *wanted: str) -> str | None:
        return self.left.pop(0) if self.left and self.left[0] in wanted else None

    def _need(self, wanted: str) -> None:
        if self._take(wanted) is None:
            raise Unsupported(f"{wanted!r} was expected before {self.left}")

    def either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value if is_true(value) else other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = other if is_true(value) else value
        return value

    def _compared(self) -> Any:
        value = self._single()
        while op := self._take("==", "!="):
            value = _equal(value, self._single()) is (op == "==")
        return value

    def _single(self) -> Any:
        if self._take("!"):
            return not is_true(self._single())
        if self._take("("):
            value = self.either()
            self._need(")")
            return value
        if not self.left:
            raise Unsupported("an expression ends too early")
        token = self.left.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if re.fullmatch(r"-?\d+", token):
            return int(token)
        if token in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[token]
        if not re.match(r"[A-Za-z_]", token):
            raise Unsupported(f"{token!r} was not expected")
        return self._called(token) if self._take("(") else self._looked_up(token)

    def _looked_up(self, name: str) -> Any:
        if name not in self.scope.contexts:
            raise Unsupported(f"there is no context {name!r} here")
        value = self.scope.contexts[name]
        while self._take("."):
            key = self.left.pop(0)
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def _called(self, name: str) -> Any:
        given: list[Any] = []
        while not self._take(")"):
            given.append(self.either())
            if not self._take(","):
                self._need(")")
                break
        if name in _STATUS and not given:
            return name == "always" or name == self.scope.status
        if name == "startsWith" and len(given) == 2:
            return show(given[0]).lower().startswith(show(given[1]).lower())
        if name == "contains" and len(given) == 2:
            return show(given[1]).lower() in show(given[0]).lower()
        if name == "fromJSON" and len(given) == 1:
            return json.loads(show(given[0]))
        raise Unsupported(f"the function {name} with {len(given)} values")


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if type(one) is type(other):
        return bool(one == other)
    return _number(one) == _number(other)


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
