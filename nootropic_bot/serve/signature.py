"""Whether a delivery is GitHub's: its signature over the bytes as they came, before anything reads them (row A16)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

HEADER = "x-hub-signature-256"
_FORM = re.compile(r"sha256=([0-9a-f]{64})")


def is_well_formed(signatures: Sequence[str]) -> bool:
    """Whether there is one signature, and of the right kind; the older SHA-1 one counts for nothing."""
    return len(signatures) == 1 and _FORM.fullmatch(signatures[0]) is not None


def is_signed(secret: bytes, body: bytes, signatures: Sequence[str]) -> bool:
    """Whether the body was signed with our secret; takes as long for a wrong signature as for a right one."""
    if not secret or not is_well_formed(signatures):
        return False
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode("ascii"), signatures[0].encode("ascii"))
