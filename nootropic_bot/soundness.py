"""Whether a fix that came with a report is what the report says: asked before it is shown, recorded or committed.

A report comes from a job that saw the pull request, and a fork's is the word of whoever opened it. So what it says of
a fix is compared with the file itself. Nothing here executes anything. What only a scan could tell stays the report's
word: that the finding is gone, and that nothing new is found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from nootropic_bot.constants import SILENCING_MARKS
from nootropic_bot.diff import apply_edits, is_forbidden_path, unified
from nootropic_bot.records import Edit, Finding, Suggestion, Verdict
from nootropic_bot.source import Source, Undecodable, decode
from nootropic_bot.state.redact import find_secrets

# The parts of a proof, all of them: one with fewer proved less, one with others was made elsewhere.
CHECKS = frozenset({"scope", "parse", "names", "signature", "bounded", "gone", "nothing_new"})
# A fix of that many lines is none that the proof lets pass.
_MAX_LINES = 2_000


def suggestion_id(finding: str, edits: Iterable[Edit]) -> str:
    """The id of a fix: the same for the same edits of the same finding."""
    text = "\0".join([finding, *(f"{edit.start_line}:{edit.end_line}:{edit.replacement}" for edit in edits)])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def is_proved(suggestion: Suggestion) -> bool:
    """Whether every check passed; the word of the report alone is not enough."""
    return suggestion.verified and bool(suggestion.edits) and Verdict(suggestion.checks).is_verified


def refusal(finding: Finding, fix: Suggestion) -> str | None:
    """Why a fix is not made whatever the file holds (rows A22 to A24)."""
    if any(edit.path != finding.path for edit in fix.edits):
        return "it changes another file than the finding's"
    if is_forbidden_path(finding.path):
        return "workflows, settings of the forge and lock files are never changed"
    if sum(edit.replacement.count("\n") for edit in fix.edits) > _MAX_LINES:
        return "it is too large"
    return None


def opened(path: str, raw: bytes) -> Source | str:
    """A file at the head, decoded, or why no fix can be made in it."""
    try:
        source = decode(path, raw)
    except Undecodable as error:
        return f"the file can't be read: {error}"
    return source if source.is_faithful else "the file holds bytes that its encoding does not have"


def mismatch(fix: Suggestion, source: Source) -> str | None:
    """Why a suggestion is not one for this file, or brings in what no fix may."""
    try:
        after = apply_edits(source.lines, fix.edits)
        source.encode("".join(after))
    except ValueError:
        return "it does not fit the file at the head"
    if unified(source.path, source.lines, after) != fix.diff or after == source.lines:
        return "the file at the head is not the one that it was proved for"
    if brings_secret(source.text, "".join(after)):
        return "it holds what looks like a secret"
    text, before = "".join(after).lower(), source.text.lower()
    if any(text.count(mark) > before.count(mark) for mark in SILENCING_MARKS):
        return "it silences a checker"
    return None


def brings_secret(before: str, after: str) -> bool:
    """Whether a text holds something that looks like a secret and was not there before (row A22)."""
    return any(secret not in before for secret, _kind in find_secrets(after))


def diff_brings_secret(diff: str) -> bool:
    """The same of a diff: whether what it adds holds a secret that what it shows of the file does not."""
    lines = diff.split("\n")
    after = "\n".join(line[1:] for line in lines if line.startswith("+"))
    return brings_secret("\n".join(line[1:] for line in lines if not line.startswith("+")), after)
