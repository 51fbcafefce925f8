import ssl
import ssl as tls
from ssl import PROTOCOL_TLSv1, SSLContext, TLSVersion

from OpenSSL import SSL
from urllib3 import PoolManager


def context():
    # ruleid: ssl-old-protocol
    return ssl.SSLContext(ssl.PROTOCOL_TLSv1)


def short():
    # ruleid: ssl-old-protocol
    return SSLContext(PROTOCOL_TLSv1)


def pool(size):
    return PoolManager(
        num_pools=size,
        # ruleid: ssl-old-protocol
        ssl_version=tls.PROTOCOL_TLSv1_1,  # the old gateway
    )


def lowered(bundle):
    ctx = ssl.create_default_context(cafile=bundle)
    # ruleid: ssl-old-protocol
    ctx.minimum_version = ssl.TLSVersion.TLSv1
    return ctx


def lowest():
    ctx = ssl.create_default_context()
    # ruleid: ssl-old-protocol
    ctx.minimum_version = TLSVersion.MINIMUM_SUPPORTED
    return ctx


class OldGateway:
    # ruleid: ssl-old-protocol
    ssl_version = ssl.PROTOCOL_SSLv3

    # ruleid: ssl-old-protocol
    def __init__(self, host, version=ssl.PROTOCOL_TLSv1):
        self.host = host
        self.version = version

    def capped(self, ctx):
        # ruleid: ssl-old-protocol
        ctx.maximum_version = ssl.TLSVersion.TLSv1_1

    def openssl(self):
        # ruleid: ssl-old-protocol
        return SSL.Context(SSL.TLSv1_METHOD)


def current():
    # ok: ssl-old-protocol
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def raised():
    ctx = ssl.create_default_context()
    # ok: ssl-old-protocol
    ctx.minimum_version = ssl.TLSVersion.TLSv1_2
    return ctx


def is_old(ctx):
    # ok: ssl-old-protocol
    return ctx.protocol == ssl.PROTOCOL_TLSv1 or ctx.minimum_version < ssl.TLSVersion.TLSv1_2


# ok: ssl-old-protocol
NAMES = {ssl.PROTOCOL_TLSv1: "TLS 1.0", ssl.PROTOCOL_TLSv1_1: "TLS 1.1", ssl.PROTOCOL_TLSv1_2: "TLS 1.2"}


def openssl_current():
    # ok: ssl-old-protocol
    return SSL.Context(SSL.TLS_CLIENT_METHOD)


def refuse_old(ctx):
    # ok: ssl-old-protocol
    ctx.options |= ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1
