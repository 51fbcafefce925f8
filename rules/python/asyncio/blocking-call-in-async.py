import asyncio
import os
import subprocess
import time
import time as clock
from time import sleep
from urllib.request import urlopen

import requests


class Poller:
    async def poll(self, url):
        while not self.ready:
            # ruleid: blocking-call-in-async
            time.sleep(1)
            # ruleid: blocking-call-in-async
            clock.sleep(self.delay())
        # ruleid: blocking-call-in-async
        sleep(0.1)
        # ruleid: blocking-call-in-async
        return requests.get(url, timeout=5).json()

    async def login(self, url, data):
        session = requests.Session()
        # ruleid: blocking-call-in-async
        answer = session.post(url, data=data, timeout=5)
        async with self.lock:
            # ruleid: blocking-call-in-async
            with urlopen(url, timeout=5) as stream:
                return answer, stream.read()

    def wait(self):
        # ok: blocking-call-in-async
        time.sleep(1)


async def build(paths):
    for path in paths:
        # ruleid: blocking-call-in-async
        subprocess.check_call(
            ["make", path],
        )
        # ruleid: blocking-call-in-async
        os.system("sync")
    # ruleid: blocking-call-in-async
    return [subprocess.run(["ls", path], check=True) for path in paths]


async def safe(path, loop, time_left):
    # ok: blocking-call-in-async
    await asyncio.sleep(1)
    # ok: blocking-call-in-async
    await asyncio.to_thread(time.sleep, 1)
    # ok: blocking-call-in-async
    started = time.monotonic()

    def work():
        # ok: blocking-call-in-async
        time.sleep(1)
        return subprocess.run(["make", path], check=True)

    # ok: blocking-call-in-async
    await loop.run_in_executor(None, lambda: requests.get(path, timeout=5))
    # ok: blocking-call-in-async
    await loop.run_in_executor(None, work)
    # ok: blocking-call-in-async
    return await path.sleep(started, time_left)
