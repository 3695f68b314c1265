"""A hotel: rooms, their equipment, and the guests who stay in them; without links and records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from attrs import evolve, frozen

from pmslink.errors import PmslinkError
from pmslink.fias.field_values import serialize_date
from pmslink.fias.record import Field, build_record
from pmslink.simulator.hotel.room_equipment import Equipment

_DEFAULT_EQUIPMENT = Equipment()


class UnknownRoomError(PmslinkError):
    """Report a room that the hotel does not have."""

    def __init__(self, room: str) -> None:
        super().__init__(f"there is no room {room!r}")


class UnknownGuestError(PmslinkError):
    """Report a guest number that is not in the hotel."""

    def __init__(self, number: str) -> None:
        super().__init__(f"there is no guest {number!r}")


@frozen
class Guest:
    """One stay of one person. Raises FieldError for a value that a record cannot carry."""

    number: str
    """The reservation number, G#."""
    room: str
    name: str
    first_name: str = ""
    title: str = ""
    language: str = ""
    arrival: date | None = None
    departure: date | None = None
    vip: str = ""

    def __attrs_post_init__(self) -> None:
        build_record("GI", self.fields())

    def fields(self) -> list[Field]:
        """Return the guest's fields in a record, without empty ones."""
        values = {
            "GN": self.name,
            "GF": self.first_name,
            "GT": self.title,
            "GL": self.language,
            "GV": self.vip,
            "GA": serialize_date(self.arrival) if self.arrival else "",
            "GD": serialize_date(self.departure) if self.departure else "",
        }
        return [
            ("RN", self.room),
            ("G#", self.number),
            *((code, text) for code, text in values.items() if text),
        ]


class Hotel:
    """The current guests, and the equipment of each room."""

    def __init__(
        self,
        rooms: tuple[str, ...],
        guests: Iterable[Guest] = (),
        equipment: Mapping[str, Equipment] | None = None,
    ) -> None:
        self.rooms = rooms
        self.guests = {guest.number: guest for guest in guests}
        self._equipment = dict(equipment or {})
        self._next_number = max((int(number) for number in self.guests), default=5000) + 1

    def guest(self, number: str) -> Guest:
        """Return the guest with this number. Raises UnknownGuestError."""
        try:
            return self.guests[number]
        except KeyError:
            raise UnknownGuestError(number) from None

    def check_in(self, room: str, name: str, *, class_of_service: int | None = None, **details: Any) -> Guest:
        """Add a guest; ``details`` are attributes of Guest. Raises UnknownRoomError or FieldError.

        The first guest's check-in resets the room, except for a class of service that is given, and ends the
        wake-ups of a vacant room. A sharer changes only a class of service that is given.
        """
        self._require_room(room)
        guest = Guest(str(self._next_number), room, name, **details)
        shared = self.is_occupied(room)
        self._next_number += 1
        self.guests[guest.number] = guest
        if not shared:
            self._equipment[room] = self.equipment(room).reset_for_check_in(class_of_service)
        elif class_of_service is not None:
            self.change_equipment(room, class_of_service=class_of_service)
        return guest

    def change(self, number: str, details: Mapping[str, Any]) -> Guest:
        """Change attributes of a guest. Raises UnknownGuestError or FieldError.

        A class of service among the details belongs to the room; None removes it.
        """
        personal = {name: value for name, value in details.items() if name != "class_of_service"}
        guest = evolve(self.guest(number), **personal)
        self.guests[number] = guest
        if len(personal) < len(details):
            self.change_equipment(guest.room, class_of_service=details["class_of_service"])
        return guest

    def move(self, number: str, room: str) -> Guest:
        """Move a guest to another room. Raises UnknownGuestError or UnknownRoomError."""
        self.move_together({number: room})
        return self.guests[number]

    def move_together(self, rooms: Mapping[str, str]) -> None:
        """Move guests at one time, each number to this room. Raises UnknownGuestError or UnknownRoomError.

        If all guests leave a room, its class of service, message light and wake-ups go with them, and it is
        reset. If they join others who stay, only the wake-ups go along. A guest who leaves others behind
        takes nothing along, except that the front desk sets the same class of service in a vacant room.
        """
        for room in rooms.values():
            self._require_room(room)
        moving = {number: room for number, room in rooms.items() if self.guest(number).room != room}
        old_rooms = {number: self.guest(number).room for number in moving}
        before = {room: self.equipment(room) for room in old_rooms.values()}
        for number, room in moving.items():
            self.guests[number] = evolve(self.guests[number], room=room)
        staying = {guest.room for guest in self.guests.values() if guest.number not in moving}
        for room in before:
            if room not in staying:
                self._equipment[room] = before[room].reset_for_vacancy()
        for room in dict.fromkeys(moving.values()):
            origins = dict.fromkeys(old_rooms[number] for number, new in moving.items() if new == room)
            self._bring_settings(room, {old: before[old] for old in origins}, staying)

    def _bring_settings(self, room: str, origins: Mapping[str, Equipment], staying: Collection[str]) -> None:
        """Apply what the guests bring who have come into a room; ``staying`` are rooms of other guests."""
        brought = [equipment for old, equipment in origins.items() if old not in staying]
        if room not in staying:
            self._equipment[room] = self.equipment(room).reset_for_vacancy()
            if brought:
                self._equipment[room] = self.equipment(room).with_settings_of(brought[0])
            else:
                service = next(iter(origins.values())).class_of_service
                self.change_equipment(room, class_of_service=service)
        for equipment in brought:
            self._equipment[room] = self.equipment(room).with_wake_ups(*equipment.wake_ups)

    def check_out(self, number: str) -> Guest:
        """Remove a guest; the last guest's check-out resets the room. Raises UnknownGuestError."""
        guest = self.guest(number)
        del self.guests[number]
        if not self.is_occupied(guest.room):
            self._equipment[guest.room] = self.equipment(guest.room).reset_for_vacancy()
        return guest

    def equipment(self, room: str) -> Equipment:
        """Return the equipment state of a room."""
        return self._equipment.get(room, _DEFAULT_EQUIPMENT)

    def set_equipment(self, room: str, equipment: Equipment) -> None:
        """Replace the equipment state of a room. Raises UnknownRoomError."""
        self._require_room(room)
        self._equipment[room] = equipment

    def change_equipment(self, room: str, **changes: Any) -> Equipment:
        """Change attributes of Equipment. Raises UnknownRoomError."""
        self.set_equipment(room, evolve(self.equipment(room), **changes))
        return self.equipment(room)

    def is_occupied(self, room: str, excluding: str = "") -> bool:
        """Return whether the room has guests other than the one with the number ``excluding``."""
        return any(guest.room == room and guest.number != excluding for guest in self.guests.values())

    def guests_in(self, room: str) -> list[Guest]:
        """Return the guests of a room, in the order of their check-in."""
        return [guest for guest in self.guests.values() if guest.room == room]

    def guests_by_room(self) -> dict[str, list[Guest]]:
        """Return the guests of every room, in the order of the rooms; an empty list is a vacant room."""
        rooms: dict[str, list[Guest]] = {room: [] for room in self.rooms}
        for guest in self.guests.values():
            rooms[guest.room].append(guest)
        return rooms

    def _require_room(self, room: str) -> None:
        if room not in self.rooms:
            raise UnknownRoomError(room)
