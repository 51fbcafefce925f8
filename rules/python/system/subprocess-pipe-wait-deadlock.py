import asyncio
import subprocess
import subprocess as sp
import threading
from subprocess import PIPE, Popen


def list_files(folder):
    child = subprocess.Popen(["ls", folder], stdout=subprocess.PIPE)
    # ruleid: subprocess-pipe-wait-deadlock
    child.wait()
    return child.stdout.read()


def errors_of(command):
    with sp.Popen(command, stderr=sp.PIPE, text=True) as child:
        # ruleid: subprocess-pipe-wait-deadlock
        status = child.wait()
        return status, child.stderr.readlines()


def status_of(command):
    # ruleid: subprocess-pipe-wait-deadlock
    return Popen(command, stdout=PIPE, stderr=PIPE).wait()


def run_hidden(command):
    child = Popen(
        command,
        stdout=PIPE,
    )
    print("started", command[0])
    # ruleid: subprocess-pipe-wait-deadlock
    if child.wait() != 0:
        raise RuntimeError(command[0])


async def list_async(folder):
    child = await asyncio.create_subprocess_exec("ls", folder, stdout=asyncio.subprocess.PIPE)
    # ruleid: subprocess-pipe-wait-deadlock
    await child.wait()
    return await child.stdout.read()


class Runner:
    def run(self, command):
        self.child = sp.Popen(command, stdout=sp.PIPE, stderr=sp.STDOUT)
        # ruleid: subprocess-pipe-wait-deadlock
        self.child.wait(timeout=None)
        return self.child.communicate()[0]

    def run_well(self, command):
        self.child = sp.Popen(command, stdout=sp.PIPE)
        output = self.child.communicate()[0]
        # ok: subprocess-pipe-wait-deadlock
        self.child.wait()
        return output


def stream(command):
    child = Popen(command, stdout=PIPE, text=True)
    for line in child.stdout:
        print(line, end="")
    # ok: subprocess-pipe-wait-deadlock
    return child.wait()


def with_reader(command, reader):
    child = Popen(command, stdout=PIPE)
    thread = threading.Thread(target=reader, args=(child.stdout,))
    thread.start()
    # ok: subprocess-pipe-wait-deadlock
    child.wait()
    thread.join()


def chained(first, second):
    left = Popen(first, stdout=PIPE)
    right = Popen(second, stdin=left.stdout)
    right.wait()
    # ok: subprocess-pipe-wait-deadlock
    return left.wait()


def no_pipe(command):
    child = Popen(command, stdout=subprocess.DEVNULL)
    # ok: subprocess-pipe-wait-deadlock
    return child.wait()


def read_loop(command):
    child = Popen(command, stdout=PIPE)
    while True:
        chunk = child.stdout.read(4096)
        if not chunk:
            break
    # ok: subprocess-pipe-wait-deadlock
    return child.wait()


def stopped(command):
    child = Popen(command, stdout=PIPE)
    child.kill()
    # ok: subprocess-pipe-wait-deadlock
    child.wait()


def wait_for(event):
    # ok: subprocess-pipe-wait-deadlock
    event.wait()
