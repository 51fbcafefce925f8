import hashlib
import hashlib as hl
from hashlib import sha1

from Crypto.Hash import MD5, SHA256
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding


def sign_request(params, key):
    text = "&".join(f"{k}={v}" for k, v in sorted(params.items()))
    # ruleid: weak-hash
    return hashlib.md5((text + key).encode()).hexdigest()


def start_session(user):
    # ruleid: weak-hash
    session_id = hl.sha1(f"{user.id}{user.joined}".encode()).hexdigest()
    # ruleid: weak-hash
    user.api_key = hashlib.new("md5", user.email.encode()).hexdigest()
    return {
        "session": session_id,
        # ruleid: weak-hash
        "csrf_token": sha1(session_id.encode()).hexdigest(),
    }


class Signer:
    def __init__(self, key):
        self.key = key

    def raw(self, message):
        return self.key.sign(
            message,
            padding.PKCS1v15(),
            # ruleid: weak-hash
            hashes.SHA1(),
        )

    def curve(self, message):
        # ruleid: weak-hash
        return self.key.sign(message, ec.ECDSA(hashes.MD5()))

    def digest(self, message):
        # ruleid: weak-hash
        return MD5.new(message)


def store(db, token):
    # ruleid: weak-hash
    hashed = hashlib.sha1(token.encode()).hexdigest()
    db.insert(hashed)


def cache_key(url):
    # ok: weak-hash
    return hashlib.md5(url.encode()).hexdigest()


def file_checksum(path):
    with open(path, "rb") as stream:
        # ok: weak-hash
        return hashlib.sha1(stream.read()).hexdigest()


def lookup(cache, token):
    # ok: weak-hash
    token_cache_key = hashlib.md5(token.encode()).hexdigest()
    return cache.get(token_cache_key)


# ok: weak-hash
etag_token = hashlib.md5(b"page", usedforsecurity=False).hexdigest()
# ok: weak-hash
signature = hashlib.sha256(b"page").hexdigest()
# ok: weak-hash
strong = SHA256.new(b"page")


def show(certificate):
    # ok: weak-hash
    return certificate.fingerprint(hashes.SHA1()).hex()
