import json

import jsonpickle
import jsonpickle as jp
from jsonpickle import decode
from jsonpickle.unpickler import Unpickler


def restore_game(request):
    # ruleid: jsonpickle-decode
    return jsonpickle.decode(request.form["game"])


def restore_report(path):
    with open(path, encoding="utf-8") as stream:
        # ruleid: jsonpickle-decode
        report = jp.loads(
            stream.read(),
            keys=True,
        )
    return report


def restore_short(text):
    # ruleid: jsonpickle-decode
    return decode(text, classes=[dict])


class Mailbox:
    def __init__(self, store):
        self.store = store

    def messages(self):
        # ruleid: jsonpickle-decode
        return [jsonpickle.decode(line, safe=True) for line in self.store]

    def lazily(self):
        # ruleid: jsonpickle-decode
        return map(jsonpickle.decode, self.store)

    def raw(self, tree):
        # ruleid: jsonpickle-decode
        return Unpickler().restore(tree)


# ruleid: jsonpickle-decode
read_later = lambda text: jsonpickle.unpickler.decode(text)


def restore_plain(text):
    # ok: jsonpickle-decode
    return json.loads(text)


def copy_of(game):
    # ok: jsonpickle-decode
    return jsonpickle.decode(jsonpickle.encode(game))


def survives(game):
    text = jsonpickle.encode(game, keys=True)
    # ok: jsonpickle-decode
    return jsonpickle.decode(text) == game


def save(game):
    # ok: jsonpickle-decode
    return jsonpickle.encode(game, unpicklable=False)


def read_token(jwt, token, key):
    # ok: jsonpickle-decode
    return jwt.decode(token, key, algorithms=["HS256"])
