import functools
import ssl
import ssl as tls
import xmlrpc.client
from ssl import _create_unverified_context
from urllib.request import urlopen

import certifi


def fetch(url):
    # ruleid: ssl-unverified-context
    return urlopen(url, context=ssl._create_unverified_context()).read()


def fetch_everything(urls):
    # ruleid: ssl-unverified-context
    ssl._create_default_https_context = ssl._create_unverified_context
    return [urlopen(u).read() for u in urls]


def connect(url):
    return xmlrpc.client.ServerProxy(
        url,
        # ruleid: ssl-unverified-context
        context=tls._create_unverified_context(),
    )


class Probe:
    # ruleid: ssl-unverified-context
    context_factory = staticmethod(_create_unverified_context)

    def __init__(self, bundle):
        # ruleid: ssl-unverified-context
        self.context = ssl._create_unverified_context(cafile=bundle)

    def old(self):
        # ruleid: ssl-unverified-context
        return ssl._create_stdlib_context()


try:
    # ruleid: ssl-unverified-context
    _unverified_https_context = ssl._create_unverified_context
except AttributeError:
    pass
else:
    # ruleid: ssl-unverified-context
    ssl._create_default_https_context = _unverified_https_context


def fetch_bare(url):
    # ruleid: ssl-unverified-context
    return urlopen(url, context=ssl.SSLContext()).read()


def fetch_client(url):
    # ok: ssl-unverified-context
    return urlopen(url, context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).read()


def fetch_verified(url):
    # ok: ssl-unverified-context
    return urlopen(url, context=ssl.create_default_context()).read()


def use_certifi():
    # ok: ssl-unverified-context
    ssl._create_default_https_context = functools.partial(ssl.create_default_context, cafile=certifi.where())


def serve(certificate):
    # ok: ssl-unverified-context
    return ssl._create_unverified_context(purpose=ssl.Purpose.CLIENT_AUTH, certfile=certificate)


def by_switch(args, url):
    context = None
    if args.insecure:
        # ok: ssl-unverified-context
        context = ssl._create_unverified_context()
    return urlopen(url, context=context)


def own_helper(renderer):
    # ok: ssl-unverified-context
    return renderer._create_unverified_context()
