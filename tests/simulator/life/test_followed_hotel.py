"""Days of automatic activity whose records go to pmslink's hotel state at once, without a link and a store.

So many days of many hotels are followed in a short time. At each quiet moment every guest has the same room
and the same settings in both, and nobody was told to have checked out who is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from pmslink.fias.record import Record, build_record
from pmslink.hotel.events import WakeUpFinished
from pmslink.simulator.hotel.room_equipment import WakeUp, build_wake_up
from pmslink.simulator.life.activity_scheduler import Life
from pmslink.simulator.pms.property import Pms
from tests.hotel.hotel_driver import START_TIME, HotelDriver
from tests.memory_network import advance_clock

ROOMS = 12
MAX_OUTAGE_MINUTES = 120
SETTLING_S = 5
"""The time after an outage in which the last move window ends."""
HOUR_S = 3600


class FollowedPms(Pms):
    """A PMS whose records are applied to a hotel state at once, or after an outage."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, self._read_clock, ROOMS)
        self.driver = HotelDriver()
        self.is_up = True
        self._timer: IDelayedCall | None = None
        self.emitted: list[Any] = []
        """The events and wake-up results, each with its time."""

    def _read_clock(self) -> datetime:
        return START_TIME + timedelta(seconds=self.clock.seconds())

    @property
    def alive(self) -> bool:
        return self.is_up

    def send_record(self, record: Record) -> None:
        """Apply a record to the hotel state now, or queue it."""
        if not self.is_up:
            self._queued_records.append(record)
            return
        self.follow()
        self.driver.receive(record.text)
        self._handle_events()
        self.follow()

    def follow(self) -> None:
        """Advance the hotel state to the present, and schedule what is due next."""
        self.driver.jump_to(self.now())
        self._handle_events()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if (due := self.driver.state.next_due_at) is not None:
            seconds = (due - self.driver.now_ms) / 1000
            self._timer = self.clock.callLater(max(seconds, 0.001), self.follow)

    def _handle_events(self) -> None:
        emitted, self.driver.emitted = self.driver.emitted, []
        self.emitted += [(self.now(), one) for one in emitted]
        for one in emitted:
            if isinstance(one, WakeUpFinished):
                date, time = build_wake_up(one.wake_up.at)
                content = [("RN", one.room), ("DA", date), ("TI", time), ("AS", "OK")]
                self.on_record(build_record("WA", content))
            elif one.type == "wake_up.due" and one.room is not None:
                wake_up = one.payload["wake_up"]
                self._check_ring(one.room, wake_up["at"])
                self.driver.report_wake_up("answered", room=one.room, id=wake_up["id"])
                self._handle_events()

    def _check_ring(self, room: str, at: str) -> None:
        """Check that the guest in this room has the wake-up, if pmslink can know it."""
        if self.is_up and not self._queued_records and not self.acts.is_busy(room):
            assert build_wake_up(datetime.fromisoformat(at)) in self.equipment(room).wake_ups

    def end_outage(self) -> None:
        self.is_up = True
        self.send_queued()

    def check(self) -> None:
        """Compare the guests of all rooms that no act is about."""
        self.follow()
        for name, guests in self.hotel.guests_by_room().items():
            if self.acts.is_busy(name):
                continue
            room, equipment = self.driver.state.rooms[name], self.equipment(name)
            assert sorted(self.driver.guests(name)) == sorted(one.number for one in guests), name
            known = (room.class_of_service, room.message_light, room.do_not_disturb)
            expected = (equipment.class_of_service, equipment.message_light, equipment.do_not_disturb)
            wake_ups = [build_wake_up(one.at) for one in room.wake_ups]
            what = f"{name} at {self.now()}"
            assert known == expected, f"{what}: {known} and not {expected}"
            # the results of those that were missed in an outage belong to another room after a move
            assert self._future(wake_ups) == self._future(equipment.wake_ups), what

    def _future(self, wake_ups: Iterable[WakeUp]) -> list[WakeUp]:
        return sorted(one for one in wake_ups if one > build_wake_up(self.now()))

    def check_journeys(self) -> None:
        """Check that the events lead each guest to the present room, and that nobody left twice."""
        rooms: dict[str, str] = {}
        gone = set()
        for _, one in self.emitted:
            if isinstance(one, WakeUpFinished) or "guest" not in one.payload or one.type == "guest.changed":
                continue
            number = one.payload["guest"]["number"]
            if one.type == "guest.checked_in":
                assert number not in rooms
                assert number not in gone
            else:
                assert rooms.pop(number) == one.payload.get("from_room", one.room)
            if one.type == "guest.checked_out":
                assert number not in self.hotel.guests
                gone.add(number)
            else:
                rooms[number] = one.room
        assert rooms == {guest.number: guest.room for guest in self.hotel.guests.values()}


def follow_a_day(seed: int, activities_per_minute: float, outages_per_hour: float) -> Life:
    """Follow a day of automatic activity, and check each hotel six times an hour and after each outage."""
    rng, clock = Random(seed), Clock()
    pms = FollowedPms(clock)
    life = Life(pms, clock, Random(seed), activities_per_minute)
    pms.resync()
    life.start()
    for _ in range(24):
        for _ in range(6):
            advance_clock(clock, HOUR_S / 6 + rng.random())
            pms.check()
        if rng.random() < outages_per_hour:
            pms.is_up = False
            advance_clock(clock, rng.uniform(0.1, MAX_OUTAGE_MINUTES) * 60)
            pms.end_outage()
            advance_clock(clock, SETTLING_S)
            pms.check()
    life.stop()
    advance_clock(clock, HOUR_S)
    pms.check()
    pms.check_journeys()
    return life


@pytest.mark.parametrize("seed", range(8))
def test_a_busy_day_is_followed(seed: int) -> None:
    life = follow_a_day(seed, activities_per_minute=1, outages_per_hour=0)
    moves = ("move", "move_room", "move_group", "swap", "swap_guests", "take_back_check_out", "change_over")
    assert min(life.counts[name] for name in moves) > 10


@pytest.mark.parametrize("seed", range(30))
def test_a_day_is_followed_with_outages(seed: int) -> None:
    life = follow_a_day(seed, activities_per_minute=1 / 8, outages_per_hour=1 / 4)
    assert sum(life.counts.values()) > 100
