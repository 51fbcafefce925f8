import os

from Crypto.Cipher import AES, DES3
from Crypto.Cipher.AES import MODE_ECB
from Cryptodome.Cipher import AES as Rijndael
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers import modes as m
from cryptography.hazmat.primitives.ciphers.modes import ECB


def encrypt_profile(key, profile):
    # ruleid: cipher-ecb-mode
    return AES.new(key, AES.MODE_ECB).encrypt(profile)


def encrypt_cookie(key, text):
    # ruleid: cipher-ecb-mode
    engine = Rijndael.new(key=key, mode=Rijndael.MODE_ECB)
    return engine.encrypt(text)


class Codec:
    # ruleid: cipher-ecb-mode
    mode = MODE_ECB

    def __init__(self, key):
        self.cipher = Cipher(
            algorithms.AES(key),
            # ruleid: cipher-ecb-mode
            m.ECB(),
        )

    def triple(self, key):
        # ruleid: cipher-ecb-mode
        return DES3.new(key, DES3.MODE_ECB)


# ruleid: cipher-ecb-mode
encryptors = [Cipher(algorithms.AES(k), ECB()).encryptor() for k in load_keys()]


def encrypt_message(key, message):
    # ok: cipher-ecb-mode
    cipher = AES.new(key, AES.MODE_GCM)
    return cipher.nonce, cipher.encrypt_and_digest(message)


def check_mode(mode):
    # ok: cipher-ecb-mode
    if mode == AES.MODE_ECB:
        raise ValueError("this mode is not allowed")
    # ok: cipher-ecb-mode
    return mode not in (AES.MODE_ECB, AES.MODE_OPENPGP)


# ok: cipher-ecb-mode
cbc = Cipher(algorithms.AES(os.urandom(32)), m.CBC(os.urandom(16)))


class CentralBank:
    def ECB(self):
        return "rates"


# ok: cipher-ecb-mode
rates = CentralBank().ECB()
