import hmac
import json
import marshal
import marshal as ms
import types
from marshal import load
from marshal import loads as unmarshal


def read_snapshot(path):
    with open(path, "rb") as stream:
        # ruleid: marshal-load
        return marshal.load(stream)


def receive(connection):
    size = int.from_bytes(connection.recv(4), "big")
    # ruleid: marshal-load
    return ms.loads(
        connection.recv(size),
    )


def read_first(stream):
    # ruleid: marshal-load
    return load(stream)["first"]


class Worker:
    def __init__(self, redis):
        # ruleid: marshal-load
        self.state = unmarshal(redis.get("state"))
        self.redis = redis

    def task(self, name):
        # ruleid: marshal-load
        code = marshal.loads(self.redis.hget("tasks", name))
        return types.FunctionType(code, globals())

    def rows(self):
        # ruleid: marshal-load
        return list(map(marshal.loads, self.redis.lrange("rows", 0, -1)))

    def counts(self):
        # ruleid: marshal-load
        return {k: marshal.loads(v) for k, v in self.redis.hgetall("counts").items()}


class OrderSchema:
    def load(self, data):
        return dict(data)


def read_order(data):
    # ok: marshal-load
    return OrderSchema().load(data)


def read_json(stream):
    # ok: marshal-load
    return json.load(stream)


def copy_plain(value):
    # ok: marshal-load
    return marshal.loads(marshal.dumps(value))


def write_snapshot(value, stream):
    # ok: marshal-load
    marshal.dump(value, stream)


def read_signed(body, signature, key):
    if not hmac.compare_digest(hmac.digest(key, body, "sha256"), signature):
        raise ValueError("the snapshot was changed")
    # ok: marshal-load
    return marshal.loads(body)
