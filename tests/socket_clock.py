"""A test clock for a service whose connections are real sockets on the loopback interface.

Time stands still while a socket has anything to do. So a busy machine makes a test slower, but no timer of
the service ever ends before the data that should have stopped it has arrived.
"""

from __future__ import annotations

import fcntl
import select
import socket
import termios
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.task import Clock, deferLater
from twisted.internet.tcp import Connection

from tests.memory_network import advance_clock

reactor: Any = the_reactor

BUSY_LIMIT_S = 120.0
"""Real seconds after which sockets that are still busy fail the test."""
IDLE_TURNS = 3
"""Turns of the reactor in which all sockets must be idle."""


class SocketClock(Clock):
    """Timers on a test clock, and sockets on the reactor."""

    def connectTCP(self, *arguments: Any, **options: Any) -> Any:
        return reactor.connectTCP(*arguments, **options)

    def listenTCP(self, *arguments: Any, **options: Any) -> Any:
        return reactor.listenTCP(*arguments, **options)

    async def settle(self) -> None:
        """Run the timers that are due, and wait until all sockets are idle."""
        advance_clock(self, 0)
        if not _are_sockets_busy():
            return
        limit = reactor.seconds() + BUSY_LIMIT_S
        idle_turns = 0
        while idle_turns < IDLE_TURNS:
            assert reactor.seconds() < limit, "the sockets are still busy"
            await deferLater(reactor, 0)
            advance_clock(self, 0)
            idle_turns = 0 if _are_sockets_busy() else idle_turns + 1


def _are_sockets_busy() -> bool:
    """Return whether the reactor has to write, read, accept, connect or close, or data is on its way."""
    if reactor.getWriters() or any(call.getTime() <= reactor.seconds() for call in reactor.getDelayedCalls()):
        return True
    readers = reactor.getReaders()
    poll = select.poll()
    for reader in readers:
        poll.register(reader, select.POLLIN)
    return bool(poll.poll(0)) or _is_data_on_its_way(
        [reader for reader in readers if isinstance(reader, Connection)]
    )


def _is_data_on_its_way(connections: list[Connection]) -> bool:
    """Return whether one end has sent data that the other end's system has not yet received."""
    for connection in connections:  # acknowledge what has arrived at once, and not after 40 ms
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    return any(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)) != bytes(4) for connection in connections)
