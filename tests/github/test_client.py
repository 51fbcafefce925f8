"""What a call does when GitHub answers something else than wished: over HTTP, against the server."""

from __future__ import annotations

import json

import pytest

from nootropic_bot.errors import UsageError
from nootropic_bot.forge import Forbidden, ForgeError, Missing, Refused, Throttled, TooLarge, Unanswered
from nootropic_bot.github.client import Client
from nootropic_bot.github.failures import asked_wait
from nootropic_bot.github.runner import check_api_url
from nootropic_bot.github.waiting import Pace, Patience
from tests.github.conftest import Scene
from tests.support.clock import Clock

PULL = "/repos/octo/app/pulls/1"
COMMENTS = "/repos/octo/app/issues/1/comments"
QUERY = 'query { repository(owner: "octo", name: "app") { pullRequest(number: 1) { headRefOid } } }'


def connect(scene: Scene, label: str = "bot", *, budget: float = 300.0, clock: Clock | None = None) -> Client:
    clock = clock or Clock()
    patience = Patience(budget, sleep=clock.sleep, jitter=lambda: 0.5)
    return Client.connect(scene.server.url, scene.server.token(label), patience=patience, pace=Pace(clock))


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (401, {}, {"message": "Bad credentials"}, Forbidden),
        (403, {}, {"message": "Resource not accessible by integration"}, Forbidden),
        (403, {"retry-after": "400"}, {"message": "no"}, Throttled),
        (403, {"x-ratelimit-remaining": "0"}, {"message": "no"}, Throttled),
        (403, {}, {"message": "You have exceeded a secondary rate limit."}, Throttled),
        (403, {}, {"message": "too big", "errors": [{"code": "too_large"}]}, TooLarge),
        (404, {}, {"message": "Not Found"}, Missing),
        (410, {}, {"message": "Gone"}, Missing),
        (406, {}, {"message": "Sorry"}, TooLarge),
        (413, {}, None, TooLarge),
        (422, {}, {"message": "Validation Failed", "errors": ["nobody knows which"]}, Refused),
        (400, {}, {"message": "Problems parsing JSON"}, Refused),
        (409, {}, {"message": "Conflict"}, Refused),
        (429, {"retry-after": "301"}, None, Throttled),
        (502, {}, None, Unanswered),
    ],
)
def test_a_status_is_told_as_what_it_means(
    scene: Scene, status: int, headers: dict[str, str], body: object, kind: type[ForgeError]
) -> None:
    scene.server.fail_next("GET", PULL, status, headers=headers, body=body, times=9)
    with pytest.raises(ForgeError) as caught:
        connect(scene, budget=10).get(PULL)
    assert type(caught.value) is kind
    assert str(status) in caught.value.message


def test_a_wait_that_is_asked_for_is_waited_for_once(scene: Scene) -> None:
    clock = Clock()
    scene.server.fail_next("POST", COMMENTS, 429, headers={"retry-after": "17"})
    scene.server.fail_next("POST", COMMENTS, 403, body={"message": "You have exceeded a secondary rate limit"})
    connect(scene, clock=clock).send("POST", COMMENTS, {"body": "once"})
    assert clock.slept == [17.0, 120.0]
    assert [comment.body for comment in scene.server.hub.pulls[scene.repository.id, 1].comments] == ["once"]


def test_a_wait_longer_than_the_budget_is_not_begun(scene: Scene) -> None:
    clock = Clock()
    scene.server.fail_next("POST", COMMENTS, 429, headers={"retry-after": "301"})
    with pytest.raises(Throttled) as caught:
        connect(scene, clock=clock).send("POST", COMMENTS, {"body": "x"})
    assert (caught.value.retry_after, clock.slept, scene.server.log.count("POST")) == (301.0, [], 1)


def test_f18_a_limit_is_measured_by_the_servers_clock() -> None:
    """The server lives in another year than this machine; it says its own time in `Date`."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1400000040"}
    assert asked_wait({**headers, "date": "Tue, 13 May 2014 16:53:20 GMT"}) == 41.0
    assert asked_wait({"retry-after": "Tue, 13 May 2014 16:53:30 GMT", "date": "Tue, 13 May 2014 16:53:20 GMT"}) == 10.0
    assert asked_wait({**headers, "date": "Tue, 13 May 2014 16:59:20 GMT"}) == 0.0
    assert asked_wait({**headers, "date": "now"}) is None


@pytest.mark.parametrize(
    ("reset", "wait"), [("9" * 400, 1.0), ("soon", 1.0), ("\u00b2", 1.0), ("-5", 60.0), ("nan", 1.0)]
)
def test_strange_times_do_not_stop_it(scene: Scene, reset: str, wait: float) -> None:
    clock = Clock()
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    scene.server.fail_next("GET", PULL, 429, headers=headers)
    connect(scene, clock=clock).get(PULL)
    assert clock.slept == [wait]


def test_reading_is_tried_again_and_writing_is_not(scene: Scene) -> None:
    clock = Clock()
    client = connect(scene, clock=clock)
    scene.server.fail_next("GET", PULL, 502)
    scene.server.drop_next("GET", PULL)
    assert client.get(PULL)["number"] == 1
    assert (clock.slept, client.requests) == ([1.0, 2.0], 3)
    scene.server.fail_next("POST", COMMENTS, 502, effect=True)
    with pytest.raises(Unanswered):
        client.send("POST", COMMENTS, {"body": "once"})
    scene.server.drop_next("POST", COMMENTS, effect=True)
    with pytest.raises(Unanswered):
        client.send("POST", COMMENTS, {"body": "twice"})
    assert scene.server.log.count("POST") == 2


def test_what_was_never_sent_is_tried_again(scene: Scene) -> None:
    clock = Clock()
    patience = Patience(sleep=clock.sleep, jitter=lambda: 0.5)
    client = Client.connect("http://127.0.0.1:9", "x", patience=patience)
    with pytest.raises(Unanswered, match="could not be reached"):
        client.send("POST", COMMENTS, {"body": "x"})
    assert clock.slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("FORBIDDEN", Forbidden), ("NOT_FOUND", Missing), ("RATE_LIMITED", Throttled), ("UNPROCESSABLE", Refused)],
)
def test_an_error_of_graphql_comes_with_status_200(scene: Scene, type_: str, kind: type[ForgeError]) -> None:
    body = {"data": {"repository": None}, "errors": [{"type": type_, "message": "so it is"}]}
    scene.server.fail_next("POST", "/graphql", 200, body=body, times=9)
    with pytest.raises(ForgeError, match="so it is") as caught:
        connect(scene, budget=10).graphql(QUERY, {})
    assert type(caught.value) is kind


def test_a_query_is_read_again_and_a_mutation_is_not(scene: Scene) -> None:
    client = connect(scene)
    scene.server.fail_next("POST", "/graphql", 200, body={"errors": [{"message": "Something went wrong while …"}]})
    scene.server.fail_next("POST", "/graphql", 200, body="<html>")
    assert client.graphql(QUERY, {})["repository"]["pullRequest"]["headRefOid"] == scene.head
    scene.server.drop_next("POST", "/graphql")
    with pytest.raises(Unanswered):
        client.graphql("mutation { resolveReviewThread(input: {threadId: 1}) { thread { id } } }", {}, is_write=True)
    assert client.requests == 4


def test_a_renamed_repository_is_followed_for_reading_and_writing(scene: Scene) -> None:
    scene.server.hub.rename_repository(scene.repository, "renamed")
    client = connect(scene)
    assert client.get(PULL)["base"]["repo"]["full_name"] == "octo/renamed"
    for number in range(3):
        client.send("POST", COMMENTS, {"body": str(number)})
    found = list(client.pages(COMMENTS, {"per_page": 1}))
    assert [comment["body"] for comment in found] == ["0", "1", "2"]
    assert scene.server.log.count("POST", "^/repos/octo/app/") == 1, "the second time it is known"


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_to_another_host_does_not_get_the_token(scene: Scene, status: int) -> None:
    elsewhere = scene.server.url.replace("127.0.0.1", "localhost")
    headers = {"Location": f"{elsewhere}/repositories/{scene.repository.id}/issues/1/comments"}
    scene.server.fail_next("POST", COMMENTS, status, headers=headers)
    with pytest.raises(Missing, match="another server"):
        connect(scene).send("POST", COMMENTS, {"body": "x"})
    assert len(scene.server.log) == 1


def test_a_circle_of_redirects_ends(scene: Scene) -> None:
    scene.server.fail_next("GET", PULL, 307, headers={"Location": f"{scene.server.url}{PULL}"}, times=9)
    with pytest.raises(Missing, match="circle"):
        connect(scene).get(PULL)


def test_pages_are_asked_for_as_they_are_taken(scene: Scene) -> None:
    for number in range(3):
        scene.server.comment(scene.server.hub.pulls[scene.repository.id, 1], "mona", str(number))
    client = connect(scene)
    items = client.pages(COMMENTS, {"per_page": 1})
    assert (next(items)["body"], client.requests) == ("0", 1)
    assert ([item["body"] for item in items], client.requests) == (["1", "2"], 3)


def test_the_pace_keeps_below_the_limit_for_new_content(scene: Scene, clock: Clock) -> None:
    patience = Patience(sleep=clock.sleep)
    client = Client.connect(scene.server.url, scene.server.token("bot"), patience=patience, pace=Pace(clock))
    for number in range(130):
        client.send("POST", COMMENTS, {"body": str(number)})
    assert scene.server.limits.exceeded == []
    assert clock.slept == [60.0, 60.0]


@pytest.mark.parametrize(("most", "between", "period"), [(60, 0.0, "a minute"), (450, 2.0, "an hour")])
def test_what_ends_in_too_many_writes_says_in_which_time(clock: Clock, most: int, between: float, period: str) -> None:
    pace, patience = Pace(clock), Patience(0, sleep=clock.sleep)
    for _write in range(most):
        pace.take(patience)
        clock.seconds += between
    with pytest.raises(Throttled, match=f"takes in {period}$"):
        pace.take(patience)


@pytest.mark.parametrize("token", ["", " ", "a b", "a\nb", "ä"])
def test_a_token_that_is_none_is_refused_before_it_is_sent(token: str) -> None:
    with pytest.raises(UsageError, match="token"):
        Client.connect("https://api.example.com", token.strip())


@pytest.mark.parametrize(
    "url",
    ["http://api.github.com", "ftp://x", "", "https://", "https://a:b@x", "https://x?q", "https://[", "//x", "x"],
)
def test_an_address_that_is_not_safe_for_a_token_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        check_api_url(url)


def test_the_token_is_in_no_message(scene: Scene) -> None:
    scene.server.drop_next("*", "", times=9)
    client = connect(scene, "revoked", budget=0)
    with pytest.raises(ForgeError) as caught:
        client.get(PULL)
    token = scene.server.token("revoked")
    said = json.dumps([caught.value.message, repr(caught.value), repr(client), repr(vars(client))])
    assert token not in said
