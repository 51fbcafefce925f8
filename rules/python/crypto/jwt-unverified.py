import jwt
import jwt as pyjwt
from jose import jwt as jose_jwt
from jwt import decode

PEEK = {"verify_signature": False, "verify_aud": False}


def current_user(token):
    # ruleid: jwt-unverified
    return jwt.decode(token, options={"verify_signature": False})["sub"]


def read_claims(token, key):
    # ruleid: jwt-unverified
    return pyjwt.decode(token, key, algorithms=["HS256"], options={"verify_exp": True, "verify_signature": False})


class Session:
    def __init__(self, token, key):
        self.claims = decode(
            token,
            key,
            # ruleid: jwt-unverified
            verify=False,
            algorithms=["HS256"],
        )

    def roles(self, token):
        # ruleid: jwt-unverified
        return jwt.decode(token, options=PEEK).get("roles", [])

    def scopes(self, token):
        # ruleid: jwt-unverified
        return jose_jwt.get_unverified_claims(token)["scope"]


def subjects(tokens):
    # ruleid: jwt-unverified
    return [jwt.decode(t, None, verify=False)["sub"] for t in tokens]


def audience(token, key):
    # ruleid: jwt-unverified
    return jwt.decode(token, key, algorithms=["HS256"], options={"verify_aud": False, "verify_signature": False})


def groups(token):
    # ruleid: jwt-unverified
    claims = jose_jwt.decode(token, "", options={"verify_signature": False})
    return claims["groups"]


def verified_user(token, key):
    # ok: jwt-unverified
    return jwt.decode(token, key, algorithms=["RS256"])["sub"]


def key_id(token):
    # ok: jwt-unverified
    return jwt.get_unverified_header(token)["kid"]


def verify_by_issuer(token, keys):
    # ok: jwt-unverified
    peeked = jwt.decode(token, options={"verify_signature": False})
    claims = jwt.decode(token, keys[peeked["iss"]], algorithms=["ES256"])
    return claims


def late_token(token, key):
    # ok: jwt-unverified
    return jwt.decode(token, key, algorithms=["HS256"], options={"verify_aud": False})


# ok: jwt-unverified
frame = video.decode(read_frame(), verify=False)
