import asyncio
import asyncio as aio
from asyncio import run as run_loop


class Client:
    async def load(self, url):
        # ruleid: asyncio-run-in-coroutine
        rows = asyncio.run(self.fetch(url))
        for row in rows:
            # ruleid: asyncio-run-in-coroutine
            aio.run(self.store(row, key=(row.id, row.name)))
        # ruleid: asyncio-run-in-coroutine
        first = asyncio.run(self.fetch(url))[0]
        # ruleid: asyncio-run-in-coroutine
        return first, run_loop(self.fetch(url), debug=True)

    async def close(self):
        # ruleid: asyncio-run-in-coroutine
        asyncio.get_event_loop().run_until_complete(self.flush())
        async with self.lock:
            # ruleid: asyncio-run-in-coroutine
            self.loop.run_until_complete(self.flush())
        # ruleid: asyncio-run-in-coroutine
        return [asyncio.run(task()) for task in self.tasks]

    def stop(self):
        # ok: asyncio-run-in-coroutine
        asyncio.run(self.close())


async def safe(client, pool, app):
    # ok: asyncio-run-in-coroutine
    rows = await client.fetch("rows")

    def work():
        # ok: asyncio-run-in-coroutine
        return asyncio.run(client.fetch("rows"))

    # ok: asyncio-run-in-coroutine
    await asyncio.to_thread(work)
    # ok: asyncio-run-in-coroutine
    await asyncio.to_thread(lambda: asyncio.run(client.close()))
    # ok: asyncio-run-in-coroutine
    app.run(client.fetch("rows"))
    return rows


def main(loop, client):
    # ok: asyncio-run-in-coroutine
    loop.run_until_complete(client.close())
    # ok: asyncio-run-in-coroutine
    asyncio.run(safe(client, None, None))
