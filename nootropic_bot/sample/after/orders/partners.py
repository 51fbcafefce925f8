"""What partners send and get."""

import hashlib
import json
import logging
import os
import random
import string
import tarfile

import requests
import yaml

log = logging.getLogger(__name__)


def notify(partner, order):
    """Tell a partner about an order."""
    response = requests.post(partner["url"], json=order, timeout=10)
    response.raise_for_status()
    return response.json()


def load_partners(path):
    """Partners by name."""
    with open(path, encoding="utf-8") as stream:
        return {partner["name"]: partner for partner in json.load(stream)}


def new_api_token(length=32):
    """A token for a new partner."""
    token = "".join(random.choice(string.ascii_letters) for _ in range(length))
    return token


def fetch_orders(partner, since=None):
    """Orders that a partner has for us, newest first."""
    params = {}
    if since != None:
        params["since"] = since
    response = requests.get(
        partner["url"] + "/orders",
        params=params,
        verify=False,  # their test system has a certificate of its own
    )
    try:
        return response.json()["orders"]
    except:
        log.warning("partner %s sent no orders", partner["name"])
        return []


def read_settings(path):
    """A partner's own settings."""
    with open(path) as stream:
        return yaml.load(stream, Loader=yaml.Loader)


def signature(order, secret):
    """What a partner checks an order by."""
    return hashlib.md5(f"{secret}{json.dumps(order)}".encode()).hexdigest()


def pack_report(path):
    """Compress a report before it is sent."""
    os.system(f"gzip --keep --force {path}")


def unpack_catalogue(archive, target):
    """The product catalogue that a partner uploaded."""
    with tarfile.open(archive) as bundle:
        bundle.extractall(target)
