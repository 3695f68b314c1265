"""The records of a window: its plan, sent in one of the ways of a PMS.

A PMS sends a move as GC with RO, as GO and GI, or as GI in the new room alone. It may leave out the GO of a
guest whose room another guest gets with GS N. Each GS is the state after the event of its record: either the
events happen one after the other, in any order, or each record states what holds after all of them.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from tests.hotel.permutations.chooser import Chooser
from tests.hotel.permutations.hotel_truth import HotelTruth, Window


@frozen
class Sent:
    """A record, and what it says of the guests of the window's plan.

    `emptied_rooms`: rooms in which, as GS says, nobody stays who was there before. `states_class`: the record
    ends with CS, the class of service that the plan has for the room, or that the room has had before.
    """

    text: str
    room: str = ""
    gone: frozenset[str] = frozenset()
    come: str = ""
    emptied_rooms: frozenset[str] = frozenset()
    states_class: Literal["", "planned", "current"] = ""
    by_resync: bool = False
    is_missed: bool = False
    """Whether it is a GC about a guest who was not in the hotel."""
    shared_rooms: frozenset[str] = frozenset()
    """The rooms that guests leave, and in which others stay, as GS says."""
    may_repeat: bool = True


@frozen
class _Event:
    """A guest leaves a room or comes into one, or both. `record_id` is empty if no record is about it."""

    guest: str
    record_id: str
    old_room: str = ""
    new_room: str = ""


class RecordWriter:
    """Write the records of a window.

    `resync`: guests of the window may appear only in a resync after its events. If a resync has sent the
    guests before the window's events, the PMS leaves out no GO.
    """

    def __init__(
        self,
        chooser: Chooser,
        truth: HotelTruth,
        window: Window,
        names: dict[str, str],
        resync: Literal["", "before", "after"],
    ) -> None:
        self._choose = chooser
        self._truth = truth
        self._window = window
        self._plan = window.plan
        self._names = names
        self._resync = resync
        self._occupied = dict(truth.room_by_guest)  # the room of each guest, after each event
        self._states_final = chooser.rarely(3)
        self._states_class_once = chooser.rarely(4)
        self._classes_stated: set[str] = set()

    def write(self) -> list[Sent]:
        """Write the records, in the order in which the PMS sends them."""
        if self._states_final:
            self._occupied.update(self._plan.targets)
            for guest in self._plan.departures:
                del self._occupied[guest]
        histories = self._choose_histories()
        turns = self._choose.shuffled([guest for guest, events in histories.items() for _ in events])
        silent = [guest for guest in self._plan.departures if not histories[guest][0].record_id]
        turns = silent + [guest for guest in turns if guest not in silent]
        written = [self._write_event(histories[guest].pop(0)) for guest in turns]
        records = [record for record in written if record.text]
        if self._resync != "after":
            records += [self._write_event(one) for one in self._missing_check_outs(silent, records)]
        ordered = self._choose.shuffled(records) if self._choose.rarely(2) else records
        return self._with_repetitions(self._with_returns_in_order(ordered))

    def _choose_histories(self) -> dict[str, list[_Event]]:
        old, in_resync = self._truth.room_by_guest, [""] * (self._resync == "after")
        histories: dict[str, list[_Event]] = {}
        for guest in sorted(self._plan.departures):
            ways = ["GO"] if self._resync == "before" else ["GO", "GO", ""]
            histories[guest] = [_Event(guest, self._choose.one(ways), old[guest])]
        for guest, new in self._plan.arrivals.items():
            seldom = ["GC"] * self._may_be_missed(new) + in_resync
            way = self._choose.one(["GI", "GI", "GI", "GI", *seldom])
            histories[guest] = [_Event(guest, way, "", new)]
        for guest, new in self._plan.moves.items():
            way = self._choose.one(["GC", "GO", "GI", *in_resync])
            histories[guest] = [_Event(guest, way, old[guest], "" if way == "GO" else new)]
            if way == "GO":
                histories[guest].append(_Event(guest, "GI", "", new))
        for guest in sorted(self._plan.returned):
            histories[guest] = [_Event(guest, "GO", old[guest]), _Event(guest, "GI", "", old[guest])]
        return histories

    def _may_be_missed(self, room: str) -> bool:
        """Check whether the check-in of a guest may be missed, which resets no room.

        If another guest comes into the room too, it is not determined whether that guest resets it.
        """
        is_vacant = not self._truth.guests_of(room)
        return bool(self._window.stayers(room)) or (is_vacant and len(self._window.newcomers(room)) == 1)

    def _missing_check_outs(self, silent: list[str], records: list[Sent]) -> list[_Event]:
        """Find guests who leave although no record says so."""
        emptied = {room for record in records for room in record.emptied_rooms}
        rooms = {guest: self._truth.room_by_guest[guest] for guest in silent}
        return [_Event(guest, "GO", room) for guest, room in rooms.items() if room not in emptied]

    def _write_event(self, event: _Event) -> Sent:
        if not self._states_final:
            self._occupied.pop(event.guest, None)
            if event.new_room:
                self._occupied[event.guest] = event.new_room
        rooms = [room for room in (event.old_room, event.new_room) if room]
        shared = {room for room in rooms if self._is_shared(room, event.guest)}
        gs = {room: f"GS{'Y' if room in shared else 'N'}|" for room in rooms}
        number, new = f"G#{event.guest}|", f"RN{event.new_room}|"
        name = f"GN{self._names[event.guest]}|"
        match event:
            case _Event(record_id="GO", old_room=old):
                text = f"GO|RN{old}|{number}{gs[old]}"
            case _Event(record_id="GI", new_room=room):
                text = f"GI|{new}{number}{gs[room]}{name}"
            case _Event(record_id="GC", old_room="", new_room=room):
                text = f"GC|{new}{number}{gs[room]}{name}"
            case _Event(record_id="GC", old_room=old, new_room=room):
                first, second = self._choose.shuffled([f"{new}{gs[room]}", f"RO{old}|{gs[old]}"])
                text = f"GC|{first}{number}{second}{self._choose.one([name, ''])}"
            case _:
                return Sent("")
        if event.record_id == "GI":  # it does not say what happens in the room that the guest leaves
            gs.pop(event.old_room, None)
            shared.discard(event.old_room)
        return Sent(
            text,
            event.new_room or event.old_room,
            frozenset([event.guest]) if event.old_room else frozenset(),
            event.guest if event.new_room else "",
            frozenset(room for room, flag in gs.items() if flag == "GSN|"),
            self._state_class(event.new_room),
            is_missed=event.record_id == "GC" and not event.old_room,
            shared_rooms=frozenset(
                room for room, flag in gs.items() if flag == "GSY|" and room == event.old_room
            ),
            may_repeat=event.guest not in self._plan.returned,
        )

    def _is_shared(self, room: str, guest: str) -> bool:
        return any(occupied == room and other != guest for other, occupied in self._occupied.items())

    def _state_class(self, room: str) -> Literal["", "planned"]:
        if not room or (self._states_class_once and room in self._classes_stated):
            return ""
        self._classes_stated.add(room)
        return "planned"

    def _with_returns_in_order(self, records: list[Sent]) -> list[Sent]:
        """Let the GO of each guest who returns come before the GI."""
        records = list(records)
        for guest in self._plan.returned:
            gone = next(at for at, record in enumerate(records) if guest in record.gone)
            come = next(at for at, record in enumerate(records) if guest == record.come)
            if come < gone:
                records[come], records[gone] = records[gone], records[come]
        return records

    def _with_repetitions(self, records: list[Sent]) -> list[Sent]:
        repeatable = [record for record in records if record.may_repeat]
        for record in self._choose.some(repeatable, most=2 if self._choose.rarely(3) else 0):
            first = records.index(record)
            records.insert(self._choose.number(len(records), first + 1), record)
        return records


class ResyncWriter:
    """Write the records of a resync: the guests and the vacant rooms before or after the window's events."""

    def __init__(
        self, chooser: Chooser, truth: HotelTruth, window: Window, names: dict[str, str], is_after: bool
    ) -> None:
        self._choose = chooser
        self._window = window
        self._names = names
        self._rooms = list(truth.settings)
        self._room_by_guest = dict(truth.room_by_guest)
        self._is_after = is_after
        if is_after:
            self._room_by_guest.update(window.plan.targets)
            for guest in window.plan.departures:
                del self._room_by_guest[guest]

    def write(self) -> list[Sent]:
        """Write the records from DS to DE."""
        records = [record for room in self._choose.shuffled(self._rooms) for record in self.write_room(room)]
        gone = self._window.plan.departures if self._is_after else frozenset[str]()
        return [Sent("DS|", may_repeat=False), *records, Sent("DE|", gone=gone, by_resync=True)]

    def write_room(self, room: str) -> list[Sent]:
        """Write the records of a room."""
        guests = sorted(guest for guest, occupied in self._room_by_guest.items() if occupied == room)
        if not guests:
            return [Sent(f"GO|RN{room}|GSN|SF|", room, by_resync=True)]
        guests = self._choose.shuffled(guests)
        states_state = self._choose.rarely(2)  # otherwise the first guest of each room has GS N
        records = []
        for at, guest in enumerate(guests):
            gs = "GSY|" if at or (states_state and len(guests) > 1) else "GSN|"
            text = f"GI|RN{room}|G#{guest}|{gs}GN{self._names[guest]}|SF|"
            come = guest if self._is_after else ""
            is_new = self._is_after and bool(self._window.newcomers(room))
            records.append(
                Sent(text, room, come=come, states_class="planned" if is_new else "current", by_resync=True)
            )
        return records
