import os
from pathlib import Path

import environ
from decouple import config
from django.conf import settings
from django.conf import settings as django_settings

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
# ruleid: django-debug-on
DEBUG = True
# ruleid: django-debug-on
DEBUG: bool = True
# ruleid: django-debug-on
DEBUG = os.getenv("DJANGO_DEBUG", "True") == "True"
# ruleid: django-debug-on
DEBUG = os.environ.get("DJANGO_DEBUG", "true").lower() in ("true", "1")
# ruleid: django-debug-on
DEBUG = config("DEBUG", default=True, cast=bool)
# ruleid: django-debug-on
DEBUG = env.bool("DEBUG", default=True)
# ruleid: django-debug-on
DEBUG = int(os.environ.get("DEBUG", "1"))
# ruleid: django-debug-on
DEBUG = bool(os.environ.get("DEBUG", "True"))
INSTALLED_APPS = ["django.contrib.admin", "orders"]


class ProductionConfig:
    # ruleid: django-debug-on
    DEBUG = True


class DevelopmentConfig:
    # ok: django-debug-on
    DEBUG = True


class TestSettings:
    # ok: django-debug-on
    DEBUG = True


def setup_script():
    # ruleid: django-debug-on
    settings.configure(INSTALLED_APPS=INSTALLED_APPS, DEBUG=True)
    # ruleid: django-debug-on
    django_settings.configure(**{"ROOT_URLCONF": "shop.urls", "DEBUG": True})


# ruleid: django-debug-on
DJANGO_SETTINGS = {
    "ROOT_URLCONF": "shop.urls",
    "DEBUG": True,
}

if os.environ.get("DJANGO_ENV") == "development":
    # ok: django-debug-on
    DEBUG = True

# ok: django-debug-on
DEBUG = False
# ok: django-debug-on
DEBUG = os.environ.get("DJANGO_DEBUG", "") == "1"
# ok: django-debug-on
DEBUG = env.bool("DEBUG", default=False)
# ok: django-debug-on
DEBUG_TOOLBAR = True


def trace(parser):
    # ok: django-debug-on
    DEBUG = True
    return parser.parse(debug=DEBUG)


def log_levels():
    # ok: django-debug-on
    return {"DEBUG": True, "INFO": True}
