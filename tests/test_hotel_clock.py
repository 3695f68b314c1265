"""The hotel clock: jumps of the wall clock, and the time meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.hotel_clock import HotelClock
from tests.fake_wall_clock import START_TIME, FakeWallClock, make_settled_hotel_clock


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """The lines that the hotel clock logs."""
    lines: list[str] = []
    publisher: Any = globalLogPublisher

    def collect(event: LogEvent) -> None:
        if event["log_namespace"] == "pmslink.hotel_clock.HotelClock":
            lines.append(formatEvent(event))

    publisher.addObserver(collect)
    yield lines
    publisher.removeObserver(collect)


class Machine:
    """A machine with both clocks and a hotel clock, 10 s after its start."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.wall_clock = FakeWallClock(self.clock)
        self.hotel_clock = make_settled_hotel_clock(self.clock, self.wall_clock)

    def jump(self, **by: float) -> None:
        """Set the wall clock, and read the hotel clock, which then knows of the jump."""
        self.wall_clock.jump(**by)
        self.hotel_clock.now()

    def wait(self, seconds: int) -> None:
        self.clock.pump([1] * seconds)

    @property
    def true_time_error_s(self) -> float:
        """By how many seconds hotel time is ahead of a clock that was never set."""
        true_time = START_TIME + timedelta(seconds=self.clock.seconds())
        return (self.hotel_clock.now() - true_time).total_seconds()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize("jump_s", [2.001, -60, 3600, -3600, 2 * 86400])
def test_after_a_jump_hotel_time_goes_on_until_the_wall_clock_has_run_evenly(
    machine: Machine, jump_s: float
) -> None:
    machine.wall_clock.jump(seconds=jump_s)
    assert machine.true_time_error_s == 0
    assert not machine.hotel_clock.is_settled()
    machine.wait(9)
    assert machine.true_time_error_s == 0
    assert not machine.hotel_clock.is_settled()
    machine.wait(1)
    assert machine.true_time_error_s == pytest.approx(jump_s)
    assert machine.hotel_clock.is_settled()


def test_c2_a_clock_that_is_ahead_for_seconds_is_never_followed(machine: Machine) -> None:
    machine.wall_clock.jump(days=2)
    machine.wait(4)
    machine.wall_clock.jump(days=-2)
    for _ in range(10):
        assert machine.true_time_error_s == 0
        assert not machine.hotel_clock.is_settled()
        machine.wait(1)
    assert machine.true_time_error_s == 0
    assert machine.hotel_clock.is_settled()


def test_the_first_reading_after_a_jump_sees_it_without_waiting_for_the_comparison(machine: Machine) -> None:
    machine.wall_clock.jump(days=1)
    assert not machine.hotel_clock.is_settled()
    assert machine.true_time_error_s == 0


def test_a_jump_of_two_seconds_or_less_is_followed_at_once(machine: Machine, logged: list[str]) -> None:
    machine.wall_clock.jump(seconds=2)
    assert machine.true_time_error_s == 2
    assert machine.hotel_clock.is_settled()
    assert logged == []


def test_hotel_time_does_not_go_back_by_less_than_a_jump(machine: Machine) -> None:
    before = machine.hotel_clock.now()
    machine.jump(seconds=-1.5)
    assert machine.hotel_clock.now() == before
    machine.wait(1)
    assert machine.hotel_clock.now() == before
    machine.wait(1)
    assert machine.true_time_error_s == -1.5
    assert machine.hotel_clock.is_settled()


@pytest.mark.parametrize("rate", [0.1, -0.1])
def test_a_clock_that_is_slewed_does_not_jump(machine: Machine, logged: list[str], rate: float) -> None:
    for _ in range(3600):
        machine.wall_clock.jump(seconds=rate)
        machine.wait(1)
        assert machine.hotel_clock.is_settled()
    assert machine.true_time_error_s == pytest.approx(3600 * rate)
    assert logged == []


def test_the_settling_time_begins_again_at_each_jump(machine: Machine) -> None:
    for _ in range(5):
        machine.jump(hours=1)
        machine.wait(9)
        assert machine.true_time_error_s == 0
    machine.wait(1)
    assert machine.true_time_error_s == 5 * 3600


def test_after_a_start_the_wall_clock_is_followed_but_not_certain() -> None:
    clock = Clock()
    wall_clock = FakeWallClock(clock)
    wall_clock.jump(days=2)
    hotel_clock = HotelClock(clock, wall_clock)
    hotel_clock.startService()
    assert hotel_clock.now() == wall_clock()
    clock.pump([1] * 4)
    assert not hotel_clock.is_settled()
    wall_clock.jump(days=-2)
    assert hotel_clock.now() == wall_clock()
    clock.pump([1] * 9)
    assert not hotel_clock.is_settled()
    clock.advance(1)
    assert hotel_clock.is_settled()
    assert hotel_clock.now() == wall_clock()


def test_a_jump_is_logged_once_and_so_is_its_end(machine: Machine, logged: list[str]) -> None:
    machine.jump(hours=1)
    for _ in range(9):
        machine.wait(1)
        machine.jump(hours=1)
    assert logged == [
        "The clock of this machine has jumped by +3600.0 s, to 2026-01-01T13:00:10.000Z. "
        "No wake-up is missed and no subscription ends until it has run evenly for 10 s."
    ]
    machine.wait(11)
    machine.jump(hours=-10)
    machine.wait(20)
    assert logged[1:] == [
        "The clock of this machine runs evenly again; hotel time changes by +36000.0 s, "
        "to 2026-01-01T22:00:29.000Z.",
        "The clock of this machine has jumped by -36000.0 s, to 2026-01-01T12:00:30.000Z. "
        "No wake-up is missed and no subscription ends until it has run evenly for 10 s.",
        "The clock of this machine runs evenly again; hotel time changes by -36000.0 s, "
        "to 2026-01-01T12:00:40.000Z.",
    ]


def test_a_stopped_service_compares_the_clocks_no_more(machine: Machine) -> None:
    machine.hotel_clock.stopService()
    assert not machine.clock.getDelayedCalls()


def test_a_clock_that_cannot_be_read_stops_only_the_comparison(leak_check: list[LogEvent]) -> None:
    clock = Clock()
    hotel_clock = HotelClock(clock, FakeWallClock(clock))
    hotel_clock.startService()

    def fail() -> float:
        raise OSError("no such clock")

    hotel_clock._wall_clock = fail  # type: ignore[assignment]
    clock.advance(1)
    (failure,) = leak_check
    assert failure["log_failure"].check(OSError)
    leak_check.clear()
    hotel_clock.stopService()
