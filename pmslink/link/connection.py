"""The connection to the PMS: bytes to records and back, and the factory that dials and redials.

At most one dial or connection of a link exists at a time, for a second one would make the PMS drop the
first. A connection that its link has left is detached: nobody hears of it any more, and the next dial
waits until it is gone.
"""

from __future__ import annotations

import os
import random
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet import error
from twisted.internet.interfaces import (
    IConnector,
    IDelayedCall,
    IHandshakeListener,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import ReconnectingClientFactory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from pmslink.config.link_settings import LinkSettings
from pmslink.config.loader import LinkConfig
from pmslink.fias.charset import encode
from pmslink.fias.framing import FrameReceiver, SkipReason, framed
from pmslink.fias.record import Record
from pmslink.link.cause import Cause

CLOSE_TIMEOUT_S = 1.0
"""Seconds that a connection may take to close gently; then it is aborted."""

READ_CHUNK_BYTES = 8192
"""Bytes that are read in one turn of the event loop: what comes of them must not hold it for long."""
MAX_QUEUED_RECORDS = 1000
"""Records that may wait for the record gap."""

TCP_KEEPALIVE_OPTIONS = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 25_000}
"""A cut cable is seen within 30 s, however long the link check's interval is."""


class ConnectionListener(Protocol):
    """The link that a connection serves."""

    def settings(self) -> LinkSettings:
        """The settings now."""

    def on_connection_up(self) -> None:
        """TCP is up, and TLS where it is used."""

    def on_connection_lost(self, cause: Cause) -> None:
        """The dial failed, or the connection ended and not by us."""

    def on_redial_due(self) -> None:
        """The redial delay is over."""

    def on_frame_received(self, frame: bytes) -> None:
        """One record from the PMS, in the link's charset."""

    def on_noise_received(self, kind: SkipReason, size: int) -> None:
        """Bytes from the PMS that were no record."""

    def on_data_unread(self) -> None:
        """The connection is given up, and what had come by then was not read."""


StartDial = Callable[["Dialer"], IConnector]
"""Begins one dial to the link's address, for this factory."""


@implementer(IHandshakeListener)
class Connection(FrameReceiver):
    """One TCP connection to a PMS, until its link detaches it."""

    def __init__(self, listener: ConnectionListener, clock: IReactorTime) -> None:
        settings = listener.settings()
        super().__init__(settings.framing)
        self._listener: ConnectionListener | None = listener
        self._clock = clock
        self._settings = settings
        self._send_queue: deque[Record] = deque()  # only where a record gap is set
        self._gap_timer: IDelayedCall | None = None
        self._abort_timer: IDelayedCall | None = None
        self._pause_reasons: set[str] = set()  # why nothing is read at the moment

    def connectionMade(self) -> None:
        if ITCPTransport.providedBy(self.transport):
            configure_socket(self.transport)
        # A PMS that makes us talk and does not listen is not read either, until it does.
        self.transport.registerProducer(self, True)  # type: ignore[union-attr]
        if not self._settings.tls:
            self._notify_up()

    def handshakeCompleted(self) -> None:
        self._notify_up()

    def _notify_up(self) -> None:
        if self._listener is not None:
            self._listener.on_connection_up()

    def frameReceived(self, frame: bytes) -> None:
        if self._listener is not None:
            self._listener.on_frame_received(frame)

    def skipped(self, kind: SkipReason, size: int) -> None:
        if self._listener is not None:
            self._listener.on_noise_received(kind, size)

    def nothingFramed(self) -> None:
        self._notify_lost(Cause("overlong"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._notify_lost(cause_of_loss(reason))
        self.detach()
        self._cancel_timer(self._abort_timer)  # last: the link may just have closed what is gone already

    def _notify_lost(self, cause: Cause) -> None:
        if self._listener is not None:
            self._listener.on_connection_lost(cause)

    def send(self, records: Sequence[Record]) -> None:
        """Write records, each in a segment of its own where the link has a record gap."""
        if self._settings.record_gap:
            self._send_queue.extend(records)
            if len(self._send_queue) > MAX_QUEUED_RECORDS:
                self._notify_lost(
                    Cause("lost", {"detail": "the PMS asks for more than the record gap lets out"})
                )
            elif self._gap_timer is None:
                self._send_next()
        else:
            self._write(records)

    def _send_next(self) -> None:
        self._gap_timer = None
        if self._send_queue:
            self._write([self._send_queue.popleft()])
            self._gap_timer = self._clock.callLater(self._settings.record_gap, self._send_next)

    def _write(self, records: Sequence[Record]) -> None:
        settings = self._settings
        self.transport.write(  # type: ignore[union-attr]
            b"".join(framed(encode(record, settings.charset), settings.framing) for record in records)
        )

    def pause_reading(self, reason: str) -> None:
        """Read nothing more, for this reason, until it is released."""
        if not self._pause_reasons:
            super().pauseProducing()  # type: ignore[no-untyped-call]
        self._pause_reasons.add(reason)

    def resume_reading(self, reason: str) -> None:
        """This reason is gone."""
        if reason in self._pause_reasons:
            self._pause_reasons.remove(reason)
            if not self._pause_reasons:  # last, for what is read then may hold it again
                super().resumeProducing()  # type: ignore[no-untyped-call]

    @property
    def reading_paused(self) -> bool:
        """Whether the store is the reason, or one, that nothing is read."""
        return "store" in self._pause_reasons

    # What the transport calls when the PMS does not read what it made us say.

    def pauseProducing(self) -> None:
        self.pause_reading("unread")

    def resumeProducing(self) -> None:
        self.resume_reading("unread")

    @property
    def is_throttled(self) -> bool:
        """Whether what is said now would have to wait for the record gap."""
        return self._gap_timer is not None

    def detach(self) -> None:
        """From now on nobody hears of this connection."""
        self._listener = None
        self._cancel_timer(self._gap_timer)

    def close(self, graceful: bool) -> None:
        """Detach and close: gently, what is still to be sent goes out first; but it is gone in a second."""
        if self._pause_reasons and self._listener is not None:
            self._listener.on_data_unread()
        self.detach()
        self.transport.unregisterProducer()  # type: ignore[union-attr]  # else it would wait for more
        if self._send_queue and graceful:
            self._write(self._send_queue)
        if graceful:
            self._abort_timer = self._clock.callLater(CLOSE_TIMEOUT_S, self.transport.abortConnection)  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]
        else:
            self.transport.abortConnection()  # type: ignore[union-attr]

    @staticmethod
    def _cancel_timer(call: IDelayedCall | None) -> None:
        if call is not None and call.active():
            call.cancel()


class Dialer(ReconnectingClientFactory):
    """Dials, owns the redial delay, and hangs up."""

    noisy = False
    jitter = 0.0  # the base class would jitter past the longest delay; see `redial_later`

    def __init__(self, listener: ConnectionListener, clock: IReactorTime, dial: StartDial) -> None:
        self.clock = clock  # type: ignore[assignment]  # the base class's own timer runs on it too
        self._clock = clock
        self._listener = listener
        self._start_dial = dial
        self._pending_connector: IConnector | None = None
        self._connection: Connection | None = None
        self._busy = False  # a dial or a transport exists
        self._dial_when_closed = False
        self._closed_callback: Callable[[], None] | None = None
        self._next_delay = 0.0
        self._redial_deferred = False  # a redial was due, and not wanted yet
        self.reset_backoff()

    # What the machine asks for (its Line).

    def dial(self) -> None:
        if self._busy:
            self._dial_when_closed = True
            return
        self._busy = True
        try:
            self._start_dial(self)
        except Exception as problem:  # such as a CA file that is gone
            self._busy = False
            self._listener.on_connection_lost(Cause("refused", {"detail": str(problem)[:200]}))

    def redial_later(self) -> None:
        """The delay grows by 1.7 up to the longest, with a jitter of a tenth that stays inside it."""
        settings = self._listener.settings()
        longest = settings.retry_max / 1.1
        base = min(self._next_delay, longest)
        self._next_delay = min(base * 1.7, longest)
        self.delay = base * random.uniform(0.9, 1.1)  # noqa: S311
        self.retry(self)  # type: ignore[no-untyped-call]

    def hang_up(self, graceful: bool) -> None:
        if self._callID is not None:
            self._callID.cancel()
            self._callID = None
        self._dial_when_closed = self._redial_deferred = False
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close(graceful)
        elif self._pending_connector is not None:
            dialling, self._pending_connector = self._pending_connector, None
            dialling.disconnect()

    def defer_redial(self) -> None:
        """The redial that is due now has to wait for `resume_redial`."""
        self._redial_deferred = True

    def resume_redial(self) -> None:
        """A redial that was put off, and not given up since, is due now."""
        if self._redial_deferred:
            self._redial_deferred = False
            self._listener.on_redial_due()

    def reset_backoff(self) -> None:
        """The next redial comes after the shortest delay."""
        self._next_delay = self._listener.settings().retry_initial
        self.retries = 0

    @property
    def is_connected(self) -> bool:
        """Whether a connection exists."""
        return self._connection is not None

    @property
    def is_throttled(self) -> bool:
        """Whether what is said now would have to wait for the record gap."""
        return self._connection is not None and self._connection.is_throttled

    @property
    def redial_in(self) -> float | None:
        """Seconds until the next redial; None while none is due."""
        return max(0.0, self._callID.getTime() - self._clock.seconds()) if self._callID is not None else None

    def send(self, records: Sequence[Record]) -> None:
        """Send on the connection; the machine speaks in no state that has none."""
        self._connection.send(records)  # type: ignore[union-attr]

    def pause_reading(self) -> None:
        """Read nothing more from the PMS, which queues it then."""
        if self._connection is not None:
            self._connection.pause_reading("store")

    def resume_reading(self) -> None:
        """Read again."""
        if self._connection is not None:
            self._connection.resume_reading("store")

    @property
    def reading_paused(self) -> bool:
        """Whether nothing is read because it could not be kept."""
        return self._connection is not None and self._connection.reading_paused

    def when_closed(self, callback: Callable[[], None]) -> None:
        """Call once the last transport is gone."""
        if self._busy:
            self._closed_callback = callback
        else:
            callback()

    # What the redial delay's timer calls: to the base class this is the connector.

    def connect(self) -> None:
        self._listener.on_redial_due()

    # What the reactor calls.

    def startedConnecting(self, connector: IConnector) -> None:
        self._pending_connector = connector

    def buildProtocol(self, addr: object) -> Connection | None:
        if self._pending_connector is None:
            return None  # hung up between the connect and its completion
        self._pending_connector = None
        self._connection = Connection(self._listener, self._clock)
        return self._connection

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        wanted, self._pending_connector = self._pending_connector is not None, None
        self._on_closed()
        if wanted:
            self._listener.on_connection_lost(cause_of_failed_dial(reason))

    def clientConnectionLost(self, connector: IConnector, unused_reason: Failure) -> None:
        self._connection = None
        self._on_closed()

    def _on_closed(self) -> None:
        self._busy = False
        if self._closed_callback is not None:
            then, self._closed_callback = self._closed_callback, None
            then()
        if self._dial_when_closed:
            self._dial_when_closed = False
            self.dial()


def connection_key(config: LinkConfig) -> tuple[object, ...]:
    """What of a link's settings a connection is made of."""
    settings = config.settings
    return (config.host, config.port, settings.tls, settings.framing, settings.charset)


def configure_socket(transport: ITCPTransport) -> None:
    """Let the kernel notice a peer that is gone, and send every record at once."""
    transport.bufferSize = READ_CHUNK_BYTES  # type: ignore[attr-defined]
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    tcp: socket.socket = transport.socket  # type: ignore[attr-defined]  # under TLS too: it is passed on
    for option, value in TCP_KEEPALIVE_OPTIONS.items():
        tcp.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def cause_of_failed_dial(reason: Failure) -> Cause:
    """Why a dial failed; the sentence is put together where it is shown."""
    if reason.check(error.DNSLookupError):
        return Cause("unresolved")
    if reason.check(error.TimeoutError, error.TCPTimedOutError):
        return Cause("dial_timeout")
    return Cause("refused", {"detail": describe_network_error(reason)})


def cause_of_loss(reason: Failure) -> Cause:
    """Why a connection ended."""
    return Cause("lost", {"detail": describe_network_error(reason)})


def describe_network_error(reason: Failure) -> str:
    """An error of the network in words of one line, without Twisted's preambles."""
    if reason.check(error.ConnectionDone):
        return "the PMS closed it"
    if reason.check(error.ConnectionLost):  # Twisted does not pass on which of the two it was
        return "it was reset, or the other side gave no sign of life"
    if reason.check(VerificationError):
        return "the certificate of the PMS is for another host"
    match reason.value:
        case TLSError(args=([*entries],)):  # a list of OpenSSL's, each of library, function and text
            return "TLS: " + ", ".join(text for _, _, text in entries)[:200]
    error_number = getattr(reason.value, "osError", None)
    if isinstance(error_number, int):
        return os.strerror(error_number)
    return (str(reason.value) or type(reason.value).__name__)[:200]
