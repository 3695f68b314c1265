"""The front desk of a property: changes of guests and rooms, and the records that report them to the PBX.

Each operation changes the hotel, then sends its records. If it raises UnknownRoomError, UnknownGuestError or
FieldError, the hotel is unchanged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from random import Random
from typing import Any

from pmslink.fias.record import Field, Record, build_record
from pmslink.simulator.hotel import guest_records, sample_data
from pmslink.simulator.hotel.hotel_model import Guest, Hotel
from pmslink.simulator.hotel.move_records import MOVE_FORMS, MoveForm, MoveWriter
from pmslink.simulator.hotel.room_equipment import Equipment, WakeUpSpelling, build_wake_up, spell_wake_up


class Desk(ABC):
    """A hotel and the operations of its front desk. ``now`` returns its local time."""

    def __init__(self, now: Callable[[], datetime], room_count: int) -> None:
        self.now = now
        self.in_night_audit = False
        """Whether the night audit is running."""
        self._room_count = room_count

    @cached_property
    def hotel(self) -> Hotel:
        """Rooms and guests; created on first use, because few of thousands of properties are used."""
        today = self.now().date()
        guests = sample_data.sample_guests(self._room_count, today)
        return Hotel(
            sample_data.room_numbers(self._room_count),
            guests,
            sample_data.sample_equipment(self._room_count, today),
        )

    # guests

    def check_in(self, room: str, name: str, **details: Any) -> Guest:
        """Check in a guest; ``details`` are attributes of Guest, and the room's ``class_of_service``."""
        guest = self.hotel.check_in(room, name, **{"arrival": self.now().date(), **details})
        self.send_record(guest_records.check_in_record(self.hotel, guest, self._stamp_fields()))
        return guest

    def change(self, number: str, details: Mapping[str, Any]) -> Guest:
        """Change attributes of a guest, and the room's ``class_of_service`` if it is among the details."""
        before = guest_records.guest_fields(self.hotel, self.hotel.guest(number))
        guest = self.hotel.change(number, details)
        if change := guest_records.guest_change_record(self.hotel, guest, before, self._stamp_fields()):
            self.send_record(change)
        return guest

    def move(self, number: str, room: str) -> Guest:
        """Move a guest to another room."""
        before = self.hotel.guest(number)
        for record in self.move_together({number: room}):
            self.send_record(record)
        return self.hotel.guest(before.number)

    def move_together(
        self, rooms: Mapping[str, str], rng: Random | None = None, forms: tuple[MoveForm, ...] = MOVE_FORMS
    ) -> list[Record]:
        """Move guests at one time, each number to this room, and return the records, which are not sent.

        With ``rng``, the records are of random ``forms``, and mixed.
        """
        before = {number: self.hotel.guest(number) for number in rooms}
        self.hotel.move_together(rooms)
        moved = {number: guest for number, guest in before.items() if guest.room != rooms[number]}
        return list(MoveWriter(self.hotel, moved, self._stamp_fields(), rng, forms).write())

    def check_out(self, number: str) -> Guest:
        """Check out a guest."""
        guest = self.hotel.check_out(number)
        self.send_record(guest_records.check_out_record(self.hotel, guest, guest.room, self._stamp_fields()))
        return guest

    def check_in_together(self, room: str, people: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Check in guests who share a vacant room, and return the GI of each, which are not sent.

        GS is N for the first guest, and Y for the others.
        """
        arrival = {"arrival": self.now().date()}
        guests = [self.hotel.check_in(room, **{**arrival, **person}) for person in people]
        return [
            guest_records.check_in_record(self.hotel, guest, self._stamp_fields(), shares=at > 0)
            for at, guest in enumerate(guests)
        ]

    def check_out_together(self, room: str) -> list[Record]:
        """Check out all guests of a room, and return the GO of each, which are not sent."""
        guests = self.hotel.guests_in(room)
        records = []
        for guest in guests:
            self.hotel.check_out(guest.number)
            records.append(guest_records.check_out_record(self.hotel, guest, room, self._stamp_fields()))
        return records

    def take_back_check_outs(self, room: str, returning: Collection[str], rng: Random) -> list[Record]:
        """Check out the guests of a room, and take this back for those with the numbers ``returning``.

        At least one guest returns. Return the GO of each guest and the GI of those who return, mixed; they
        are not sent. GS is the state after each record.
        """
        guests = {guest.number: guest for guest in self.hotel.guests_in(room)}
        turns = [*guests, *returning]
        rng.shuffle(turns)
        present, departed = set(guests), set[str]()
        records, stamp = [], self._stamp_fields()
        for number in turns:
            if number in departed:
                present.add(number)
                shares = len(present) > 1
                records.append(
                    guest_records.check_in_record(self.hotel, guests[number], stamp, shares=shares)
                )
            else:
                departed.add(number)
                present.remove(number)
                shares = bool(present)
                records.append(
                    guest_records.check_out_record(self.hotel, guests[number], room, stamp, shares=shares)
                )
        for number in guests.keys() - set(returning):
            self.hotel.check_out(number)
        return records

    # rooms

    def equipment(self, room: str) -> Equipment:
        """Return the equipment state of a room."""
        return self.hotel.equipment(room)

    def change_equipment(
        self,
        room: str,
        *,
        class_of_service: int | None = None,
        message_light: bool | None = None,
        do_not_disturb: bool | None = None,
        status: str | None = None,
    ) -> Equipment:
        """Set the values that are not None; they are sent even if they are unchanged."""
        equipment = self.equipment(room)
        changes: dict[str, Any] = {
            "class_of_service": class_of_service,
            "message_light": message_light,
            "status": status,
        }
        changes = {name: value for name, value in changes.items() if value is not None}
        if do_not_disturb is not None:
            changes["sign"] = equipment.with_do_not_disturb(do_not_disturb).sign
        self.hotel.change_equipment(room, **changes)
        if changes:
            self.send_record(
                guest_records.equipment_record(room, class_of_service, message_light, do_not_disturb, status)
            )
        return self.equipment(room)

    def order_wake_up(self, room: str, at: datetime, spelling: WakeUpSpelling = "date and time") -> Equipment:
        """Order a wake-up for a room, at a time in the hotel's local time."""
        wake_up = build_wake_up(at)
        self.hotel.set_equipment(room, self.equipment(room).with_wake_ups(wake_up))
        self.send_record(guest_records.wake_up_record(room, spell_wake_up(at, spelling)))
        return self.equipment(room)

    def cancel_wake_up(self, room: str, at: datetime | None = None) -> Equipment:
        """Cancel the wake-up of a room at this time; None cancels all wake-ups of the room."""
        wake_up = None if at is None else build_wake_up(at)
        self.hotel.set_equipment(room, self.equipment(room).without_wake_up(wake_up))
        self.send_record(guest_records.wake_up_cancel_record(room, wake_up))
        return self.equipment(room)

    # night audit

    def set_night_audit(self, active: bool) -> None:
        """Begin or end the night audit; while it runs, postings are answered NA."""
        self.in_night_audit = active
        self.send_record(build_record("NS" if active else "NE", self._stamp_fields()))

    @abstractmethod
    def send_record(self, record: Record) -> None:
        """Send a record to the PBX, or queue it."""

    @abstractmethod
    def _stamp_fields(self) -> list[Field]:
        """Return the date and time of a record (DA, TI)."""
