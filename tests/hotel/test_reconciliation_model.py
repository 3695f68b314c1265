"""Any work by hand and any work at the PMS during outages: in the end the rooms are as the PMS says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.errors import NotApplicableError
from pmslink.hotel.events import Event
from pmslink.hotel.rooms import is_manual_number
from tests.hotel.hotel_driver import HotelDriver
from tests.hotel.test_any_record import assert_consistent, random_record

ROOMS = ("101", "102", "103", "104")
NAMES = ("Adams", "Bauer", "Cole", "Day", "Engel", "Fox")
DAY_S = 24 * 3600

by_hand = st.one_of(
    st.tuples(st.just("check_in"), st.sampled_from(ROOMS), st.sampled_from(NAMES)),
    st.tuples(st.just("check_out"), st.sampled_from(ROOMS), st.just("")),
    st.tuples(st.just("move"), st.sampled_from(ROOMS), st.sampled_from(ROOMS)),
)
at_the_pms = st.one_of(
    st.tuples(st.just("arrives"), st.sampled_from(ROOMS), st.sampled_from(NAMES)),
    st.tuples(st.just("leaves"), st.sampled_from(ROOMS), st.just("")),
    st.tuples(st.just("moves"), st.sampled_from(ROOMS), st.sampled_from(ROOMS)),
)


class Pms:
    """The guests whom a PMS has, by room: number and name. `numbered`: it has reservation numbers.

    Each guest has a class of service and a wake-up of their own, which the PMS sends after a resync.
    """

    def __init__(self, numbered: bool) -> None:
        self.numbered = numbered
        self.guests: dict[str, tuple[str, str]] = {}
        self._names: set[str] = set()  # of all guests so far; no two have the same

    def act(self, what: str, room: str, other: str) -> list[str]:
        """Change the list, and return the records of it."""
        if what == "arrives" and room not in self.guests and other not in self._names:
            self._names.add(other)
            self.guests[room] = (str(len(self._names)) if self.numbered else "", other)
            return [f"GI|{self._guest(room)}GSN|"]
        if what == "leaves" and room in self.guests:
            record = f"GO|{self._guest(room)}GSN|"
            del self.guests[room]
            return [record]
        if what == "moves" and room in self.guests and other not in self.guests:
            self.guests[other] = self.guests.pop(room)
            return [f"GC|{self._guest(other)}RO{room}|"]
        return []

    def resync(self) -> list[str]:
        records = [f"GI|{self._guest(room)}GSN|SF|" for room in self.guests]
        records += [f"GO|RN{room}|SF|" for room in ROOMS if room not in self.guests]
        settings = [f"RE|RN{room}|CS{self.class_of(room)}|" for room in ROOMS]
        settings += [f"WR|RN{room}|DA260301|TI07{self._guest_index(room):02}|" for room in self.guests]
        return ["DS|", *records, "DE|", *settings]

    def class_of(self, room: str) -> int:
        """The class of service of a room: 0 if it is vacant."""
        return self._guest_index(room) % 3 + 1 if room in self.guests else 0

    def wake_ups_of(self, room: str) -> list[int]:
        """The minutes after seven at which the PMS has wake-ups in a room."""
        return [self._guest_index(room)] if room in self.guests else []

    def _guest_index(self, room: str) -> int:
        return NAMES.index(self.guests[room][1])

    def _guest(self, room: str) -> str:
        number, name = self.guests[room]
        return f"RN{room}|{f'G#{number}|' if number else ''}GN{name}|CS{self.class_of(room)}|"


class Pbx:
    """What a PBX knows of the rooms that it gets events of; it does not forgive a second check-in."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {room: [] for room in ROOMS}

    def on_events(self, hotel: HotelDriver) -> None:
        events, hotel.emitted = hotel.emitted, []
        for event in events:
            if isinstance(event, Event) and event.type.startswith("guest."):
                self._on_event(event.type, event.room or "", dict(event.payload))

    def _on_event(self, type: str, room: str, payload: dict[str, Any]) -> None:
        name = payload["guest"]["name"]
        if type == "guest.checked_in":
            assert name not in self.names[room], "checked in twice"
            self.names[room].append(name)
        elif type == "guest.checked_out":
            self.names[room].remove(name)
            assert payload["vacant"] == (not self.names[room])
        elif type == "guest.moved":
            self.names[payload["from_room"]].remove(name)
            self.names[room].append(name)
        else:
            assert len(self.names[room]) == 1, "changed in a vacant room"
            self.names[room] = [name]


def work_by_hand(hotel: HotelDriver, what: str, room: str, other: str) -> None:
    acts: dict[str, Callable[[], Any]] = {
        "check_in": lambda: hotel.check_in_by_hand(room, other),
        "check_out": lambda: hotel.check_out_by_hand(room),
        "move": lambda: hotel.move_by_hand(room, other),
    }
    with suppress(NotApplicableError):
        acts[what]()


def names_by_room(hotel: HotelDriver) -> dict[str, list[str | None]]:
    return {
        name: [one.name for one in room.guests] for name, room in hotel.state.rooms.items() if room.guests
    }


@settings(max_examples=200, deadline=None, derandomize=True, report_multiple_bugs=False)
@given(data=st.data())
def test_in_the_end_the_rooms_are_as_the_pms_says(data: st.DataObject) -> None:
    hotel, pms, pbx = HotelDriver(), Pms(data.draw(st.booleans(), "numbered")), Pbx()
    for outage in range(data.draw(st.integers(1, 3), "outages")):
        for act in data.draw(st.lists(at_the_pms, max_size=4), "before it"):
            hotel.receive(*pms.act(*act))
            pbx.on_events(hotel)
            hotel.wait(3)
            pbx.on_events(hotel)
        for act in data.draw(st.lists(by_hand, max_size=6), f"by hand in outage {outage}"):
            work_by_hand(hotel, *act)
            pbx.on_events(hotel)
        for act in data.draw(st.lists(at_the_pms, max_size=3), "at the PMS meanwhile"):
            pms.act(*act)
        if data.draw(st.booleans(), "restart"):
            hotel.reload()
        hotel.receive_in_new_session(*pms.resync())
        pbx.on_events(hotel)
    differing = [change.id for change in hotel.state.manual.open if change.outcome != "waiting"]
    for change_id in data.draw(st.permutations(differing), "decisions"):
        decision = data.draw(st.sampled_from([hotel.take, hotel.keep, None]), "decision")
        if decision is not None:
            with suppress(NotApplicableError):
                decision(change_id)
            pbx.on_events(hotel)
    kept = [change.id for change in hotel.state.manual.open if change.outcome == "kept"]
    hotel.wait(DAY_S + 3)
    pbx.on_events(hotel)
    for change_id in kept:
        with suppress(NotApplicableError):
            hotel.take(change_id)
        pbx.on_events(hotel)
    hotel.wait(3)
    assert names_by_room(hotel) == {room: [name] for room, (_, name) in pms.guests.items()}
    assert {room: names for room, names in pbx.names.items() if names} == names_by_room(hotel)
    assert hotel.state.manual.open == []
    if pms.numbered:  # else a guest who follows another one unseen is taken for the same one
        settings_by_room = {
            name: (room.class_of_service or 0, [one.at.minute for one in room.wake_ups])
            for name, room in hotel.state.rooms.items()
        }
        assert settings_by_room == {
            name: (pms.class_of(name), pms.wake_ups_of(name)) for name in settings_by_room
        }
    again = hotel.receive_in_new_session(*pms.resync())
    assert [event for event in again if event.startswith(("guest.", "wake_up."))] == []


@pytest.mark.parametrize("seed", range(3))
def test_no_record_fails_because_of_what_was_done_by_hand(seed: int) -> None:
    random = Random(seed)
    for _ in range(100):
        hotel = HotelDriver()
        for _ in range(60):
            if random.random() < 0.7:
                hotel.receive(random_record(random))
            elif random.random() < 0.7:
                act = random.choice(["check_in", "check_out", "move"])
                other = random.choice(NAMES if act == "check_in" else ROOMS)
                work_by_hand(hotel, act, random.choice(ROOMS), other)
            else:
                hotel.reload()
                hotel.wait(random.choice([0.5, 3, DAY_S / 2]))
            assert_consistent(hotel)
        hotel.receive("DE|")
        hotel.wait(2 * DAY_S + 10)
        assert [one for one in hotel.state.manual.by_id.values() if one.outcome != "waiting"] == []
        assert {one.number for one in hotel.state.manual.open if one.what == "check_in"} == {
            number for number in hotel.state.room_by_guest if is_manual_number(number)
        }
