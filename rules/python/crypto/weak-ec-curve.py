import ecdsa
from Crypto.PublicKey import ECC
from Cryptodome.PublicKey import ECC as Curves
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ec as elliptic
from cryptography.hazmat.primitives.asymmetric.ec import SECT163R2
from ecdsa import SigningKey


def device_key():
    # ruleid: weak-ec-curve
    return ec.generate_private_key(ec.SECP192R1())


class Badge:
    # ruleid: weak-ec-curve
    curve = elliptic.SECP192R1

    def key(self):
        # ruleid: weak-ec-curve
        return ec.generate_private_key(SECT163R2())


def reader_keys(count):
    # ruleid: weak-ec-curve
    return [ECC.generate(curve="NIST P-192") for _ in range(count)]


# ruleid: weak-ec-curve
fallback = Curves.generate(curve="prime192v1")
# ruleid: weak-ec-curve
wallet = SigningKey.generate(curve=ecdsa.SECP160r1)
# ruleid: weak-ec-curve
small = SigningKey.generate()


def harden(context):
    # ruleid: weak-ec-curve
    context.set_ecdh_curve("prime192v1")
    # ok: weak-ec-curve
    context.set_ecdh_curve("prime256v1")


# ok: weak-ec-curve
strong = ec.generate_private_key(ec.SECP384R1())
# ok: weak-ec-curve
pair = ECC.generate(curve="P-256")
# ok: weak-ec-curve
edwards = ECC.generate(curve="ed25519")
# ok: weak-ec-curve
bitcoin = SigningKey.generate(curve=ecdsa.SECP256k1)
# ok: weak-ec-curve
plot = draw(curve="P-192")
