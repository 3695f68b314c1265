"""What holds the postings of one link back, while everything else for the PMS goes on.

* `sync`: the link is in sync anew. What the PMS has queued meanwhile comes first: a guest may have left.
* `night_audit`: the PMS books nothing during its night audit.
* `unanswered`: the PMS did not answer a posting in time. The next ones wait, longer each time, so that a PMS
  that has stopped answering puts few postings in doubt.

When the time of one of the last two is up, one posting is sent as a trial. The hold lasts until its outcome
is known. If no posting waits for it, the hold ends.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from twisted.internet.interfaces import IReactorTime

from pmslink.fias.record import Record
from pmslink.link.countdown import Countdown
from pmslink.link.outbox_hold import Hold, HoldReason

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
REPORTED_CHANGE = timedelta(seconds=1)
"""The least change of the end of a hold that is reported: a PMS may send NS as often as it likes."""
GUEST_RECORDS = ("GI", "GO", "GC")
"""Records that tell which guests the PMS has moved while the link was down."""


class TimedHold:
    """One reason to hold postings, with the time at which it is up.

    Until then it blocks. Afterwards it lasts without blocking, until `end`.
    """

    def __init__(
        self,
        by: HoldReason,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        on_time_up: Callable[[], None],
    ) -> None:
        self._by = by
        self._wall_clock = wall_clock
        self._on_time_up = on_time_up
        self._timer = Countdown(clock, self._on_timer)
        self._since: datetime | None = None
        self._until: datetime | None = None

    @property
    def lasts(self) -> bool:
        """Whether the hold has begun and not ended."""
        return self._since is not None

    @property
    def blocks(self) -> bool:
        """Whether the time of the hold is not up."""
        return self._timer.running

    def begin(self, seconds: float) -> bool:
        """Block for this time from now. A hold that lasts goes on.

        Return whether the hold is new, or its end another one.
        """
        now, until_before = self._wall_clock(), self._until
        self._since = self._since or now
        self._until = now + timedelta(seconds=seconds)
        self._timer.start(seconds)
        return until_before is None or abs(self._until - until_before) >= REPORTED_CHANGE

    def unblock(self) -> None:
        """Block no longer, as when the time is up."""
        self._until = None
        self._timer.stop()

    def end(self) -> bool:
        """End the hold. Return whether it lasted until now."""
        lasted = self.lasts
        self._since = self._until = None
        self._timer.stop()
        return lasted

    def describe(self, waiting: int) -> Hold | None:
        """Return the hold, for which so many rows wait; None unless it lasts."""
        return None if self._since is None else Hold(self._by, self._since, self._until, waiting)

    def _on_timer(self) -> None:
        self._until = None
        self._on_time_up()


class PostingHolds:
    """The holds of one link.

    `on_changed` is called when one begins, ends, or is prolonged, and when its time is up.
    """

    def __init__(
        self, clock: IReactorTime, wall_clock: Callable[[], datetime], on_changed: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._on_changed = on_changed
        self._sync = TimedHold("sync", clock, wall_clock, self._end_sync)
        self._quiet_timer = Countdown(clock, self._on_quiet)
        self._guest_record_at = 0.0
        self._in_sync_seq = 0
        self._night_audit = TimedHold("night_audit", clock, wall_clock, on_changed)
        self._unanswered = TimedHold("unanswered", clock, wall_clock, on_changed)
        self._next_pause_s = FIRST_UNANSWERED_HOLD_S

    @property
    def hold_all(self) -> bool:
        """Whether no posting may be sent."""
        return self._night_audit.blocks or self._unanswered.blocks

    @property
    def hold_older_than_seq(self) -> int | None:
        """Postings accepted before this number of the store's sequence wait; None if none waits."""
        return self._in_sync_seq if self._sync.blocks else None

    def describe(self, count_waiting: Callable[[int | None], int]) -> Hold | None:
        """Return the hold that lasts; of several the first in the order of the reasons.

        `count_waiting` returns how many postings wait, if all do (None), or those accepted before a number
        of the store's sequence.
        """
        holds = (self._sync, self._night_audit, self._unanswered)
        lasting = next((hold for hold in holds if hold.lasts), None)
        if lasting is None:
            return None
        return lasting.describe(count_waiting(None if self.hold_all else self.hold_older_than_seq))

    def on_in_sync(self, seq: int) -> None:
        """Begin to wait for what the PMS has queued; no longer wait for an answer. Reports no change.

        `seq` is a new number of the store's sequence: the postings before it wait.
        """
        self._unanswered.end()
        self._in_sync_seq = seq
        self._guest_record_at = self._clock.seconds()
        self._sync.begin(MAX_HOLD_AFTER_SYNC_S)
        self._quiet_timer.start(QUIET_AFTER_SYNC_S)

    def on_out_of_sync(self) -> None:
        """End what lasts only until the link is in sync anew. Reports no change."""
        self._sync.end()
        self._quiet_timer.stop()
        self._unanswered.end()
        if not self._night_audit.blocks:
            self._night_audit.end()

    def on_data_record(self, record: Record) -> None:
        """Handle a record from the PMS other than an answer."""
        if record.id in GUEST_RECORDS:
            self._guest_record_at = self._clock.seconds()
        elif record.id == "NS":
            if self._night_audit.begin(NIGHT_AUDIT_HOLD_S):
                self._on_changed()
        elif record.id == "NE" and self._night_audit.end():
            self._on_changed()

    def on_answer(self, status: str) -> None:
        """Handle the answer (PA) to a posting of this link; `status` is its AS."""
        self._next_pause_s = FIRST_UNANSWERED_HOLD_S
        has_changed = self._unanswered.end()
        if status == "NA":
            has_changed |= self._night_audit.begin(NIGHT_AUDIT_HOLD_S)
        elif not self._night_audit.blocks:  # the night audit is over
            has_changed |= self._night_audit.end()
        if has_changed:
            self._on_changed()

    def on_unanswered(self) -> None:
        """Handle a posting that the PMS did not answer in time."""
        if not self._night_audit.blocks:
            self._night_audit.end()
        self._unanswered.begin(self._next_pause_s)
        self._next_pause_s = min(2 * self._next_pause_s, MAX_UNANSWERED_HOLD_S)
        self._on_changed()

    def end_expired(self) -> bool:
        """End the holds whose time is up, because no posting is sent as a trial.

        Return whether one has ended.
        """
        expired = [hold for hold in (self._night_audit, self._unanswered) if hold.lasts and not hold.blocks]
        for hold in expired:
            hold.end()
        return bool(expired)

    def on_resent(self) -> None:
        """Let one posting pass: a person has decided to send it again."""
        if self._unanswered.blocks:
            self._unanswered.unblock()
            self._on_changed()

    def stop(self) -> None:
        """End all holds: the link is removed, or the service stops."""
        self.on_out_of_sync()
        self._night_audit.end()

    def _on_quiet(self) -> None:
        rest_s = self._guest_record_at + QUIET_AFTER_SYNC_S - self._clock.seconds()
        if rest_s > 0.001:  # else it is rounding
            self._quiet_timer.start(rest_s)
        else:
            self._end_sync()

    def _end_sync(self) -> None:
        self._quiet_timer.stop()
        if self._sync.end():
            self._on_changed()
