import logging
import logging as log
import sys

logger = logging.getLogger(__name__)


def sign_in(user, password):
    # ruleid: secret-in-log
    logger.info("sign-in of %s with %s", user, password)
    # ruleid: secret-in-log
    logger.debug(f"password of {user} is {password}")
    return check(user, password)


class Client:
    def __init__(self, api_key):
        self.api_key = api_key
        self.logger = logger
        # ruleid: secret-in-log
        self.logger.warning("using key " + self.api_key)

    def refresh(self, form):
        # ruleid: secret-in-log
        log.error("bad password: {}".format(form["password"]))
        # ruleid: secret-in-log
        logging.info("token: %s" % self.access_token)
        # ruleid: secret-in-log
        print(f"new secret: {self.client_secret}")

    def trace(self, otp):
        # ruleid: secret-in-log
        sys.stderr.write("code %s\n" % otp)
        logger.info(
            "verifying %s for %s",
            # ruleid: secret-in-log
            otp,
            self.user,
        )


def sign_in_quietly(user, password):
    # ok: secret-in-log
    logger.info("sign-in of %s", user)
    # ok: secret-in-log
    logger.debug("password has %d characters", len(password))
    # ok: secret-in-log
    logger.debug("password set: %s", password is not None)
    # ok: secret-in-log
    logger.info("password reset mail sent to %s", user.email)


def report(tokens, has_password, secret_name):
    # ok: secret-in-log
    logger.info("parsed %d tokens", tokens)
    # ok: secret-in-log
    print(f"password present: {has_password}")
    # ok: secret-in-log
    print("reading secret", secret_name)


class Table:
    def info(self, password):
        return password


# ok: secret-in-log
Table().info("x")
