"""The protocol of one TCP connection to a PMS: bytes to frames, and records to bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IHandshakeListener, IReactorTime, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from pmslink.config.link_settings import LinkSettings
from pmslink.fias.charset import encode
from pmslink.fias.framing import FrameReceiver, SkipReason, framed
from pmslink.fias.record import Record
from pmslink.link.cause import Cause
from pmslink.link.network_errors import cause_of_loss
from pmslink.link.rate_limit import RateLimit
from pmslink.link.socket_options import configure_socket

CLOSE_TIMEOUT_S = 1.0
"""Seconds that a connection may take to close gracefully; then it is aborted."""

RARE_RECORDS = (b"LS", b"LD", b"NS", b"NE", b"DS", b"DE")
"""Records that change the state of the link or the hotel. Each is stored and announced at length."""
RARE_RECORDS_BURST = 20
RARE_RECORDS_PER_S = 2.0
"""How many of them a PMS may send at once, and in a second; reading pauses for one that sends more."""

MAX_QUEUED_RECORDS = 1000
"""Records that may be queued for the record gap."""


class ConnectionListener(Protocol):
    """The link that owns a connection and its dialer."""

    def settings(self) -> LinkSettings:
        """Return the current settings."""

    def on_connection_up(self) -> None:
        """Handle a connection that is up: TCP, and TLS where it is used."""

    def on_connection_lost(self, cause: Cause) -> None:
        """Handle a failed dial, or a connection that the link did not close."""

    def on_redial_due(self) -> None:
        """Handle the end of the redial delay."""

    def on_bytes_received(self, data: bytes) -> None:
        """Note received bytes, before they are split into frames."""

    def on_frame_received(self, frame: bytes) -> None:
        """Handle one record from the PMS, in the link's character set."""

    def on_noise_received(self, kind: SkipReason, size: int) -> None:
        """Handle `size` bytes from the PMS that are no record."""

    def on_reading_resumed(self) -> None:
        """Handle that what the PMS sends is read again, after a pause in which no answer could arrive."""

    def on_data_unread(self) -> None:
        """Handle the close of a connection whose received data was not all read."""


@implementer(IHandshakeListener)
class Connection(FrameReceiver):
    """One TCP connection to a PMS. It reports to its listener until `detach`."""

    def __init__(self, listener: ConnectionListener, clock: IReactorTime) -> None:
        settings = listener.settings()
        super().__init__(settings.framing)
        self._listener: ConnectionListener | None = listener
        self._clock = clock
        self._settings = settings
        self._send_queue: deque[Record] = deque()  # used only with a record gap
        self._gap = settings.record_gap
        self.last_sent: Record | None = None
        """The last record that was written."""
        self._gap_timer: IDelayedCall | None = None
        self._abort_timer: IDelayedCall | None = None
        self._pause_reasons: set[str] = set()
        self._rare_records = RateLimit(clock.seconds, RARE_RECORDS_BURST, RARE_RECORDS_PER_S)
        self._rare_records_timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Configure the socket, and report the connection unless a TLS handshake follows."""
        if ITCPTransport.providedBy(self.transport):
            configure_socket(self.transport)
        # Stop reading from a PMS that triggers answers and does not read them.
        self.transport.registerProducer(self, True)  # type: ignore[union-attr]
        if not self._settings.tls:
            self._notify_up()

    def handshakeCompleted(self) -> None:
        """Report the connection, now that TLS is up."""
        self._notify_up()

    def _notify_up(self) -> None:
        if self._listener is not None:
            self._listener.on_connection_up()

    def dataReceived(self, data: bytes) -> None:
        """Report the bytes, and split them into frames."""
        if self._listener is not None:
            self._listener.on_bytes_received(data)
        super().dataReceived(data)

    def frameReceived(self, frame: bytes) -> None:
        """Pass a frame to the listener."""
        if self._listener is not None:
            self._listener.on_frame_received(frame)
        if frame[:2] in RARE_RECORDS:
            self._rare_records.count()
            wait = self._rare_records.wait()
            if wait > 0 and self._listener is not None:
                self.pause_reading("rare records")
                self._rare_records_timer = self._clock.callLater(wait, self._resume_after_rare_records)

    def _resume_after_rare_records(self) -> None:
        self.resume_reading("rare records")

    def skipped(self, kind: SkipReason, size: int) -> None:
        """Report bytes that are no frame."""
        if self._listener is not None:
            self._listener.on_noise_received(kind, size)

    def nothingFramed(self) -> None:
        """Report a connection that delivers only noise as lost."""
        self._notify_lost(Cause("overlong"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report the loss, and end all timers."""
        self._notify_lost(cause_of_loss(reason))
        self.detach()
        self._cancel_timer(self._abort_timer)  # last: the listener may just have called `close`

    def _notify_lost(self, cause: Cause) -> None:
        if self._listener is not None:
            self._listener.on_connection_lost(cause)

    def send(self, records: Sequence[Record], gap: float = 0.0) -> None:
        """Write records; with a record gap, here or in the settings, each is written on its own after it."""
        self._gap = max(gap, self._gap if self._gap_timer else self._settings.record_gap)
        if self._gap:
            self._send_queue.extend(records)
            if len(self._send_queue) > MAX_QUEUED_RECORDS:
                self._notify_lost(
                    Cause("lost", {"detail": "the PMS requests records faster than the record gap allows"})
                )
            elif self._gap_timer is None:
                self._send_next()
        else:
            self._write(records)

    def _send_next(self) -> None:
        self._gap_timer = None
        if self._send_queue:
            self._write([self._send_queue.popleft()])
            self._gap_timer = self._clock.callLater(self._gap, self._send_next)

    def _write(self, records: Sequence[Record]) -> None:
        settings = self._settings
        self.last_sent = records[-1]
        self.transport.write(  # type: ignore[union-attr]
            b"".join(framed(encode(record, settings.charset), settings.framing) for record in records)
        )

    def pause_reading(self, reason: str) -> None:
        """Stop reading until `resume_reading` is called for every reason that was given."""
        if not self._pause_reasons:
            super().pauseProducing()  # type: ignore[no-untyped-call]
        self._pause_reasons.add(reason)

    def resume_reading(self, reason: str) -> None:
        """Withdraw one reason for the pause, and read again if no other is left."""
        if reason in self._pause_reasons:
            was_paused = self.reading_paused
            self._pause_reasons.remove(reason)
            if was_paused and not self.reading_paused and self._listener is not None:
                self._listener.on_reading_resumed()
            if not self._pause_reasons:  # last, because handling the buffered data may pause it again
                super().resumeProducing()  # type: ignore[no-untyped-call]

    @property
    def reading_paused(self) -> bool:
        """Whether reading is paused, for the store or because the PMS sends too much."""
        return not self._pause_reasons.isdisjoint(("store", "backlog", "rare records"))

    # For the transport: its send buffer is full, or empty again.

    def pauseProducing(self) -> None:
        """Stop reading from a PMS that does not read our answers."""
        self.pause_reading("send buffer full")

    def resumeProducing(self) -> None:
        """Read again: the PMS has read our answers."""
        self.resume_reading("send buffer full")

    @property
    def is_throttled(self) -> bool:
        """Whether a record that is sent now would be queued for the record gap."""
        return self._gap_timer is not None

    def detach(self) -> None:
        """Report nothing to the listener any more, and send nothing from the queue."""
        self._listener = None
        self._cancel_timer(self._gap_timer)
        self._cancel_timer(self._rare_records_timer)

    def close(self, graceful: bool) -> None:
        """Detach and close the connection.

        A graceful close first sends what is queued; after `CLOSE_TIMEOUT_S` it becomes an abort.
        """
        if self._pause_reasons and self._listener is not None:
            self._listener.on_data_unread()
        self.detach()
        # A transport with a streaming producer does not close before the producer ends.
        self.transport.unregisterProducer()  # type: ignore[union-attr]
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
