"""The link description that a PMS sends like a PBX: LD, LR… and LA (fault `ld_mirror`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from pmslink.fias.record import Record


class MirroredDescription:
    """Sends a description, record by record, and notes when the PBX has answered it with LA."""

    def __init__(
        self, clock: IReactorTime, send: Callable[[Record], None], on_sent: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._send = send
        self._on_sent = on_sent
        self._unsent: deque[Record] = deque()
        self._timer: IDelayedCall | None = None
        self._pause = 0.0
        self.is_unanswered = False
        """Whether the PBX has not sent LA since the LD."""

    @property
    def is_incomplete(self) -> bool:
        """Whether records of the description have not been sent yet."""
        return bool(self._unsent)

    def start(self, records: tuple[Record, ...], pause: float) -> None:
        """Send the records, with this pause in seconds between them. A description in progress continues."""
        if self.is_incomplete:
            return
        self._unsent.extend(records)
        self._pause, self.is_unanswered = pause, True
        self._send_next()

    def on_la(self) -> None:
        """Note an LA of the PBX: it answers the description if all of it has been sent."""
        if not self.is_incomplete:
            self.is_unanswered = False

    def stop(self) -> None:
        """Send nothing more."""
        self._unsent.clear()
        self.is_unanswered = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send_next(self) -> None:
        self._timer = None
        while self._unsent:
            self._send(self._unsent.popleft())
            if self._unsent and self._pause:
                self._timer = self._clock.callLater(self._pause, self._send_next)
                return
        self._on_sent()
