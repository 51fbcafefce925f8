"""Files at a commit, and a commit on a branch, by GitHub's interface to git's objects.

No clone, no checkout: what is read are blobs of a tree by their ids, so no link is followed (row A41), and what is
written keeps each file's mode.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from nootropic_bot.forge import Refused, TooLarge, Unanswered
from nootropic_bot.github.client import Client
from nootropic_bot.github.names import commit_id, repository_name
from nootropic_bot.host import EXECUTABLE, REGULAR, File

_MODES = frozenset({REGULAR, EXECUTABLE})
_MAX_FILE = 5 << 20
_REPOSITORY = "query ($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { id } }"
_MOVE = """
mutation ($repository: ID!, $branch: GitRefname!, $before: GitObjectID!, $after: GitObjectID!) {
  updateRefs(input: {
    repositoryId: $repository, refUpdates: [{name: $branch, beforeOid: $before, afterOid: $after, force: false}]
  }) { clientMutationId }
}
"""


class Commits:
    """The objects of one repository (`owner/name`). Every method raises a `ForgeError` where it fails."""

    def __init__(self, client: Client, repository: str) -> None:
        self._client = client
        self._name = repository_name(repository)
        self._git = f"/repos/{self._name}/git"

    def files(self, commit: str, paths: Iterable[str]) -> Mapping[str, File]:
        """Regular files at a commit by path; what is missing, or is a link or a submodule, is left out."""
        wanted = dict.fromkeys(paths)
        entries = dict(self._entries(commit, wanted)) if wanted else {}
        return {path: File(path, self._blob(oid), oid, mode) for path, (mode, oid) in entries.items()}

    def message(self, commit: str) -> str:
        """The message of a commit."""
        return _text(self._client.get(f"{self._git}/commits/{commit_id(commit)}"), "message")

    def commit(self, branch: str, parent: str, files: Sequence[File], message: str) -> str:
        """Replace files by one commit on top of `parent`, and move the branch there from `parent` only.

        GitHub compares and moves in one step, so whoever pushes or sets the branch back meanwhile wins.

        Returns:
            The commit's id.
        """
        tree = [{"path": file.path, "mode": file.mode, "type": "blob", "sha": self._store(file.data)} for file in files]
        made = self._client.send("POST", f"{self._git}/trees", {"base_tree": parent, "tree": tree}, is_repeatable=True)
        fields = {"message": message, "tree": _sha(made), "parents": [parent]}
        # Who made it is the token's account, and so is its signature.
        commit = _sha(self._client.send("POST", f"{self._git}/commits", fields, is_repeatable=True))
        self._move(branch, parent, commit)
        return commit

    def head(self, branch: str) -> str:
        """The commit that a branch is at."""
        found = self._client.get(f"{self._git}/ref/heads/{quote(branch, safe='/')}")
        return _sha(found.get("object") if isinstance(found, dict) else None)

    def _move(self, branch: str, parent: str, commit: str) -> None:
        change = {"branch": f"refs/heads/{branch}", "before": parent, "after": commit}
        try:
            self._client.graphql(_MOVE, {"repository": self._id(), **change}, is_write=True)
        except Unanswered:
            # It may have been carried out all the same (row F15).
            if self.head(branch) != commit:
                raise

    def _id(self) -> str:
        owner, name = self._name.split("/")
        found = self._client.graphql(_REPOSITORY, {"owner": owner, "name": name})
        return _text(found.get("repository") if isinstance(found, dict) else None, "id")

    def _store(self, data: bytes) -> str:
        fields = {"content": base64.b64encode(data).decode("ascii"), "encoding": "base64"}
        return _sha(self._client.send("POST", f"{self._git}/blobs", fields, is_repeatable=True))

    def _blob(self, oid: str) -> bytes:
        found = self._client.get(f"{self._git}/blobs/{oid}")
        content = _text(found, "content")
        try:
            return base64.b64decode("".join(content.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused("GitHub's answer holds no file") from error

    def _entries(self, commit: str, wanted: Iterable[str]) -> Iterator[tuple[str, tuple[str, str]]]:
        """Mode and id of the regular files among these paths."""
        whole = self._tree(commit_id(commit), {"recursive": "1"})
        if whole.get("truncated") is not True:
            listed = {entry.get("path"): entry for entry in _list(whole)}
            yield from _regular((path, listed.get(path)) for path in wanted)
            return
        # A tree that is too large for one answer is walked, folder by folder.
        yield from _regular((path, self._walk(commit, path)) for path in wanted)

    def _walk(self, commit: str, path: str) -> Any:
        tree, entry = commit_id(commit), None
        for part in path.split("/"):
            entry = next((each for each in _list(self._tree(tree, {})) if each.get("path") == part), None)
            if entry is None:
                return None
            tree = str(entry.get("sha"))
        return entry

    def _tree(self, name: str, query: Mapping[str, str]) -> dict[str, Any]:
        found = self._client.get(f"{self._git}/trees/{commit_id(name)}", query)
        return found if isinstance(found, dict) else {}


def _list(tree: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    entries = tree.get("tree")
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _regular(found: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, tuple[str, str]]]:
    for path, entry in found:
        if entry is None or entry.get("type") != "blob" or entry.get("mode") not in _MODES:
            continue
        if int(entry.get("size") or 0) > _MAX_FILE:
            raise TooLarge(f"a file has more than {_MAX_FILE >> 20} MiB", "fix it by hand, or in a clone")
        yield path, (entry["mode"], _sha(entry))


def _sha(data: Any) -> str:
    return commit_id(_text(data, "sha"))


def _text(data: Any, name: str) -> str:
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, str):
        raise Refused(f"GitHub's answer holds no `{name}`")
    return value
