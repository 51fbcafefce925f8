"""Deadlines for all of a request, and threads that end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from nootropic_bot.models.base import TimedOut, Unavailable
from nootropic_bot.models.serving.hosts import parse_address
from nootropic_bot.models.serving.loop import Emit, ServerLoop


@pytest.fixture
def loop() -> Iterator[ServerLoop]:
    before = threading.active_count()
    loop = ServerLoop()
    yield loop
    loop.close()
    assert threading.active_count() == before


async def answer() -> int:
    return 42


def test_answer_comes_back(loop: ServerLoop) -> None:
    assert loop.run(answer, 5) == 42


def test_failure_comes_back(loop: ServerLoop) -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        loop.run(fail, 5)


def test_deadline_cancels(loop: ServerLoop) -> None:
    cancelled = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    begin = time.monotonic()
    with pytest.raises(TimedOut, match=r"0\.05 s"):
        loop.run(wait, 0.05)
    assert cancelled.wait(5)
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("seconds", [0, -1.0])
def test_no_time_is_no_work(loop: ServerLoop, seconds: float) -> None:
    with pytest.raises(TimedOut):
        loop.run(lambda: pytest.fail("it ran"), seconds)
    with pytest.raises(TimedOut):
        list(loop.pieces(lambda _: pytest.fail("it ran"), seconds))


def test_caller_may_run_a_loop_itself(loop: ServerLoop) -> None:
    async def inside() -> int:
        return loop.run(answer, 5)

    assert asyncio.run(inside()) == 42


def test_pieces_come_while_more_are_made(loop: ServerLoop) -> None:
    go_on = threading.Event()

    async def work(emit: Emit) -> None:
        emit("one")
        while not go_on.is_set():
            await asyncio.sleep(0.001)
        emit("two")

    pieces = loop.pieces(work, 5)
    assert next(pieces) == "one"
    go_on.set()
    assert list(pieces) == ["two"]


def test_failure_after_pieces(loop: ServerLoop) -> None:
    async def work(emit: Emit) -> None:
        emit("one")
        raise ValueError("no")

    pieces = loop.pieces(work, 5)
    assert next(pieces) == "one"
    with pytest.raises(ValueError, match="no"):
        next(pieces)


def test_closed_iterator_has_cancelled_the_work(loop: ServerLoop) -> None:
    cancelled = threading.Event()

    async def work(emit: Emit) -> None:
        emit("one")
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    pieces = loop.pieces(work, 90)
    assert next(pieces) == "one"
    pieces.close()
    assert cancelled.is_set()


def test_pieces_have_a_deadline_too(loop: ServerLoop) -> None:
    async def work(emit: Emit) -> None:
        while True:
            emit("again")
            await asyncio.sleep(0.001)

    with pytest.raises(TimedOut):
        list(loop.pieces(work, 0.05))


def test_close_ends_what_runs_and_lets_connections_be_closed(loop: ServerLoop) -> None:
    closed = threading.Event()

    async def work(emit: Emit) -> None:
        emit("one")
        await asyncio.sleep(60)

    async def close() -> None:
        closed.set()

    pieces = loop.pieces(work, 90)
    next(pieces)
    loop.close(close)
    assert closed.is_set()
    with pytest.raises(Unavailable, match="closed"):
        next(pieces)
    loop.close(close)


def test_loop_starts_again_after_close(loop: ServerLoop) -> None:
    assert loop.run(answer, 5) == 42
    loop.close()
    assert loop.run(answer, 5) == 42


@pytest.mark.parametrize(
    ("url", "label", "is_near"),
    [
        ("http://127.0.0.1:8080/v1/", "127.0.0.1:8080", True),
        ("http://localhost/v1", "localhost", True),
        ("https://box.localhost:443/", "box.localhost", True),
        ("http://[::1]:8080/v1", "[::1]:8080", True),
        ("http://10.0.0.7/v1", "10.0.0.7", True),
        ("http://100.64.0.1/v1", "100.64.0.1", True),
        ("http://[fd00::1]/v1", "[fd00::1]", True),
        ("http://[::ffff:10.0.0.7]/v1", "[::ffff:10.0.0.7]", True),
        ("http://[2002:a00:7::1]/v1", "[2002:a00:7::1]", False),
        ("https://gpu.example/v1", "gpu.example", False),
        ("http://8.8.8.8/v1", "8.8.8.8", False),
        ("http://[::ffff:8.8.8.8]/v1", "[::ffff:8.8.8.8]", False),
        ("http://[2002:808:808::1]/v1", "[2002:808:808::1]", False),
        ("https://localhost.example/v1", "localhost.example", False),
    ],
)
def test_addresses(url: str, label: str, is_near: bool) -> None:
    address = parse_address(url)
    assert (address.label, address.is_near) == (label, is_near)
    assert not address.url.endswith("/")
