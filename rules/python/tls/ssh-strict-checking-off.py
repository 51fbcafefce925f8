import os
import subprocess


def uptime(host):
    # ruleid: ssh-strict-checking-off
    return subprocess.run(["ssh", "-o", "StrictHostKeyChecking=no", host, "uptime"], check=True)


def copy(source, target):
    command = [
        "scp",
        # ruleid: ssh-strict-checking-off
        "-oStrictHostKeyChecking=no",
        source,
        target,
    ]
    subprocess.check_call(command)


class Mirror:
    # ruleid: ssh-strict-checking-off
    options = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no"

    def fetch(self, key):
        # ruleid: ssh-strict-checking-off
        environment = {**os.environ, "GIT_SSH_COMMAND": f"ssh -i {key} -o StrictHostKeyChecking=no"}
        subprocess.run(["git", "fetch"], env=environment, check=True)

    def sync(self, host, folder):
        # ruleid: ssh-strict-checking-off
        subprocess.run(["rsync", "-e", "ssh -o StrictHostKeyChecking=off", folder, f"{host}:"], check=True)

    def write(self, path, host):
        with open(path, "w", encoding="utf-8") as stream:
            # ruleid: ssh-strict-checking-off
            stream.write(f"Host {host}\n  StrictHostKeyChecking no\n")


def uptime_verified(host):
    # ok: ssh-strict-checking-off
    return subprocess.run(["ssh", "-o", "StrictHostKeyChecking=yes", host, "uptime"], check=True)


def uptime_first_use(host):
    # ok: ssh-strict-checking-off
    return subprocess.run(["ssh", "-o", "StrictHostKeyChecking=accept-new", host, "uptime"], check=True)


def explain():
    # ok: ssh-strict-checking-off
    """Never runs with StrictHostKeyChecking=no."""
    return "ssh"


def batch(host):
    # ok: ssh-strict-checking-off
    return ["ssh", "-o", "BatchMode=yes", "-o", "PasswordAuthentication=no", host]
