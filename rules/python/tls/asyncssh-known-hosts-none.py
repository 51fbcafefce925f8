import asyncssh
import asyncssh as ssh
import pysftp
from asyncssh import connect
from asyncssh import connect as open_connection


async def run(host, command):
    # ruleid: asyncssh-known-hosts-none
    async with asyncssh.connect(host, known_hosts=None) as connection:
        return await connection.run(command, check=True)


async def run_long(host, user, key):
    # ruleid: asyncssh-known-hosts-none
    connection = await ssh.connect(
        host,
        username=user,
        known_hosts=None,
        client_keys=[key],
    )
    return connection


async def run_short(host):
    # ruleid: asyncssh-known-hosts-none
    return await connect(host, 22, known_hosts=None)


class Fleet:
    # ruleid: asyncssh-known-hosts-none
    options = asyncssh.SSHClientConnectionOptions(username="deploy", known_hosts=None)

    async def each(self, hosts):
        # ruleid: asyncssh-known-hosts-none
        return [await open_connection(h, known_hosts=None) for h in hosts]

    async def copy(self, source, target):
        # ruleid: asyncssh-known-hosts-none
        await asyncssh.scp(source, target, known_hosts=None, recurse=True)

    async def by_variable(self, host):
        keys = None
        # ruleid: asyncssh-known-hosts-none
        return await asyncssh.create_connection(asyncssh.SSHClient, host, known_hosts=keys)


def upload(host, path):
    options = pysftp.CnOpts()
    # ruleid: asyncssh-known-hosts-none
    options.hostkeys = None
    with pysftp.Connection(host, cnopts=options) as server:
        server.put(path)


async def run_verified(host):
    # ok: asyncssh-known-hosts-none
    return await asyncssh.connect(host)


async def run_with_file(host, path):
    # ok: asyncssh-known-hosts-none
    return await asyncssh.connect(host, known_hosts=path)


def survey(network):
    # ok: asyncssh-known-hosts-none
    return network.connect("10.0.0.0/24", known_hosts=None)


def upload_verified(host, path, keys):
    options = pysftp.CnOpts(knownhosts=keys)
    # ok: asyncssh-known-hosts-none
    options.compression = None
    with pysftp.Connection(host, cnopts=options) as server:
        server.put(path)
