"""The HTTP client of pmslink's API for the phones of the simulated hotel.

It uses Twisted's Agent and not treq, because a long poll must be cancelled while its body is read; see
docs/decisions/0001-dependencies.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import (
    FileBodyProducer,
    HTTPConnectionPool,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers

from pmslink.http_client_endpoint import make_agent
from pmslink.simulator.life.api_target import ApiTarget, target_from_endpoint
from pmslink.simulator.life.phones import CALLS_PER_MINUTE, Phones, UnreachableError
from pmslink.timestamps import local_now
from pmslink.typed_service import TypedService

CONNECT_TIMEOUT_S, RESPONSE_TIMEOUT_S = 3.0, 10.0
"""Timeouts of a connection attempt, and of a response; a long poll's own wait is added to the latter."""

_log = Logger()


def make_phones(reactor: Any, target: ApiTarget, pace: float = CALLS_PER_MINUTE) -> Phones:
    """Make the phones that call pmslink's API at this target, ``pace`` times a minute on average."""
    client = HttpApiClient(reactor, target.url)
    # Not seeded: pmslink stores Idempotency-Keys across restarts of the simulator, so keys must not repeat.
    rng = Random()  # noqa: S311 (no secret)
    return Phones(client, target.link, reactor, local_now, rng, pace, client.close)


def make_endpoint_phones(
    reactor: Any, listen: str, link: str, pace: float = CALLS_PER_MINUTE
) -> TypedService:
    """Make the phones that call a service which listens on this endpoint.

    If it is not a TCP endpoint with a port, returns a service that does nothing, and logs the reason.
    """
    try:
        return make_phones(reactor, target_from_endpoint(listen, link), pace)
    except ValueError as problem:
        _log.warn("{link}: the phones make no calls: {problem}", link=link, problem=problem)
        return TypedService()


class HttpApiClient:
    """Calls pmslink's API at a URL without a path."""

    def __init__(self, reactor: Any, url: str) -> None:
        self._reactor = reactor
        self._url = url
        self._pool = HTTPConnectionPool(reactor)
        self._agent = make_agent(reactor, self._pool, CONNECT_TIMEOUT_S)

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """Make a call; ``key`` is the Idempotency-Key. Raises UnreachableError.

        Returns the status and the parsed JSON of the response.
        """
        long_poll_s = float(parse_qs(urlsplit(path).query).get("wait", ["0"])[0])
        response = Deferred.fromCoroutine(self._call(method, path, body, key))
        try:
            status, text = await response.addTimeout(long_poll_s + RESPONSE_TIMEOUT_S, self._reactor)
            return status, json.loads(text)
        except _CONNECTION_ERRORS as problem:
            raise UnreachableError(f"{self._url}: {_error_text(problem)}") from None
        except ValueError:
            raise UnreachableError(f"{self._url}: the response is not JSON") from None

    def close(self) -> Deferred[Any]:
        """Close the cached connections; fires when they are closed."""
        closed: Deferred[Any] = self._pool.closeCachedConnections()
        return closed

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, key: str | None
    ) -> tuple[int, bytes]:
        headers = Headers({"Accept": ["application/json"]})
        producer = None
        if body is not None:
            headers.addRawHeader("Content-Type", "application/json")
            producer = FileBodyProducer(BytesIO(json.dumps(body).encode()))
        if key is not None:
            headers.addRawHeader("Idempotency-Key", key)
        response = await self._agent.request(
            method.encode(), f"{self._url}{path}".encode("ascii"), headers, producer
        )
        reader = _BodyReader()
        response.deliverBody(reader)
        return response.code, await reader.completed


class _BodyReader(Protocol):
    """Reads the body of a response; cancelling ``completed`` closes the connection."""

    def __init__(self) -> None:
        self.completed: Deferred[bytes] = Deferred(lambda _: self._abort())
        self._chunks: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self._chunks.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.completed.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.completed.callback(b"".join(self._chunks))
        else:
            self.completed.errback(reason)

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


_CONNECTION_ERRORS = (
    CancelledError,
    ConnectError,
    ConnectionClosed,
    OSError,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    TimeoutError,
    TimedOut,
)


def _error_text(problem: Exception) -> str:
    """Describe the cause of a failed request in one line."""
    match getattr(problem, "reasons", None):
        case [Failure() as first, *_]:
            problem = first.value  # type: ignore[assignment]
    return " ".join(str(problem).split()) or type(problem).__name__
