"""The records of moves that happen at one time, in each of the ways in which PMSs send them.

A PMS sends a move as GC with the old room, as GO and GI in either order, or as GI in the new room alone. The
records of several guests are mixed. GS is the state after the record's event: either the events happen one
after the other, or each record states what holds after all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Literal

from attrs import define, field, frozen

from pmslink.fias.record import Field, Record
from pmslink.simulator.hotel import guest_records
from pmslink.simulator.hotel.hotel_model import Guest, Hotel

MoveForm = Literal["GC", "GO GI", "GI GO", "GI"]
MOVE_FORMS: tuple[MoveForm, ...] = ("GC", "GO GI", "GI GO", "GI")
"""The ways to send a move: the records of one guest, in their order."""
ORDERED_MOVE_FORMS: tuple[MoveForm, ...] = ("GC", "GO GI")
"""The ways whose meaning is clear even if other moves of the guest are received with them."""


@frozen
class _Event:
    """One record of a move."""

    record_id: str
    before: Guest
    after: Guest


@define
class MoveWriter:
    """Writes the records of moves that the hotel has made already.

    ``before`` are the guests as they were before the moves. With ``rng``, the form of each move is one of
    ``forms``, and the records are mixed; otherwise each move is a GC, one guest after the other.
    """

    hotel: Hotel
    before: Mapping[str, Guest]
    stamp: list[Field]
    rng: Random | None = None
    forms: tuple[MoveForm, ...] = MOVE_FORMS
    _occupied: dict[str, set[str]] = field(factory=dict, init=False)

    def write(self) -> Iterator[Record]:
        """Write the records in the order in which they are sent."""
        states_final = self.rng is not None and self.rng.random() < 1 / 3
        for guest in self.hotel.guests.values():
            room = guest.room if states_final else self.before.get(guest.number, guest).room
            self._occupied.setdefault(room, set()).add(guest.number)
        for event in self._events():
            self._happen(event)
            yield self._build_record(event)

    def _events(self) -> list[_Event]:
        events = {
            number: [
                _Event(record_id, guest, self.hotel.guest(number))
                for record_id in self._choose_form().split()
            ]
            for number, guest in self.before.items()
        }
        turns = [number for number, own in events.items() for _ in own]
        if self.rng is not None:
            self.rng.shuffle(turns)
        return [events[number].pop(0) for number in turns]

    def _choose_form(self) -> MoveForm:
        return "GC" if self.rng is None else self.rng.choice(self.forms)

    def _happen(self, event: _Event) -> None:
        """Let the guest leave the old room with the first record, and come with the GI or GC."""
        number = event.after.number
        self._occupied.get(event.before.room, set()).discard(number)
        if event.record_id != "GO":
            self._occupied.setdefault(event.after.room, set()).add(number)

    def _build_record(self, event: _Event) -> Record:
        before, after, stamp = event.before, event.after, self.stamp
        new_shares, old_shares = self._shares(after, after.room), self._shares(after, before.room)
        match event.record_id:
            case "GO":
                return guest_records.check_out_record(self.hotel, after, before.room, stamp, old_shares)
            case "GI":
                return guest_records.check_in_record(self.hotel, after, stamp, new_shares)
            case _:
                return guest_records.move_record(self.hotel, before, after, stamp, (new_shares, old_shares))

    def _shares(self, guest: Guest, room: str) -> bool:
        return bool(self._occupied.get(room, set()) - {guest.number})
