"""What a run without a token handed over, read as what it is: a file that anybody may have made (row A7).

Nothing is unpacked to the disk. An archive with any other member than those that are expected is refused whole.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Mapping

from nootropic_bot.errors import UsageError
from nootropic_bot.forge import Missing, TooLarge
from nootropic_bot.github.client import Client

ARTIFACT = "nootropic-report"
REPORT, SARIF, RECORDS = "report.json", "report.sarif", "records.jsonl"
MEMBERS = frozenset({REPORT, SARIF, RECORDS})
# A finding with its fix takes two kilobytes.
MAX_ZIP_BYTES = 32 << 20
MAX_MEMBER_BYTES = 64 << 20
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1


def download(client: Client, repository: str, run_id: int) -> Mapping[str, bytes]:
    """The members of the artifact of a run, by name.

    Raises:
        Missing: the run has none, or it has expired.
        UsageError: it is not what this program hands over.
        ForgeError: it is not to be had.
    """
    query = {"name": ARTIFACT}
    listed = client.pages(f"/repos/{repository}/actions/runs/{run_id:d}/artifacts", query, key="artifacts")
    found = [item for item in listed if isinstance(item, dict) and item.get("name") == ARTIFACT]
    if not found:
        raise Missing(f"the run has no artifact {ARTIFACT!r}", "see why the analysis did not end")
    # A run that was started again has one of each attempt.
    latest = max(found, key=lambda item: int(item["id"]))
    if latest.get("expired"):
        raise Missing(f"the artifact {ARTIFACT!r} has expired", "run the analysis again")
    if int(latest.get("size_in_bytes") or 0) > MAX_ZIP_BYTES:
        raise refused(f"it has {int(latest['size_in_bytes']):,} bytes")
    try:
        raw = client.download(f"/repos/{repository}/actions/artifacts/{int(latest['id'])}/zip", MAX_ZIP_BYTES)
    except TooLarge as error:
        raise refused(error.message) from error
    return unpack(raw)


def unpack(raw: bytes) -> Mapping[str, bytes]:
    """The members of an archive, by name.

    Raises:
        UsageError: it is no archive, or holds something else than `MEMBERS`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            _check(members)
            return {member.filename: _read(archive, member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise refused(f"it can't be unpacked ({type(error).__name__})") from error


def refused(reason: str) -> UsageError:
    """The error that an artifact which is not ours stands for."""
    return UsageError(f"the artifact {ARTIFACT!r} is refused: {reason}", "only what `review` wrote is posted")


def _check(members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if len(names) != len(set(names)):
        raise refused("a file is in it twice")
    for member in members:
        # Python cuts a name at a zero byte; other readers don't.
        if member.filename not in MEMBERS or member.orig_filename != member.filename:
            raise refused("it holds a file that is not expected")
        mode = member.external_attr >> 16
        if member.is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
            raise refused(f"{member.filename} is no plain file")
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise refused(f"{member.filename} is packed in a way that is not expected")
        if member.file_size > MAX_MEMBER_BYTES:
            raise refused(f"{member.filename} has {member.file_size:,} bytes")
    if REPORT not in names:
        raise refused(f"{REPORT} is not in it")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    # The size that is stated may be a lie; what is read is not.
    with archive.open(member) as file:
        data = file.read(MAX_MEMBER_BYTES + 1)
    if len(data) > MAX_MEMBER_BYTES:
        raise refused(f"{member.filename} has more bytes than it says")
    return data
