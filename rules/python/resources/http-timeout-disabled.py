import urllib.request

import aiohttp
import httpx
import requests
from httpx import AsyncClient, Client as HttpClient

# ruleid: http-timeout-disabled
CLIENT = httpx.Client(timeout=None, follow_redirects=True)


def price(url):
    # ruleid: http-timeout-disabled
    return requests.get(url, timeout=None).json()


def order(url, body):
    return httpx.post(
        url,
        json=body,
        # ruleid: http-timeout-disabled
        timeout=None,
    )


async def stream(url):
    # ruleid: http-timeout-disabled
    async with AsyncClient(timeout=None) as client:
        return (await client.get(url)).text


async def one_call(url):
    async with httpx.AsyncClient() as client:
        # ruleid: http-timeout-disabled
        return (await client.get(url, timeout=None)).text


class Feed:
    def __init__(self, base):
        # ruleid: http-timeout-disabled
        self.slow = HttpClient(base_url=base, timeout=None)
        self.session = requests.Session()

    def read(self, url):
        # ruleid: http-timeout-disabled
        return self.session.get(url, timeout=None).content

    def page(self, url):
        # ruleid: http-timeout-disabled
        return urllib.request.urlopen(url, timeout=None).read()


def good(url):
    # ok: http-timeout-disabled
    return httpx.get(url, timeout=20).text


def own_default(url):
    # ok: http-timeout-disabled
    return httpx.get(url).text


def passed_on(url, timeout=None):
    # ok: http-timeout-disabled
    return requests.get(url, timeout=timeout or 20)


def read_only_unbounded():
    # ok: http-timeout-disabled
    return httpx.Client(timeout=httpx.Timeout(10, read=None))


def from_queue(queue):
    # ok: http-timeout-disabled
    return queue.get(timeout=None)


async def bounded():
    # ok: http-timeout-disabled
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
