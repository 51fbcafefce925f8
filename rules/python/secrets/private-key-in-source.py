import io
import os
from pathlib import Path

import paramiko

# ruleid: private-key-in-source
SIGNING_KEY = """-----BEGIN RSA PRIVATE KEY-----
FAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfake
FAKEfakeFAKEfakeFAKEfake
-----END RSA PRIVATE KEY-----
"""

DEPLOY_KEY = (
    # ruleid: private-key-in-source
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "FAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfake\n"
    "-----END OPENSSH PRIVATE KEY-----\n"
)


class Issuer:
    # ruleid: private-key-in-source
    key = b"-----BEGIN EC PRIVATE KEY-----\nFAKEfakeFAKEfakeFAKEfakeFAKE\n-----END EC PRIVATE KEY-----"

    def pem(self):
        return "\n".join([
            # ruleid: private-key-in-source
            "-----BEGIN PRIVATE KEY-----",
            "FAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKE",
            "-----END PRIVATE KEY-----",
        ])


def connect():
    # ruleid: private-key-in-source
    return paramiko.RSAKey.from_private_key(io.StringIO("-----BEGIN RSA PRIVATE KEY-----\nFAKEfakeFAKEfakeFAKEfakeFAKE\n-----END RSA PRIVATE KEY-----"))


# ruleid: private-key-in-source
settings = {"private_key": "-----BEGIN DSA PRIVATE KEY-----\r\nFAKEfakeFAKEfakeFAKEfakeFAKE\r\n-----END DSA PRIVATE KEY-----"}


def looks_private(text):
    # ok: private-key-in-source
    return "-----BEGIN PRIVATE KEY-----" in text or "-----BEGIN RSA PRIVATE KEY-----" in text


# ok: private-key-in-source
PUBLIC = "-----BEGIN PUBLIC KEY-----\nFAKEfakeFAKEfakeFAKEfakeFAKE\n-----END PUBLIC KEY-----"
# ok: private-key-in-source
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nFAKEfakeFAKEfakeFAKEfakeFAKE\n-----END CERTIFICATE-----"
# ok: private-key-in-source
TEMPLATE = "-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
# ok: private-key-in-source
from_file = Path(os.environ["KEY_FILE"]).read_text()
# ok: private-key-in-source
LOCKED = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nFAKEfakeFAKEfakeFAKEfakeFAKE\n-----END ENCRYPTED PRIVATE KEY-----"
