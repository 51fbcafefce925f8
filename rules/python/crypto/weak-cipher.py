import os

import pyDes
from Crypto.Cipher import AES, DES3
from Crypto.Cipher import DES as SingleDes
from Crypto.Cipher import ARC4 as rc4
from Cryptodome.Cipher import Blowfish
from cryptography.hazmat.decrepit.ciphers.algorithms import CAST5
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def seal_card(key, number):
    # ruleid: weak-cipher
    return SingleDes.new(key, SingleDes.MODE_CFB, os.urandom(8)).encrypt(number)


class Vault:
    def __init__(self, key):
        # ruleid: weak-cipher
        self.cipher = DES3.new(key=key, mode=DES3.MODE_EAX)

    def stream(self, key):
        # ruleid: weak-cipher
        return rc4.new(key)

    def old_records(self, key, iv):
        return Cipher(
            # ruleid: weak-cipher
            algorithms.TripleDES(key),
            modes.CBC(iv),
        )


def read_backup(key, blob):
    # ruleid: weak-cipher
    engine = Blowfish.new(key, mode=Blowfish.MODE_CBC, IV=blob[:8])
    return engine.decrypt(blob[8:])


# ruleid: weak-cipher
make_cast = lambda key, iv: Cipher(CAST5(key), modes.CFB(iv))

# ruleid: weak-cipher
terminal = pyDes.triple_des(os.urandom(24))


def seal(key, message):
    nonce = os.urandom(12)
    # ok: weak-cipher
    return nonce + AESGCM(key).encrypt(nonce, message, None)


def seal_stream(key):
    # ok: weak-cipher
    return AES.new(key, AES.MODE_GCM)


# ok: weak-cipher
modern = Cipher(algorithms.AES(os.urandom(32)), modes.GCM(os.urandom(12)))

# ok: weak-cipher
key_size = DES3.block_size


class Blowfishes:
    def new(self, count):
        return [count]


# ok: weak-cipher
pond = Blowfishes().new(3)
