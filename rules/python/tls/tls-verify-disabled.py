import functools

import aiohttp
import boto3
import httpx
import jwt
import requests
import requests as rq
from elasticsearch import Elasticsearch
from kubernetes import client as k8s
from requests import get, post as send_form


def status(url):
    # ruleid: tls-verify-disabled
    return requests.get(url, verify=False, timeout=5).status_code


def submit(url, form):
    answer = rq.post(
        url,
        data=form,
        # ruleid: tls-verify-disabled
        verify=False,  # the appliance has its own certificate
    )
    return answer.json()


def short(url, form):
    # ruleid: tls-verify-disabled
    first = get(url, verify=False)
    # ruleid: tls-verify-disabled
    return first, send_form(url, data=form, verify=False)


def by_variable(url):
    check = False
    # ruleid: tls-verify-disabled
    return requests.request("GET", url, verify=check)


def all_of(urls):
    session = requests.Session()
    # ruleid: tls-verify-disabled
    session.verify = False
    return [session.get(u) for u in urls]


def managed(url):
    with requests.Session() as downloader:
        # ruleid: tls-verify-disabled
        downloader.verify = False
        return downloader.get(url).content


class Appliance:
    # ruleid: tls-verify-disabled
    fetch = staticmethod(functools.partial(requests.get, timeout=5, verify=False))

    def __init__(self, url):
        # ruleid: tls-verify-disabled
        self.http = httpx.AsyncClient(base_url=url, verify=False)
        self.session = requests.Session()
        # ruleid: tls-verify-disabled
        self.session.verify = False

    def reboot(self, kwargs):
        # ruleid: tls-verify-disabled
        kwargs["verify"] = False
        # ruleid: tls-verify-disabled
        self.session.put("/reboot", verify=False, **kwargs)

    async def events(self, url):
        # ruleid: tls-verify-disabled
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
            # ruleid: tls-verify-disabled
            async with session.get(url, ssl=False) as answer:
                return await answer.json()


def buckets(endpoint):
    # ruleid: tls-verify-disabled
    return boto3.client("s3", endpoint_url=endpoint, verify=False).list_buckets()


def search(hosts):
    # ruleid: tls-verify-disabled
    return Elasticsearch(hosts, verify_certs=False)


def cluster(host):
    configuration = k8s.Configuration(host=host)
    # ruleid: tls-verify-disabled
    configuration.verify_ssl = False
    return k8s.ApiClient(configuration)


def status_verified(url):
    # ok: tls-verify-disabled
    return requests.get(url, verify=True, timeout=5)


def status_private(url, bundle):
    # ok: tls-verify-disabled
    return requests.get(url, verify=bundle, timeout=5)


def status_default(url):
    # ok: tls-verify-disabled
    return httpx.get(url, follow_redirects=False)


def local_status():
    # ok: tls-verify-disabled
    return requests.get("https://localhost:8443/status", verify=False)


def peek(token):
    # ok: tls-verify-disabled
    return jwt.decode(token, verify=False)


def by_switch(session, args):
    if args.insecure:
        # ok: tls-verify-disabled
        session.verify = False
    return session


def plain_redis(redis, host):
    # ok: tls-verify-disabled
    return redis.Redis(host=host, ssl=False)


def save_image(image, path):
    # ok: tls-verify-disabled
    image.save(path, verify=False)
