"""What an answer of GitHub that carries nothing out means, in the words that all forges share.

Statuses are told apart by what they say beside the number: a 403 is a limit as often as a missing permission, and
GraphQL says what went wrong in an answer of status 200.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from typing import Any

from nootropic_bot.escape import one_line
from nootropic_bot.forge import Forbidden, ForgeError, Missing, Refused, Throttled, TooLarge, Unanswered

Headers = Mapping[str, str]

_LIMIT = re.compile(r"rate limit|abuse detection|wait a few minutes|retry your request again later", re.IGNORECASE)
_WHO_REMEDY = "the token is wrong, has expired or was revoked: give a valid one in GITHUB_TOKEN"
_FORBIDDEN_REMEDY = "give the job the permission, or see that the organisation's settings allow it"
# No limit of GitHub's lasts longer than an hour; a stranger number is not worth believing.
_MAX_WAIT = 3600.0
_MESSAGE = 300

_GRAPHQL: Mapping[str, type[ForgeError]] = {
    "FORBIDDEN": Forbidden,
    "INSUFFICIENT_SCOPES": Forbidden,
    "NOT_FOUND": Missing,
    "RATE_LIMITED": Throttled,
    "RATE_LIMIT": Throttled,
    "MAX_NODE_LIMIT_EXCEEDED": TooLarge,
    "RESOURCE_LIMITS_EXCEEDED": TooLarge,
    "SERVICE_UNAVAILABLE": Unanswered,
    "INTERNAL": Unanswered,
}


class NotSent(Unanswered):
    """No connection was made, so it was certainly not carried out."""


def of_status(status: int, headers: Headers, data: Any) -> ForgeError:
    """The failure that an answer of status 300 or more stands for."""
    said = _said(data)
    text = f"GitHub answered {status}" + (f": {said}" if said else "")
    if _is_too_large(status, data):
        return TooLarge(text)
    if status == 429 or (status == 403 and _is_limit(headers, said)):
        return Throttled(text, "try again later", retry_after=asked_wait(headers))
    if status == 401:
        return Forbidden(text, _WHO_REMEDY)
    if status == 403:
        return Forbidden(text, _FORBIDDEN_REMEDY)
    if status >= 500 or status == 408:
        return Unanswered(text, "try again later; https://www.githubstatus.com says whether GitHub is well")
    if status in (404, 410, 451) or status < 400:
        return Missing(text, "it is not there (any more), or the token may not see it")
    return Refused(text)


def of_graphql(errors: Any, headers: Headers) -> ForgeError:
    """The failure that the errors of a GraphQL answer stand for; the first that says what kind it is decides."""
    found = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    typed = [error for error in found if error.get("type")]
    first = (typed or found or [{}])[0]
    text = f"GitHub answered: {_short(first.get('message')) or 'an error without a message'}"
    kind = _GRAPHQL.get(str(first.get("type")))
    if kind is Throttled or (kind is None and _LIMIT.search(text)):
        return Throttled(text, "try again later", retry_after=asked_wait(headers))
    if kind is None and not typed and "Something went wrong" in text:
        # What GitHub says when a query takes too long or breaks on its side.
        return Unanswered(text)
    remedy = _FORBIDDEN_REMEDY if kind is Forbidden else None
    return (kind or Refused)(text, remedy)


def asked_wait(headers: Headers) -> float | None:
    """How many seconds GitHub asks to wait, None when it does not say.

    The server's own `Date` is what its times are measured against: the clock of this machine may be years off (F18).
    """
    now = _seconds_of_date(headers.get("date", ""))
    after = headers.get("retry-after", "")
    if (seconds := _number(after)) is not None:
        return min(seconds, _MAX_WAIT)
    when = _seconds_of_date(after)
    if when is None and headers.get("x-ratelimit-remaining") == "0":
        when = _number(headers.get("x-ratelimit-reset", ""))
        when = None if when is None else when + 1
    if when is None or now is None:
        return None
    return min(max(when - now, 0.0), _MAX_WAIT)


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 15 else None


def _seconds_of_date(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() if text else None
    except (TypeError, ValueError, OverflowError):
        return None


def _is_limit(headers: Headers, said: str) -> bool:
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0" or bool(_LIMIT.search(said))


def _is_too_large(status: int, data: Any) -> bool:
    errors = data.get("errors") if isinstance(data, dict) else None
    codes = [error.get("code") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return status in (406, 413) or "too_large" in codes


def _said(data: Any) -> str:
    """GitHub's own words, with what its list of errors adds."""
    if not isinstance(data, dict):
        return ""
    parts = [data.get("message")]
    errors = data.get("errors")
    parts += [error.get("message") if isinstance(error, dict) else error for error in errors] if errors else []
    return _short("; ".join(part for part in parts if isinstance(part, str)))


def _short(text: object) -> str:
    return one_line(text)[:_MESSAGE] if isinstance(text, str) else ""
