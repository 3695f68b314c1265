"""Delivery of events to a webhook's receiver over HTTP: send a signed POST, and interpret the response."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from pmslink import __version__
from pmslink.http_client_endpoint import make_agent
from pmslink.pbx.webhook.bounded_response import RESPONSE_TIMEOUT_S, BoundedResponseProtocol, drain_body
from pmslink.pbx.webhook.connection_pool import ConnectionPool
from pmslink.pbx.webhook.delivery_error import DeliveryError, raise_timeout, to_delivery_error
from pmslink.pbx.webhook.signature import signature_headers

WEBHOOK_LOOKUP_TIMEOUT_S = 8.0
"""Seconds for the lookup of a host name; a delivery has more, so that its error names the cause."""


@frozen
class Receiver:
    """The endpoint that a link's events are posted to, and the secret that they are signed with.

    `max_events` is the maximum number of events in one request; with more than one, each request is a batch.
    """

    url: str
    secret: str = field(repr=False)
    max_events: int = 1


class WebhookTransport(Protocol):
    """Delivers events to receivers."""

    def post(self, receiver: Receiver, body: bytes) -> Deferred[None]:
        """Deliver serialized events. Fire when the receiver accepted them; fail with DeliveryError."""

    def close(self) -> None:
        """Close the idle connections."""


class HttpWebhookTransport:
    """Delivers events over HTTP or HTTPS and reuses connections. Redirects are not followed."""

    def __init__(self, reactor: Any, wall_clock: Callable[[], datetime]) -> None:
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._pool = ConnectionPool(reactor)
        wrap = partial(BoundedResponseProtocol, reactor)
        self._agent = make_agent(reactor, self._pool, RESPONSE_TIMEOUT_S, wrap)

    def post(self, receiver: Receiver, body: bytes) -> Deferred[None]:
        """Deliver serialized events. Fire when the receiver answered 2xx; fail with DeliveryError."""
        producer = _BytesProducer(body)
        delivery = Deferred.fromCoroutine(self._post(receiver, body, producer))
        delivery.addTimeout(RESPONSE_TIMEOUT_S, self._reactor, raise_timeout)
        return delivery.addErrback(lambda failure: Failure(to_delivery_error(failure, producer.was_written)))

    def close(self) -> None:
        """Close the idle connections, without waiting: an unreachable receiver would confirm that late."""
        self._pool.close()

    async def _post(self, receiver: Receiver, body: bytes, producer: _BytesProducer) -> None:
        headers = self._headers(receiver, body)
        response = await self._agent.request(b"POST", receiver.url.encode(), headers, producer)
        body_error = await drain_body(response)
        if not 200 <= response.code < 300:
            hint = "; redirects are not followed" if 300 <= response.code < 400 else ""
            raise DeliveryError(f"it answered {response.code}{hint}", was_sent=True)
        if body_error is not None:
            raise DeliveryError(body_error, was_sent=True)

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
        self.was_written = False
        """Whether it was written to the connection that is used, or was used last."""

    def startProducing(self, consumer: Any) -> Deferred[None]:
        self.was_written = True
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...

    def stopProducing(self) -> None: ...
