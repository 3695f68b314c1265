"""Tests of a hotel's automatic activity: its kinds, its pace, and its repeatability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from twisted.internet.task import Clock

from pmslink.simulator.hotel.hotel_model import Hotel
from pmslink.simulator.hotel.room_equipment import Equipment
from pmslink.simulator.life import guest_activities, room_moves, wake_up_activities
from pmslink.simulator.life.activity_choice import ACTIVITY_WEIGHTS
from pmslink.simulator.life.activity_scheduler import Life
from pmslink.simulator.pms.property import Pms
from tests.memory_network import advance_clock
from tests.simulator.simulated_pbx import SimulatedPbx

START_TIME = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
DAY_S = 86_400
ALL_FIELDS = {
    "GI": "RNG#GSGNGFGTGLGVGAGDCSSF",
    "GO": "RNG#GSSF",
    "GC": "RNG#GSGNGFGTGLGVGAGDCSRO",
    "RE": "RNCSDNMLRSVM",
    "WR": "RNDATI",
    "WC": "RNDATI",
    "NS": "DATI",
    "NE": "DATI",
}


def make_life(
    rooms: int = 30, pace: float = 6.0, seed: int = 1, zone: Any = UTC, begin: datetime = START_TIME
) -> tuple[Clock, Pms, Life]:
    clock = Clock()
    pms = Pms(clock, lambda: (begin + timedelta(seconds=clock.seconds())).astimezone(zone), rooms)
    life = Life(pms, clock, Random(seed), pace)
    life.start()
    return clock, pms, life


def test_activity_needs_one_delayed_call_and_none_when_stopped() -> None:
    clock, _, life = make_life()
    life.start()
    assert len(clock.getDelayedCalls()) == 1
    assert not life.counts
    advance_clock(clock, 600)
    assert len(clock.getDelayedCalls()) == 1
    life.stop()
    life.stop()
    assert clock.getDelayedCalls() == []
    life.start()
    assert len(clock.getDelayedCalls()) == 1


def test_activity_is_a_function_of_clock_and_seed() -> None:
    def sent(seed: int) -> list[str]:
        clock, pms, _ = make_life(seed=seed)
        pbx = SimulatedPbx(pms).dock(ALL_FIELDS)
        advance_clock(clock, 3600)
        return pbx.take_records()

    assert sent(1) == sent(1)
    assert sent(1) != sent(2)


@pytest.mark.parametrize("pace", [0.5, 6.0, 60.0])
def test_the_number_of_activities_follows_the_pace(pace: float) -> None:
    clock, _, life = make_life(rooms=100, pace=pace)
    advance_clock(clock, DAY_S / pace)
    # some activities count more than one operation: the check-out of all guests of a room, for example
    assert 1440 * 0.9 < sum(life.counts.values()) < 1440 * 2


def test_after_a_jump_of_the_clock_at_most_ten_minutes_are_caught_up() -> None:
    clock, _, life = make_life(pace=60)
    clock.advance(7 * DAY_S)
    assert 30 < sum(life.counts.values()) < 1000


def test_four_days_of_three_hundred_rooms() -> None:
    clock, pms, life = make_life(rooms=300, pace=2.0)
    pbx = SimulatedPbx(pms).dock(ALL_FIELDS)
    occupied: list[float] = []
    for _ in range(4 * 24):
        advance_clock(clock, 3600)
        pbx.take_bytes()
        rooms = pms.hotel.guests_by_room()
        occupied.append(sum(map(bool, rooms.values())) / 300)
        assert max(map(len, rooms.values())) <= 3
        for room, guests in rooms.items():
            if not guests and not pms.acts.is_busy(room):
                # the front desk has set the class of service and the status of some after a move
                equipment = evolve(pms.equipment(room), status="")
                assert equipment in (Equipment(), Equipment(class_of_service=0))
    assert 0.55 < min(occupied) <= max(occupied) < 0.78
    names = {activity.__name__ for activity in ACTIVITY_WEIGHTS}
    assert set(life.counts) == names | {"audit"}
    assert min(life.counts[name] for name in names) > 40
    assert life.counts["audit"] == 4
    assert any(len(pms.equipment(room).wake_ups) > 1 for room in pms.hotel.rooms)


def test_the_counts_are_those_of_the_records() -> None:
    clock, pms, life = make_life(rooms=60)
    pbx = SimulatedPbx(pms).dock(ALL_FIELDS)
    advance_clock(clock, DAY_S)
    sent = Counter(text[:2] for text in pbx.take_records())
    counts = life.counts
    in_advance, taken_back = counts["wake_up_in_advance"], counts["take_back_check_out"]
    moved = sum(counts[name] for name in ("move", "move_room", "move_group", "swap", "swap_guests"))
    new = counts["check_in"] + counts["share"] + in_advance + taken_back
    assert new < sent["GI"] < new + counts["change_over"] + moved
    gone = counts["check_out"] + taken_back
    assert gone < sent["GO"] < gone + counts["change_over"] + moved
    assert counts["change"] < sent["GC"] < counts["change"] + moved
    orders = ("order_wake_up", "order_wake_up_now", "repeat_wake_up")
    assert sent["WR"] == in_advance + sum(counts[name] for name in orders)
    assert sent["WC"] == counts["cancel_wake_up"]
    set_by_desk = counts["class_of_service"] + counts["message_light"] + counts["do_not_disturb"]
    assert set_by_desk < sent["RE"] < set_by_desk + sum(counts.values())
    assert sent["NS"] == sent["NE"] == counts["audit"] == 1


def record_audits(pms: Pms, clock: Clock, days: int) -> list[tuple[str, bool]]:
    """Return when the night audit began (True) and ended, in local time."""
    audits: list[tuple[str, bool]] = []
    set_night_audit: Callable[[bool], None] = pms.set_night_audit

    def audit(active: bool) -> None:
        audits.append((pms.now().strftime("%d %H:%M"), active))
        set_night_audit(active)

    pms.set_night_audit = audit  # type: ignore[method-assign]
    advance_clock(clock, days * DAY_S)
    return audits


def test_the_night_audit_is_once_a_night_in_local_time() -> None:
    clock, pms, _ = make_life(zone=timezone(timedelta(hours=9)))
    assert record_audits(pms, clock, 2) == [
        ("28 02:30", True),
        ("28 02:50", False),
        ("29 02:30", True),
        ("29 02:50", False),
    ]


@pytest.mark.parametrize(
    ("begin", "starts"),
    [
        (datetime(2026, 3, 27, 12, 0, tzinfo=UTC), ["28 02", "29 03", "30 02"]),
        (datetime(2026, 10, 23, 12, 0, tzinfo=UTC), ["24 02", "25 02", "26 02"]),
    ],
)
def test_daylight_saving_time_neither_adds_nor_skips_an_audit(begin: datetime, starts: list[str]) -> None:
    clock, pms, _ = make_life(zone=ZoneInfo("Europe/Berlin"), begin=begin)
    assert [at[:5] for at, begins in record_audits(pms, clock, 3) if begins] == starts


def test_there_is_no_audit_by_day() -> None:
    clock, pms, life = make_life(begin=datetime(2026, 3, 27, 6, 0, tzinfo=UTC))
    advance_clock(clock, 20 * 3600)
    assert life.counts["audit"] == 0
    assert not pms.in_night_audit


@pytest.mark.parametrize("rooms", [1, 2])
def test_a_very_small_hotel_has_activity(rooms: int) -> None:
    clock, _, life = make_life(rooms=rooms)
    advance_clock(clock, DAY_S)
    assert life.counts["check_in"] > 10
    assert life.counts["check_out"] > 10


def test_activity_starts_with_any_state_of_the_hotel() -> None:
    clock, pms, life = make_life(rooms=5)
    pms.hotel = Hotel(pms.hotel.rooms)
    pms.check_in("101", "Adams")
    pbx = SimulatedPbx(pms).dock(ALL_FIELDS)
    pbx.send(*(f"WR|RN{room}|DAsoon|TI070000|" for room in pms.hotel.rooms))
    advance_clock(clock, DAY_S)
    assert life.counts["cancel_wake_up"]


GUEST_ACTIVITIES: list[Callable[[Pms, Random], int]] = [
    guest_activities.share,
    guest_activities.check_out,
    guest_activities.change,
    guest_activities.take_back_check_out,
    guest_activities.change_over,
    room_moves.move,
    room_moves.move_room,
    room_moves.move_group,
    room_moves.swap,
    room_moves.swap_guests,
    guest_activities.class_of_service,
    guest_activities.message_light,
    guest_activities.do_not_disturb,
    wake_up_activities.order_wake_up,
    wake_up_activities.order_wake_up_now,
    wake_up_activities.repeat_wake_up,
    wake_up_activities.cancel_wake_up,
]


@pytest.mark.parametrize("activity", GUEST_ACTIVITIES)
def test_activities_of_guests_are_impossible_without_guests(activity: Callable[[Pms, Random], int]) -> None:
    _, pms, _ = make_life(rooms=3)
    pms.hotel = Hotel(pms.hotel.rooms)
    assert activity(pms, Random(1)) == 0


def test_activities_that_need_a_vacant_room_are_impossible_in_a_full_hotel() -> None:
    _, pms, _ = make_life(rooms=1)
    pms.hotel = Hotel(pms.hotel.rooms)
    for _ in range(3):
        pms.check_in("101", "Adams")
    for activity in (guest_activities.check_in, guest_activities.share, room_moves.move):
        assert activity(pms, Random(1)) == 0


def test_wake_up_times_are_future_whole_minutes_most_in_the_morning() -> None:
    rng = Random(1)
    now = datetime(2026, 3, 27, 7, 14, 31, tzinfo=timezone(timedelta(hours=9)))
    times = [wake_up_activities.choose_wake_up_time(now, rng) for _ in range(1000)]
    local = now.replace(tzinfo=None)
    assert all(local < time < local + timedelta(days=1, minutes=1) for time in times)
    assert all(time.second == 0 and time.tzinfo is None for time in times)
    soon = [time for time in times if time - local < timedelta(minutes=30)]
    assert 150 < len(soon) < 450
