import logging
import queue
import socket
import time
import urllib.request
from urllib.request import urlopen

import psycopg2
import requests as rq

log = logging.getLogger(__name__)


def price(url):
    # ruleid: infinite-retry-loop
    while True:
        try:
            return rq.get(url, timeout=5).json()["price"]
        except rq.RequestException:
            continue


def document(url):
    # ruleid: infinite-retry-loop
    while True:
        try:
            with urlopen(url, timeout=5) as reply:
                return reply.read()
        except OSError as error:
            log.warning("again: %s", error)


def connection(host):
    # ruleid: infinite-retry-loop
    while True:
        try:
            found = socket.create_connection((host, 7000), timeout=5)
            break
        except:
            pass
    return found


class Store:
    def open(self):
        # ruleid: infinite-retry-loop
        while True:
            try:
                self.db = psycopg2.connect(self.dsn)
                break
            except psycopg2.OperationalError:
                log.info("no database yet")

    def push(self, items):
        # ruleid: infinite-retry-loop
        while True:
            log.debug("pushing %d", len(items))
            try:
                reply = self.session.post(self.url, json=items, timeout=5)
                if reply.ok:
                    return reply
            except rq.ConnectionError:
                pass

    async def join(self):
        # ruleid: infinite-retry-loop
        while True:
            try:
                await self.broker.connect(self.address)
                return
            except ConnectionError:
                continue


def price_well(url):
    # ok: infinite-retry-loop
    while True:
        try:
            return rq.get(url, timeout=5).json()["price"]
        except rq.RequestException:
            time.sleep(5)


def price_limited(url):
    attempts = 0
    # ok: infinite-retry-loop
    while True:
        try:
            return rq.get(url, timeout=5).json()["price"]
        except rq.RequestException:
            attempts += 1
            if attempts == 5:
                raise


def worker(jobs: queue.Queue):
    # ok: infinite-retry-loop
    while True:
        job = jobs.get()
        try:
            rq.post(job.url, json=job.body, timeout=5)
        except rq.RequestException:
            log.exception("job failed")


def ask():
    # ok: infinite-retry-loop
    while True:
        try:
            return int(input("How many? "))
        except ValueError:
            print("A number, please.")


def pages(url):
    # ok: infinite-retry-loop
    while True:
        try:
            reply = urllib.request.urlopen(url, timeout=5)
        except OSError:
            break
        url = reply.headers.get("Next")
        if not url:
            return
