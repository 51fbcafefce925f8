import os

from decouple import Csv, config
from django.conf import settings
from fastapi import FastAPI
from fastapi.middleware.trustedhost import TrustedHostMiddleware as HostCheck

DEBUG = False
# ruleid: django-allowed-hosts-any
ALLOWED_HOSTS = ["*"]
# ruleid: django-allowed-hosts-any
ALLOWED_HOSTS = ("shop.example", "*")
# ruleid: django-allowed-hosts-any
ALLOWED_HOSTS: list[str] = ["*"]
# ruleid: django-allowed-hosts-any
ALLOWED_HOSTS = os.getenv("ALLOWED_HOSTS", "*").split(",")
# ruleid: django-allowed-hosts-any
ALLOWED_HOSTS = config("ALLOWED_HOSTS", default="*", cast=Csv())
# ruleid: django-allowed-hosts-any
ALLOWED_HOSTS = [
    "shop.example",
    "*",  # health checks
]
# ruleid: django-allowed-hosts-any
ALLOWED_HOSTS.append("*")
# ruleid: django-allowed-hosts-any
ALLOWED_HOSTS += ["*"]


class BaseSettings:
    # ruleid: django-allowed-hosts-any
    ALLOWED_HOSTS = ["*"]


def prepare():
    # ruleid: django-allowed-hosts-any
    settings.configure(ROOT_URLCONF="shop.urls", ALLOWED_HOSTS=["*"])


def create_api():
    api = FastAPI()
    # ruleid: django-allowed-hosts-any
    api.add_middleware(HostCheck, allowed_hosts=["*"])
    return api


# ok: django-allowed-hosts-any
ALLOWED_HOSTS = ["shop.example", ".shop.example"]
# ok: django-allowed-hosts-any
ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")
# ok: django-allowed-hosts-any
ALLOWED_HOSTS = config("ALLOWED_HOSTS", default="localhost", cast=Csv())
# ok: django-allowed-hosts-any
ALLOWED_ORIGINS = ["*"]
# ok: django-allowed-hosts-any
ALLOWED_HOSTS = []

if DEBUG:
    # ok: django-allowed-hosts-any
    ALLOWED_HOSTS = ["*"]
