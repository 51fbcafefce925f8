"""`init --github`: which workflows, and the commit that pins our actions in them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nootropic_bot import __version__
from nootropic_bot.constants import HOME_REPOSITORY
from nootropic_bot.errors import RemoteError, UsageError
from nootropic_bot.git import Repository
from nootropic_bot.workflowfiles import Actions, Setup, check_repository, path_of, workflows

_OURS = re.compile(r"uses: (?P<repository>\S+)/(?P<action>actions/[a-z]+)@(?P<pin>\S+).*")
_OTHERS = re.compile(r"(uses: actions/[^@\s]+)@.*")
_SERVER = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253})(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for. `ref`: the commit that pins the actions; None: that of this version's tag."""

    repository: str
    ref: str | None
    self_hosted: bool
    shards: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """`files`: path → what is there, what shall be there. `kept`: what is there and is not what the wish gives."""

    files: dict[str, tuple[str, str]]
    kept: tuple[str, ...]


def wanted_workflows(repo: Repository, wish: Wish) -> Wanted:
    """What is there stays; only what is missing needs the network.

    Raises:
        UsageError: a name or number is wrong, or what is there is for other runners.
        RemoteError: the tag could not be looked up.
    """
    check_repository(wish.repository)
    # Rendered once with a commit that stands for any: which files there are does not depend on it.
    some = Actions(wish.repository, wish.ref or "0" * 40, __version__)
    given = workflows(Setup(some, wish.self_hosted, wish.shards))
    there = {path: _read(repo.top / path) for path in given}
    _check_kind(repo, there, wish)
    kept = tuple(path for path, old in there.items() if old and _asked_for(old, wish) != _asked_for(given[path], wish))
    if all(there.values()):
        return Wanted({path: (text, text) for path, text in there.items()}, kept)
    sha = wish.ref or _commit_of_release(repo, wish.repository)
    made = workflows(Setup(Actions(wish.repository, sha, __version__), wish.self_hosted, wish.shards))
    return Wanted({path: (old, old or made[path]) for path, old in there.items()}, kept)


def _check_kind(repo: Repository, there: Mapping[str, str], wish: Wish) -> None:
    """Those for one kind of runners beside those for the other would post everything twice."""
    if wish.self_hosted:
        is_other = any((repo.top / path_of(name)).exists() for name in ("publish", "wheel"))
    else:
        is_other = "/actions/publish@" in there[path_of("review")]
    if is_other:
        kind = "GitHub's runners" if wish.self_hosted else "runners of your own (--self-hosted)"
        remedy = f"delete {path_of('*')} first, then run this again"
        raise UsageError(f"the workflows that are there are those for {kind}; nothing was written", remedy)


def _asked_for(text: str, wish: Wish) -> str:
    """A workflow without what a wish says nothing of: the commits of actions, which others keep up to date, and where
    ours are taken from."""

    def ours(found: re.Match[str]) -> str:
        repository = found["repository"] if wish.repository != HOME_REPOSITORY else ""
        return f"uses: {repository}/{found['action']}@{found['pin'] if wish.ref else ''}"

    lines = (_OTHERS.sub(r"\1", line) for line in text.splitlines())
    return "\n".join(_OURS.sub(ours, line) for line in lines)


def next_steps(wish: Wish) -> str:
    """What is left to do by hand."""
    page = f"https://github.com/{wish.repository}/blob/main/docs/pull-requests.md"
    if wish.self_hosted:
        then = (
            "the next pull request is reviewed on runners with the labels `self-hosted` and `linux`, "
            "which need git, bash and Python 3.10 or newer"
        )
        return f"next: commit and push them to the default branch; {then}.\nWhat else they need: {page}"
    wheel = path_of("wheel").rpartition("/")[2]
    return (
        "next: commit and push them to the default branch. That push builds the model's runtime, once, in some minutes "
        f"({wheel}); the next pull request is reviewed.\nWhat is posted where, and who may do what: {page}"
    )


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} can't be read: {error}") from error


def _commit_of_release(repo: Repository, repository: str) -> str:
    """The commit that the tag of this version names on the server."""
    from nootropic_bot.gitwrite import list_remote

    server = os.environ.get("GITHUB_SERVER_URL") or "https://github.com"
    if not _SERVER.fullmatch(server):
        raise UsageError(f"GITHUB_SERVER_URL is {server!r}", "it must look like https://github.com")
    url, tag = f"{server}/{repository}.git", f"refs/tags/v{__version__}"
    remedy = "give the commit yourself: `nootropic-bot init --github --ref <40 characters>`"
    try:
        found = list_remote(repo, url, [tag, f"{tag}^{{}}"])
    except RemoteError as error:
        problem = f"{url} could not be asked for the commit of v{__version__}: {error.message}"
        raise RemoteError(problem, remedy) from error
    # An annotated tag is an object of its own; the commit behind it has `^{}` after its name.
    sha = found.get(f"{tag}^{{}}") or found.get(tag)
    if sha is None:
        raise RemoteError(f"{repository} has no tag v{__version__}", remedy)
    return sha
