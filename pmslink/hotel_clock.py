"""The hotel clock: the wall clock of this machine, except while it is not certain.

Somebody sets the clock of a machine, a virtual machine is resumed, or a time server is wrong for seconds.
Then wake-ups would ring at the wrong time, and subscriptions would end. So the hotel clock compares the wall
clock with the monotonic clock, once a second and whenever it is read. The wall clock has *jumped* if the
difference has changed by more than `JUMP_TOLERANCE_S` since the last comparison. A time server that slews the
clock changes it by less.

After a start, and after a jump, the wall clock is not *settled* until it has run evenly for
`SETTLING_TIME_S`. After a jump, the hotel clock meanwhile advances with the monotonic clock, from the last
comparison before the jump. After a start there is no earlier time: it follows the wall clock, and its jumps.
Once the wall clock is settled, the hotel clock follows it, forward or back.

If the wall clock is set back by less than a jump, the hotel clock stands still until it is reached again, so
that the order of records agrees with their times.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pmslink.timestamps import format_timestamp, utc_now
from pmslink.typed_service import TypedService

JUMP_TOLERANCE_S = 2.0
"""Change of the difference between wall clock and monotonic clock, in seconds, that is not a jump."""
SETTLING_TIME_S = 10.0
"""Seconds for which the wall clock must run evenly after a start or a jump."""
COMPARISON_INTERVAL_S = 1.0
"""Seconds between two comparisons of the clocks, if the hotel clock is not read meanwhile."""


@frozen
class _Reading:
    """Both clocks at one moment."""

    wall: datetime
    monotonic_s: float

    def jump_since(self, earlier: _Reading) -> float:
        """Return by how many seconds the wall clock has advanced more than the monotonic clock."""
        wall_s = (self.wall - earlier.wall).total_seconds()
        return wall_s - (self.monotonic_s - earlier.monotonic_s)


class HotelClock(TypedService):
    """Compare the clocks while the service runs, and tell the time. It can be read in any thread.

    `clock` is the monotonic clock, and runs the comparisons; `wall_clock` returns the time in UTC.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime, wall_clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = Lock()
        self._last = self._read()
        self._even_since_s = self._last.monotonic_s
        self._is_settled = False
        self._before_jump: _Reading | None = None
        """The last comparison before a jump, until the wall clock is settled again."""
        self._is_jump_logged = False
        self._latest = self._last.wall
        """The time that was returned last."""
        self._loop = LoopingCall(self.now)
        self._loop.clock = clock

    def now(self) -> datetime:
        """Return the time of the hotel in UTC, aware."""
        with self._lock:
            time = self._compare_and_tell()
            if not timedelta(0) <= self._latest - time <= timedelta(seconds=JUMP_TOLERANCE_S):
                self._latest = time
            return self._latest

    def is_settled(self) -> bool:
        """Return whether the time is certain: the wall clock has run evenly for `SETTLING_TIME_S`."""
        with self._lock:
            self._compare()
            return self._is_settled

    def startService(self) -> None:
        """Compare the clocks once a second, so that a jump is seen soon."""
        super().startService()
        self._loop.start(COMPARISON_INTERVAL_S).addErrback(
            lambda failure: self.log.failure(
                "The clocks are compared only when the time is read; jumps may be seen late", failure
            )
        )

    def stopService(self) -> Deferred[None] | None:
        """Stop comparing the clocks."""
        if self._loop.running:
            self._loop.stop()
        return super().stopService()

    def _read(self) -> _Reading:
        return _Reading(self._wall_clock(), self._clock.seconds())

    def _compare_and_tell(self) -> datetime:
        reading, before_jump = self._compare(), self._before_jump
        if before_jump is None:
            return reading.wall
        return before_jump.wall + timedelta(seconds=reading.monotonic_s - before_jump.monotonic_s)

    def _compare(self) -> _Reading:
        last, self._last = self._last, self._read()
        jump_s = self._last.jump_since(last)
        if abs(jump_s) > JUMP_TOLERANCE_S:
            self._on_jump(last, jump_s)
        elif not self._is_settled and self._last.monotonic_s - self._even_since_s >= SETTLING_TIME_S:
            self._on_settled()
        return self._last

    def _on_jump(self, last: _Reading, jump_s: float) -> None:
        if self._is_settled:
            self._before_jump = last
        self._is_settled = False
        self._even_since_s = self._last.monotonic_s
        if not self._is_jump_logged:  # a wall clock that jumps all the time must not fill the log
            self._is_jump_logged = True
            self.log.warn(
                "The clock of this machine has jumped by {jump_s:+.1f} s, to {wall}. "
                "No wake-up is missed and no subscription ends until it has run evenly for {settling_s:g} s.",
                jump_s=jump_s,
                wall=format_timestamp(self._last.wall),
                settling_s=SETTLING_TIME_S,
            )

    def _on_settled(self) -> None:
        self._is_settled = True
        self._is_jump_logged = False
        before_jump, self._before_jump = self._before_jump, None
        if before_jump is not None:
            self.log.info(
                "The clock of this machine runs evenly again; "
                "hotel time changes by {change_s:+.1f} s, to {wall}.",
                change_s=self._last.jump_since(before_jump),
                wall=format_timestamp(self._last.wall),
            )
