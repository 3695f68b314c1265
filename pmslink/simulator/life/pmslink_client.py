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
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    FileBodyProducer,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers

from pmslink.http_client_pool import QuietPool
from pmslink.simulator.life.phones import PACE, Phones, UnreachableError

CONNECT_TIME, ANSWER_TIME = 3.0, 10.0
"""Seconds for a connection, and for an answer beyond what the call itself waits."""

_LIKE = "should look like http://127.0.0.1:8080,hotel: where pmslink listens, and the name of a link"
_log = Logger()


@frozen
class Line:
    """Where the telephones call, and for which link."""

    url: str
    link: str

    @classmethod
    def parse(cls, text: str) -> Line:
        """Read ``http://127.0.0.1:8080,hotel``. Raises ValueError that says what is wrong."""
        url, comma, link = text.rpartition(",")
        if not comma:
            raise ValueError(_LIKE)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", link):
            raise ValueError(f'a link is named by 1 to 64 letters, digits, "-" and "_"; it {_LIKE}')
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 (raises for a port that is none)
        except ValueError as problem:
            raise ValueError(f"{problem}; it {_LIKE}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(_LIKE)
        if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"only the host and the port are wanted; it {_LIKE}")
        return cls(f"{parts.scheme}://{parts.netloc}", link)


def line_to(listen: str, link: str) -> Line:
    """Where a service is called that listens on this endpoint. Raises ValueError unless it is one of TCP."""
    match = re.fullmatch(r"tcp:(?:port=)?([0-9]{1,5})((?::(?:[^:\\]|\\.)*)*)", listen)
    if match is None or not 0 < int(match[1]) < 65536:
        raise ValueError(f"{listen} is no port of TCP")
    interface = re.search(r":interface=((?:[^:\\]|\\.)*)", match[2])
    host = re.sub(r"\\(.)", r"\1", interface[1]) if interface else ""
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (is called)
    return Line(f"http://[{host}]:{match[1]}" if ":" in host else f"http://{host}:{match[1]}", link)


def phones_at(reactor: Any, line: Line, pace: float = PACE) -> Phones:
    """The telephones that call there."""
    interface = HttpInterface(reactor, line.url)
    # not the same at every start: pmslink remembers the keys of postings for longer than that
    chance = Random()  # noqa: S311 (no secret)
    return Phones(interface, line.link, reactor, _local_time, chance, pace, interface.close)


def phones_of(reactor: Any, listen: str, link: str, pace: float = PACE) -> Service:
    """The telephones that call a service which listens on this endpoint; silent ones if it is not of TCP."""
    try:
        return phones_at(reactor, line_to(listen, link), pace)
    except ValueError as problem:
        _log.warn("the phones stay silent: {problem}", problem=problem)
        return Service()


class HttpInterface:
    """The interface at a URL, which has no path."""

    def __init__(self, reactor: Any, url: str) -> None:
        self._reactor = reactor
        self._url = url
        self._pool = QuietPool(reactor)  # type: ignore[no-untyped-call]
        self._agent = Agent(reactor, connectTimeout=CONNECT_TIME, pool=self._pool)

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON of the answer; ``key`` is the Idempotency-Key. Raises UnreachableError."""
        waits = float(parse_qs(urlsplit(path).query).get("wait", ["0"])[0])
        answered = Deferred.fromCoroutine(self._call(method, path, body, key))
        try:
            status, text = await answered.addTimeout(waits + ANSWER_TIME, self._reactor)
            return status, json.loads(text)
        except _NO_ANSWER as problem:
            raise UnreachableError(f"{self._url}: {_why(problem)}") from None
        except ValueError:
            raise UnreachableError(f"{self._url} does not answer in JSON") from None

    def close(self) -> Deferred[Any]:
        """Close what connections are kept; fires when they are gone."""
        closed: Deferred[Any] = self._pool.closeCachedConnections()  # type: ignore[no-untyped-call]
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
        body_read = _Body()
        response.deliverBody(body_read)
        return response.code, await body_read.whole


class _Body(Protocol):
    """Reads the body of an answer; who does not want it any more closes the connection."""

    def __init__(self) -> None:
        self.whole: Deferred[bytes] = Deferred(lambda _: self._give_up())
        self._parts: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self._parts.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.whole.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(b"".join(self._parts))
        else:
            self.whole.errback(reason)

    def _give_up(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


_NO_ANSWER = (
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


def _why(problem: Exception) -> str:
    """What is behind it, in a line."""
    match getattr(problem, "reasons", None):
        case [Failure() as first, *_]:
            problem = first.value  # type: ignore[assignment]
    return " ".join(str(problem).split()) or type(problem).__name__


def _local_time() -> datetime:
    return datetime.now().astimezone()
