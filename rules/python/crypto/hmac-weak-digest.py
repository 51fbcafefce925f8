import hashlib
import hmac
import hmac as mac_tools
import struct
from hashlib import sha1
from hmac import new as sign_with

from Crypto.Hash import HMAC, MD5, SHA256
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC as HazmatHmac


def sign_cookie(key, value):
    # ruleid: hmac-weak-digest
    return hmac.new(key, value, hashlib.md5).hexdigest()


def sign_link(key, link):
    # ruleid: hmac-weak-digest
    engine = mac_tools.new(key, digestmod="md5")
    engine.update(link)
    return engine.digest()


class WebhookSigner:
    # ruleid: hmac-weak-digest
    sign = staticmethod(lambda key, body: sign_with(key, body, sha1).hexdigest())

    def __init__(self, key):
        self.engine = HMAC.new(
            key,
            # ruleid: hmac-weak-digest
            digestmod=MD5,
        )
        # ruleid: hmac-weak-digest
        self.strict = HazmatHmac(key, hashes.SHA1())


# ruleid: hmac-weak-digest
signatures = [hmac.digest(read_key(), body, "sha1") for body in read_bodies()]


def sign_well(key, value):
    # ok: hmac-weak-digest
    return hmac.new(key, value, hashlib.sha256).hexdigest()


def one_time_code(key, counter):
    # ok: hmac-weak-digest
    digest = hmac.new(key, struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return digest[offset:offset + 4]


# ok: hmac-weak-digest
checked = HMAC.new(read_key(), digestmod=SHA256)
# ok: hmac-weak-digest
checksum = hashlib.md5(read_file())
# ok: hmac-weak-digest
configured = hmac.new(read_key(), b"body", load_settings().digest)
