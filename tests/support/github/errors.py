"""Answers that are refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DOCS = "https://docs.github.com/rest"
# Described without more than a message: a merge that can't be made.
_BRIEF = frozenset({405, 409})


class Refused(Exception):
    """An error status with GitHub's body for it."""

    def __init__(
        self, status: int, message: str, *, errors: Sequence[object] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.errors = list(errors)
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, object]:
        """What is sent."""
        more: dict[str, object] = {"errors": self.errors} if self.errors else {}
        if self.status not in _BRIEF:
            more["status"] = str(self.status)
        return {"message": self.message, "documentation_url": DOCS, **more}


def not_found() -> Refused:
    """Also for what a token may not see."""
    return Refused(404, "Not Found")


def invalid(resource: str, field: str, message: str, code: str = "custom") -> Refused:
    """422 as most endpoints say it."""
    return Refused(
        422, "Validation Failed", errors=[{"resource": resource, "code": code, "field": field, "message": message}]
    )


def unprocessable(*errors: str) -> Refused:
    """422 as the endpoint for reviews says it: without telling which entry is meant."""
    return Refused(422, "Unprocessable Entity", errors=errors)


FORBIDDEN = "Resource not accessible by integration"
