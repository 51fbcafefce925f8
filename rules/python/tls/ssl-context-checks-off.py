import asyncio
import ssl
import ssl as tls
from ssl import CERT_NONE, create_default_context
from urllib.request import urlopen


def fetch(url):
    context = ssl.create_default_context()
    # ruleid: ssl-context-checks-off
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return urlopen(url, context=context).read()


def short():
    ctx = create_default_context()
    # ruleid: ssl-context-checks-off
    ctx.check_hostname = False
    ctx.verify_mode = CERT_NONE
    return ctx


def by_enumeration():
    ctx = create_default_context()
    # ruleid: ssl-context-checks-off
    ctx.check_hostname = False
    ctx.verify_mode = ssl.VerifyMode.CERT_NONE
    return ctx


class Channel:
    def __init__(self, host, port):
        self.context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        # ruleid: ssl-context-checks-off
        self.context.check_hostname = False  # names differ between sites
        self.context.set_alpn_protocols(["h2"])
        self.context.verify_mode = tls.CERT_NONE
        self.address = host, port

    async def open(self):
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context()
        if self.address[1] == 8443:
            # ruleid: ssl-context-checks-off
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return await loop.create_connection(asyncio.Protocol, *self.address, ssl=context)


def contexts(names):
    found = {}
    for name in names:
        found[name] = ssl.create_default_context()
        # ruleid: ssl-context-checks-off
        found[name].check_hostname = False
        found[name].verify_mode = ssl.CERT_NONE
    return found


unchecked = ssl.create_default_context()
# ruleid: ssl-context-checks-off
unchecked.check_hostname = False

unchecked.verify_mode = ssl.CERT_NONE


def verified():
    context = ssl.create_default_context()
    # ok: ssl-context-checks-off
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def server():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # ok: ssl-context-checks-off
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def by_switch(verify):
    context = ssl.create_default_context()
    if not verify:
        # ok: ssl-context-checks-off
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def only_the_name(bundle):
    context = ssl.create_default_context(cafile=bundle)
    # ok: ssl-context-checks-off
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    return context
