import asyncio
import asyncio as aio
from asyncio import sleep as pause


async def store(row, target):
    await target.put(row)


class Poller:
    async def poll(self, source):
        # ruleid: missing-await
        self.flush(source)
        while not source.ready:
            # ruleid: missing-await
            asyncio.sleep(1)
            # ruleid: missing-await
            pause(0.5)
        # ok: missing-await
        await self.flush(source)
        # ok: missing-await
        self.log(source)

    async def flush(self, source):
        async with source:
            for row in source.rows:
                # ruleid: missing-await
                store(
                    row,
                    self.target,
                )
            # ruleid: missing-await
            aio.gather(*source.tasks)

    async def send(self, writer, data):
        writer.write(data)
        # ruleid: missing-await
        writer.drain()

    def log(self, source):
        # ok: missing-await
        print(source)


async def main(rows, target, pool):
    if rows:
        # ruleid: missing-await
        finish(target)
    # ok: missing-await
    await store(rows[0], target)
    # ok: missing-await
    task = asyncio.create_task(store(rows[1], target))
    # ok: missing-await
    pending = [store(row, target) for row in rows]
    # ok: missing-await
    await asyncio.gather(task, *pending)

    def work():
        # ok: missing-await
        target.store(rows)

    # ok: missing-await
    pool.submit(work, lambda: store(rows[2], target))
    # ok: missing-await
    return finish(target)


async def finish(target):
    await target.close()
