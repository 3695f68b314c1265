"""Delivery of one event to a webhook's receiver over HTTP: send a signed POST, and interpret the response."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from attrs import field, frozen
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.web.client import HTTPConnectionPool, RequestTransmissionFailed, ResponseNeverReceived
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IResponse
from zope.interface import implementer

from pmslink import __version__
from pmslink.http_client_endpoint import make_agent
from pmslink.pbx.webhook.bounded_response import RESPONSE_TIMEOUT_S, BoundedResponseProtocol, drain_body
from pmslink.pbx.webhook.delivery_error import DeliveryError, raise_timeout, to_delivery_error
from pmslink.pbx.webhook.signature import signature_headers


@frozen
class Receiver:
    """The endpoint that a link's events are posted to, and the secret that they are signed with."""

    url: str
    secret: str = field(repr=False)


class WebhookTransport(Protocol):
    """Delivers events to receivers."""

    def post(self, receiver: Receiver, body: bytes) -> Deferred[None]:
        """Deliver one serialized event. Fire when the receiver accepted it; fail with DeliveryError."""

    def close(self) -> None:
        """Close the idle connections."""


class HttpWebhookTransport:
    """Delivers events over HTTP or HTTPS and reuses connections. Redirects are not followed."""

    def __init__(self, reactor: Any, wall_clock: Callable[[], datetime]) -> None:
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._pool = HTTPConnectionPool(reactor)
        self._pool.retryAutomatically = False  # Twisted does not retry a POST
        fresh_pool = HTTPConnectionPool(reactor, persistent=False)
        self._agent, self._fresh_agent = (
            make_agent(reactor, pool, RESPONSE_TIMEOUT_S, BoundedResponseProtocol)
            for pool in (self._pool, fresh_pool)
        )
        self._reusable_urls: set[str] = set()
        """The URLs that may have an idle connection in the pool."""

    def post(self, receiver: Receiver, body: bytes) -> Deferred[None]:
        """Deliver one serialized event. Fire when the receiver answered 2xx; fail with DeliveryError."""
        delivery = Deferred.fromCoroutine(self._post(receiver, body))
        delivery.addTimeout(RESPONSE_TIMEOUT_S, self._reactor, raise_timeout)
        return delivery.addErrback(to_delivery_error)

    def close(self) -> None:
        """Close the idle connections, without waiting: an unreachable receiver would confirm that late."""
        self._pool.closeCachedConnections()

    async def _post(self, receiver: Receiver, body: bytes) -> None:
        response = await self._request(receiver, body)
        body_error = await drain_body(response)
        if not 200 <= response.code < 300:
            hint = "; redirects are not followed" if 300 <= response.code < 400 else ""
            raise DeliveryError(f"it answered {response.code}{hint}")
        if body_error is not None:
            raise DeliveryError(body_error)
        self._reusable_urls.add(receiver.url)

    async def _request(self, receiver: Receiver, body: bytes) -> IResponse:
        request = (b"POST", receiver.url.encode(), self._headers(receiver, body), _BytesProducer(body))
        try:
            return await self._agent.request(*request)
        except (ResponseNeverReceived, RequestTransmissionFailed) as problem:
            if receiver.url not in self._reusable_urls or _is_cancelled(problem):
                raise
        # The receiver may have closed an idle connection just when the request was sent on it.
        self._reusable_urls.discard(receiver.url)
        return await self._fresh_agent.request(*request)

    def _headers(self, receiver: Receiver, body: bytes) -> Headers:
        timestamp = str(int(self._wall_clock().timestamp()))
        return Headers(
            {
                "content-type": ["application/json"],
                "user-agent": [f"pmslink/{__version__}"],
                **signature_headers(receiver.secret, timestamp, body),
            }
        )


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


def _is_cancelled(problem: Any) -> bool:
    return any(reason.check(CancelledError) for reason in problem.reasons)
