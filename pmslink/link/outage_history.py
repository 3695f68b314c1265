"""Outages: losses of sync that nobody on this side requested."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import frozen

from pmslink.link.cause import CauseCode
from pmslink.link.machine import Marker

RECENT = timedelta(hours=1)
MAX_REMEMBERED_OUTAGES = 1000
_OWN_CAUSES = frozenset({"user", "settings", "expired"})
"""Causes on this side: a user, a change of the settings, or the end of the subscription."""


@frozen
class Outages:
    """The latest outages of a link."""

    last_hour: int = 0
    """Outages that began within the last hour."""
    last_at: datetime | None = None
    """When the last one began; None if none is known."""
    last_seconds: float | None = None
    """How long the last one took; None while it lasts."""
    last_cause: CauseCode | None = None


@frozen
class Outage:
    """One outage; `end` is None while it lasts."""

    begin: datetime
    end: datetime | None
    cause_code: CauseCode


def is_outage(marker: Marker, cause_code: CauseCode) -> bool:
    """Check whether a loss of sync, into this state for this cause, is an outage.

    A link that stays established has been started again by the PMS.
    """
    if cause_code == "started":
        return marker == "ESTABLISHED"
    return cause_code not in _OWN_CAUSES


class OutageHistory:
    """The outages of one link. Times are those of the wall clock."""

    def __init__(self) -> None:
        self._begins: deque[datetime] = deque(maxlen=MAX_REMEMBERED_OUTAGES)
        self._last = Outages()
        self._is_open = False

    def begin(self, at: datetime, cause_code: CauseCode) -> None:
        """Note that an outage begins."""
        self._begins.append(at)
        self._last = Outages(0, at, None, cause_code)
        self._is_open = True

    def end(self, at: datetime) -> None:
        """Note that the link is in sync again, or is not to be any more."""
        if self._is_open and self._last.last_at is not None:
            self._is_open = False
            seconds = max(0.0, round((at - self._last.last_at).total_seconds(), 3))
            self._last = Outages(0, self._last.last_at, seconds, self._last.last_cause)

    def restore(self, outages: Iterable[Outage], in_sync_since: datetime | None) -> None:
        """Add the outages from before the start of the service, oldest first.

        `in_sync_since` is since when the link is in sync; None while it is not.
        """
        earlier = [*outages]
        self._begins.extendleft(outage.begin for outage in reversed(earlier))
        if self._last.last_at is None and earlier:
            last = earlier[-1]
            self._last = Outages(0, last.begin, None, last.cause_code)
            self._is_open = True
            end = last.end or in_sync_since
            if end is not None:
                self.end(end)

    def status(self, now: datetime) -> Outages:
        """Take a snapshot."""
        if not self._begins:
            return self._last
        count = sum(now - RECENT < begin <= now for begin in self._begins)
        return Outages(count, self._last.last_at, self._last.last_seconds, self._last.last_cause)
