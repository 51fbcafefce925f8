import hashlib
import hashlib as hl
import os
from hashlib import scrypt

import bcrypt
from Crypto.Protocol.KDF import PBKDF2 as derive
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from django.contrib.auth.hashers import make_password

SITE_SALT = b"forum-2019"


def hash_password(password):
    # ruleid: kdf-static-salt
    return hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 600_000)


def hash_with_constant(password):
    # ruleid: kdf-static-salt
    return hl.pbkdf2_hmac("sha512", password, salt=SITE_SALT, iterations=600_000)


class Vault:
    def __init__(self, phrase):
        self.kdf = PBKDF2HMAC(
            algorithm=hashes.SHA256(),
            length=32,
            # ruleid: kdf-static-salt
            salt="vault".encode("ascii"),
            iterations=600_000,
        )
        # ruleid: kdf-static-salt
        self.key = scrypt(phrase, salt=b"\x00" * 16, n=2**14, r=8, p=1)

    def old_key(self, phrase):
        # ruleid: kdf-static-salt
        return derive(phrase, "old salt", dkLen=32, count=600_000)


# ruleid: kdf-static-salt
hashed = [bcrypt.hashpw(p, b"$2b$12$abcdefghijklmnopqrstuu") for p in read_passwords()]
# ruleid: kdf-static-salt
default = make_password(read_password(), "shop")


def hash_well(password):
    salt = os.urandom(16)
    # ok: kdf-static-salt
    return salt + hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 600_000)


def check(user, password):
    # ok: kdf-static-salt
    return hashlib.pbkdf2_hmac("sha256", password.encode(), user.salt, 600_000)


# ok: kdf-static-salt
stored = bcrypt.hashpw(read_password(), bcrypt.gensalt())
# ok: kdf-static-salt
session_key = HKDF(algorithm=hashes.SHA256(), length=32, salt=b"app-v1", info=b"session")
# ok: kdf-static-salt
django_hash = make_password(read_password())
# ok: kdf-static-salt
soup = cook(salt="a pinch")
