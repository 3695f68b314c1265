"""pmslink's interface over HTTP, for the telephones of the simulated hotel."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import frozen
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
from pmslink.simulator.life.phones import CALLS_PER_MINUTE, Phones, UnreachableError
from pmslink.typed_service import TypedService

CONNECT_TIMEOUT_S, RESPONSE_TIMEOUT_S = 3.0, 10.0
"""Seconds for a connection, and for an answer beyond what the call itself waits."""

_EXPECTED_FORM = "should look like http://127.0.0.1:8080,hotel: where pmslink listens, and the name of a link"
_log = Logger()


@frozen
class ApiTarget:
    """Where the telephones call, and for which link."""

    url: str
    link: str

    @classmethod
    def parse(cls, text: str) -> ApiTarget:
        """Read ``http://127.0.0.1:8080,hotel``. Raises ValueError that says what is wrong."""
        url, comma, link = text.rpartition(",")
        if not comma:
            raise ValueError(_EXPECTED_FORM)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", link):
            raise ValueError(f'a link is named by 1 to 64 letters, digits, "-" and "_"; it {_EXPECTED_FORM}')
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 (raises for a port that is none)
        except ValueError as problem:
            raise ValueError(f"{problem}; it {_EXPECTED_FORM}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(_EXPECTED_FORM)
        if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"only the host and the port are wanted; it {_EXPECTED_FORM}")
        return cls(f"{parts.scheme}://{parts.netloc}", link)


def target_from_endpoint(listen: str, link: str) -> ApiTarget:
    """Where a service is called that listens on this endpoint. Raises ValueError unless it is one of TCP."""
    match = re.fullmatch(r"tcp:(?:port=)?([0-9]{1,5})((?::(?:[^:\\]|\\.)*)*)", listen)
    if match is None or not 0 < int(match[1]) < 65536:
        raise ValueError(f"{listen} is no port of TCP")
    interface = re.search(r":interface=((?:[^:\\]|\\.)*)", match[2])
    host = re.sub(r"\\(.)", r"\1", interface[1]) if interface else ""
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (is called)
    return ApiTarget(f"http://[{host}]:{match[1]}" if ":" in host else f"http://{host}:{match[1]}", link)


def make_phones(reactor: Any, target: ApiTarget, pace: float = CALLS_PER_MINUTE) -> Phones:
    """The telephones that call there."""
    interface = HttpApiClient(reactor, target.url)
    # not the same at every start: pmslink remembers the keys of postings for longer than that
    chance = Random()  # noqa: S311 (no secret)
    return Phones(interface, target.link, reactor, local_now, chance, pace, interface.close)


def make_endpoint_phones(
    reactor: Any, listen: str, link: str, pace: float = CALLS_PER_MINUTE
) -> TypedService:
    """The telephones that call a service which listens on this endpoint; silent ones if it is not of TCP."""
    try:
        return make_phones(reactor, target_from_endpoint(listen, link), pace)
    except ValueError as problem:
        _log.warn("the phones stay silent: {problem}", problem=problem)
        return TypedService()


class HttpApiClient:
    """The interface at a URL, which has no path."""

    def __init__(self, reactor: Any, url: str) -> None:
        self._reactor = reactor
        self._url = url
        self._pool = HTTPConnectionPool(reactor)
        self._agent = make_agent(reactor, self._pool, CONNECT_TIMEOUT_S)

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON of the answer; ``key`` is the Idempotency-Key. Raises UnreachableError."""
        waits = float(parse_qs(urlsplit(path).query).get("wait", ["0"])[0])
        answered = Deferred.fromCoroutine(self._call(method, path, body, key))
        try:
            status, text = await answered.addTimeout(waits + RESPONSE_TIMEOUT_S, self._reactor)
            return status, json.loads(text)
        except _CONNECTION_ERRORS as problem:
            raise UnreachableError(f"{self._url}: {_error_text(problem)}") from None
        except ValueError:
            raise UnreachableError(f"{self._url} does not answer in JSON") from None

    def close(self) -> Deferred[Any]:
        """Close what connections are kept; fires when they are gone."""
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
        body_read = _BodyReader()
        response.deliverBody(body_read)
        return response.code, await body_read.completed


class _BodyReader(Protocol):
    """Reads the body of an answer; who does not want it any more closes the connection."""

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
    """What is behind it, in a line."""
    match getattr(problem, "reasons", None):
        case [Failure() as first, *_]:
            problem = first.value  # type: ignore[assignment]
    return " ".join(str(problem).split()) or type(problem).__name__


def local_now() -> datetime:
    return datetime.now().astimezone()
