"""Notice a connection on which data arrives but no record."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from pmslink.config.link_settings import LinkSettings
from pmslink.link.countdown import Countdown
from pmslink.link.unreadable_input import MAX_SAMPLE_BYTES, UnreadableInput, describe_input

JUDGEMENT_DELAY_S = 0.5
"""Seconds from the first byte until data without a record counts as unreadable: it may arrive in parts."""


class UnreadableInputDetector:
    """Watch the connections of one link. `on_unreadable` is called at most once on each of them."""

    def __init__(
        self,
        clock: IReactorTime,
        settings: Callable[[], LinkSettings],
        on_unreadable: Callable[[UnreadableInput], None],
    ) -> None:
        self._settings = settings
        self._on_unreadable = on_unreadable
        self._sample = b""
        self._size = 0
        self._is_readable = True  # there is no connection to watch
        self._delay = Countdown(clock, self._judge)

    def on_connected(self) -> None:
        """Watch a new connection."""
        self._delay.stop()
        self._sample, self._size, self._is_readable = b"", 0, False

    def on_bytes(self, data: bytes) -> None:
        """Note received bytes, before they are split into records."""
        if self._is_readable or not data:
            return
        if self._size < MAX_SAMPLE_BYTES:
            if not self._size:
                self._delay.start(JUDGEMENT_DELAY_S)
            self._sample = (self._sample + data)[:MAX_SAMPLE_BYTES]
        self._size += len(data)

    def on_record(self) -> None:
        """Note a record that FIAS knows: the connection is readable."""
        if not self._is_readable:
            self._is_readable = True
            self._delay.stop()
            self._sample = b""

    def stop(self) -> None:
        """Stop watching: the connection has ended."""
        self._delay.stop()
        self._is_readable = True

    @property
    def is_silent(self) -> bool:
        """Whether there is a connection on which nothing has arrived."""
        return not self._is_readable and not self._size

    def describe(self) -> UnreadableInput | None:
        """Describe what has arrived so far; None if a record has, or nothing that matters."""
        if self._is_readable or not self._size:
            return None
        settings = self._settings()
        return describe_input(self._sample, self._size, settings.framing, settings.charset)

    def _judge(self) -> None:
        if (found := self.describe()) is not None:
            self._on_unreadable(found)
        elif not self._is_readable:  # only line ends so far: judge again when more has arrived
            self._sample, self._size = b"", 0
