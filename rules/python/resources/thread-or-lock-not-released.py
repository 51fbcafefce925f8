import asyncio
import threading

registry = {}
registry_lock = threading.Lock()
slots = threading.BoundedSemaphore(4)


def register(name, factory):
    # ruleid: thread-or-lock-not-released
    registry_lock.acquire()
    registry[name] = factory(name)
    registry_lock.release()


def fetch(url, client):
    # ruleid: thread-or-lock-not-released
    slots.acquire()
    reply = client.get(url)
    if not reply.ok:
        return None
    slots.release()
    return reply.text


def try_refresh(cache):
    # ruleid: thread-or-lock-not-released
    if registry_lock.acquire(blocking=False):
        cache.refresh()
        registry_lock.release()


class Counter:
    def __init__(self):
        self._lock = threading.RLock()
        self._changed = threading.Condition()
        self.total = 0

    def add(self, price, name):
        # ruleid: thread-or-lock-not-released
        self._lock.acquire(
            timeout=5,
        )
        self.total += price(name)
        self._lock.release()

    def wait(self):
        # ruleid: thread-or-lock-not-released
        self._changed.acquire()
        while not self.total:
            self._changed.wait()
        self._changed.release()

    def add_well(self, price, name):
        # ok: thread-or-lock-not-released
        with self._lock:
            self.total += price(name)

    def add_finally(self, price, name):
        # ok: thread-or-lock-not-released
        self._lock.acquire()
        try:
            self.total += price(name)
        finally:
            self._lock.release()

    def __enter__(self):
        # ok: thread-or-lock-not-released
        self._lock.acquire()
        return self

    def __exit__(self, *details):
        self._lock.release()


async def poll(gate: asyncio.Lock, client):
    # ruleid: thread-or-lock-not-released
    await gate.acquire()
    await client.poll()
    gate.release()


def two_locks(other):
    # ok: thread-or-lock-not-released
    registry_lock.acquire()
    try:
        registry.clear()
    finally:
        registry_lock.release()
    other.release()


def by_hand(factory, name):
    # ok: thread-or-lock-not-released
    registry_lock.acquire()
    try:
        value = factory(name)
    except ValueError:
        registry_lock.release()
        raise
    registry[name] = value
    registry_lock.release()


def barrier():
    # ok: thread-or-lock-not-released
    registry_lock.acquire()
    registry_lock.release()
