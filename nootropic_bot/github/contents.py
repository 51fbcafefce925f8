"""Files of a commit, for a job without a clone."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote

from nootropic_bot.forge import Forbidden, Missing
from nootropic_bot.github.client import Client
from nootropic_bot.github.names import commit_id, repository_name


def read_file(client: Client, repository: str, path: str, commit: str) -> bytes | None:
    """A file of at most a megabyte, None where there is none.

    Raises:
        ForgeError: GitHub can't be asked.
    """
    place = f"/repos/{repository_name(repository)}/contents/{quote(path)}"
    try:
        answer = client.get(place, {"ref": commit_id(commit)})
    except Missing:
        return None
    except Forbidden as error:
        remedy = "give the token `contents: read`, or start this in a clone of the repository"
        raise Forbidden(f"{path} at {commit[:10]} can't be read: {error.message}", remedy) from error
    if not isinstance(answer, dict) or answer.get("type") != "file" or answer.get("encoding") != "base64":
        return None
    try:
        return base64.b64decode(answer["content"])
    except (KeyError, TypeError, binascii.Error) as error:
        raise Missing(f"GitHub's answer is no file {path}") from error
