"""A hotel: rooms, their equipment, and the guests who stay in them; without links and records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from attrs import evolve, frozen

from pmslink.errors import PmslinkError
from pmslink.fias.field_values import serialize_date
from pmslink.fias.record import Field, build_record
from pmslink.simulator.hotel.room_equipment import Equipment, transfer_equipment

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

        The first guest's check-in resets the room, except for a class of service that is given. A sharer
        changes only a class of service that is given.
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
        self._require_room(room)
        before, shared = self.guest(number), self.is_occupied(room)
        if room == before.room:
            return before
        guest = self.guests[number] = evolve(before, room=room)
        self._equipment[before.room], self._equipment[room] = transfer_equipment(
            self.equipment(before.room),
            self.equipment(room),
            emptied=not self.is_occupied(before.room),
            shared=shared,
        )
        return guest

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

    def guests_by_room(self) -> dict[str, list[Guest]]:
        """Return the guests of every room, in the order of the rooms; an empty list is a vacant room."""
        rooms: dict[str, list[Guest]] = {room: [] for room in self.rooms}
        for guest in self.guests.values():
            rooms[guest.room].append(guest)
        return rooms

    def _require_room(self, room: str) -> None:
        if room not in self.rooms:
            raise UnknownRoomError(room)
