"""One event on its way to a webhook: signed, posted, answered."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from attrs import field, frozen
from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.protocol import Protocol as Connected
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import HTTP11ClientProtocol  # what the pool makes, known nowhere else
from twisted.web.client import (
    Agent,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseNeverReceived,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IResponse
from zope.interface import implementer

from pmslink import __version__
from pmslink.errors import PmslinkError
from pmslink.http_client_pool import QuietConnectionPool, QuietHttpClientFactory

ANSWER_TIMEOUT_S = 10.0
"""Seconds that a receiver has to answer."""
MAX_BODY_BYTES = 64 * 1024
"""Bytes that an answer may have; nobody looks at them."""
MAX_RESPONSE_BYTES = 256 * 1024
"""Bytes that may come in all, with what stands above the answer."""


class DeliveryError(PmslinkError):
    """The receiver did not take an event; the text says why, in words that hold nothing of it."""


@frozen
class Receiver:
    """Where the events of a link go to, and the secret that they are signed with."""

    url: str
    secret: str = field(repr=False)


class WebhookTransport(Protocol):
    """Brings events to their receivers."""

    def post(self, receiver: Receiver, body: bytes) -> Deferred[None]:
        """Bring this one. Fails with DeliveryError."""

    def close(self) -> None:
        """Close what connections are kept."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over the timestamp, a full stop and the body, in hexadecimal digits."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()


class HttpWebhookTransport:
    """Over HTTP or HTTPS, with connections that are used again; redirects are not followed."""

    def __init__(self, reactor: Any, wall_clock: Callable[[], datetime]) -> None:
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._pool = _BoundedPool(reactor)  # type: ignore[no-untyped-call]
        self._pool.retryAutomatically = False  # it would not do so for POST
        once = _BoundedPool(reactor, persistent=False)  # type: ignore[no-untyped-call]
        self._agent = Agent(reactor, connectTimeout=ANSWER_TIMEOUT_S, pool=self._pool)
        self._fresh_agent = Agent(reactor, connectTimeout=ANSWER_TIMEOUT_S, pool=once)
        self._reusable_urls: set[str] = set()
        """The URLs to which a connection may be kept."""

    def post(self, receiver: Receiver, body: bytes) -> Deferred[None]:
        posted = Deferred.fromCoroutine(self._post(receiver, body))
        return posted.addTimeout(ANSWER_TIMEOUT_S, self._reactor, _raise_timeout).addErrback(
            _to_delivery_error
        )

    def close(self) -> None:
        # Nobody waits until they are gone: a machine that is not there any more would not say so for long.
        self._pool.closeCachedConnections()  # type: ignore[no-untyped-call]

    async def _post(self, receiver: Receiver, body: bytes) -> None:
        response = await self._request(receiver, body)
        broken = await _drain_body(response)
        if not 200 <= response.code < 300:
            followed = "; redirects are not followed" if 300 <= response.code < 400 else ""
            raise DeliveryError(f"it answered {response.code}{followed}")
        if broken is not None:
            raise DeliveryError(broken)
        self._reusable_urls.add(receiver.url)

    async def _request(self, receiver: Receiver, body: bytes) -> IResponse:
        what = (b"POST", receiver.url.encode(), self._headers(receiver, body), _BytesProducer(body))
        try:
            return await self._agent.request(*what)
        except (ResponseNeverReceived, RequestTransmissionFailed) as problem:
            if receiver.url not in self._reusable_urls or _is_cancelled(problem):
                raise
        # Perhaps on a connection that was kept, and that the receiver has closed meanwhile.
        self._reusable_urls.discard(receiver.url)
        return await self._fresh_agent.request(*what)

    def _headers(self, receiver: Receiver, body: bytes) -> Headers:
        timestamp = str(int(self._wall_clock().timestamp()))
        return Headers(
            {
                "content-type": ["application/json"],
                "user-agent": [f"pmslink/{__version__}"],
                "x-pmslink-timestamp": [timestamp],
                "x-pmslink-signature": [f"sha256={signature(receiver.secret, timestamp, body)}"],
            }
        )


class _BoundedProtocol(HTTP11ClientProtocol):
    """Gives up an answer whose head has no end, which would fill the memory."""

    def request(self, request: Any) -> Deferred[IResponse]:
        self._received_bytes = 0
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:
        self._received_bytes += len(data)
        if self._received_bytes > MAX_RESPONSE_BYTES:
            self.transport.abortConnection()  # type: ignore[union-attr]
        else:
            super().dataReceived(data)  # type: ignore[no-untyped-call]


class _BoundedProtocolFactory(QuietHttpClientFactory):
    def buildProtocol(self, addr: object) -> _BoundedProtocol:
        return _BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class _BoundedPool(QuietConnectionPool):
    _factory = _BoundedProtocolFactory


@implementer(IBodyProducer)
class _BytesProducer:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: Any) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...

    def stopProducing(self) -> None: ...


# The answer.


def _drain_body(response: IResponse) -> Deferred[str | None]:
    """Read an answer to its end, so that its connection can be used again; gives why that is not possible."""
    drain = _BodyDrain()
    response.deliverBody(drain)
    return drain.done


class _BodyDrain(Connected):
    """Takes what comes, and drops it."""

    def __init__(self) -> None:
        self.done: Deferred[str | None] = Deferred(lambda _: self._close())
        self._remaining_bytes = MAX_BODY_BYTES

    def dataReceived(self, data: bytes) -> None:
        self._remaining_bytes -= len(data)
        if self._remaining_bytes < 0:
            self._close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._remaining_bytes < 0:
            self._finish(f"its answer is longer than {MAX_BODY_BYTES // 1024} KiB")
        elif reason.check(ResponseDone, PotentialDataLoss):
            self._finish(None)
        else:
            self._finish("its answer broke off")

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def _finish(self, problem: str | None) -> None:
        if not self.done.called:
            self.done.callback(problem)


# What went wrong, in words.


def _raise_timeout(result: object, seconds: float) -> None:
    raise DeliveryError(f"it did not answer within {seconds:.0f} s")


def _is_cancelled(problem: Any) -> bool:
    return any(reason.check(CancelledError) for reason in problem.reasons)


def _to_delivery_error(failure: Failure) -> Failure:
    if failure.check(DeliveryError):
        return failure
    return Failure(DeliveryError(_describe_error(failure.value)))


def _describe_error(problem: Any) -> str:
    match getattr(problem, "reasons", None):
        case [Failure() as first, *_]:
            return _describe_error(first.value)
    match problem:
        case error.DNSLookupError():
            return "its name cannot be resolved"
        case error.ConnectionRefusedError():
            return "it refused the connection"
        case error.TimeoutError():
            return f"it did not answer within {ANSWER_TIMEOUT_S:.0f} s"
        case error.ConnectError():
            return "it cannot be reached"
        case VerificationError():
            return "its certificate is for another name"
        case SSL.Error():
            return _describe_tls_error(problem)
        case error.ConnectionAborted():
            return f"its answer is longer than {MAX_BODY_BYTES // 1024} KiB"
        case error.ConnectionClosed():
            return "it closed the connection without an answer"
    return f"it does not answer as a web server does ({type(problem).__name__})"


def _describe_tls_error(problem: SSL.Error) -> str:
    reason = ""
    with suppress(IndexError, TypeError):
        reason = problem.args[0][-1][-1]
    if reason == "certificate verify failed":
        return "its certificate is not trusted on this machine, or is not valid now"
    return f"TLS failed: {reason}" if reason else "TLS failed"
