import hashlib
import hashlib as hl
from hashlib import pbkdf2_hmac as stretch

from Crypto.Protocol.KDF import PBKDF2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from passlib.hash import pbkdf2_sha256

ROUNDS = 5000
STRONG_ROUNDS = 600_000


def hash_password(password, salt):
    # ruleid: kdf-few-iterations
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 10000)


def hash_pin(pin, salt):
    return hl.pbkdf2_hmac(
        hash_name="sha512",
        password=pin,
        salt=salt,
        # ruleid: kdf-few-iterations
        iterations=ROUNDS,
    )


class KeyRing:
    def __init__(self, phrase, salt):
        # ruleid: kdf-few-iterations
        self.key = stretch("sha256", phrase, salt, 2**12, dklen=32)

    def derive(self, salt):
        # ruleid: kdf-few-iterations
        kdf = PBKDF2HMAC(hashes.SHA256(), 32, salt, iterations=4096)
        return kdf.derive(self.key)

    def legacy(self, phrase, salt):
        # ruleid: kdf-few-iterations
        return PBKDF2(phrase, salt, 32)

    def scrypt(self, salt):
        # ruleid: kdf-few-iterations
        return Scrypt(salt=salt, length=32, n=2**10, r=8, p=1)


class FastHasher(PBKDF2PasswordHasher):
    # ruleid: kdf-few-iterations
    iterations = 1200


# ruleid: kdf-few-iterations
hasher = pbkdf2_sha256.using(rounds=8000)


def hash_well(password, salt):
    # ok: kdf-few-iterations
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, STRONG_ROUNDS)


def hash_configured(password, salt, settings):
    # ok: kdf-few-iterations
    return hashlib.pbkdf2_hmac("sha256", password, salt, settings.rounds)


def wireless_key(passphrase, ssid):
    # ok: kdf-few-iterations
    return hashlib.pbkdf2_hmac("sha1", passphrase, ssid, 4096, 32)


# ok: kdf-few-iterations
memory_hard = Scrypt(salt=read_salt(), length=32, n=2**17, r=8, p=1)
# ok: kdf-few-iterations
solution = solve_equations(matrix, iterations=1000)
