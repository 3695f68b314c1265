"""The front desk of a property: changes of guests and rooms, and the records that report them to the PBX.

Each operation changes the hotel, then sends its records. If it raises UnknownRoomError, UnknownGuestError or
FieldError, the hotel is unchanged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from pmslink.fias.record import Field, Record, build_record
from pmslink.simulator.hotel import guest_records, sample_data
from pmslink.simulator.hotel.hotel_model import Guest, Hotel
from pmslink.simulator.hotel.room_equipment import Equipment, build_wake_up


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
        self._send_record(guest_records.check_in_record(self.hotel, guest, self._stamp_fields()))
        return guest

    def change(self, number: str, details: Mapping[str, Any]) -> Guest:
        """Change attributes of a guest, and the room's ``class_of_service`` if it is among the details."""
        before = guest_records.guest_fields(self.hotel, self.hotel.guest(number))
        guest = self.hotel.change(number, details)
        if change := guest_records.guest_change_record(self.hotel, guest, before, self._stamp_fields()):
            self._send_record(change)
        return guest

    def move(self, number: str, room: str) -> Guest:
        """Move a guest to another room.

        GO and GI do not carry what GC moves to the new room; if the move is sent as such a pair, the
        records for it follow.
        """
        before = self.hotel.guest(number)
        old_equipment, is_shared = self.equipment(before.room), self.hotel.is_occupied(room)
        after = self.hotel.move(number, room)
        if after.room != before.room:
            self._send_record(guest_records.move_record(self.hotel, before, after, self._stamp_fields()))
            if not self.hotel.is_occupied(before.room):
                self._send_transferred_equipment(room, old_equipment, is_shared)
        return after

    def check_out(self, number: str) -> Guest:
        """Check out a guest."""
        guest = self.hotel.check_out(number)
        self._send_record(guest_records.check_out_record(self.hotel, guest, guest.room, self._stamp_fields()))
        return guest

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
    ) -> Equipment:
        """Set the values that are not None; they are sent even if they are unchanged."""
        equipment = self.equipment(room)
        changes: dict[str, Any] = {"class_of_service": class_of_service, "message_light": message_light}
        changes = {name: value for name, value in changes.items() if value is not None}
        if do_not_disturb is not None:
            changes["sign"] = equipment.with_do_not_disturb(do_not_disturb).sign
        self.hotel.change_equipment(room, **changes)
        if changes:
            self._send_record(
                guest_records.equipment_record(room, class_of_service, message_light, do_not_disturb)
            )
        return self.equipment(room)

    def order_wake_up(self, room: str, at: datetime) -> Equipment:
        """Order a wake-up for a room, at a time in the hotel's local time."""
        wake_up = build_wake_up(at)
        self.hotel.set_equipment(room, self.equipment(room).with_wake_ups(wake_up))
        self._send_record(guest_records.wake_up_record(room, wake_up))
        return self.equipment(room)

    def cancel_wake_up(self, room: str, at: datetime | None = None) -> Equipment:
        """Cancel the wake-up of a room at this time; None cancels all wake-ups of the room."""
        wake_up = None if at is None else build_wake_up(at)
        self.hotel.set_equipment(room, self.equipment(room).without_wake_up(wake_up))
        self._send_record(guest_records.wake_up_cancel_record(room, wake_up))
        return self.equipment(room)

    # night audit

    def set_night_audit(self, active: bool) -> None:
        """Begin or end the night audit; while it runs, postings are answered NA."""
        self.in_night_audit = active
        self._send_record(build_record("NS" if active else "NE", self._stamp_fields()))

    @abstractmethod
    def _send_record(self, record: Record) -> None:
        """Send a record to the PBX, or queue it."""

    @property
    @abstractmethod
    def _sends_moves_as_pairs(self) -> bool:
        """Whether a room move is sent to the PBX as GO and GI."""

    def _send_transferred_equipment(self, room: str, old: Equipment, is_shared: bool) -> None:
        is_pair = self._sends_moves_as_pairs
        # GC does not define whether the light of a shared room is switched on
        if old.message_light and (is_pair or is_shared):
            self._send_record(guest_records.equipment_record(room, None, True, None))
        if is_pair:
            for wake_up in old.wake_ups:
                self._send_record(guest_records.wake_up_record(room, wake_up))

    @abstractmethod
    def _stamp_fields(self) -> list[Field]:
        """Return the date and time of a record (DA, TI)."""
