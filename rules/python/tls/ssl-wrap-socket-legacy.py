import functools
import socket
import ssl
import ssl as tls
from ssl import wrap_socket
from ssl import wrap_socket as secure


def connect(host, port):
    plain = socket.create_connection((host, port), timeout=5)
    # ruleid: ssl-wrap-socket-legacy
    return ssl.wrap_socket(plain)


def connect_with_bundle(host, bundle):
    # ruleid: ssl-wrap-socket-legacy
    return tls.wrap_socket(
        socket.create_connection((host, 443)),
        ca_certs=bundle,
        cert_reqs=ssl.CERT_REQUIRED,
    )


def connect_short(plain):
    # ruleid: ssl-wrap-socket-legacy
    return wrap_socket(plain)


class Listener:
    # ruleid: ssl-wrap-socket-legacy
    upgrade = staticmethod(functools.partial(ssl.wrap_socket, server_side=True))

    def __init__(self, server, certificate):
        # ruleid: ssl-wrap-socket-legacy
        server.socket = ssl.wrap_socket(server.socket, certfile=certificate, server_side=True)
        self.server = server

    def peers(self, sockets):
        # ruleid: ssl-wrap-socket-legacy
        return [secure(sock=s) for s in sockets]


# ruleid: ssl-wrap-socket-legacy
upgrade = lambda plain: ssl.wrap_socket(plain, do_handshake_on_connect=False)


def connect_verified(host, port):
    plain = socket.create_connection((host, port), timeout=5)
    # ok: ssl-wrap-socket-legacy
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def connect_with_context(context, plain, host):
    # ok: ssl-wrap-socket-legacy
    return context.wrap_socket(plain, server_hostname=host)


def wrap_gift(paper):
    # ok: ssl-wrap-socket-legacy
    return paper.wrap_socket("blue")


def old_python():
    # ok: ssl-wrap-socket-legacy
    return hasattr(ssl, "wrap_socket")


def is_tls(sock):
    # ok: ssl-wrap-socket-legacy
    return isinstance(sock, ssl.SSLSocket)
