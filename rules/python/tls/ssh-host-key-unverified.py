import paramiko
import paramiko as ssh
from paramiko import AutoAddPolicy, SSHClient
from paramiko.client import WarningPolicy


def run(host, command):
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    # ruleid: ssh-host-key-unverified
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(host, timeout=10)
    return client.exec_command(command)


def run_with_own_keys(host, keys):
    with SSHClient() as client:
        client.load_host_keys(keys)
        client.set_missing_host_key_policy(
            # ruleid: ssh-host-key-unverified
            ssh.WarningPolicy,
        )
        client.connect(host)


def upload(host, source, target):
    client = SSHClient()
    # ruleid: ssh-host-key-unverified
    client.set_missing_host_key_policy(AutoAddPolicy())
    client.connect(host)
    with client.open_sftp() as files:
        files.put(source, target)


class Fleet:
    def __init__(self, hosts):
        self.client = paramiko.SSHClient()
        # ruleid: ssh-host-key-unverified
        self.client.set_missing_host_key_policy(paramiko.AutoAddPolicy)
        self.hosts = hosts

    def each(self):
        # ruleid: ssh-host-key-unverified
        policy = WarningPolicy()
        for host in self.hosts:
            client = paramiko.SSHClient()
            client.set_missing_host_key_policy(policy)
            client.connect(host)
            yield client

    def silent(self):
        # ruleid: ssh-host-key-unverified
        self.client.set_missing_host_key_policy(ssh.client.MissingHostKeyPolicy())


def run_verified(host):
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    # ok: ssh-host-key-unverified
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.connect(host)


def run_default(host):
    # ok: ssh-host-key-unverified
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    client.connect(host)


# ok: ssh-host-key-unverified
class PinnedPolicy(paramiko.MissingHostKeyPolicy):
    def __init__(self, fingerprint):
        self.fingerprint = fingerprint

    def missing_host_key(self, client, hostname, key):
        if key.get_fingerprint() != self.fingerprint:
            raise paramiko.SSHException(f"unexpected key of {hostname}")


def run_pinned(host, fingerprint):
    client = paramiko.SSHClient()
    # ok: ssh-host-key-unverified
    client.set_missing_host_key_policy(PinnedPolicy(fingerprint))
    client.connect(host)


def insure(contracts):
    # ok: ssh-host-key-unverified
    policy = contracts.AutoAddPolicy()
    return policy
