"""How the server ends, and what of it the next one finds: a signal while an analysis runs, and a sudden death."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nootropic_bot.github.apps import OneToken
from nootropic_bot.serve.ledger import MAX_ATTEMPTS
from tests.support.git_http import GitWeb
from tests.support.github.records import WRITE_ALL
from tests.support.respond import Desk
from tests.support.site import PATHS, SECRET, WEB, Site

# An analysis that says when it begins, and then takes as long as somebody holds it.
_HELD = """
import os, sys
if "review" in getattr(sys, "orig_argv", sys.argv) and os.path.exists({hold!r}):
    with open({began!r}, "w") as file:
        file.write("now")
    with open({hold!r}) as file:
        file.read()
"""


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipe that can be read once an analysis has begun; it goes on when `hold` is written to, or is gone."""
    hold, began, spy = tmp_path / "hold", tmp_path / "began", tmp_path / "spy"
    os.mkfifo(hold)
    os.mkfifo(began)
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(_HELD.format(hold=str(hold), began=str(began)))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(spy), PATHS]))
    return began


def test_a_stop_during_an_analysis_ends_it_and_the_next_start_makes_it(site: Site, desk: Desk, held: Path) -> None:
    with site.running(grace=0.0) as door:
        assert site.push(desk.pull).status == 202
        assert held.read_text() == "now"
        assert door.pool.running == 1
    assert "left for the next start: 1" in site.lines[-1]
    assert desk.pull.threads == []
    (held.parent / "hold").unlink()
    with site.running() as door:
        assert "done: posted" in site.wait("review octo/app#1")
        assert door.ledger.waiting() == 0
    assert (len(desk.pull.reviews), len(desk.pull.threads)) == (1, 1)
    assert not list((site.folder / "serve" / "scratch").iterdir())


def test_a_stop_lets_what_is_being_done_end(site: Site, desk: Desk, held: Path) -> None:
    with site.running(grace=60.0) as door:
        assert site.push(desk.pull).status == 202
        assert held.read_text() == "now"
        going = threading.Thread(target=(held.parent / "hold").write_text, args=("go",))
        going.start()
        # While it stops, nothing more begins, and nothing is taken in.
        door.pool.stopping.set()
        assert site.push(desk.pull, delivery="late").status == 503
    going.join()
    assert "left for the next start: 0" in site.lines[-1]
    assert len(desk.pull.reviews) == 1


@contextmanager
def program(folder: Path, desk: Desk, server_url: str) -> Iterator[tuple[subprocess.Popen[str], Site]]:
    """The program itself, with a token for one repository."""
    environment = {
        **os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH") or PATHS, "NOOTROPIC_WEBHOOK_SECRET": SECRET,
        "GITHUB_TOKEN": desk.server.token("bot"), "GITHUB_REPOSITORY": "octo/app", "GITHUB_API_URL": desk.server.url,
        "GITHUB_SERVER_URL": server_url,
    }  # fmt: skip
    command = [sys.executable, "-m", "nootropic_bot", "serve", "--port", "0", "--state-folder", str(folder / "serve")]
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    try:
        first = running.stderr.readline()
        assert first.startswith("listening on "), first + running.stderr.read()
        yield running, Site(desk.server, folder, port=int(first.split(":")[2].partition("/")[0]))
    finally:
        running.terminate()
        running.communicate(timeout=60)


def line(running: subprocess.Popen[str], start: str) -> str:
    """The next line of the log that begins like this."""
    assert running.stderr is not None
    return next(each for each in running.stderr if each.startswith(start))


def test_f16_a_death_in_the_middle_of_a_review_is_made_good(site: Site, desk: Desk, held: Path, tmp_path: Path) -> None:
    with program(tmp_path, desk, WEB) as (running, at):
        assert at.push(desk.pull, delivery="one").status == 202
        assert held.read_text() == "now"
        running.kill()
        running.wait()
    assert desk.pull.reviews == []
    # The analysis outlived its server: it ends, and nobody takes what it says.
    (held.parent / "hold").write_text("go")
    (held.parent / "hold").unlink()
    with program(tmp_path, desk, WEB) as (running, at):
        assert "done: posted" in line(running, "review octo/app#1")
        assert at.push(desk.pull, delivery="one").status == 200
        assert at.push(desk.pull, delivery="two").status == 200
    assert (len(desk.pull.reviews), len(desk.pull.threads)) == (1, 1)
    assert desk.pull.threads[0].comments[0].user.login == "github-actions[bot]"


def test_git_shows_the_token_of_the_installation_to_its_server(site: Site, desk: Desk) -> None:
    """A private repository over HTTP: fetched, and what was found recorded, with the token that is for it alone."""
    desk.repository.is_private = True
    with GitWeb(desk.server) as web:
        site.web = web.url
        with site.running():
            assert site.push(desk.pull).status == 202
            assert "done: posted" in site.wait("review octo/app#1")
    assert set(web.users) == {"installation"}
    assert web.denied == []
    assert len(desk.records("finding")) == 1
    token = next(each.value for each in desk.server.hub.tokens.values() if each.label == "installation")
    kept = [path for path in (site.folder / "serve").rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(kept) > 10
    assert not any(token.encode() in path.read_bytes() for path in kept)


def test_where_git_is_refused_the_log_says_why_without_the_token(site: Site, desk: Desk) -> None:
    token = desk.server.add_token("elsewhere", "mona", permissions=WRITE_ALL, repositories=frozenset())
    site.credentials = OneToken("octo/app", token.value)
    with GitWeb(desk.server) as web:
        site.web = web.url
        with site.running():
            assert site.push(desk.pull).status == 202
            lines = [site.wait("review octo/app#1") for _attempt in range(MAX_ATTEMPTS)]
    assert ": failed: the commits of the pull request can't be fetched: " in lines[-1]
    assert web.denied
    assert token.value not in "\n".join(site.lines)
