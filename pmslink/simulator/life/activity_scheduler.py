"""The scheduler of automatic activity in a hotel: random activities at a pace, and a nightly audit.

The clock, the state of the hotel and the random numbers determine the activities, so a run can be repeated.
Between two activities there is one delayed call and nothing else.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, time
from random import Random

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from pmslink.simulator.life.activity_choice import run_activity
from pmslink.simulator.pms.property import Pms

ACTIVITIES_PER_MINUTE = 6.0
"""Activities per minute, on average."""
MAX_CATCH_UP_S = 600.0
"""Time for which missed activities are caught up after a jump of the clock; earlier ones are dropped."""
AUDIT_EARLIEST_TIME, AUDIT_LATEST_TIME = time(2, 30), time(6, 0)
"""Local times between which the night audit begins; a night in which it does not has no audit."""
AUDIT_DURATION_S = 1200.0
"""Duration of the night audit; it ends with the next activity after it."""


class Life:
    """Runs the automatic activity of a property, from ``start`` to ``stop``."""

    def __init__(
        self, pms: Pms, clock: IReactorTime, rng: Random, pace: float = ACTIVITIES_PER_MINUTE
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Number of operations by function name of the activity; ``audit`` counts the audits begun."""
        self._pms = pms
        self._clock = clock
        self._rng = rng
        self._pace = pace
        self._due_at = 0.0
        self._timer: IDelayedCall | None = None
        self._last_audit_date: date | None = None
        self._audit_ends_at: float | None = None

    def start(self) -> None:
        """Schedule the first activity."""
        if self._timer is None:
            self._due_at = self._clock.seconds()
            self._schedule_next()

    def stop(self) -> None:
        """Stop the activity; an audit that runs continues after the next start."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule_next(self) -> None:
        now = self._clock.seconds()
        self._due_at = max(self._due_at, now - MAX_CATCH_UP_S) + self._rng.expovariate(self._pace / 60)
        self._timer = self._clock.callLater(max(0.0, self._due_at - now), self._run_next)

    def _run_next(self) -> None:
        self._schedule_next()
        self._update_audit()
        name, count = run_activity(self._pms, self._rng)
        if count:
            self.counts[name] += count

    def _update_audit(self) -> None:
        now, today = self._clock.seconds(), self._pms.now()
        if self._audit_ends_at is not None:
            if now >= self._audit_ends_at:
                self._audit_ends_at = None
                self._pms.set_night_audit(active=False)
        elif (
            self._last_audit_date != today.date() and AUDIT_EARLIEST_TIME <= today.time() < AUDIT_LATEST_TIME
        ):
            self._last_audit_date = today.date()
            self._audit_ends_at = now + AUDIT_DURATION_S
            self._pms.set_night_audit(active=True)
            self.counts["audit"] += 1
