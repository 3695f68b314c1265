"""HTTP connections with a deadline for each of their phases.

The deadlines are absolute: a client cannot move them by sending or reading one byte at a time. A request
that is being handled has none, because long polls and streams last; they have limits of their own.

A client that does not read gets no further response: the requests that it has sent ahead are not parsed, and
no more of them are received, until it has read what is buffered for it.
"""

from __future__ import annotations

from typing import Any, Literal

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from pmslink.web.http.api_errors import ApiError, serialize_error
from pmslink.web.http.json_responses import serialize_json

HEAD_TIMEOUT_S = 20
"""Seconds from the first byte of a request to the end of its headers, and from the start of a connection to
the first byte."""
BODY_TIMEOUT_S = 60
"""Seconds from the end of the headers of a request to the end of its body."""
WRITE_TIMEOUT_S = 120
"""Seconds in which the client must read what is buffered for it."""
KEEP_ALIVE_TIMEOUT_S = 75
"""Seconds between two requests on a connection. Reverse proxies keep idle connections for 60 s."""
_CLOSE_TIMEOUT_S = 5
"""Seconds in which the client must read the response about a timeout."""

_RESPONSE_HEAD = (
    b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
)

_TIMEOUT_MESSAGE = "the request was not complete in time"

Phase = Literal["idle", "receiving", "handling", "closing"]


class BoundedChannel(HTTPChannel):
    """A connection that is closed at the deadline of its phase. Its site counts it."""

    site: Any
    """The BoundedSite that accepted the connection."""
    transport: Any
    _phase: Phase = "idle"

    def connectionMade(self) -> None:
        """Expect the first request. The deadline is that of the factory, HEAD_TIMEOUT_S."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        self.site.connections.add(self, self.transport.getPeer())

    def resetTimeout(self) -> None:
        """Keep the deadline: data does not move it."""

    def dataReceived(self, data: bytes) -> None:
        """Receive a part of a request; the first one starts the deadline of the headers."""
        if self._phase == "closing":
            return
        if self._phase == "idle" and not self._waitingForTransport:
            self._enter("receiving", HEAD_TIMEOUT_S)
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        if self._waitingForTransport and self._handlingRequest:
            # The base class would go on receiving, so that it sees the client leave.
            self._networkProducer.pauseProducing()

    def headerReceived(self, line: bytes) -> bool:
        """Parse a header; a Content-Length with more digits than Python converts is malformed."""
        try:
            return bool(super().headerReceived(line))  # type: ignore[no-untyped-call]
        except ValueError:
            self._respondToBadRequestAndDisconnect()  # type: ignore[no-untyped-call]
            return False

    def allHeadersReceived(self) -> None:
        """Expect the body."""
        super().allHeadersReceived()  # type: ignore[no-untyped-call]
        self._enter("receiving", BODY_TIMEOUT_S)

    def allContentReceived(self) -> None:
        """Handle the request."""
        self._enter("handling", None)
        self.site.connections.on_request(self)
        super().allContentReceived()  # type: ignore[no-untyped-call]

    def requestDone(self, request: Any) -> None:
        """Send the rest of the response, and expect the next request unless the connection ends."""
        self._savedTimeOut = None  # else the base class would set it again
        self._enter("idle" if self.persistent else "closing", self._response_timeout_s())
        self.site.connections.on_response(self)
        if self._waitingForTransport:
            self.paused = True
            self._networkProducer.pauseProducing()
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def pauseProducing(self) -> None:
        """Wait for the client to read: the buffer is full."""
        super().pauseProducing()  # type: ignore[no-untyped-call]
        self.setTimeout(WRITE_TIMEOUT_S)  # type: ignore[no-untyped-call]

    def resumeProducing(self) -> None:
        """Go on: the buffer is empty."""
        super().resumeProducing()  # type: ignore[no-untyped-call]
        if self._phase in ("idle", "handling"):
            self._enter(self._phase, KEEP_ALIVE_TIMEOUT_S if self._phase == "idle" else None)
        self.paused = False
        if self._buffer:
            self.dataReceived(b"")  # parse the requests that were sent ahead

    def timeoutConnection(self) -> None:
        """Close the connection; a request that is not complete gets a response."""
        if self._phase == "receiving":
            self._reject(b"408 Request Timeout", ApiError(408, "timeout", _TIMEOUT_MESSAGE))
        else:
            self.drop()

    def lineLengthExceeded(self, line: bytes) -> None:
        """Reject a request whose first line or one of whose headers is too long."""
        message = f"the first line and each header must have at most {self.MAX_LENGTH} bytes"
        self._reject(b"400 Bad Request", ApiError(400, "invalid", message))

    def _reject(self, status: bytes, error: ApiError) -> None:
        """Send a response to a request that is not complete, and discard what else the client sends.

        It is closed later: if it were closed with unread data, the client might lose the response.
        """
        body = serialize_json({"error": serialize_error(error)}) + b"\n"
        self.transport.write(_RESPONSE_HEAD % (status, len(body)) + body)
        if self.isSecure():  # type: ignore[no-untyped-call]
            self.loseConnection()  # type: ignore[no-untyped-call]
        else:
            self.transport.loseWriteConnection()
        self._enter("closing", _CLOSE_TIMEOUT_S)

    def forceAbortClient(self) -> None:
        """Close the connection at once, without a line in the log."""
        self.drop()

    def drop(self) -> None:
        """Close the connection at once, and discard what is not sent."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the connection."""
        self.site.connections.remove(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _response_timeout_s(self) -> int:
        return KEEP_ALIVE_TIMEOUT_S if self.persistent and not self._waitingForTransport else WRITE_TIMEOUT_S

    def _enter(self, phase: Phase, timeout_s: int | None) -> None:
        self._phase = phase
        self.setTimeout(timeout_s)  # type: ignore[no-untyped-call]
