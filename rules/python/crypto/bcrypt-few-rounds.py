import bcrypt
import bcrypt as bc
from bcrypt import gensalt as new_salt
from passlib.context import CryptContext
from passlib.hash import bcrypt as bcrypt_handler

COST = 6


def store_password(user, password):
    # ruleid: bcrypt-few-rounds
    user.password = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4))


def store_pin(user, pin):
    # ruleid: bcrypt-few-rounds
    user.pin = bc.hashpw(pin, bc.gensalt(rounds=8))


class Accounts:
    # ruleid: bcrypt-few-rounds
    salt = staticmethod(lambda: new_salt(COST))

    def __init__(self, app):
        # ruleid: bcrypt-few-rounds
        app.config["BCRYPT_LOG_ROUNDS"] = 5


context = CryptContext(
    schemes=["bcrypt"],
    # ruleid: bcrypt-few-rounds
    bcrypt__rounds=5,
)
# ruleid: bcrypt-few-rounds
handler = bcrypt_handler.using(rounds=9)


def store_well(user, password):
    # ok: bcrypt-few-rounds
    user.password = bcrypt.hashpw(password.encode(), bcrypt.gensalt())


# ok: bcrypt-few-rounds
strong = bcrypt.gensalt(12)
# ok: bcrypt-few-rounds
configured = bcrypt.gensalt(rounds=load_settings().rounds)
# ok: bcrypt-few-rounds
boxing = schedule_fight(rounds=5)
# ok: bcrypt-few-rounds
modern = bcrypt_handler.using(rounds=13)
