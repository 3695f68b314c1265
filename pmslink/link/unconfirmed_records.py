"""Records without an answer of their own (RE, WR, WC, WA), until the PMS proves that it has read them.

A later answer proves it: the PA of a posting that was sent after them, or the LA to a later LS or
description. If nothing else flows, a link check is sent early for it. A link that sends no link checks has no
such proof: there a record counts as read some time after it was sent on a connection that still stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from pmslink.config.link_settings import LinkSettings
from pmslink.link.countdown import Countdown

MAX_CONFIRMATION_REQUESTS = 1000
"""Requests for a confirmation that are remembered, for a PMS that never answers."""
CLOCK_ROUNDING_S = 0.001
"""Seconds by which a timer may seem to be early."""
UNCHECKED_CONFIRMATION_S = 30.0
"""Seconds after which a record counts as read on a link that sends no link checks."""


class UnconfirmedRecords:
    """The rows of one connection that are sent and not confirmed, in order.

    `on_confirmed` receives the ids of rows that the PMS has read. `may_request` says whether a link check may
    be sent for a confirmation, `min_check_interval` how many seconds after the last one.
    """

    def __init__(
        self,
        clock: IReactorTime,
        settings: Callable[[], LinkSettings],
        on_confirmed: Callable[[tuple[int, ...]], None],
        may_request: Callable[[], bool],
        request_link_check: Callable[[], None],
        min_check_interval: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._on_confirmed = on_confirmed
        self._may_request = may_request
        self._request_link_check = request_link_check
        self._min_check_interval = min_check_interval
        self._rows: deque[tuple[int, int, float]] = deque()  # position, row id, and when it was sent
        self._sent = 0
        self._requests: deque[int] = deque(maxlen=MAX_CONFIRMATION_REQUESTS)  # for each, the position
        self._requested_at = -float("inf")
        self._timer = Countdown(clock, self._on_due)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of the rows, in order."""
        return tuple(row_id for _, row_id, _ in self._rows)

    @property
    def position(self) -> int:
        """How many rows have been sent: the answer to what is sent now confirms these."""
        return self._sent

    def add(self, row_id: int) -> None:
        """Remember a row that was sent."""
        self._sent += 1
        self._rows.append((self._sent, row_id, self._clock.seconds()))

    def on_request_sent(self) -> None:
        """Remember an LS or a description that was sent: its LA confirms the rows sent before it."""
        self._requests.append(self._sent)
        self._requested_at = self._clock.seconds()

    def on_la(self) -> None:
        """Confirm rows: LA answers the oldest request."""
        if self._requests:
            self.confirm(self._requests.popleft())

    def confirm(self, position: int) -> None:
        """Confirm the rows up to a position."""
        self._remove_while(lambda row: row[0] <= position)

    def schedule(self) -> None:
        """Request a confirmation as soon as it is allowed, if rows wait for one."""
        if not self._rows or self._timer.running:
            return
        if self._settings().alive_by != "LS":
            self._timer.start(self._rows[0][2] + UNCHECKED_CONFIRMATION_S - self._clock.seconds())
        elif self._may_request():
            self._timer.start(self._requested_at + self._min_check_interval() - self._clock.seconds())

    def clear(self) -> tuple[int, ...]:
        """Forget everything: the connection has ended. Returns the ids of the rows."""
        ids = self.ids
        self._rows.clear()
        self._requests.clear()
        self._timer.stop()
        return ids

    def _on_due(self) -> None:
        if self._settings().alive_by != "LS":
            sent_before = self._clock.seconds() - UNCHECKED_CONFIRMATION_S + CLOCK_ROUNDING_S
            self._remove_while(lambda row: row[2] <= sent_before)
        elif self._rows and self._may_request():
            self._request_link_check()
            self._requested_at = self._clock.seconds()
        self.schedule()

    def _remove_while(self, matches: Callable[[tuple[int, int, float]], bool]) -> None:
        removed = []
        while self._rows and matches(self._rows[0]):
            removed.append(self._rows.popleft()[1])
        if removed:
            self._on_confirmed(tuple(removed))
