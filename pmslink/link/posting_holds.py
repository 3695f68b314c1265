"""What holds the postings of one link back, while everything else for the PMS goes on.

* `sync`: the link is in sync anew. What the PMS has queued meanwhile comes first: a guest may have left.
* `night_audit`: the PMS books nothing during its night audit.
* `unanswered`: the PMS did not answer a posting in time. The next ones wait, longer each time, so that a PMS
  that has stopped answering puts few postings in doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from twisted.internet.interfaces import IReactorTime

from pmslink.fias.record import Record
from pmslink.link.countdown import Countdown
from pmslink.link.outbox_hold import Hold, HoldReason
from pmslink.timestamps import to_ms

QUIET_AFTER_SYNC_S = 2.0
"""Seconds without a record of a guest after which the PMS is taken to have sent what it has queued."""
MAX_HOLD_AFTER_SYNC_S = 10.0
"""Longest time in seconds for which postings wait for what the PMS has queued."""
NIGHT_AUDIT_HOLD_S = 900.0
"""Seconds after NS, or after the last answer NA, unless NE ends the night audit sooner."""
FIRST_UNANSWERED_HOLD_S = 30.0
"""Seconds after the first posting without an answer; each further one doubles them."""
MAX_UNANSWERED_HOLD_S = 900.0
"""Longest time in seconds between two postings that get no answer."""
GUEST_RECORDS = ("GI", "GO", "GC")
"""Records that tell which guests the PMS has moved while the link was down."""


class PostingHolds:
    """The holds of one link. `on_changed` is called when one begins or ends.

    An `unanswered` hold lasts until the PMS answers. But whenever its time is up, one posting may be sent.
    """

    def __init__(
        self, clock: IReactorTime, wall_clock: Callable[[], datetime], on_changed: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._on_changed = on_changed
        self._since: dict[HoldReason, datetime] = {}
        self._until: dict[HoldReason, float] = {}  # on the clock
        self._sync_timer = Countdown(clock, lambda: self._end("sync"))
        self._sync_ends_at = 0.0
        self._in_sync_ms = 0
        self._night_audit_timer = Countdown(clock, lambda: self._end("night_audit"))
        self._unanswered_timer = Countdown(clock, on_changed)
        self._next_pause_s = FIRST_UNANSWERED_HOLD_S

    @property
    def hold_all(self) -> bool:
        """Whether no posting may be sent."""
        return self._night_audit_timer.running or self._unanswered_timer.running

    @property
    def hold_older_than_ms(self) -> int | None:
        """Postings accepted before this moment (milliseconds since 1970 in UTC) wait; None if none waits."""
        return self._in_sync_ms if self._sync_timer.running else None

    def describe(self, waiting: int) -> Hold | None:
        """Return the hold that lasts; of several the first in the order of the reasons."""
        for by in ("sync", "night_audit", "unanswered"):
            if since := self._since.get(by):
                left_s = self._until[by] - self._clock.seconds()
                until = self._wall_clock() + timedelta(seconds=left_s) if left_s > 0 else None
                return Hold(by, since, until, waiting)
        return None

    def on_in_sync(self) -> None:
        """Begin to wait for what the PMS has queued; no longer wait for an answer. Reports no change."""
        self._end("unanswered", is_silent=True)
        self._in_sync_ms = to_ms(self._wall_clock())
        self._sync_ends_at = self._clock.seconds() + MAX_HOLD_AFTER_SYNC_S
        self._begin("sync", self._sync_timer, QUIET_AFTER_SYNC_S, is_silent=True)

    def on_out_of_sync(self) -> None:
        """End the wait for what the PMS has queued: the link is not in sync any more. Reports no change."""
        self._end("sync", is_silent=True)

    def on_data_record(self, record: Record) -> None:
        """Handle a record from the PMS other than an answer."""
        if record.id in GUEST_RECORDS and self._sync_timer.running:
            left_s = self._sync_ends_at - self._clock.seconds()
            self._begin("sync", self._sync_timer, min(QUIET_AFTER_SYNC_S, left_s))
        elif record.id == "NS":
            self._begin("night_audit", self._night_audit_timer, NIGHT_AUDIT_HOLD_S)
        elif record.id == "NE":
            self._end("night_audit")

    def on_answer(self, status: str) -> None:
        """Handle the answer (PA) to a posting of this link; `status` is its AS."""
        if status == "NA":
            self._begin("night_audit", self._night_audit_timer, NIGHT_AUDIT_HOLD_S)
        self._next_pause_s = FIRST_UNANSWERED_HOLD_S
        self._end("unanswered")

    def on_unanswered(self) -> None:
        """Handle a posting that the PMS did not answer in time."""
        self._begin("unanswered", self._unanswered_timer, self._next_pause_s)
        self._next_pause_s = min(2 * self._next_pause_s, MAX_UNANSWERED_HOLD_S)

    def on_resent(self) -> None:
        """Let one posting pass: a person has decided to send it again."""
        self._unanswered_timer.stop()

    def stop(self) -> None:
        """End all timers: the link is removed, or the service stops."""
        for timer in (self._sync_timer, self._night_audit_timer, self._unanswered_timer):
            timer.stop()

    def _begin(self, by: HoldReason, timer: Countdown, seconds: float, is_silent: bool = False) -> None:
        is_new = by not in self._since or by == "unanswered"
        timer.start(seconds)
        self._until[by] = self._clock.seconds() + seconds
        self._since.setdefault(by, self._wall_clock())
        if is_new and not is_silent:
            self._on_changed()

    def _end(self, by: HoldReason, is_silent: bool = False) -> None:
        timer = {"sync": self._sync_timer, "night_audit": self._night_audit_timer}.get(by)
        (timer or self._unanswered_timer).stop()
        if self._since.pop(by, None) is not None and not is_silent:
            self._on_changed()
