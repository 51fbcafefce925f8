import os

import redis
import requests
from celery import Celery
from sqlalchemy import create_engine

# ruleid: credentials-in-url
DATABASE_URL = "postgresql+psycopg2://shop:kettle41@db.internal:5432/shop"

app = Celery(
    "jobs",
    # ruleid: credentials-in-url
    broker="amqp://jobs:r4bbit-hole@queue.internal//",
)


class Config:
    # ruleid: credentials-in-url
    CACHE = "redis://:c4che-me@cache.internal:6379/0"

    def engine(self, name):
        # ruleid: credentials-in-url
        return create_engine(f"mysql://root:t0ad-stool@db.internal/{name}")


def builds():
    # ruleid: credentials-in-url
    return [requests.get(u).json() for u in ("https://robot:b33p@builds.internal/api",)]


def mongo_url():
    # ruleid: credentials-in-url
    return os.environ.get("MONGO_URL", "mongodb://admin:d0cument@mongo.internal")


# ok: credentials-in-url
from_environment = os.environ["DATABASE_URL"]
# ok: credentials-in-url
plain = "postgresql://db.internal:5432/shop"
# ok: credentials-in-url
template = "postgresql://{user}:{password}@{host}/{name}"
# ok: credentials-in-url
documented = "postgresql://user:password@host/name"
# ok: credentials-in-url
built = f"redis://app:{os.environ['REDIS_PASSWORD']}@cache.internal"
# ok: credentials-in-url
git = "ssh://git@code.internal:2222/shop.git"
# ok: credentials-in-url
profile = "https://social.internal/@alice:home"
# ok: credentials-in-url
default_broker = "amqp://guest:guest@localhost//"
