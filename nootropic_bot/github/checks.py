"""Check runs and code scanning: what is said of a commit beside the conversation."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from nootropic_bot.constants import TOOL_NAME
from nootropic_bot.forge import Annotation, Conclusion, Forbidden, Refused, TooLarge
from nootropic_bot.github.client import Client
from nootropic_bot.records import Severity

_LEVELS: Mapping[Severity, str] = {"error": "failure", "warning": "warning", "info": "notice"}
_IN_REQUEST = 50
_MAX_TITLE = 255
_MAX_MESSAGE_BYTES = 64 * 1024
# Of a SARIF file, from GitHub's documentation.
_SARIF_BYTES, _SARIF_RUNS, _SARIF_RESULTS = 10_000_000, 20, 25_000


def publish_check(
    client: Client,
    repository: str,
    head: str,
    conclusion: Conclusion,
    title: str,
    summary: str,
    annotations: Sequence[Annotation],
    *,
    is_first: bool = False,
) -> None:
    """Publish a check of a commit, in place of an earlier one; annotations in as many requests as they take.

    Annotations can only be added. So the check says in `external_id` what it is to hold: one that was cut off is
    continued, one that says the same is left alone, and one that says something else is followed by a new one, which is
    the one that is shown. `is_first`: there is none that says the same.

    Raises:
        ForgeError: it was not published, or not with all annotations.
    """
    output = {"title": title, "summary": summary}
    shown = [_annotation(annotation) for annotation in annotations]
    digest = hashlib.sha256(json.dumps([conclusion, output, shown]).encode()).hexdigest()[:32]
    check = None if is_first else _find(client, repository, head)
    path = f"/repos/{repository}/check-runs"
    if check is None or check.get("external_id") != digest:
        first: dict[str, object] = {**output, "annotations": shown[:_IN_REQUEST]}
        done = {"status": "completed", "conclusion": conclusion, "external_id": digest}
        body = {"name": TOOL_NAME, "head_sha": head, **done, "output": first}
        check = client.send("POST", path, body)
        sent = len(shown[:_IN_REQUEST])
    else:
        sent = int((check.get("output") or {}).get("annotations_count") or 0)
    for start in range(sent, len(shown), _IN_REQUEST):
        more = {**output, "annotations": shown[start : start + _IN_REQUEST]}
        client.send("PATCH", f"{path}/{int(check['id'])}", {"output": more})


def _find(client: Client, repository: str, head: str) -> Any:
    """Our latest check of a commit; None where there is none or it may not be read."""
    try:
        listed = client.get(f"/repos/{repository}/commits/{head}/check-runs", {"check_name": TOOL_NAME})
    except Forbidden:
        return None
    checks = listed.get("check_runs", []) if isinstance(listed, dict) else []
    ours = [check for check in checks if check.get("name") == TOOL_NAME]
    return max(ours, key=lambda check: int(check["id"]), default=None)


def _annotation(annotation: Annotation) -> dict[str, object]:
    message = annotation.message.encode()[:_MAX_MESSAGE_BYTES].decode("utf-8", "ignore")
    return {
        "path": annotation.path,
        "start_line": annotation.first_line,
        "end_line": annotation.last_line,
        "annotation_level": _LEVELS[annotation.severity],
        "title": annotation.title[:_MAX_TITLE],
        "message": message,
    }


def upload_sarif(client: Client, repository: str, number: int, head: str, sarif: str) -> None:
    """Hand the results of a pull request's commit to code scanning.

    Raises:
        TooLarge: they break a limit that GitHub would only tell later.
        Refused: it is no SARIF.
        ForgeError: they were not taken.
    """
    try:
        runs = json.loads(sarif)["runs"]
        results = max((len(run.get("results", ())) for run in runs), default=0)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Refused("this is no SARIF") from error
    if len(runs) > _SARIF_RUNS or results > _SARIF_RESULTS:
        raise TooLarge(f"GitHub takes {_SARIF_RUNS} runs of {_SARIF_RESULTS:,} results")
    packed = gzip.compress(sarif.encode("utf-8", "backslashreplace"), mtime=0)
    if len(packed) > _SARIF_BYTES:
        raise TooLarge(f"the SARIF has {len(packed):,} bytes packed, GitHub takes {_SARIF_BYTES:,}")
    body = {"commit_sha": head, "ref": f"refs/pull/{number}/head", "sarif": base64.b64encode(packed).decode()}
    # Results of the same commit take the place of earlier ones.
    client.send("POST", f"/repos/{repository}/code-scanning/sarifs", body, is_repeatable=True)
