import os

from django.conf import settings
from django.test import override_settings
from flask import Flask

app = Flask(__name__)

# ruleid: session-cookie-insecure-setting
SESSION_COOKIE_SECURE = False
# ruleid: session-cookie-insecure-setting
CSRF_COOKIE_SECURE: bool = False
# ruleid: session-cookie-insecure-setting
SESSION_COOKIE_SAMESITE = "None"
# ruleid: session-cookie-insecure-setting
app.config["SESSION_COOKIE_HTTPONLY"] = False
# ruleid: session-cookie-insecure-setting
app.config.update(SESSION_COOKIE_NAME="shop", SESSION_COOKIE_SECURE=False)
# ruleid: session-cookie-insecure-setting
app.config.from_mapping(
    SECRET_KEY=os.environ["SECRET_KEY"],
    REMEMBER_COOKIE_HTTPONLY=False,
)
app.config.update(
    # ruleid: session-cookie-insecure-setting
    {
        "JWT_COOKIE_SECURE": False,
    }
)


class Config:
    # ruleid: session-cookie-insecure-setting
    SESSION_COOKIE_SECURE = False
    # ok: session-cookie-insecure-setting
    SESSION_COOKIE_HTTPONLY = True


class TestConfig(Config):
    TESTING = True
    # ok: session-cookie-insecure-setting
    SESSION_COOKIE_SECURE = False


class DevelopmentConfig(Config):
    # ok: session-cookie-insecure-setting
    SESSION_COOKIE_SECURE = False


def relax():
    # ruleid: session-cookie-insecure-setting
    settings.SESSION_COOKIE_HTTPONLY = False


@override_settings(SESSION_COOKIE_SECURE=True)
def check_login(client):
    return client.get("/login")


def check_plain_login(client):
    # ok: session-cookie-insecure-setting
    with override_settings(SESSION_COOKIE_SECURE=False):
        return client.get("/login")


# ok: session-cookie-insecure-setting
SESSION_COOKIE_SECURE = True
# ok: session-cookie-insecure-setting
SESSION_COOKIE_SECURE = os.environ.get("COOKIE_SECURE", "1") == "1"
# ok: session-cookie-insecure-setting
CSRF_COOKIE_HTTPONLY = False
# ok: session-cookie-insecure-setting
SESSION_COOKIE_DOMAIN = None
# ok: session-cookie-insecure-setting
SESSION_COOKIE_SAMESITE = "Strict"
# ok: session-cookie-insecure-setting
LANGUAGE_COOKIE_SECURE = False

if os.environ.get("SHOP_ENV") == "development":
    # ok: session-cookie-insecure-setting
    SESSION_COOKIE_SECURE = False
