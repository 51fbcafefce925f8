import asyncio
import asyncio as aio
from asyncio import create_task


class Server:
    def __init__(self, loop):
        self.loop = loop
        self.tasks = set()
        # ruleid: task-not-kept
        self.loop.create_task(self.watch())

    async def start(self, rows):
        # ruleid: task-not-kept
        asyncio.create_task(self.watch())
        for row in rows:
            if row.ready:
                # ruleid: task-not-kept
                aio.ensure_future(
                    self.send(row),
                    loop=self.loop,
                )
        # ruleid: task-not-kept
        create_task(self.send(rows[0]), name="first")
        # ruleid: task-not-kept
        asyncio.get_running_loop().create_task(self.send(rows[1]))
        # ruleid: task-not-kept
        asyncio.create_task(self.send(rows[2])).add_done_callback(print)

    async def watch(self):
        # ok: task-not-kept
        task = asyncio.create_task(self.send(None))
        self.tasks.add(task)
        # ok: task-not-kept
        self.tasks.add(asyncio.ensure_future(self.send(1)))
        # ok: task-not-kept
        await asyncio.create_task(self.send(2))
        async with asyncio.TaskGroup() as group:
            # ok: task-not-kept
            group.create_task(self.send(3))
        # ok: task-not-kept
        self.queue.create_task("send", 4)
        # ok: task-not-kept
        self.on_close = lambda: asyncio.create_task(self.send(5))
        # ok: task-not-kept
        return asyncio.create_task(self.send(6))

    async def send(self, row):
        await self.stream.put(row)
