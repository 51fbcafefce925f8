"""A second opinion on the server that stands for GitHub: an emulator by others is asked the same, and so is the program.

What both know is compared field by field (`opinions.py`); what the emulator gets wrong is in `deviations.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import github
import pytest
import requests

from nootropic_bot.forge import Annotation, ForgeError, Missing, Refused
from nootropic_bot.github.apps import App
from nootropic_bot.github.checks import publish_check
from nootropic_bot.github.client import Client
from nootropic_bot.github.commits import Commits
from nootropic_bot.github.contents import read_file
from nootropic_bot.github.events import WorkflowRunEvent
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.host import GitHubHost
from nootropic_bot.github.permissions import permission
from nootropic_bot.github.pulls import find_pulls, get_pull
from tests.github.deviations import DEVIATIONS, LEFT_OUT
from tests.github.opinions import AFTER, Played, differences, play
from tests.support.emulator import emulator
from tests.support.github_server import GitHubServer
from tests.support.site import private_key

PEOPLE = ("octo", "mona", "eve")
PERMISSIONS = {"checks": "write", "contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write"}
SEED = {
    "tokens": {f"token-of-{login}": {"login": login, "scopes": ["repo", "user"]} for login in PEOPLE},
    "github": {
        "users": [{"login": login} for login in PEOPLE],
        "repos": [{"owner": "octo", "name": name, "auto_init": False} for name in ("app", "lib")],
        "apps": [
            {
                "app_id": 77, "slug": "nootropic", "name": "nootropic", "private_key": private_key(),
                "permissions": PERMISSIONS,
                "installations": [{"installation_id": 7, "account": "octo", "repository_selection": "all"}],
            }
        ],
    },
}  # fmt: skip


@dataclass(frozen=True)
class Hub:
    """A server: its address, the app's number there, people's tokens."""

    address: str
    number: str
    tokens: dict[str, str]

    @cached_property
    def app(self) -> App:
        """The app, as the program has it."""
        return App(self.address, self.number, private_key())

    def client(self, who: str = "octo") -> Client:
        """The program's own way to ask it; `app`: as an installation of the app."""
        return Client.connect(self.address, self.app.token("octo/lib") if who == "app" else self.tokens[who])

    def played(self) -> Played:
        """What it answers to all steps."""
        key = github.Auth.AppAuth(self.number, private_key()).create_jwt()
        return play(self.address, {**self.tokens, "app": self.app.token("octo/app"), "jwt": key, "bad": "nobody's"})


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with GitHubServer(tmp_path_factory.mktemp("github")) as server:
        tokens: dict[str, str] = {}
        for name in ("app", "lib"):
            repository = server.create_repository(f"octo/{name}")
            repository.roles |= {"octo": "admin", "mona": "write"}
        tokens = {login: server.add_person(login).value for login in PEOPLE}
        yield Hub(server.url, str(server.hub.user("nootropic[bot]").id), tokens)
        assert not server.violations


@pytest.fixture(scope="module")
def theirs() -> Iterator[Hub]:
    with emulator(SEED) as address:
        tokens = {login: f"token-of-{login}" for login in PEOPLE}
        for name in ("app", "lib"):
            path = f"{address}/repos/octo/{name}/collaborators/mona"
            headers = {"Authorization": f"Bearer {tokens['octo']}"}
            requests.put(path, json={"permission": "push"}, headers=headers, timeout=30).raise_for_status()
        yield Hub(address, "77", tokens)


def test_both_answer_the_same_but_for_what_is_listed(ours: Hub, theirs: Hub) -> None:
    found = {(step, field): (mine, other) for step, field, mine, other in differences(ours.played(), theirs.played())}
    listed = {(step, field): other for entries in DEVIATIONS.values() for step, field, other in entries}
    left_out = {(step, field): other for step, field, other in LEFT_OUT}
    assert {place: other for place, (_mine, other) in found.items()} == {**listed, **left_out}
    assert {place for place, (mine, _other) in found.items() if mine == "-"} >= left_out.keys()


@dataclass(frozen=True)
class Place:
    """A pull request on one of the servers."""

    hub: Hub
    base: str
    head: str
    number: int
    is_emulated: bool

    @property
    def forge(self) -> GitHubForge:
        return GitHubForge(self.hub.client(), "octo/lib", self.number)

    @property
    def host(self) -> GitHubHost:
        return GitHubHost(
            self.hub.client(), "octo/lib", self.number, self.forge, workflow="", server_url="https://github.com"
        )


@pytest.fixture(scope="module", params=["ours", "theirs"])
def place(request: pytest.FixtureRequest) -> Place:
    """A pull request of two commits, made by the requests that the program makes commits with."""
    hub: Hub = request.getfixturevalue(request.param)
    client, git = hub.client(), "/repos/octo/lib/git"

    def commit(text: str, *parents: str) -> str:
        blob = client.send("POST", f"{git}/blobs", {"content": text, "encoding": "utf-8"})["sha"]
        tree = {"tree": [{"path": "a.py", "mode": "100644", "type": "blob", "sha": blob}]}
        made = client.send("POST", f"{git}/trees", tree)["sha"]
        fields = {"message": "a change\n\nof words", "tree": made, "parents": list(parents)}
        return str(client.send("POST", f"{git}/commits", fields)["sha"])

    base = commit("one = 1\n")
    head = commit(AFTER, base)
    for name, oid in (("main", base), ("feature", head)):
        client.send("POST", f"{git}/refs", {"ref": f"refs/heads/{name}", "sha": oid})
    fields = {"title": "A", "head": "feature", "base": "main"}
    number = client.send("POST", "/repos/octo/lib/pulls", fields)["number"]
    return Place(hub, base, head, number, request.param == "theirs")


def test_a_pull_request_is_read_and_found(place: Place) -> None:
    client = place.hub.client()
    pull = get_pull(client, "octo/lib", place.number)
    assert (pull.head, pull.base, pull.head_branch, pull.author) == (place.head, place.base, "feature", "octo")
    assert (pull.is_open, pull.is_merged, pull.is_draft, pull.is_fork) == (True, False, False, False)
    event = WorkflowRunEvent("octo/lib", "completed", 1, "pull_request", "success", place.head, "feature", "octo/lib")
    assert find_pulls(client, event) == [pull]
    target = place.host.target()
    assert (target.head, target.branch, target.is_open) == (place.head, "feature", True)
    with pytest.raises(Missing):
        get_pull(client, "octo/lib", 99)


def test_files_and_messages_of_a_commit_are_read(place: Place) -> None:
    client = place.hub.client()
    assert read_file(client, "octo/lib", "a.py", place.head) == AFTER.encode()
    assert read_file(client, "octo/lib", "b.py", place.head) is None
    commits = Commits(client, "octo/lib")
    assert {path: file.data for path, file in commits.files(place.head, ["a.py", "b.py"]).items()} == {
        "a.py": AFTER.encode()
    }
    assert commits.message(place.head).rstrip() == "a change\n\nof words"
    assert commits.head("feature") == place.head


def test_who_may_what_is_told(place: Place) -> None:
    client = place.hub.client()
    may = {login: permission(client, "octo/lib", login).may_write for login in (*PEOPLE, "nobody")}
    # The emulator says `push` where GitHub says `write`, which grants nothing.
    assert may == {"octo": True, "mona": not place.is_emulated, "eve": False, "nobody": False}


def test_the_conversation_is_written_and_read_page_by_page(place: Place) -> None:
    client, comments = place.hub.client(), f"/repos/octo/lib/issues/{place.number}/comments"
    for number in range(5):
        place.host.reply(f"word {number}")
    found = list(client.pages(comments, {"per_page": 2}))
    assert [each["body"] for each in found] == [f"word {number}" for number in range(5)]
    place.host.edit_reply(found[0]["id"], "another word")
    assert client.get(comments)[0]["body"] == "another word"
    if place.is_emulated:
        with pytest.raises(Missing):
            place.host.acknowledge(found[0]["id"])
    else:
        place.host.acknowledge(found[0]["id"])


def test_reviews_and_their_comments_are_changed(place: Place) -> None:
    client, pull = place.hub.client(), f"/repos/octo/lib/pulls/{place.number}"
    entry = {"path": "a.py", "position": 3, "body": "here"}
    review = client.send("POST", f"{pull}/reviews", {"event": "COMMENT", "body": "found", "comments": [entry] * 2})
    comments = [each["id"] for each in client.get(f"{pull}/reviews/{review['id']}/comments")]
    place.forge.edit_comment(str(comments[0]), "fixed")
    place.forge.withdraw_comment(str(comments[1]))
    left = client.get(f"{pull}/reviews/{review['id']}/comments")
    assert [(each["id"], each["body"]) for each in left] == [(comments[0], "fixed")]
    with pytest.raises(Missing):
        place.forge.withdraw_comment(str(comments[1]))
    if place.is_emulated:
        with pytest.raises(Refused):
            place.forge.edit_review(str(review["id"]), "taken back")
    else:
        place.forge.edit_review(str(review["id"]), "taken back")
        assert client.get(f"{pull}/reviews/{review['id']}")["body"] == "taken back"


def test_an_apps_token_is_got_with_its_key_and_publishes_a_check(place: Place) -> None:
    """The emulator holds the signature to the key, which ours does not."""
    client = place.hub.client("app")
    checks = f"/repos/octo/lib/commits/{place.head}/check-runs"
    notes = [Annotation("a.py", line, line, "error", "title", "text") for line in (2, 3)]

    def publish(summary: str) -> list[dict[str, object]]:
        publish_check(client, "octo/lib", place.head, "failure", "2 findings", summary, notes)
        found: list[dict[str, object]] = client.get(checks, {"check_name": "nootropic-bot", "filter": "all"})[
            "check_runs"
        ]
        return found

    (first,) = publish("one")
    assert (first["conclusion"], first["output"]["annotations_count"]) == ("failure", 2)  # type: ignore[index]
    assert [each["id"] for each in publish("one")] == [first["id"]], "what says the same is left alone"
    assert len(publish("two")) == 2
    (latest,) = client.get(checks)["check_runs"]
    assert latest["output"]["summary"] == "two"


def test_a_key_of_another_app_gets_no_token(theirs: Hub) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    with pytest.raises(ForgeError):
        App(theirs.address, "77", key.private_bytes(*form).decode()).token("octo/lib")
    assert theirs.app.token("octo/lib")


def test_what_it_does_not_have_is_missing_for_the_program(theirs: Hub) -> None:
    """No GraphQL: what is on a pull request can't be read there, so posting is ours alone to judge."""
    assert (
        requests.post(f"{theirs.address}/graphql", json={"query": "{ viewer { login } }"}, timeout=30).status_code
        == 404
    )
    with pytest.raises(Missing):
        GitHubForge(theirs.client(), "octo/lib", 1).threads()
