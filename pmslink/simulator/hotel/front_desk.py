"""The front desk of a property: what it does with guests and rooms, and what the PBX is told of it.

Each act changes the hotel first and is told then. Each raises UnknownRoomError, UnknownGuestError or
FieldError, and has changed nothing then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from pmslink.fias.field_values import date_time_fields
from pmslink.fias.record import Field, Record, build_record
from pmslink.simulator.hotel import guest_records, sample_data
from pmslink.simulator.hotel.hotel_model import Guest, Hotel
from pmslink.simulator.hotel.room_equipment import Equipment, build_wake_up


class Desk(ABC):
    """A hotel and what is done with it. ``now`` gives its local time."""

    def __init__(self, now: Callable[[], datetime], room_count: int) -> None:
        self.now = now
        self.in_night_audit = False
        """Whether the night audit runs."""
        self._room_count = room_count

    @cached_property
    def hotel(self) -> Hotel:
        """Rooms and guests, made when somebody first asks."""
        today = self.now().date()
        guests = sample_data.sample_guests(self._room_count, today)
        return Hotel(
            sample_data.room_numbers(self._room_count),
            guests,
            sample_data.sample_equipment(self._room_count, today),
        )

    # guests

    def check_in(self, room: str, name: str, **details: Any) -> Guest:
        """A guest arrives; ``details`` are those of Guest, and the room's ``parse_class_of_service``."""
        guest = self.hotel.check_in(room, name, **{"arrival": self.now().date(), **details})
        self._send_record(guest_records.check_in_record(self.hotel, guest, self._stamp_fields()))
        return guest

    def change(self, number: str, details: Mapping[str, Any]) -> Guest:
        """What is known of a guest changes; so does the room's class of service, if it is given."""
        before = guest_records.guest_fields(self.hotel, self.hotel.guest(number))
        guest = self.hotel.change(number, details)
        if change := guest_records.guest_change_record(self.hotel, guest, before, self._stamp_fields()):
            self._send_record(change)
        return guest

    def move(self, number: str, room: str) -> Guest:
        """A guest takes another room.

        Told as a check-out and a check-in, it would lose what only GC moves; so that is told again.
        """
        before = self.hotel.guest(number)
        was = self.equipment(before.room), self.hotel.is_occupied(room)
        after = self.hotel.move(number, room)
        if after.room != before.room:
            self._send_record(guest_records.move_record(self.hotel, before, after, self._stamp_fields()))
            if not self.hotel.is_occupied(before.room):
                self._send_transferred_equipment(room, *was)
        return after

    def check_out(self, number: str) -> Guest:
        """A guest leaves."""
        guest = self.hotel.check_out(number)
        self._send_record(guest_records.check_out_record(self.hotel, guest, guest.room, self._stamp_fields()))
        return guest

    # rooms

    def equipment(self, room: str) -> Equipment:
        """How a room is, beside its guests."""
        return self.hotel.equipment(room)

    def change_equipment(
        self,
        room: str,
        *,
        class_of_service: int | None = None,
        message_light: bool | None = None,
        do_not_disturb: bool | None = None,
    ) -> Equipment:
        """Set what is not None; it is told also if it was so before."""
        equipment = self.equipment(room)
        changes: dict[str, Any] = {"class_of_service": class_of_service, "message_light": message_light}
        changes = {name: value for name, value in changes.items() if value is not None}
        if do_not_disturb is not None:
            changes["sign"] = equipment.with_do_not_disturb(do_not_disturb).sign
        self.hotel.change_equipment(room, **changes)
        if changes:
            told = guest_records.equipment_record(room, class_of_service, message_light, do_not_disturb)
            self._send_record(told)
        return self.equipment(room)

    def order_wake_up(self, room: str, moment: datetime) -> Equipment:
        """Somebody wants to be woken at a moment of the hotel's local time."""
        wake_up = build_wake_up(moment)
        self.hotel.set_equipment(room, self.equipment(room).with_wake_ups(wake_up))
        self._send_record(guest_records.wake_up_record(room, wake_up))
        return self.equipment(room)

    def cancel_wake_up(self, room: str, moment: datetime | None = None) -> Equipment:
        """Nobody is to be woken there at this moment; None is any moment."""
        wake_up = None if moment is None else build_wake_up(moment)
        self.hotel.set_equipment(room, self.equipment(room).without_wake_up(wake_up))
        self._send_record(guest_records.wake_up_cancel_record(room, wake_up))
        return self.equipment(room)

    # the house

    def set_night_audit(self, active: bool) -> None:
        """Night audit begins or ends; in between, postings are answered NA."""
        self.in_night_audit = active
        self._send_record(build_record("NS" if active else "NE", self._stamp_fields()))

    # within

    @abstractmethod
    def _send_record(self, record: Record) -> None:
        """Have the PBX hear of it, now or later."""

    @property
    @abstractmethod
    def _sends_moves_as_pairs(self) -> bool:
        """Whether the PBX hears of a room move as a check-out and a check-in."""

    def _send_transferred_equipment(self, room: str, old: Equipment, shared: bool) -> None:
        pair = self._sends_moves_as_pairs
        if old.message_light and (
            pair or shared
        ):  # whether the light of a shared room goes on, GC leaves open
            self._send_record(guest_records.equipment_record(room, None, True, None))
        if pair:
            for wake_up in old.wake_ups:
                self._send_record(guest_records.wake_up_record(room, wake_up))

    def _stamp_fields(self) -> list[Field]:
        return date_time_fields(self.now())
