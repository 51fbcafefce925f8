"""Who may give commands: what the forge's own list of collaborators says, and nothing else.

Neither `author_association`, which is wrong for private members of an organisation, nor `github.actor`, which is
whoever started a run again, grants anything (rows A10, A11).
"""

from __future__ import annotations

from urllib.parse import quote

from nootropic_bot.forge import ForgeError
from nootropic_bot.github.client import Client
from nootropic_bot.github.names import is_login, repository_name
from nootropic_bot.host import Permission


def permission(client: Client, repository: str, login: str) -> Permission:
    """What an account may do in a repository (`owner/name`); an error is a denial.

    Raises:
        UsageError: the repository is none.
    """
    path = f"/repos/{repository_name(repository)}/collaborators"
    if not is_login(login):
        return Permission("none")
    try:
        answer = client.get(f"{path}/{quote(login, safe='')}/permission")
    except ForgeError as error:
        return Permission("none", error.message)
    level = answer.get("permission") if isinstance(answer, dict) else None
    user = answer.get("user") if isinstance(answer, dict) else None
    named = user.get("login") if isinstance(user, dict) else None
    if not isinstance(level, str) or not isinstance(named, str) or named.lower() != login.lower():
        return Permission("none", "GitHub's answer is about somebody else")
    return Permission(level)
