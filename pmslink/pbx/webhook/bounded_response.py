"""Limits of a receiver's response: time, length of the head, of the body and in total, and time to close."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse

from pmslink.link.countdown import Countdown
from pmslink.pbx.webhook.response_head import ResponseError, ResponseHead

RESPONSE_TIMEOUT_S = 10.0
"""Seconds from the start of a delivery to the end of the response."""
CLOSE_TIMEOUT_S = 10.0
"""Seconds until a connection is aborted that the receiver does not close in return."""
MAX_BODY_BYTES = 64 * 1024
"""Maximum bytes of a response's body, which is discarded."""
MAX_RESPONSE_BYTES = 256 * 1024
"""Maximum bytes of a response on the wire: head, body, and the encoding of its chunks."""


class BoundedResponseProtocol(ProtocolWrapper):
    """A connection that is aborted when a response exceeds a limit, or when closing it takes too long.

    The wrapped protocol is given ResponseError as the reason why the connection was lost.
    """

    def __init__(self, clock: IReactorTime, *wrapping: Any) -> None:
        super().__init__(*wrapping)
        self._head: ResponseHead | None = None  # until the head of the response is complete
        self._received_bytes = 0
        self._error: ResponseError | None = None
        self._is_lost = False
        self._close_timeout = Countdown(clock, self._abort)

    def write(self, data: bytes) -> None:
        """Send a part of a request, and expect its response."""
        self._expect_response()
        ProtocolWrapper.write(self, data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send parts of a request, and expect its response."""
        self._expect_response()
        ProtocolWrapper.writeSequence(self, data)

    def _expect_response(self) -> None:
        self._head, self._received_bytes = ResponseHead(), 0

    def dataReceived(self, data: bytes) -> None:
        """Pass a part of a response on, or abort the connection."""
        if self._error is not None:
            return
        try:
            passed = self._limit(data)
        except ResponseError as error:
            self._error = error
            self._abort()
        else:
            if passed:
                self._head = None
                ProtocolWrapper.dataReceived(self, passed)

    def _limit(self, data: bytes) -> bytes:
        self._received_bytes += len(data)
        if self._received_bytes > MAX_RESPONSE_BYTES:
            raise ResponseError(f"its response is longer than {MAX_RESPONSE_BYTES // 1024} KiB")
        return data if self._head is None else self._head.feed(data)

    def loseConnection(self) -> None:
        """Close the connection; abort it after CLOSE_TIMEOUT_S."""
        ProtocolWrapper.loseConnection(self)
        if not self._is_lost:
            self._close_timeout.start(CLOSE_TIMEOUT_S)

    def _abort(self) -> None:
        self.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass the loss of the connection on, with the reason."""
        self._is_lost = True
        self._close_timeout.stop()
        if self._error is not None:
            reason = Failure(self._error)
        elif self._head is not None and self._head.incomplete:
            ProtocolWrapper.dataReceived(self, self._head.incomplete)
        ProtocolWrapper.connectionLost(self, reason)


def drain_body(response: IResponse) -> Deferred[str | None]:
    """Read and discard a response's body, so that its connection can be reused.

    Fires with None, or with the reason why the body could not be read to its end. Cancel it to close
    the connection.
    """
    drain = _BodyDrain()
    response.deliverBody(drain)
    return drain.done


class _BodyDrain(Protocol):
    def __init__(self) -> None:
        self.done: Deferred[str | None] = Deferred(lambda _: self._close())
        self._remaining_bytes = MAX_BODY_BYTES

    def dataReceived(self, data: bytes) -> None:
        self._remaining_bytes -= len(data)
        if self._remaining_bytes < 0:
            self._close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._remaining_bytes < 0:
            self._finish(f"its response is longer than {MAX_BODY_BYTES // 1024} KiB")
        elif reason.check(ResponseDone, PotentialDataLoss):
            self._finish(None)
        else:
            self._finish("its response is incomplete")

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def _finish(self, problem: str | None) -> None:
        if not self.done.called:
            self.done.callback(problem)
