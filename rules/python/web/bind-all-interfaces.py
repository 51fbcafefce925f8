import argparse
import asyncio
import os
import socket
import socket as net
import socketserver
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from wsgiref.simple_server import make_server

import uvicorn
from aiohttp import web
from flask import Flask
from waitress import serve

app = Flask(__name__)
HOST = "0.0.0.0"


def start_flask():
    # ruleid: bind-all-interfaces
    app.run(host="0.0.0.0", port=5000)


def start_uvicorn():
    # ruleid: bind-all-interfaces
    uvicorn.run(
        "shop.main:app",
        host=HOST,
        port=8000,
    )


def start_from_environment():
    # ruleid: bind-all-interfaces
    serve(app, host=os.environ.get("HOST", "0.0.0.0"), port=8080)


def start_http():
    # ruleid: bind-all-interfaces
    HTTPServer(("0.0.0.0", 8000), BaseHTTPRequestHandler).serve_forever()
    # ruleid: bind-all-interfaces
    with ThreadingHTTPServer(("", 8001), BaseHTTPRequestHandler) as server:
        server.serve_forever()
    # ruleid: bind-all-interfaces
    return make_server("", 8002, app)


class Relay:
    def __init__(self, port):
        self.sock = net.socket(net.AF_INET6, net.SOCK_STREAM)
        # ruleid: bind-all-interfaces
        self.sock.bind(("::", port))


async def start_async(handle):
    # ruleid: bind-all-interfaces
    server = await asyncio.start_server(handle, "0.0.0.0", 9000)
    async with server:
        await server.serve_forever()


def start_aiohttp(application):
    # ruleid: bind-all-interfaces
    web.run_app(application, host='0.0.0.0')


def start_grpc(server):
    # ruleid: bind-all-interfaces
    server.add_insecure_port("[::]:50051")


def start_at_address(handler):
    address = ("0.0.0.0", 8003)
    # ruleid: bind-all-interfaces
    return HTTPServer(address, handler)


def parse(argv):
    parser = argparse.ArgumentParser()
    # ruleid: bind-all-interfaces
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")
    return parser.parse_args(argv)


def start_local():
    # ok: bind-all-interfaces
    app.run(host="127.0.0.1", port=5000)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # ok: bind-all-interfaces
        probe.bind(("", 0))
        return probe.getsockname()[1]


def start_configured(settings):
    # ok: bind-all-interfaces
    uvicorn.run("shop.main:app", host=settings.host, port=8000)


def is_wildcard(address):
    # ok: bind-all-interfaces
    return address in ("0.0.0.0", "::")


def listen_for_announcements():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # ok: bind-all-interfaces
    sock.bind(("", 5353))
    return sock


def unix_server(path):
    # ok: bind-all-interfaces
    return socketserver.UnixStreamServer(path, socketserver.StreamRequestHandler)


def run_tool():
    # ok: bind-all-interfaces
    subprocess.run(["serve", "--bind", "0.0.0.0"])


def connect(host):
    # ok: bind-all-interfaces
    return socket.create_connection((host, 80))


def record(pairs, name):
    # ok: bind-all-interfaces
    pairs.append(("", name))
