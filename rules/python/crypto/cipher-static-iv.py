import os

from Crypto.Cipher import AES
from Crypto.Cipher import ChaCha20 as Cha
from Cryptodome.Cipher import DES3
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.modes import CBC

FIXED_IV = b"an-iv-of-16bytes"
ZERO_IV = bytes(16)


def encrypt_note(key, note):
    # ruleid: cipher-static-iv
    return AES.new(key, AES.MODE_CBC, b"0000000000000000").encrypt(note)


def encrypt_mail(key, mail):
    # ruleid: cipher-static-iv
    engine = AES.new(key, AES.MODE_CFB, iv=FIXED_IV)
    return engine.encrypt(mail)


def encrypt_old(key, record):
    return DES3.new(
        key,
        DES3.MODE_OFB,
        # ruleid: cipher-static-iv
        IV="8bytes!!".encode(),
    ).encrypt(record)


class Envelope:
    START = b"sixteen-bytes-iv"

    def __init__(self, key):
        # ruleid: cipher-static-iv
        self.cipher = Cipher(algorithms.AES(key), CBC(ZERO_IV))
        self.aead = AESGCM(key)

    def seal(self, data):
        # ruleid: cipher-static-iv
        return self.aead.encrypt(b"\x00" * 12, data, None)

    def reopen(self, key):
        # ruleid: cipher-static-iv
        return AES.new(key, AES.MODE_CBC, self.START)

    def stream(self, key):
        # ruleid: cipher-static-iv
        return Cha.new(key=key, nonce=bytes.fromhex("0001020304050607"))


def counter_mode(key):
    start = bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
    # ruleid: cipher-static-iv
    return Cipher(algorithms.AES(key), modes.CTR(start))


def encrypt_safely(key, note):
    iv = os.urandom(16)
    # ok: cipher-static-iv
    return iv + AES.new(key, AES.MODE_CBC, iv).encrypt(note)


def decrypt(key, blob):
    # ok: cipher-static-iv
    return Cipher(algorithms.AES(key), modes.CBC(blob[:16])).decryptor()


def seal_safely(key, data):
    nonce = os.urandom(12)
    # ok: cipher-static-iv
    return nonce + AESGCM(key).encrypt(nonce, data, b"v1")


# ok: cipher-static-iv
generated = AES.new(os.urandom(32), AES.MODE_GCM)
# ok: cipher-static-iv
mailer = Mailer().encrypt("subject", "body")
