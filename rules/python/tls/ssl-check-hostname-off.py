import ssl
import ssl as tls
from ssl import SSLContext, create_default_context

from kafka import KafkaProducer


def context(bundle):
    ctx = ssl.create_default_context(cafile=bundle)
    # ruleid: ssl-check-hostname-off
    ctx.check_hostname = False
    return ctx


def short():
    ctx = create_default_context()
    # ruleid: ssl-check-hostname-off
    ctx.check_hostname = False  # the devices share one certificate
    return ctx


class Channel:
    def __init__(self, bundle):
        self.context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        # ruleid: ssl-check-hostname-off
        self.context.check_hostname = False
        self.context.load_verify_locations(bundle)

    def by_variable(self):
        check = False
        # ruleid: ssl-check-hostname-off
        self.context.check_hostname = check

    def producer(self, servers):
        return KafkaProducer(
            bootstrap_servers=servers,
            # ruleid: ssl-check-hostname-off
            ssl_check_hostname=False,
        )


def subscribe(app):
    # ruleid: ssl-check-hostname-off
    app.run_forever(sslopt={"check_hostname": False})


def by_name(ctx):
    # ruleid: ssl-check-hostname-off
    setattr(ctx, "check_hostname", False)


def verified():
    ctx = ssl.create_default_context()
    # ok: ssl-check-hostname-off
    ctx.check_hostname = True
    return ctx


def server(certificate):
    ctx = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # ok: ssl-check-hostname-off
    ctx.check_hostname = False
    ctx.load_cert_chain(certificate)
    return ctx


def by_switch(args):
    ctx = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if args.insecure:
        # ok: ssl-check-hostname-off
        ctx.check_hostname = False
    return ctx


def chosen(ctx, settings):
    # ok: ssl-check-hostname-off
    ctx.check_hostname = settings.check_hostname


def is_off(ctx):
    # ok: ssl-check-hostname-off
    return ctx.check_hostname == False
