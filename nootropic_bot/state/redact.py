"""Secrets are taken out before anything is written: what is appended can't be forgotten again.

Every string of a record goes through the detectors of Yelp's detect-secrets, all but the one for public addresses,
which are no secrets. Its verification, which asks the service that a token belongs to, is never used: nothing leaves
the machine. Importing it takes 200 ms, so a text is first looked through for what the detectors can't do without
(`is_suspicious`); a test draws texts from the detectors' own patterns and holds that none is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from nootropic_bot.state.schema import Draft

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

# How tokens begin, or what they hold, in lower case; looking for fixed texts is what keeps large batches fast.
_MARKS = (
    *("abia", "acca", "akia", "asia", "accountkey=", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "gr1348941"),
    *("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "glcbt-", "glimt-", "glptt-", "glagent-", "gloas-", "eyj"),
    *("_authtoken", "t3blbkfj", "begin ", "putty-user", "pypi-ag", "xox", "hooks.slack"),
    *("sq0csp-", "k_live_"),
)
_TOKENS = tuple(
    re.compile(pattern)
    for pattern in (
        r"A3T[A-Z0-9]",
        r"AKC[a-zA-Z0-9]{10}",
        r"AP[\dA-F][a-zA-Z0-9]{8}",
        r"AC[a-z0-9]{32}",
        r"SK[a-z0-9]{32}",
        r"SG\.[a-zA-Z0-9_-]{22}",
        r"-us\d",
        r"\d{8}:[0-9A-Za-z_-]{35}",
        r"\.[a-zA-Z\d_-]{6}\.[a-zA-Z\d_-]{27}",
        r"://[^\s:/]+:[^\s/@]+@",
        r"(?i:soap/v3)",
    )
)
_HEX = re.compile(r"[0-9a-f]*")
# Quoted and long enough for the entropy limits: above 3 bits a hex digit, above 4.5 bits a base64 digit.
_DENSE = re.compile(r"""(["'])(?:[0-9a-fA-F]{9,}|[A-Za-z0-9+/\\=_-]{23,})\1""")
# A line that names a secret and holds a value: quoted, or a long word.
_NAME = re.compile(r"key|pass|pwd|pw|secret|token|contrase", re.IGNORECASE)
_VALUE = re.compile(r"""['"`]|[A-Za-z0-9_-]{24}""")
_PRIVATE_KEY = re.compile(
    r"BEGIN [^\n-]{0,40}PRIVATE KEY.*?(?:-----END [^\n-]{0,40}-----|\Z)|PuTTY-User-Key-File-2.*", re.DOTALL
)
# What a token is made of: a detector may answer with a part of it only.
_TOKEN_CHARACTER = re.compile(r"[\w+/=.~-]")
# Some patterns of the detectors take time with the square of a line's length; longer lines are looked through in parts.
_MAX_LINE, _OVERLAP = 2048, 512
# Shorter values of an assignment (`password = "x"`) can't be told from ordinary text.
MIN_SECRET = 4


def redact(drafts: Sequence[Draft]) -> tuple[list[Draft], int]:
    """The drafts without secrets, and how many were taken out; a draft that held some says how many, as `redacted`."""
    # Most records hold nothing that even looks like a secret: all strings are looked through at once.
    if not is_suspicious("\n".join(_strings([draft.data for draft in drafts]))):
        return list(drafts), 0
    total = 0
    clean = []
    for draft in drafts:
        data, count = _redact_value(draft.data)
        total += count
        earlier = data.get("redacted", 0)
        clean.append(draft if not count else draft._replace(data={**data, "redacted": earlier + count}))
    return clean, total


def redact_text(text: str) -> tuple[str, int]:
    """A text without secrets, and how many were taken out."""
    spans: list[tuple[int, int, str]] = []
    for secret, kind in find_secrets(text):
        start = text.find(secret)
        while start >= 0:
            end = start + len(secret)
            spans.append((*_whole(text, start, end), kind))
            start = text.find(secret, spans[-1][1])
    parts, position, count = [], 0, 0
    for start, end, kind in sorted(spans):
        if start >= position:
            parts += [text[position:start], f"[redacted: {kind}]"]
            count += 1
        position = max(position, end)
    return "".join((*parts, text[position:])), count


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole token around a part of it."""
    while start > 0 and _TOKEN_CHARACTER.match(text[start - 1]):
        start -= 1
    while end < len(text) and _TOKEN_CHARACTER.match(text[end]):
        end += 1
    return start, end


def find_secrets(text: str) -> set[tuple[str, str]]:
    """The secrets in a text, each with its kind."""
    if not is_suspicious(text):
        return set()
    found = {(key.group(), "Private Key") for key in _PRIVATE_KEY.finditer(text)}
    for line in text.splitlines():
        for start in range(0, max(len(line) - _OVERLAP, 1), _MAX_LINE - _OVERLAP):
            part = line[start : start + _MAX_LINE]
            for detector in _detectors():
                found.update((secret, detector.secret_type) for secret in _detect(detector, part))
    return {(secret, kind) for secret, kind in found if len(secret) >= MIN_SECRET}


def count_secrets(value: Any) -> int:
    """How many secrets the strings of a JSON value hold."""
    return _redact_value(value)[1]


def is_suspicious(text: str) -> bool:
    """Whether a detector could find something in a text; never False when one would."""
    lowered = text.lower()
    if any(mark in lowered for mark in _MARKS) or _DENSE.search(text):
        return True
    if any(token.search(text) for token in _TOKENS):
        return True
    name = _NAME.search(text)
    while name is not None:
        end = text.find("\n", name.end())
        end = len(text) if end < 0 else end
        if _VALUE.search(text, text.rfind("\n", 0, name.start()) + 1, end):
            return True
        name = _NAME.search(text, end)
    return False


# Paths and rule ids come again and again.
_is_suspicious_again = lru_cache(maxsize=1 << 16)(is_suspicious)


def _redact_value(value: Any) -> tuple[Any, int]:
    if isinstance(value, str):
        is_harmless = _HEX.fullmatch(value) or not _is_suspicious_again(value)
        return (value, 0) if is_harmless else redact_text(value)
    if isinstance(value, dict):
        keys = [_redact_value(key) for key in value]
        items = [_redact_value(item) for item in value.values()]
        count = sum(times for _item, times in (*keys, *items))
        return {key: item for (key, _), (item, _) in zip(keys, items, strict=True)}, count
    if isinstance(value, list | tuple):
        parts = [_redact_value(item) for item in value]
        return [item for item, _count in parts], sum(count for _item, count in parts)
    return value, 0


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


@cache
def _detectors() -> Sequence[BasePlugin]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.ip_public import IPPublicDetector

    classes: Iterable[type[BasePlugin]] = get_mapping_from_secret_type_to_class().values()
    return tuple(kind() for kind in classes if kind is not IPPublicDetector)


def _detect(detector: BasePlugin, line: str) -> Iterable[str]:
    from detect_secrets.plugins.base import RegexBasedDetector
    from detect_secrets.plugins.high_entropy_strings import HighEntropyStringsPlugin
    from detect_secrets.plugins.keyword import QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP, KeywordDetector

    if isinstance(detector, KeywordDetector):
        # As for Python files: `password = read()` is no secret, a quoted value is.
        return detector.analyze_string(line, denylist_regex_to_group=QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP)
    found = list(detector.analyze_string(line))
    if isinstance(detector, HighEntropyStringsPlugin):
        return [s for s in found if detector.calculate_shannon_entropy(s) > detector.entropy_limit]
    if isinstance(detector, RegexBasedDetector) and any(len(secret) < MIN_SECRET for secret in found):
        # It answered with a group of its pattern, such as the `ghp` of a token.
        return [match.group() for pattern in detector.denylist for match in pattern.finditer(line)]
    return found
