"""Files and commits by GitHub's interface to git's objects, and the conversation, on the server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nootropic_bot.errors import NootropicError
from nootropic_bot.forge import Forbidden, Refused, TooLarge
from nootropic_bot.github.client import Client
from nootropic_bot.github.commits import Commits
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.host import GitHubHost
from nootropic_bot.host import File
from tests.github.conftest import Scene


def connected(scene: Scene, label: str = "bot") -> Client:
    return Client.connect(scene.server.url, scene.server.token(label))


def host_of(scene: Scene, number: int = 1) -> GitHubHost:
    client = connected(scene)
    forge = GitHubForge(client, "octo/app", number)
    return GitHubHost(client, "octo/app", number, forge, workflow="a.yml", server_url="https://github.example")


def odd_tree(scene: Scene) -> str:
    """A head with an executable, a link, an empty file, and bytes that are no text."""
    scene.work.write("bin/tool.py", "t = 1\n").chmod(0o755)
    (scene.work.path / "link.py").symlink_to("a.py")
    return scene.push({"empty.py": "", "deep/er/raw.bin": bytes(range(256)), "sp ace/ü.py": "u = 1\n"})


PATHS = ("bin/tool.py", "link.py", "empty.py", "deep/er/raw.bin", "sp ace/ü.py", "deep", "missing.py", "deep/no/way.py")


def test_regular_files_are_read_with_their_modes_and_nothing_else_is(scene: Scene) -> None:
    head = odd_tree(scene)
    found = Commits(connected(scene), "octo/app").files(head, PATHS)
    assert set(found) == {"bin/tool.py", "empty.py", "deep/er/raw.bin", "sp ace/ü.py"}
    assert (found["bin/tool.py"].mode, found["bin/tool.py"].data) == ("100755", b"t = 1\n")
    assert found["deep/er/raw.bin"].data == bytes(range(256))
    assert found["empty.py"].oid == scene.work.git("rev-parse", f"{head}:empty.py")


def test_a_tree_that_is_too_large_for_one_answer_is_walked(scene: Scene) -> None:
    head = odd_tree(scene)
    cut = {"sha": head, "url": "https://api.github.com/x", "tree": [], "truncated": True}
    scene.server.fail_next("GET", "/git/trees/", 200, body=cut)
    found = Commits(connected(scene), "octo/app").files(head, PATHS)
    assert set(found) == {"bin/tool.py", "empty.py", "deep/er/raw.bin", "sp ace/ü.py"}
    assert scene.server.log.count("GET", "/git/trees/") > len(PATHS)


def test_a_large_file_is_not_fetched(scene: Scene) -> None:
    head = scene.push({"big.py": b"#" * (6 << 20)})
    with pytest.raises(TooLarge, match="5 MiB"):
        Commits(connected(scene), "octo/app").files(head, ["big.py"])
    assert scene.server.log.count("GET", "/git/blobs/") == 0


@pytest.mark.parametrize("branch", ["feature", "feat/#1-100%", "$(id)", "ü/ß"])
def test_a_commit_replaces_files_and_keeps_the_rest(scene: Scene, branch: str) -> None:
    head = odd_tree(scene)
    scene.work.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    commits = Commits(connected(scene), "octo/app")
    files = commits.files(head, ["bin/tool.py", "deep/er/raw.bin"])
    changed = [File(path, file.data[::-1], file.oid, file.mode) for path, file in files.items()]
    made = commits.commit(branch, head, changed, "Change\n\nWhy\n")
    git = scene.repository.git
    assert git.line("rev-parse", f"refs/heads/{branch}") == made
    assert git.line("rev-parse", f"{made}^") == head
    assert commits.message(made).rstrip() == "Change\n\nWhy"
    before, after = (dict(_entries(git.run("ls-tree", "-r", sha).decode())) for sha in (head, made))
    assert {path: mode for path, (mode, _oid) in before.items()} == {path: mode for path, (mode, _oid) in after.items()}
    assert {path for path in before if before[path] != after[path]} == {"bin/tool.py", "deep/er/raw.bin"}
    assert git.run("cat-file", "blob", f"{made}:deep/er/raw.bin") == bytes(range(256))[::-1]


def _entries(listing: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in listing.splitlines():
        meta, path = line.split("\t")
        yield path, tuple(meta.split(" ")[::2])


def test_a_branch_that_is_elsewhere_is_not_moved(scene: Scene) -> None:
    commits = Commits(connected(scene), "octo/app")
    (file,) = commits.files(scene.head, ["a.py"]).values()
    git = scene.repository.git
    for there in (scene.push({"more.py": "m = 1\n"}), scene.main):
        git.run("update-ref", "refs/heads/feature", there)
        with pytest.raises(Refused):
            commits.commit("feature", scene.head, [file], "Change")
        assert git.line("rev-parse", "refs/heads/feature") == there


def test_nothing_is_written_to_a_fork(scene: Scene) -> None:
    pull = scene.open_from_fork()
    host = host_of(scene, pull.number)
    target = host.target()
    assert (target.is_fork, target.author, target.head) == (True, "eve", pull.head)
    for act in (lambda: host.commit(target, [], "x"), lambda: host.start_checks(target)):
        with pytest.raises(Forbidden):
            act()
    assert not scene.server.log.writes()


def test_a_deleted_fork_is_one_without_a_branch(scene: Scene) -> None:
    pull = scene.open_from_fork()
    pull.head_repository = None
    target = host_of(scene, pull.number).target()
    assert (target.is_fork, target.branch) == (True, None)


def test_a_long_conversation_is_read_from_its_end(scene: Scene) -> None:
    pull = scene.server.hub.pulls[scene.repository.id, 1]
    said = [scene.server.comment(pull, "mona", f"number {number}").id for number in range(1_050)]
    found = host_of(scene).remarks()
    assert [each.id for each in found] == said[-1_000:]
    assert scene.server.log.count("POST", "/graphql") == 10
    assert {each.author for each in found} == {"mona"}
    assert not any(each.is_ours for each in found)


def test_replies_are_ours_and_can_be_edited(scene: Scene) -> None:
    host = host_of(scene)
    host.reply("one")
    (remark,) = host.remarks()
    assert (remark.is_ours, remark.body) == (True, "one")
    host.edit_reply(remark.id, "two")
    assert [each.body for each in host.remarks()] == ["two"]


def test_people_are_named_by_the_address_that_hides_theirs(scene: Scene) -> None:
    host = host_of(scene)
    assert host.co_author("mona", 7) == "mona <7+mona@users.noreply.github.example>"
    for login in ("mona\nCo-authored-by: eve <e@x>", "", "a b", "<x>"):
        with pytest.raises(NootropicError):
            host.co_author(login, 7)
