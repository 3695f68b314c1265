"""Limits of a receiver's response: time, total length, and length of the body, which is discarded."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse

RESPONSE_TIMEOUT_S = 10.0
"""Seconds from the start of a delivery to the end of the response."""
MAX_BODY_BYTES = 64 * 1024
"""Maximum bytes of a response's body, which is discarded."""
MAX_RESPONSE_BYTES = 256 * 1024
"""Maximum bytes of a response with its headers, whose number Twisted's client does not limit."""


class BoundedResponseProtocol(ProtocolWrapper):
    """Aborts a connection that receives more than MAX_RESPONSE_BYTES after the last write."""

    _received_bytes = 0

    def write(self, data: bytes) -> None:
        """Send a part of a request; the next response is counted from zero."""
        self._received_bytes = 0
        ProtocolWrapper.write(self, data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send parts of a request; the next response is counted from zero."""
        self._received_bytes = 0
        ProtocolWrapper.writeSequence(self, data)

    def dataReceived(self, data: bytes) -> None:
        """Pass a part of a response on, or abort the connection."""
        self._received_bytes += len(data)
        if self._received_bytes > MAX_RESPONSE_BYTES:
            self.abortConnection()
        else:
            ProtocolWrapper.dataReceived(self, data)


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
