"""A hotel that lives: what happens in it, how often, and that it is the same each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from twisted.internet.task import Clock

from pmslink.simulator.hotel.hotel_model import Hotel
from pmslink.simulator.hotel.room_equipment import Equipment
from pmslink.simulator.life import guest_activities
from pmslink.simulator.life.activity_scheduler import Life
from pmslink.simulator.pms.property import Pms
from tests.simulator.simulated_pbx import SimulatedPbx

BEGIN = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
DAY = 86_400
EVERYTHING = {
    "GI": "RNG#GSGNGFGTGLGVGAGDCSSF",
    "GO": "RNG#GSSF",
    "GC": "RNG#GSGNGFGTGLGVGAGDCSRO",
    "RE": "RNCSDNMLRSVM",
    "WR": "RNDATI",
    "WC": "RNDATI",
    "NS": "DATI",
    "NE": "DATI",
}


def living(
    rooms: int = 30, pace: float = 6.0, seed: int = 1, zone: Any = UTC, begin: datetime = BEGIN
) -> tuple[Clock, Pms, Life]:
    clock = Clock()
    pms = Pms(clock, lambda: (begin + timedelta(seconds=clock.seconds())).astimezone(zone), rooms)
    life = Life(pms, clock, Random(seed), pace)
    life.start()
    return clock, pms, life


def lived(clock: Clock, seconds: float, step: float = 60.0) -> None:
    clock.pump([step] * round(seconds / step))


def test_costs_one_delayed_call_and_none_when_it_stops() -> None:
    clock, _, life = living()
    life.start()
    assert len(clock.getDelayedCalls()) == 1
    assert not life.counts
    lived(clock, 600)
    assert len(clock.getDelayedCalls()) == 1
    life.stop()
    life.stop()
    assert clock.getDelayedCalls() == []
    life.start()
    assert len(clock.getDelayedCalls()) == 1


def test_is_a_function_of_clock_and_seed() -> None:
    def told(seed: int, step: float) -> list[str]:
        clock, pms, _ = living(seed=seed)
        pbx = SimulatedPbx(pms).dock(EVERYTHING)
        lived(clock, 3600, step)
        return pbx.take_records()

    assert told(1, 60) == told(1, 60)
    assert told(1, 60) != told(2, 60)
    # in coarser steps the same happens, only later
    assert [text[:2] for text in told(1, 60)] == [text[:2] for text in told(1, 1)]


@pytest.mark.parametrize("pace", [0.5, 6.0, 60.0])
def test_keeps_its_pace(pace: float) -> None:
    clock, _, life = living(rooms=100, pace=pace)
    lived(clock, DAY / pace, 30)
    # some happenings are several of a kind: guests of a room leave together, wake-ups come in twos
    assert 1440 * 0.9 < sum(life.counts.values()) < 1440 * 1.5


def test_makes_up_for_ten_minutes_that_the_clock_has_jumped_and_no_more() -> None:
    clock, _, life = living(pace=60)
    clock.advance(7 * DAY)
    assert 400 < sum(life.counts.values()) < 1000


def test_a_week_of_three_hundred_rooms() -> None:
    clock, pms, life = living(rooms=300, pace=2.0)
    occupied: list[float] = []
    for _ in range(7 * 24):
        lived(clock, 3600)
        rooms = pms.hotel.guests_by_room()
        occupied.append(sum(map(bool, rooms.values())) / 300)
        assert max(map(len, rooms.values())) <= 3
        for room, guests in rooms.items():
            if not guests:
                assert pms.equipment(room) == Equipment()
    assert 0.55 < min(occupied) <= max(occupied) < 0.78
    known = {happening.__name__ for happening in guest_activities._ACTIVITY_WEIGHTS}
    assert set(life.counts) == known | {"audit"}
    assert min(life.counts[name] for name in known) > 300
    assert life.counts["audit"] == 7
    assert any(len(pms.equipment(room).wake_ups) > 1 for room in pms.hotel.rooms)


def test_what_is_told_is_what_is_counted() -> None:
    clock, pms, life = living(rooms=60)
    pbx = SimulatedPbx(pms).dock(EVERYTHING)
    lived(clock, DAY, 600)
    told = Counter(text[:2] for text in pbx.take_records())
    counts = life.counts
    assert told["GI"] == counts["check_in"] + counts["share"]
    assert told["GO"] == counts["check_out"]
    assert told["GC"] == counts["change"] + counts["move"]
    assert told["WR"] == counts["order_wake_up"]
    assert told["WC"] == counts["cancel_wake_up"]
    set_by_desk = counts["class_of_service"] + counts["message_light"] + counts["do_not_disturb"]
    assert set_by_desk <= told["RE"] <= set_by_desk + counts["move"]
    assert told["NS"] == told["NE"] == counts["audit"] == 1


def audits(pms: Pms, clock: Clock, days: int) -> list[tuple[str, bool]]:
    """When the night audit began and ended, in local time."""
    seen: list[tuple[str, bool]] = []
    whole: Callable[[bool], None] = pms.set_night_audit

    def audit(active: bool) -> None:
        seen.append((pms.now().strftime("%d %H:%M"), active))
        whole(active)

    pms.set_night_audit = audit  # type: ignore[method-assign]
    lived(clock, days * DAY)
    return seen


def test_the_night_audit_is_once_a_night_in_local_time() -> None:
    clock, pms, _ = living(zone=timezone(timedelta(hours=9)))
    assert audits(pms, clock, 2) == [
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
def test_summer_time_costs_no_audit_and_gives_none(begin: datetime, starts: list[str]) -> None:
    clock, pms, _ = living(zone=ZoneInfo("Europe/Berlin"), begin=begin)
    assert [at[:5] for at, begins in audits(pms, clock, 3) if begins] == starts


def test_there_is_no_audit_by_day() -> None:
    clock, pms, life = living(begin=datetime(2026, 3, 27, 6, 0, tzinfo=UTC))
    lived(clock, 20 * 3600)
    assert life.counts["audit"] == 0
    assert not pms.in_night_audit


@pytest.mark.parametrize("rooms", [1, 2])
def test_a_very_small_hotel_lives_too(rooms: int) -> None:
    clock, _, life = living(rooms=rooms)
    lived(clock, DAY)
    assert life.counts["check_in"] > 10
    assert life.counts["check_out"] > 10


def test_it_takes_the_hotel_as_it_finds_it() -> None:
    clock, pms, life = living(rooms=5)
    pms.hotel = Hotel(pms.hotel.rooms)
    pms.check_in("101", "Adams")
    pbx = SimulatedPbx(pms).dock(EVERYTHING)
    pbx.send(*(f"WR|RN{room}|DAsoon|TI070000|" for room in pms.hotel.rooms))
    lived(clock, DAY)
    assert life.counts["cancel_wake_up"]


NOBODY: list[Callable[[Pms, Random], int]] = [
    guest_activities.share,
    guest_activities.check_out,
    guest_activities.change,
    guest_activities.move,
    guest_activities.class_of_service,
    guest_activities.message_light,
    guest_activities.do_not_disturb,
    guest_activities.order_wake_up,
    guest_activities.cancel_wake_up,
]


@pytest.mark.parametrize("happening", NOBODY)
def test_what_needs_a_guest_does_not_happen_without_one(happening: Callable[[Pms, Random], int]) -> None:
    _, pms, _ = living(rooms=3)
    pms.hotel = Hotel(pms.hotel.rooms)
    assert happening(pms, Random(1)) == 0


def test_what_needs_a_room_does_not_happen_in_a_full_hotel() -> None:
    _, pms, _ = living(rooms=1)
    pms.hotel = Hotel(pms.hotel.rooms)
    for _ in range(3):
        pms.check_in("101", "Adams")
    for happening in (guest_activities.check_in, guest_activities.share, guest_activities.move):
        assert happening(pms, Random(1)) == 0


def test_wake_ups_are_for_a_whole_minute_to_come_most_in_the_morning() -> None:
    chance = Random(1)
    now = datetime(2026, 3, 27, 7, 14, 31, tzinfo=timezone(timedelta(hours=9)))
    moments = [guest_activities.choose_wake_up_time(now, chance) for _ in range(1000)]
    local = now.replace(tzinfo=None)
    assert all(local < moment < local + timedelta(days=1, minutes=1) for moment in moments)
    assert all(moment.second == 0 and moment.tzinfo is None for moment in moments)
    soon = [moment for moment in moments if moment - local < timedelta(minutes=30)]
    assert 150 < len(soon) < 450
