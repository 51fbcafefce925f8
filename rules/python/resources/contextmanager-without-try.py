import contextlib
import contextlib as cl
import os
import shutil
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager

import pytest


@contextmanager
def inside(folder):
    before = os.getcwd()
    os.chdir(folder)
    # ruleid: contextmanager-without-try
    yield
    os.chdir(before)


@contextlib.contextmanager
def scratch():
    folder = tempfile.mkdtemp()
    # ruleid: contextmanager-without-try
    yield folder
    shutil.rmtree(folder)


@cl.contextmanager
def setting(config, name, value):
    old = config[name]
    config[name] = value
    # ruleid: contextmanager-without-try
    yield config
    config[name] = old


@asynccontextmanager
async def lifespan(app):
    app.pool = await app.connect()
    # ruleid: contextmanager-without-try
    yield
    await app.pool.close()


class Database:
    @contextmanager
    def session(self):
        session = self.factory()
        # ruleid: contextmanager-without-try
        yield session
        session.commit()
        session.close()

    @contextmanager
    def exclusive(self):
        with self.connection:
            self.lock.acquire()
            # ruleid: contextmanager-without-try
            yield self.connection
            self.lock.release()

    @contextmanager
    def session_well(self):
        session = self.factory()
        try:
            # ok: contextmanager-without-try
            yield session
            session.commit()
        finally:
            session.close()


@contextmanager
def timed(name):
    start = time.perf_counter()
    # ok: contextmanager-without-try
    yield
    print(name, time.perf_counter() - start)


@contextmanager
def opened(path):
    with open(path, "rb") as source:
        # ok: contextmanager-without-try
        yield source


@pytest.fixture
def server():
    instance = start_server()
    # ok: contextmanager-without-try
    yield instance
    instance.stop()


def chunks(source):
    # ok: contextmanager-without-try
    yield source.read(16)
    source.close()


@contextmanager
def handled(connection):
    try:
        # ok: contextmanager-without-try
        yield connection
    except ValueError:
        connection.reset()
    else:
        connection.close()
