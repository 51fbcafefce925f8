import hashlib
import hmac
import json
import pickle
import pickle as pk
from pickle import Unpickler
from pickle import loads as unpickle

import cloudpickle
import dill
import joblib
from six.moves import cPickle


def read_cache(path):
    with open(path, "rb") as stream:
        # ruleid: pickle-load
        return pickle.load(stream)


def read_cookie(request):
    import base64

    # ruleid: pickle-load
    return pk.loads(base64.b64decode(request.cookies["state"]))


def read_message(body):
    # ruleid: pickle-load
    task = unpickle(
        body,
        encoding="latin-1",
    )
    return task


class JobQueue:
    def __init__(self, client, path):
        # ruleid: pickle-load
        self.model = joblib.load(path)
        self.client = client

    async def next(self):
        raw = await self.client.lpop("jobs")
        # ruleid: pickle-load
        return dill.loads(raw) if raw else None

    def pending(self):
        # ruleid: pickle-load
        return list(map(pickle.loads, self.client.lrange("jobs", 0, -1)))

    def closures(self):
        # ruleid: pickle-load
        return {name: cloudpickle.loads(code) for name, code in self.client.hgetall("fn").items()}

    def old(self, stream):
        # ruleid: pickle-load
        return cPickle.load(stream)


def read_stream(stream):
    # ruleid: pickle-load
    return Unpickler(stream).load()


def configure(cache):
    # ruleid: pickle-load
    cache.register(dumps=pickle.dumps, loads=pickle.loads)


def read_json(path):
    with open(path, encoding="utf-8") as stream:
        # ok: pickle-load
        return json.load(stream)


def deep_copy(state):
    # ok: pickle-load
    return pickle.loads(pickle.dumps(state, -1))


def survives_pickling(value):
    data = pickle.dumps(value)
    # ok: pickle-load
    return pickle.loads(data) == value


def read_signed(body, signature, key):
    expected = hmac.new(key, body, hashlib.sha256).digest()
    if not hmac.compare_digest(expected, signature):
        raise ValueError("the stored state was changed")
    # ok: pickle-load
    return pickle.loads(body)


class PlainUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed here")


def read_plain(stream):
    # ok: pickle-load
    return PlainUnpickler(stream).load()


def write_cache(path, value):
    with open(path, "wb") as stream:
        # ok: pickle-load
        pickle.dump(value, stream)


def empty_list():
    # ok: pickle-load
    return pickle.loads(b"\x80\x04]\x94.")
