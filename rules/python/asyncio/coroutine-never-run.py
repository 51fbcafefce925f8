import asyncio
from asyncio import sleep


async def store(row, target):
    await target.put(row)


async def main(rows, target):
    # ok: coroutine-never-run
    await store(rows[0], target)


class Client:
    def stop(self):
        # ruleid: coroutine-never-run
        self.close("stop")
        # ok: coroutine-never-run
        self.log("stop")

    async def close(self, reason):
        await self.stream.close(reason)

    def wait(self, rows):
        while not self.closed:
            # ruleid: coroutine-never-run
            sleep(1)
        for row in rows:
            with self.lock:
                # ruleid: coroutine-never-run
                store(
                    row,
                    self.target,
                )
        # ruleid: coroutine-never-run
        asyncio.gather(*rows)

    def log(self, text):
        print(text)


def run(rows, target, loop, pool):
    if rows:
        # ruleid: coroutine-never-run
        finish(target)
    # ok: coroutine-never-run
    loop.run_until_complete(store(rows[0], target))
    # ok: coroutine-never-run
    pending = store(rows[1], target)
    # ok: coroutine-never-run
    target.store(rows)
    # ok: coroutine-never-run
    pool.submit(lambda: store(rows[2], target))
    # ok: coroutine-never-run
    return finish(pending)


async def finish(target):
    await target.close()


if __name__ == "__main__":
    # ok: coroutine-never-run
    asyncio.run(finish(None))
    # ruleid: coroutine-never-run
    main([], None)
