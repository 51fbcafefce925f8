"""Pull requests of unusual shape: what has no lines, and what is too large."""

from __future__ import annotations

import pytest
from github import GithubException

from tests.github.conftest import Scene
from tests.support.github.git import BareRepository


def opened(scene: Scene, branch: str, files: dict[str, str | bytes | None]) -> int:
    scene.server.commit(scene.repository, branch, files, parent=scene.main)
    return scene.server.open_pull(scene.repository, branch).number


def as_diff(scene: Scene, number: int) -> tuple[int, str]:
    """Status and text."""
    head = {"Accept": "application/vnd.github.diff"}
    path = f"/repos/octo/app/pulls/{number}"
    status, _, text = scene.server.client("bot").requester.requestBlob("GET", path, headers=head)
    return status, str(text)


def test_changes_without_lines_have_no_patch(scene: Scene) -> None:
    work = scene.work
    work.git("switch", "--quiet", "--detach", scene.main)
    work.git("mv", "gone.py", "kept.py")
    (work.path / "a.py").chmod(0o755)
    work.git("update-index", "--add", "--cacheinfo", f"160000,{scene.main},module")
    work.git("add", "a.py")
    work.git("commit", "--quiet", "-m", "odd")
    work.git("push", "--quiet", "origin", "HEAD:refs/heads/odd")
    number = scene.server.open_pull(scene.repository, "odd").number
    found = {file.filename: file for file in scene.pull(number=number).get_files()}
    assert {name: (file.status, file.changes) for name, file in found.items()} == {
        "a.py": ("modified", 0),
        "kept.py": ("renamed", 0),
        "module": ("added", 1),
    }
    assert (found["a.py"].patch, found["kept.py"].patch) == (None, None)
    for path in ("a.py", "kept.py"):
        entry = {"path": path, "line": 1, "body": "x"}
        with pytest.raises(GithubException, match="must be part of the diff"):
            scene.pull(number=number).create_review(body="x", event="COMMENT", comments=[entry])


def test_a_file_that_becomes_a_link_is_changed(scene: Scene) -> None:
    link = scene.work.path / "a.py"
    scene.work.git("switch", "--quiet", "--detach", scene.main)
    link.unlink()
    link.symlink_to("gone.py")
    scene.work.git("commit", "--quiet", "--all", "-m", "link")
    scene.work.git("push", "--quiet", "origin", "HEAD:refs/heads/link")
    number = scene.server.open_pull(scene.repository, "link").number
    (file,) = scene.pull(number=number).get_files()
    assert (file.status, file.additions, file.deletions) == ("changed", 1, 40)


def test_no_commits_are_no_pull_request_and_a_revert_is_an_empty_one(scene: Scene) -> None:
    repository = scene.server.client("bot").get_repo("octo/app")
    repository.create_git_ref("refs/heads/same", scene.main)
    with pytest.raises(GithubException, match="No commits between"):
        repository.create_pull(base="main", head="same", title="Nothing")
    number = opened(scene, "back", {"b.py": "b = 1\n"})
    scene.server.commit(scene.repository, "back", {"b.py": None})
    pull = scene.pull(number=number)
    assert (pull.changed_files, pull.commits, list(pull.get_files())) == (0, 2, [])


def test_more_than_300_files_have_no_diff_and_at_most_3000_are_listed(scene: Scene) -> None:
    few = opened(scene, "few", {f"f{number}.py": "f = 1\n" for number in range(300)})
    status, text = as_diff(scene, few)
    assert (status, text.count("diff --git")) == (200, 300)
    many = opened(scene, "many", {f"f{number}.py": "f = 1\n" for number in range(3_001)})
    assert as_diff(scene, many)[0] == 406
    found = list(scene.server.client("bot", per_page=100).get_repo("octo/app").get_pull(many).get_files())
    assert (len(found), scene.pull(number=many).changed_files) == (3_000, 3_001)
    assert scene.server.log.count("GET", f"/pulls/{many}/files") == 30


def test_more_than_20000_lines_have_no_diff(scene: Scene) -> None:
    number = opened(scene, "long", {"long.py": "x = 1\n" * 20_001, "short.py": "x = 1\n"})
    assert as_diff(scene, number)[0] == 406
    found = {file.filename: file for file in scene.pull(number=number).get_files()}
    assert found["long.py"].patch is None
    assert found["short.py"].patch is not None


def test_names_and_lines_that_are_no_text(scene: Scene) -> None:
    files = {"tab\tand space.py": b"a = 1\n", 'quote".py': b"q = 1\n", "latin.py": b"x = '\xe9'\n"}
    scene.work.git("switch", "--quiet", "--detach", scene.main)
    scene.work.commit(files)
    scene.work.git("push", "--quiet", "origin", "HEAD:refs/heads/names")
    number = scene.server.open_pull(scene.repository, "names").number
    found = {file.filename: file for file in scene.pull(number=number).get_files()}
    assert set(found) == set(files)
    assert found["latin.py"].patch.endswith("+x = '\ufffd'")
    entries = [{"path": path, "line": 1, "body": "x"} for path in files]
    scene.pull(number=number).create_review(body="x", event="COMMENT", comments=entries)


def test_a_push_of_a_commit_that_is_not_yet_seen_is_noticed(scene: Scene) -> None:
    """The server keeps nothing of git's: what is pushed behind its back counts at the next request."""
    BareRepository(scene.repository.git.path).run("update-ref", "refs/heads/feature", scene.main)
    assert scene.pull().state == "closed"
