import hashlib
import random
import random as rnd
import string
import time
from random import randint

ALPHABET = string.ascii_letters + string.digits


def send_otp(phone):
    # ruleid: insecure-random-number
    code = random.randint(100000, 999999)
    return deliver(phone, code)


def create_session(user):
    # ruleid: insecure-random-number
    session_id = hashlib.sha256(str(random.random()).encode()).hexdigest()
    # ruleid: insecure-random-number
    nonce = rnd.getrandbits(64)
    return {
        "user": user.id,
        "sid": session_id,
        "nonce": nonce,
        # ruleid: insecure-random-number
        "refresh_token": "%032x" % random.getrandbits(128),
    }


class Enrolment:
    def __init__(self):
        # ruleid: insecure-random-number
        self.activation_key = "".join(random.choices(ALPHABET, k=20))
        # ruleid: insecure-random-number
        self.pin = randint(1000, 9999)

    def hash(self, text):
        # ruleid: insecure-random-number
        salt = bytes(random.randrange(256) for _ in range(16))
        return hashlib.scrypt(text, salt=salt, n=2**14, r=8, p=1)


# ruleid: insecure-random-number
reset_password("admin", new_password="".join(random.sample(ALPHABET, 8)))


def roll_dice():
    # ok: insecure-random-number
    return random.randint(1, 6)


# ok: insecure-random-number
otp = random.SystemRandom().randint(100000, 999999)

# ok: insecure-random-number
max_tokens = random.randint(10, 200)

# ok: insecure-random-number
spinner = random.randrange(360)


def get_access_token(client):
    # ok: insecure-random-number
    time.sleep(random.uniform(0.1, 0.5))
    return client.fetch()


class Deck:
    def random(self):
        return self.cards[0]


# ok: insecure-random-number
secret_card = Deck().random()
# ok: insecure-random-number
user = Account(password=read_password(), age=random.randint(18, 80))
