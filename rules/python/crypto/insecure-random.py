import random
import random as rnd
import secrets
import string
import time
from random import choice as pick

import numpy as np

ALPHABET = string.ascii_letters + string.digits
GREETINGS = ["hello", "hi", "welcome"]

# ruleid: insecure-random
session_id = "".join(random.choice(ALPHABET) for _ in range(32))


def generate_password(length=12):
    # ruleid: insecure-random
    return "".join([random.choice(ALPHABET) for _ in range(length)])


def signup(form):
    temporary_password = ""
    while len(temporary_password) < 10:
        # ruleid: insecure-random
        temporary_password += rnd.choice(ALPHABET)
    return Account(
        email=form.email,
        greeting=random.choice(GREETINGS),
        # ruleid: insecure-random
        api_key="".join(pick(ALPHABET) for _ in range(40)),
    )


class ResetLink:
    def __init__(self, user):
        self.user = user
        # ruleid: insecure-random
        self.token = "".join(map(lambda _: random.choice(ALPHABET), range(20)))

    def payload(self):
        return {
            "user": self.user.id,
            # ruleid: insecure-random
            "otp": "".join(random.choice(string.digits) for _ in range(6)),
        }


def start(session):
    session["csrf_token"] = "".join(
        # ruleid: insecure-random
        random.choice(ALPHABET) for _ in range(16)
    )
    # ruleid: insecure-random
    salt = np.random.bytes(16)
    return salt


def pick_greeting(user):
    # ok: insecure-random
    return random.choice(GREETINGS) + " " + user.name


def generate_token(length=32):
    # ok: insecure-random
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def make_token_again(length=32):
    # ok: insecure-random
    return "".join(random.SystemRandom().choice(ALPHABET) for _ in range(length))


# ok: insecure-random
tokenizer_sample = random.choice(["word", "subword"])

# ok: insecure-random
token_ids = [random.choice([1, 2, 3]) for _ in range(100)]


def create_access_token(client):
    for attempt in range(3):
        # ok: insecure-random
        time.sleep(random.choice([1, 2, 3]))
    return client.token()


class Wheel:
    def choice(self, options):
        return options[0]


# ok: insecure-random
winning_token = Wheel().choice(["a", "b"])
