import shlex
from shlex import quote

import asyncssh
import paramiko
from fabric import Connection

LOG = "/var/log/app.log"


def listing(host, folder):
    client = paramiko.SSHClient()
    client.connect(host)
    # ruleid: paramiko-exec-command
    stdin, stdout, stderr = client.exec_command(f"ls -l {folder}")
    # ok: paramiko-exec-command
    client.exec_command(f"ls -l {shlex.quote(folder)}")
    # ok: paramiko-exec-command
    client.exec_command(f"tail -n 20 {LOG}")
    # ok: paramiko-exec-command
    client.exec_command("uptime", timeout=5)
    return stdout.read()


class Remote:
    def __init__(self, client):
        self.client = client

    def run(self, command):
        # ok: paramiko-exec-command
        return self.client.exec_command(command)

    def restart(self, unit):
        command = "sudo systemctl restart " + unit
        # ruleid: paramiko-exec-command
        self.client.exec_command(command)

    def restart_safely(self, unit):
        unit = quote(unit)
        # ok: paramiko-exec-command
        self.client.exec_command("sudo systemctl restart " + unit)

    def count(self, word):
        _, output, _ = self.client.exec_command(
            # ruleid: paramiko-exec-command
            "grep -c '%s' /var/log/app.log" % word,
            timeout=10,
        )
        return output.read()

    def session(self, transport, path):
        channel = transport.open_session()
        # ruleid: paramiko-exec-command
        channel.exec_command(command="cat {}".format(path))

    def tail(self, lines):
        # ok: paramiko-exec-command
        self.client.exec_command(f"tail -n {int(lines)} {LOG}")

    def parts(self, program, arguments):
        # ruleid: paramiko-exec-command
        self.client.exec_command(program + " " + " ".join(arguments))


def dump(database):
    with Connection("db1.internal") as host:
        # ruleid: paramiko-exec-command
        host.run(f"pg_dump {database} > dump.sql")
        # ok: paramiko-exec-command
        host.run(f"pg_dump {quote(database)} > dump.sql")


async def uptime(name, user):
    async with asyncssh.connect(name) as host:
        # ruleid: paramiko-exec-command
        return await host.run("last " + user)


def local(runner, user):
    # ok: paramiko-exec-command
    runner.run("last " + user)
