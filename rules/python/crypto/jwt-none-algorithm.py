import json

import jwt
import jwt as pyjwt
from authlib.jose import JsonWebToken
from jose import jwt as jose_jwt
from jwt import decode as read_token

ACCEPTED = ["RS256"]
UNSIGNED = "none"


def issue(user):
    # ruleid: jwt-none-algorithm
    return jwt.encode({"sub": user.id}, "", algorithm="none")


def issue_guest():
    # ruleid: jwt-none-algorithm
    return pyjwt.encode({"sub": "guest"}, None, UNSIGNED)


def current_user(token, key):
    # ruleid: jwt-none-algorithm
    return read_token(token, key, algorithms=["HS256", "none"])["sub"]


class Gate:
    def __init__(self):
        # ruleid: jwt-none-algorithm
        self.tokens = JsonWebToken(["none", "RS256"])

    def check(self, token, key):
        return jwt.decode(
            token,
            key=key,
            # ruleid: jwt-none-algorithm
            algorithms=("None",),
        )

    def check_loosely(self, token, key):
        # ruleid: jwt-none-algorithm
        return jose_jwt.decode(token, key)

    def check_any(self, token, key):
        # ruleid: jwt-none-algorithm
        return jwt.decode(token, key, algorithms=None)


def subjects(tokens, key):
    # ruleid: jwt-none-algorithm
    return [jwt.decode(t, key)["sub"] for t in tokens]


def verified(token, key):
    # ok: jwt-none-algorithm
    return jwt.decode(token, key, algorithms=ACCEPTED)


def verified_positional(token, key):
    # ok: jwt-none-algorithm
    return jwt.decode(token, key, ["ES256"])


def issue_signed(user, key):
    # ok: jwt-none-algorithm
    return jwt.encode({"sub": user.id}, key, algorithm="RS256")


def issue_default(user, key):
    # ok: jwt-none-algorithm
    return jwt.encode({"sub": user.id}, key)


# ok: jwt-none-algorithm
compressed = archive.encode("rows", algorithm="none")
# ok: jwt-none-algorithm
rows = json.JSONDecoder().decode(archive.text, 0)
