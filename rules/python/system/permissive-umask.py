import os
import os as system
import subprocess
from os import umask

import daemon

OPEN_MASK = 0


def daemonize():
    if os.fork():
        os._exit(0)
    os.setsid()
    # ruleid: permissive-umask
    os.umask(0)


def daemonize_octal():
    # ruleid: permissive-umask
    system.umask(0o000)


def worker():
    # ruleid: permissive-umask
    umask(0o0)


def group_only_blocked():
    # ruleid: permissive-umask
    umask(0o020)


class Server:
    def start(self):
        # ruleid: permissive-umask
        self.previous = os.umask(OPEN_MASK)

    def serve(self):
        # ruleid: permissive-umask
        with daemon.DaemonContext(working_directory="/srv/spool", umask=0):
            self.loop()


def export(tool):
    # ruleid: permissive-umask
    return subprocess.Popen(
        [tool, "--export"],
        umask=0,
    )


def private():
    # ok: permissive-umask
    os.umask(0o077)


def usual():
    # ok: permissive-umask
    os.umask(0o022)


def group_shared():
    # ok: permissive-umask
    os.umask(0o002)


def current_umask():
    # ok: permissive-umask
    mask = os.umask(0)
    os.umask(mask)
    return mask


def make_exact(path):
    # ok: permissive-umask
    old = os.umask(0)
    try:
        os.mkdir(path, 0o2770)
    finally:
        os.umask(old)


def inherited(tool):
    # ok: permissive-umask
    return subprocess.Popen([tool], umask=-1)
