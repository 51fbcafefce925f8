"""Where a server is, whether it is the user's own, and whether code may travel there as it is.

Local are, by their spelling alone: loopback, private, link-local and unique-local addresses, `localhost`, names of one
word (a container's in its network, a machine's on the desk) and names that the public DNS does not have. Everything
else is somebody else's until the user says otherwise (`leaving.py`).

Text sent over `http://` can be read on the way. To this machine and to addresses that are not public (loopback, private
and link-local networks, the shared range 100.64.0.0/10 that virtual private networks use) that is the user's own
business; to a public address it is refused.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from nootropic_bot.escape import one_line
from nootropic_bot.models.base import NotAllowed, Unavailable

# A word, or a name below an ending that is for networks of one's own (RFC 6761, 6762, 8375; ICANN for `.internal`;
# `.lan` by habit). A word begins with a letter: `134744072` and `0x08080808` are addresses to a resolver.
_OWN_NAME = re.compile(
    r"[a-z](?:[a-z0-9_-]*[a-z0-9])?|(?:[a-z0-9_-]+\.)+(?:local|lan|internal|home\.arpa|localhost)",
)
_OWN_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base URL, taken apart.

    `is_near`: by its spelling alone this machine or a network that is not public. `is_local`: the same or a name of the
    user's own network.
    """

    url: str
    scheme: str
    host: str
    port: int
    is_near: bool
    is_local: bool

    @property
    def label(self) -> str:
        """`host:port`, for messages; the port is left out where it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return one_line(host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}")


def parse_address(url: str) -> Address:
    """The base URL's parts.

    Raises:
        Unavailable: it is no URL of a server, or holds a password, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Unavailable(f"`url` is no address of a server: {one_line(str(error))}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Unavailable("`url` is no address of a server: it begins with http:// or https:// and names a host")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise Unavailable("`url` holds a password or a query: keys belong into the variable that `key_env` names")
    literal = _literal(host)
    is_near = host == "localhost" or host.endswith(".localhost") or (literal is not None and not is_public(literal))
    usual_port = 443 if parts.scheme == "https" else 80
    return Address(url.rstrip("/"), parts.scheme, host, port or usual_port, is_near, _is_own(host, literal))


def is_local_url(url: str) -> bool:
    """Whether a base URL is a local server's; one that is no URL is none."""
    try:
        return parse_address(url).is_local
    except Unavailable:
        return False


def _is_own(host: str, literal: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    if literal is None:
        return _OWN_NAME.fullmatch(host) is not None
    if isinstance(literal, ipaddress.IPv6Address) and literal.ipv4_mapped is not None:
        literal = literal.ipv4_mapped
    return any(literal in network for network in _OWN_NETWORKS)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is reachable from everywhere, and so lies outside of what a user owns."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.sixtofour is not None:  # Goes through a public relay, whatever is inside.
            return True
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped.is_global
    return address.is_global


async def refuse_clear_text(address: Address) -> None:
    """Refuse to send code unencrypted to a public address.

    Raises:
        NotAllowed: `http://` and a public address.
        Unavailable: the name has no address.
    """
    if address.scheme == "https" or address.is_near:
        return
    try:
        found = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unavailable(f"the name {one_line(address.host)} has no address") from None
    literals = [_literal(str(entry[4][0]).partition("%")[0]) for entry in found]
    if any(literal is None or is_public(literal) for literal in literals):
        raise NotAllowed(
            f"code would travel unencrypted to {address.label}, a public address; use https:// or a tunnel to it"
        )


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
