import ssl
import ssl as tls
from ssl import CERT_NONE

import redis
import urllib3
from OpenSSL import SSL
from urllib3 import PoolManager


def pool():
    # ruleid: ssl-cert-none
    return urllib3.PoolManager(cert_reqs="CERT_NONE", num_pools=4)


def pool_with_constant(retries):
    return PoolManager(
        retries=retries,
        # ruleid: ssl-cert-none
        cert_reqs=ssl.CERT_NONE,
    )


def context():
    ctx = ssl.create_default_context()
    # ruleid: ssl-cert-none
    ctx.verify_mode = tls.CERT_NONE
    return ctx


class Feed:
    # ruleid: ssl-cert-none
    options = {"cert_reqs": ssl.CERT_NONE}

    def __init__(self, kwargs):
        # ruleid: ssl-cert-none
        kwargs["cert_reqs"] = CERT_NONE
        # ruleid: ssl-cert-none
        self.cache = redis.Redis(ssl=True, ssl_cert_reqs=None)
        # ruleid: ssl-cert-none
        self.pool = urllib3.HTTPSConnectionPool("feed.example.org", assert_hostname=False)

    def run(self, app):
        # ruleid: ssl-cert-none
        app.run_forever(sslopt={"cert_reqs": ssl.CERT_NONE, "ca_certs": None})


def openssl_context():
    ctx = SSL.Context(SSL.TLS_CLIENT_METHOD)
    # ruleid: ssl-cert-none
    ctx.set_verify(SSL.VERIFY_NONE, lambda *details: True)
    return ctx


def verified_pool(bundle):
    # ok: ssl-cert-none
    return urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=bundle)


def verified_context():
    ctx = ssl.create_default_context()
    # ok: ssl-cert-none
    ctx.verify_mode = ssl.CERT_REQUIRED
    return ctx


def server_context(certificate):
    ctx = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ctx.load_cert_chain(certificate)
    # ok: ssl-cert-none
    ctx.verify_mode = ssl.CERT_NONE
    return ctx


def by_switch(verify):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        # ok: ssl-cert-none
        ctx.verify_mode = ssl.CERT_NONE
    return ctx


def is_checked(ctx):
    # ok: ssl-cert-none
    return ctx.verify_mode != ssl.CERT_NONE
