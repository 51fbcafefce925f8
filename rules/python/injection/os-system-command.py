import os
import os as system_os
import shlex
import subprocess
from os import popen, system as shell

CLEAN_UP = "rm -rf build/*.tmp"


def protect(path, mode):
    # ruleid: os-system-command
    os.system(f"chmod {mode} {path}")
    # ok: os-system-command
    os.system(f"chmod {int(mode)} {shlex.quote(path)}")
    # ok: os-system-command
    subprocess.run(["chmod", mode, path], check=True)


def reachable(host):
    command = "ping -c 1 " + host
    # ruleid: os-system-command
    return system_os.system(command) == 0


class Printer:
    def __init__(self, queue):
        self.queue = queue

    def send(self, document):
        # ruleid: os-system-command
        return os.popen("lpr -P {} {}".format(self.queue, document)).read()

    def flush(self):
        # ruleid: os-system-command
        shell("lprm -P %s -" % self.queue)

    def system(self, command):
        # ok: os-system-command
        return self.queue.system(command)


def run_all(commands):
    # ruleid: os-system-command
    return [os.system(command) for command in commands]


def listing(folder):
    with popen(
        # ruleid: os-system-command
        "ls -1 " + os.path.join(folder, "*.csv")
    ) as stream:
        return stream.readlines()


def clean():
    # ok: os-system-command
    os.system(CLEAN_UP)
    # ok: os-system-command
    os.system("cls" if os.name == "nt" else "clear")
