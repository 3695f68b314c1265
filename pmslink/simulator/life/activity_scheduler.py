"""A hotel that lives: something happens in it every now and then, and once a night the audit.

What happens is decided by the clock, the hotel as it is, and the random numbers; with the same ones it
is the same again. Between two happenings there is one delayed call and nothing else.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, time
from random import Random

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from pmslink.simulator.life.guest_activities import choose_activity
from pmslink.simulator.pms.property import Pms

ACTIVITIES_PER_MINUTE = 6.0
"""Happenings per minute, on the average."""
MAX_CATCH_UP_S = 600.0
"""Seconds of happenings that are made up for when the clock has jumped; what was before never happened."""
AUDIT_EARLIEST_TIME, AUDIT_LATEST_TIME = time(2, 30), time(6, 0)
"""Local time; a night whose audit did not begin by the latest has none."""
AUDIT_DURATION_S = 1200.0
"""Seconds, or a little more: it ends with the next happening."""


class Life:
    """Lets a property live, from ``start`` to ``stop``."""

    def __init__(
        self, pms: Pms, clock: IReactorTime, rng: Random, pace: float = ACTIVITIES_PER_MINUTE
    ) -> None:
        self.counts: Counter[str] = Counter()
        """What happened how often, by the names in ``happenings``; and ``audit``, counted when it begins."""
        self._pms = pms
        self._clock = clock
        self._rng = rng
        self._pace = pace
        self._due_at = 0.0
        self._timer: IDelayedCall | None = None
        self._last_audit_date: date | None = None
        self._audit_ends_at: float | None = None

    def start(self) -> None:
        """Begin; the first happening is still to come."""
        if self._timer is None:
            self._due_at = self._clock.seconds()
            self._schedule_next()

    def stop(self) -> None:
        """Nothing happens any more; an audit that runs goes on when it starts again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule_next(self) -> None:
        now = self._clock.seconds()
        self._due_at = max(self._due_at, now - MAX_CATCH_UP_S) + self._rng.expovariate(self._pace / 60)
        self._timer = self._clock.callLater(max(0.0, self._due_at - now), self._run_next)

    def _run_next(self) -> None:
        self._schedule_next()
        self._audit()
        happened = 0
        while not happened:  # what cannot happen in this hotel now is left out; check-in or check-out can
            happening = choose_activity(self._pms, self._rng)
            happened = happening(self._pms, self._rng)
        self.counts[happening.__name__] += happened

    def _audit(self) -> None:
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
