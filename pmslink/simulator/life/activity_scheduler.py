"""A hotel that lives: something happens in it every now and then, and once a night the audit.

What happens is decided by the clock, the hotel as it is, and the random numbers; with the same ones it
is the same again. Between two happenings there is one delayed call and nothing else.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, time
from random import Random

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from pmslink.simulator.life.guest_activities import next_happening
from pmslink.simulator.pms.property import Pms

PACE = 6.0
"""Happenings per minute, on the average."""
MOST_BEHIND = 600.0
"""Seconds of happenings that are made up for when the clock has jumped; what was before never happened."""
AUDIT_BEGINS, AUDIT_LATEST = time(2, 30), time(6, 0)
"""Local time; a night whose audit did not begin by the latest has none."""
AUDIT_TAKES = 1200.0
"""Seconds, or a little more: it ends with the next happening."""


class Life:
    """Lets a property live, from ``start`` to ``stop``."""

    def __init__(self, pms: Pms, clock: IReactorTime, chance: Random, pace: float = PACE) -> None:
        self.counts: Counter[str] = Counter()
        """What happened how often, by the names in ``happenings``; and ``audit``, counted when it begins."""
        self._pms = pms
        self._clock = clock
        self._chance = chance
        self._pace = pace
        self._due = 0.0
        self._next: IDelayedCall | None = None
        self._audited: date | None = None
        self._audit_ends: float | None = None

    def start(self) -> None:
        """Begin; the first happening is still to come."""
        if self._next is None:
            self._due = self._clock.seconds()
            self._wait()

    def stop(self) -> None:
        """Nothing happens any more; an audit that runs goes on when it starts again."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _wait(self) -> None:
        now = self._clock.seconds()
        self._due = max(self._due, now - MOST_BEHIND) + self._chance.expovariate(self._pace / 60)
        self._next = self._clock.callLater(max(0.0, self._due - now), self._go_on)

    def _go_on(self) -> None:
        self._wait()
        self._audit()
        happened = 0
        while not happened:  # what cannot happen in this hotel now is left out; check-in or check-out can
            happening = next_happening(self._pms, self._chance)
            happened = happening(self._pms, self._chance)
        self.counts[happening.__name__] += happened

    def _audit(self) -> None:
        now, today = self._clock.seconds(), self._pms.now()
        if self._audit_ends is not None:
            if now >= self._audit_ends:
                self._audit_ends = None
                self._pms.audit(begins=False)
        elif self._audited != today.date() and AUDIT_BEGINS <= today.time() < AUDIT_LATEST:
            self._audited = today.date()
            self._audit_ends = now + AUDIT_TAKES
            self._pms.audit(begins=True)
            self.counts["audit"] += 1
