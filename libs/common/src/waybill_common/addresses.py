"""Which addresses this process may call on somebody's behalf: a URL that a person typed must not open the house (SSRF).

Whoever may configure a channel could otherwise have the services read what only they reach: a cloud's metadata, a
database, a router's page. What counts is the address at the moment of connecting, whatever name led there: what a name
stands for may change between a look and a call. Redirects are not followed anywhere, and a name is looked up by us, not
by a proxy.

`WAYBILL_PRIVATE_ADDRESSES`: `all`, `none`, or networks (`10.1.0.0/16, 192.168.7.5`). Not set: `all` where the database
itself is on this machine (trying it out, tests), else `none`. Link-local addresses (metadata services) are only ever
called when their network is named.
"""

import errno
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(OSError):
    """The address is not one that may be called; the text says which setting would allow it."""

    def __init__(self, text: str) -> None:
        super().__init__(errno.EACCES, text)  # with a number, aiohttp tells the text

    def __str__(self) -> str:
        return str(self.strerror)


@dataclass(frozen=True, slots=True)
class Policy:
    """`private`: all addresses of private networks; `named`: these, whatever they are."""

    private: bool
    named: tuple[Network, ...] = ()

    def check(self, text: str) -> None:
        """Raises AddressRefused. `text` is an IP address, as a socket is given it."""
        address = plain(ipaddress.ip_address(text.partition("%")[0]))
        if any(address in network for network in self.named if network.version == address.version):
            return
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            refused = True
        else:
            refused = not address.is_global and not self.private
        if refused:
            raise AddressRefused(
                f"{address} is an address of a private network, which is not called for a configured URL; where it is "
                f"meant, allow it to the services: WAYBILL_PRIVATE_ADDRESSES={address}"
            )


def plain(address: Address) -> Address:
    """The IPv4 address within an IPv6 one, where a network would take it there."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    within = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if within is None and int(address) >> 32 == 0 and int(address) > 1:
        within = ipaddress.IPv4Address(int(address))  # ::127.0.0.1, the form that was given up
    return within or address


def policy_of(setting: str | None, database_url: str) -> Policy:
    """What the setting says. Raises ValueError that names what is wrong."""
    if setting is None:
        return Policy(private=_on_this_machine(database_url))
    words = [word.strip() for word in setting.split(",") if word.strip()]
    if words in (["all"], ["none"]):
        return Policy(private=words == ["all"])
    try:
        return Policy(False, tuple(ipaddress.ip_network(word) for word in words))
    except ValueError as error:
        raise ValueError(f"{error}: write all, none, or networks such as 10.1.0.0/16, 192.168.7.5") from None


def _on_this_machine(database_url: str) -> bool:
    parts = urlsplit(database_url)
    host = unquote(parts.hostname or "") or next(iter(parse_qs(parts.query).get("host", [])), "")
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_policy = Policy(private=True)
"""Of this process; a tool that a person runs calls what the person names."""


def decide(policy: Policy) -> None:
    """From now on this process keeps to `policy`; a service says so once, before anything is called.

    One process, one rule: no connection can be built that forgets to ask.
    """
    global _policy
    _policy = policy


def guarded_socket(address: Sequence[Any]) -> socket.socket:
    """For aiohttp's `socket_factory`: a socket to this resolved address, or AddressRefused."""
    family, kind, protocol, _, at = address
    _policy.check(str(at[0]))
    return socket.socket(family, kind, protocol)
