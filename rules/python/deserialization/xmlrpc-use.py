import json
import xmlrpc.client
import xmlrpc.client as rpc
import xmlrpc.server
from xmlrpc.client import ServerProxy
from xmlrpc.server import SimpleXMLRPCServer as RpcServer

import defusedxml.xmlrpc


def search(url, words):
    # ruleid: xmlrpc-use
    registry = xmlrpc.client.ServerProxy(url)
    return registry.search({"summary": words})


def login(url, database, user, secret):
    # ruleid: xmlrpc-use
    return rpc.ServerProxy(f"{url}/common", allow_none=True).authenticate(database, user, secret, {})


class Tracker:
    def __init__(self, url):
        # ruleid: xmlrpc-use
        self.server = ServerProxy(
            url,
            use_builtin_types=True,
        )

    def bulk(self, names):
        # ruleid: xmlrpc-use
        calls = rpc.MultiCall(self.server)
        for name in names:
            calls.status(name)
        return list(calls())


def serve(address, functions):
    # ruleid: xmlrpc-use
    with RpcServer(address, logRequests=False) as server:
        for function in functions:
            server.register_function(function)
        server.serve_forever()


def document(address):
    # ruleid: xmlrpc-use
    return xmlrpc.server.DocXMLRPCServer(address)


def parse_calls(bodies):
    # ruleid: xmlrpc-use
    return [xmlrpc.client.loads(body) for body in bodies]


def encode(arguments):
    # ok: xmlrpc-use
    return xmlrpc.client.dumps(arguments, "total")


def refuse(code, text):
    # ok: xmlrpc-use
    raise xmlrpc.client.Fault(code, text)


def parse_json(body):
    # ok: xmlrpc-use
    return json.loads(body)


def survives(arguments):
    # ok: xmlrpc-use
    return rpc.loads(rpc.dumps(arguments))


def patched(url):
    defusedxml.xmlrpc.monkey_patch()
    # ok: xmlrpc-use
    return xmlrpc.client.ServerProxy(url)
