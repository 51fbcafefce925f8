import functools
import socket
import urllib.request
from urllib.request import Request, urlopen as fetch_url

import httpx
import requests
import requests as rq
import urllib3
from requests import post as send

BASE = "https://stock.example/api"


def current_price(symbol):
    # ruleid: http-call-without-timeout
    return requests.get(f"{BASE}/price/{symbol}").json()["price"]


def order(symbol, amount):
    # ruleid: http-call-without-timeout
    reply = rq.post(
        f"{BASE}/orders",
        json={"symbol": symbol, "amount": amount},
        headers={"Accept": "application/json"},  # the default is XML
    )
    reply.raise_for_status()
    return reply.json()


def notify(hook, text):
    # ruleid: http-call-without-timeout
    send(hook, data=dict(
        text=text,
    ))


def cancel(order_id):
    # ruleid: http-call-without-timeout
    return rq.request("DELETE", url=f"{BASE}/orders/{order_id}",)


def aligned(order_id, headers):
    # ruleid: http-call-without-timeout
    return requests.put(f"{BASE}/orders/{order_id}",
                        headers=headers,
                        allow_redirects=False)


def black_style(order_id, headers):
    # ruleid: http-call-without-timeout
    return requests.patch(
        f"{BASE}/orders/{order_id}", headers=headers
    )


def commented(order_id, headers):
    # ruleid: http-call-without-timeout
    return requests.patch(
        f"{BASE}/orders/{order_id}",
        headers=headers  # signed by the caller
    )


def half_exploded(order_id, headers):
    # ruleid: http-call-without-timeout
    return requests.patch(f"{BASE}/orders/{order_id}",
        headers=headers,
    )


def download(url):
    # ruleid: http-call-without-timeout
    with fetch_url(Request(url, headers={"User-Agent": "stock"})) as reply:
        return reply.read()


def download_form(url, form):
    # ruleid: http-call-without-timeout
    return urllib.request.urlopen(url, form).read()


def with_opener(url, handler):
    opener = urllib.request.build_opener(handler)
    # ruleid: http-call-without-timeout
    return opener.open(url).read()


def statuses(urls):
    # ruleid: http-call-without-timeout
    return {url: requests.head(url, allow_redirects=True).status_code for url in urls}


def with_session(urls):
    with requests.Session() as session:
        for url in urls:
            # ruleid: http-call-without-timeout
            yield session.get(url, stream=True)


def typed_session(session: requests.Session, url: str) -> bytes:
    # ruleid: http-call-without-timeout
    return session.get(url).content


def pooled(url):
    pool = urllib3.PoolManager(num_pools=4)
    # ruleid: http-call-without-timeout
    return pool.request("GET", url).data


class StockClient:
    def __init__(self, base=BASE):
        self.base = base
        self.http = requests.Session()
        self.http.headers["Accept"] = "application/json"

    def position(self, account):
        # ruleid: http-call-without-timeout
        return self.http.get(self.base + "/accounts/" + account).json()

    def close(self, account):
        # ok: http-call-without-timeout
        return self.http.delete(self.base + "/accounts/" + account, timeout=(3, 20))


class AdaptedClient:
    def __init__(self, adapter):
        self.http = requests.Session()
        self.http.mount("https://", adapter)

    def position(self, account):
        # ok: http-call-without-timeout
        return self.http.get(BASE + "/accounts/" + account)


def patched_session():
    session = requests.Session()
    session.request = functools.partial(session.request, timeout=5)
    # ok: http-call-without-timeout
    return session.get(BASE)


def good_price(symbol):
    # ok: http-call-without-timeout
    return requests.get(f"{BASE}/price/{symbol}", timeout=5).json()["price"]


def passed_on(symbol, **options):
    # ok: http-call-without-timeout
    return requests.get(f"{BASE}/price/{symbol}", **options)


def positional_timeout(url):
    # ok: http-call-without-timeout
    return fetch_url(url, None, 10).read()


def own_default(url):
    # ok: http-call-without-timeout
    return httpx.get(url).text


def read_cache(cache, requests_by_name, name):
    # ok: http-call-without-timeout
    return cache.get(name) or requests_by_name.get(name)


def session_cookie(url):
    session = requests.Session()
    # ok: http-call-without-timeout
    session.cookies.get("csrf")
    # ok: http-call-without-timeout
    return session.get(url, timeout=5)


def with_process_default(url):
    socket.setdefaulttimeout(20)
    # ok: http-call-without-timeout
    return urllib.request.urlopen(url).read()


def inline_document():
    # ok: http-call-without-timeout
    return urllib.request.urlopen("data:text/plain,hello").read()
