"""The connections to receivers that stay open for the next request.

Twisted's own pool keeps two connections for each receiver, so that events of many links at once need a new
one for nearly each event. It has no limit over all receivers, and no retry for POST.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.web._newclient import HTTP11ClientProtocol  # what an Agent sends requests on; not exported
from twisted.web.client import RequestTransmissionFailed, ResponseNeverReceived

from pmslink.pbx.webhook.response_head import ResponseError

MAX_IDLE_PER_RECEIVER = 100
"""Maximum number of idle connections to one receiver, which many links may have in common."""
MAX_IDLE_CONNECTIONS = 1000
"""Maximum number of idle connections to all receivers."""
IDLE_TIMEOUT_S = 60.0
"""Seconds after which an idle connection is closed."""


class ConnectionPool:
    """The pool of an Agent: hands out the connection that was used last, or a new one.

    A receiver may close an idle connection just when a request is sent on it. If it sent no byte of a
    response, the request is sent again on a new connection.
    """

    persistent = True

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._idle: dict[Hashable, list[HTTP11ClientProtocol]] = {}  # by receiver, the last used one last
        self._timeouts: dict[
            HTTP11ClientProtocol, tuple[Hashable, IDelayedCall]
        ] = {}  # the last used one last

    def getConnection(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Deferred[Any]:
        """Return a connection to a receiver that one request can be sent on. It comes back by itself."""
        connect = partial(self._connect, key, endpoint)
        while idle := self._idle.get(key):
            connection = idle[-1]
            self._remove(connection)
            if connection.state == "QUIESCENT":
                return succeed(_ReusedConnection(connection, connect))
        return connect()

    def close(self) -> None:
        """Close the idle connections."""
        for connection in tuple(self._timeouts):
            self._close(connection)

    def _connect(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Deferred[HTTP11ClientProtocol]:
        connected: Deferred[Any] = endpoint.connect(_ConnectionFactory(partial(self._add, key)))
        return connected

    def _add(self, key: Hashable, connection: HTTP11ClientProtocol) -> None:
        same_receiver = self._idle.get(key, [])
        if len(same_receiver) >= MAX_IDLE_PER_RECEIVER:
            self._close(same_receiver[0])
        elif len(self._timeouts) >= MAX_IDLE_CONNECTIONS:
            self._close(next(iter(self._timeouts)))
        self._idle.setdefault(key, []).append(connection)
        timeout = self._clock.callLater(IDLE_TIMEOUT_S, self._close, connection)
        self._timeouts[connection] = (key, timeout)

    def _close(self, connection: HTTP11ClientProtocol) -> None:
        self._remove(connection)
        connection.abort()

    def _remove(self, connection: HTTP11ClientProtocol) -> None:
        key, timeout = self._timeouts.pop(connection)
        if timeout.active():
            timeout.cancel()
        self._idle[key].remove(connection)
        if not self._idle[key]:
            del self._idle[key]


class _ConnectionFactory(Factory):
    noisy = False

    def __init__(self, on_idle: Callable[[HTTP11ClientProtocol], None]) -> None:
        self._on_idle = on_idle

    def buildProtocol(self, addr: IAddress | None) -> HTTP11ClientProtocol:
        return HTTP11ClientProtocol(self._on_idle)


@frozen
class _ReusedConnection:
    _connection: HTTP11ClientProtocol
    _connect: Callable[[], Deferred[HTTP11ClientProtocol]]

    def request(self, request: Any) -> Deferred[Any]:
        """Send a request, and send it again on a new connection if the receiver had closed this one."""
        return Deferred.fromCoroutine(self._request(request))

    async def _request(self, request: Any) -> Any:
        try:
            return await self._connection.request(request)
        except (ResponseNeverReceived, RequestTransmissionFailed) as problem:
            if not _was_closed(problem):
                raise
        request.bodyProducer.was_written = False  # the new connection may never be established
        connection = await self._connect()
        return await connection.request(request)


def _was_closed(problem: Any) -> bool:
    """Return whether the receiver closed the connection, without a byte of a response."""
    return not any(reason.check(CancelledError, ResponseError) for reason in problem.reasons)
