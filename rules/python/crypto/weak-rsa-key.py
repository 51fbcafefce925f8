import paramiko
import rsa as plain_rsa
from Crypto.PublicKey import DSA
from Crypto.PublicKey import RSA as PyRsa
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_key
from OpenSSL import crypto

LEGACY_BITS = 1024
BITS = 4096


def issue_key():
    # ruleid: weak-rsa-key
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


def issue_old_key(backend):
    # ruleid: weak-rsa-key
    return new_key(65537, 512, backend)


class DeviceKeys:
    def __init__(self):
        self.private = rsa.generate_private_key(
            public_exponent=65537,
            # ruleid: weak-rsa-key
            key_size=LEGACY_BITS,
        )

    def export(self):
        # ruleid: weak-rsa-key
        return PyRsa.generate(bits=1536).export_key()


# ruleid: weak-rsa-key
signer = DSA.generate(1024)
# ruleid: weak-rsa-key
parameters = dsa.generate_parameters(key_size=1024)
# ruleid: weak-rsa-key
host_keys = [paramiko.RSAKey.generate(1024) for _ in range(3)]
# ruleid: weak-rsa-key
public, private = plain_rsa.newkeys(512)


def self_signed():
    pair = crypto.PKey()
    # ruleid: weak-rsa-key
    pair.generate_key(crypto.TYPE_RSA, 1024)
    return pair


def issue_strong_key():
    # ok: weak-rsa-key
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


# ok: weak-rsa-key
archive_key = PyRsa.generate(BITS)
# ok: weak-rsa-key
small_exponent = PyRsa.generate(2048, e=257)
# ok: weak-rsa-key
modern = ed25519.Ed25519PrivateKey.generate()


def issue_configured(settings):
    # ok: weak-rsa-key
    return rsa.generate_private_key(public_exponent=65537, key_size=settings.key_size)


# ok: weak-rsa-key
thumbnail = image_library.generate(1024)
