"""Wake-ups after a standstill or a clock change: late ones, missed ones, and none twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pmslink.hotel.rooms import WakeUpResult
from pmslink.timestamps import to_ms
from tests.hotel.hotel_driver import START_TIME, HotelDriver
from tests.hotel.test_wake_ups import HALF_HOUR_S, WAKE_UP_AT_1230


@pytest.fixture
def hotel() -> HotelDriver:
    """At noon; a guest is called three times at most, every three minutes."""
    return HotelDriver()


def test_a_slightly_late_wake_up_still_rings(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    assert hotel.jump_to(START_TIME + timedelta(minutes=40)) == ["wake_up.due 110 12:30 1"]


def test_a_wake_up_that_is_too_late_is_missed(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    assert hotel.jump_to(START_TIME + timedelta(minutes=40, milliseconds=1)) == [
        "wake_up.done 110 12:30 missed",
        "WA 110 12:30 missed",
    ]
    assert hotel.room().over == ("2026-01-01T12:30:00",)


@pytest.mark.parametrize("result", [None, "busy"])
def test_a_wake_up_that_rang_is_not_retried_after_a_long_standstill(
    hotel: HotelDriver, result: WakeUpResult | None
) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    if result:
        hotel.report_wake_up(result)
    assert hotel.jump_to(START_TIME + timedelta(hours=2)) == [
        f"wake_up.done 110 12:30 {result or 'unreported'}",
        f"WA 110 12:30 {result or 'unreported'}",
    ]


def test_due_wake_ups_are_handled_in_the_order_of_rooms(hotel: HotelDriver) -> None:
    hotel.receive(*(f"WR|RN{room}|DA260101|TI123000|" for room in ("112", "110", "111")))
    assert hotel.wait(HALF_HOUR_S) == [f"wake_up.due {room} 12:30 1" for room in ("110", "111", "112")]


def test_a_clock_set_back_does_not_ring_twice(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    hotel.report_wake_up("answered")
    assert hotel.jump_to(START_TIME) == []
    assert hotel.wait(3600) == []


@pytest.mark.parametrize("back", [1, 3600, 24 * 3600])
def test_a_clock_set_back_while_ringing_does_not_postpone_the_next_attempt(
    hotel: HotelDriver, back: int
) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    set_back = START_TIME + timedelta(seconds=HALF_HOUR_S - back)
    assert hotel.jump_to(set_back) == []
    assert hotel.room().wake_ups[0].again == to_ms(set_back) + 180_000
    assert hotel.wait(179.999) == []
    assert hotel.wait(0.001) == ["wake_up.due 110 12:30 2"]


def test_additional_clock_checks_change_nothing(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    again = hotel.room().wake_ups[0].again
    hotel.jump_to(START_TIME + timedelta(seconds=HALF_HOUR_S + 90))
    assert hotel.room().wake_ups[0].again == again


def test_c2_a_clock_that_is_not_settled_misses_no_wake_up_and_rings_none_early(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.clock_settled = False
    assert hotel.jump_to(START_TIME + timedelta(days=2)) == []
    hotel.clock_settled = True
    assert hotel.jump_to(START_TIME) == []
    assert hotel.wait(HALF_HOUR_S) == ["wake_up.due 110 12:30 1"]


def test_c2_a_wake_up_requested_while_the_clock_is_far_ahead_is_kept(hotel: HotelDriver) -> None:
    hotel.clock_settled = False
    hotel.jump_to(START_TIME + timedelta(days=3))
    assert hotel.receive("WR|RN110|DA260103|TI070000|") == ["wake_up.set 110 07:00"]
    hotel.clock_settled = True
    assert hotel.jump_to(START_TIME) == []
    assert [wake_up.at.day for wake_up in hotel.room("110").wake_ups] == [3]


def test_c2_a_wake_up_in_its_time_rings_also_while_the_clock_is_not_settled(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.clock_settled = False
    assert hotel.jump_to(START_TIME + timedelta(minutes=30)) == ["wake_up.due 110 12:30 1"]
    assert hotel.jump_to(START_TIME + timedelta(days=2)) == []
    assert hotel.jump_to(START_TIME + timedelta(minutes=33)) == ["wake_up.due 110 12:30 2"]


def test_c2_a_wake_up_that_is_late_once_the_clock_is_settled_is_missed(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.clock_settled = False
    assert hotel.jump_to(START_TIME + timedelta(days=2)) == []
    hotel.clock_settled = True
    assert hotel.jump_to(START_TIME + timedelta(days=2)) == [
        "wake_up.done 110 12:30 missed",
        "WA 110 12:30 missed",
    ]


def test_c2_a_clock_that_is_behind_while_it_is_not_settled_ends_no_attempt(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    hotel.clock_settled = False
    assert hotel.jump_to(START_TIME - timedelta(days=2)) == []
    hotel.clock_settled = True
    assert hotel.jump_to(START_TIME + timedelta(seconds=HALF_HOUR_S + 179)) == []
    assert hotel.wait(1) == ["wake_up.due 110 12:30 2"]
