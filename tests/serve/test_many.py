"""Many pull requests of one repository at once, by several workers on one clone of it."""

from __future__ import annotations

from tests.serve.conftest import APP
from tests.support.respond import Desk
from tests.support.site import Site

_COUNT = 8


def test_nothing_is_lost_and_nothing_said_twice(site: Site, desk: Desk) -> None:
    server = desk.server
    pulls = [desk.pull]
    for number in range(1, _COUNT):
        server.commit(desk.repository, f"b{number}", {f"m{number}.py": APP}, parent=desk.pull.base)
        pulls.append(server.open_pull(desk.repository, f"b{number}"))
    with site.running(workers=4):
        for _again in range(2):
            assert {site.push(pull).status for pull in pulls} <= {200, 202}
        told = [site.wait("review octo/app#") for _pull in pulls]
    assert all(": done: posted at " in line and "notes" not in line for line in told), told
    assert [(len(pull.reviews), len(pull.threads)) for pull in pulls] == [(1, 1)] * _COUNT
    numbers = sorted(pull.number for pull in pulls)
    assert sorted(each["pull_request"] for each in desk.records("run")) == numbers
    assert sorted(each["pull_request"] for each in desk.records("finding")) == numbers
    assert "left for the next start: 0" in site.lines[-1]
