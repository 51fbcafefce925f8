import asyncio
import asyncio as aio
import shlex
from asyncio import create_subprocess_shell
from asyncio.subprocess import PIPE, create_subprocess_shell as start_shell

STATUS = "uptime && df -h"


async def probe(video):
    # ruleid: asyncio-subprocess-shell
    process = await asyncio.create_subprocess_shell(f"ffprobe {video}", stdout=PIPE)
    return await process.communicate()


async def probe_safely(video):
    # ok: asyncio-subprocess-shell
    process = await asyncio.create_subprocess_exec("ffprobe", video, stdout=PIPE)
    return await process.communicate()


async def clone(url, folder):
    return await create_subprocess_shell(
        # ruleid: asyncio-subprocess-shell
        "git clone %s %s" % (url, folder),
        stderr=PIPE,
    )


class Worker:
    def __init__(self, job):
        self.job = job

    async def start(self):
        # ruleid: asyncio-subprocess-shell
        return await start_shell(self.job.command)

    async def all(self, hosts):
        # ruleid: asyncio-subprocess-shell
        return await asyncio.gather(*[aio.create_subprocess_shell("ping -c 1 " + host) for host in hosts])

    async def keyword(self, pattern):
        # ruleid: asyncio-subprocess-shell
        return await aio.create_subprocess_shell(cmd="grep -r {} .".format(pattern), stdout=PIPE)

    async def protocol(self, loop, factory, path):
        command = "tail -f " + path
        # ruleid: asyncio-subprocess-shell
        return await loop.subprocess_shell(factory, command)


async def status(pattern, count):
    # ok: asyncio-subprocess-shell
    await asyncio.create_subprocess_shell(STATUS)
    pattern = shlex.quote(pattern)
    # ok: asyncio-subprocess-shell
    await asyncio.create_subprocess_shell(f"grep -r {pattern} . | head -n {int(count)}")
    # ok: asyncio-subprocess-shell
    await asyncio.create_subprocess_shell("make clean && make", cwd=pattern)
    # ok: asyncio-subprocess-shell
    await asyncio.create_subprocess_exec(*pattern)
