"""The network of an HTTP client, by which limits count clients."""

from __future__ import annotations

from ipaddress import IPv4Address as IPv4
from ipaddress import IPv6Address as IPv6
from ipaddress import ip_address, ip_network

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

THIS_MACHINE = "this machine"
"""The network of a client that is connected over a UNIX socket."""


def client_network(peer: IAddress) -> str:
    """Return the network of a client: its IPv4 address, or the /64 network of its IPv6 address.

    The holder of one IPv6 address usually has its whole /64 network.
    """
    address = _parse(peer)
    if address is None:
        return THIS_MACHINE
    return str(address if isinstance(address, IPv4) else ip_network((address, 64), strict=False))


def is_local_client(peer: IAddress) -> bool:
    """Return whether a client is on this machine, and may be a proxy for clients of any network."""
    address = _parse(peer)
    return address is None or address.is_loopback


def _parse(peer: IAddress) -> IPv4 | IPv6 | None:
    if not isinstance(peer, IPv4Address | IPv6Address):
        return None
    address = ip_address(peer.host.partition("%")[0])
    return address if isinstance(address, IPv4) else address.ipv4_mapped or address
