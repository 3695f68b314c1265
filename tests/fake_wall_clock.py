"""A wall clock for tests that runs with a test clock, and that a test sets forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.internet.task import Clock

from pmslink.hotel_clock import SETTLING_TIME_S, HotelClock

START_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)


class FakeWallClock:
    """A wall clock that shows `START_TIME` at second 0 of the test clock, plus what a test set it forward."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return START_TIME + timedelta(seconds=self._clock.seconds()) + self.offset

    def jump(self, **by: float) -> None:
        """Set the clock forward; back if negative. The arguments are those of `timedelta`."""
        self.offset += timedelta(**by)


def make_settled_hotel_clock(clock: Clock, wall_clock: FakeWallClock) -> HotelClock:
    """Return a running hotel clock whose settling time after the start is over."""
    hotel_clock = HotelClock(clock, wall_clock)
    hotel_clock.startService()
    clock.pump([1] * round(SETTLING_TIME_S))
    assert hotel_clock.is_settled()
    return hotel_clock
