import hmac
import os

import jwt
from cryptography.fernet import Fernet
from flask import Flask
from itsdangerous import URLSafeTimedSerializer as Serializer

# ruleid: hardcoded-secret-key
SECRET_KEY = "teapot-purple-7781-kettle"

app = Flask("shop")
# ruleid: hardcoded-secret-key
app.secret_key = b"dev-kettle"
# ruleid: hardcoded-secret-key
app.config["SECRET_KEY"] = "teapot-purple"
app.config.from_mapping(
    # ruleid: hardcoded-secret-key
    SECRET_KEY="dev",
    DATABASE="shop.sqlite",
)


class Settings:
    # ruleid: hardcoded-secret-key
    jwt_secret: str = "purple-teapot"
    # ruleid: hardcoded-secret-key
    api_key = "k9f2m7q0x3purpleteapot"


def issue(user):
    # ruleid: hardcoded-secret-key
    return jwt.encode({"sub": user.id}, "purple-teapot", algorithm="HS256")


def sign(body):
    # ruleid: hardcoded-secret-key
    return hmac.new(b"purple-teapot", body, "sha256").hexdigest()


# ruleid: hardcoded-secret-key
links = Serializer("purple-teapot", salt="links")
# ruleid: hardcoded-secret-key
signing_key = os.getenv("SIGNING_KEY", "purple-teapot")

# ok: hardcoded-secret-key
session_key = os.environ["SESSION_KEY"]
# ok: hardcoded-secret-key
app.config["SESSION_COOKIE_NAME"] = "shop-session"
# ok: hardcoded-secret-key
API_KEY = "api_key"
# ok: hardcoded-secret-key
client_secret = ""
# ok: hardcoded-secret-key
stripe = connect(api_key="<your key>")
# ok: hardcoded-secret-key
vault = Fernet(Fernet.generate_key())
# ok: hardcoded-secret-key
token = "end-of-line"
# ok: hardcoded-secret-key
private_key = "keys/server.pem"
