"""The options of a PMS connection's socket: keepalive, no delay, and the read buffer."""

from __future__ import annotations

import socket

from twisted.internet.interfaces import ITCPTransport

READ_CHUNK_BYTES = 8192
"""Bytes read in one turn of the event loop. Handling them must not block the loop for long."""

TCP_KEEPALIVE_OPTIONS = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 25_000}
"""The kernel notices a cut cable within 30 s, whatever the interval of the link checks.

The first two are in seconds, the last one is in milliseconds.
"""


def configure_socket(transport: ITCPTransport) -> None:
    """Set the options of a connected socket, so that dead peers are noticed and records are not delayed."""
    transport.bufferSize = READ_CHUNK_BYTES  # type: ignore[attr-defined]
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    tcp: socket.socket = transport.socket  # type: ignore[attr-defined]  # a TLS transport forwards it too
    for option, value in TCP_KEEPALIVE_OPTIONS.items():
        tcp.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
