"""A hotel: rooms, and the guests who stay in them. It knows nothing of links or records on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from attrs import evolve, frozen

from pmslink.errors import PmslinkError
from pmslink.fias.record import Field, write
from pmslink.fias.values import write_date


class UnknownRoomError(PmslinkError):
    """The hotel has no such room."""

    def __init__(self, room: str) -> None:
        super().__init__(f"there is no room {room!r}")


class UnknownGuestError(PmslinkError):
    """Nobody with this number stays in the hotel."""

    def __init__(self, number: str) -> None:
        super().__init__(f"there is no guest {number!r}")


@frozen
class Guest:
    """One stay of one person. Raises FieldError when a value cannot be written into a record."""

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
    class_of_service: int | None = None
    """CS: 0 barred, 1 local, 2 national, 3 unrestricted."""

    def __attrs_post_init__(self) -> None:
        write("GI", self.fields())

    def fields(self) -> list[Field]:
        """What a record says of the guest's person; what is not known is left out."""
        said = {
            "GN": self.name,
            "GF": self.first_name,
            "GT": self.title,
            "GL": self.language,
            "GV": self.vip,
            "GA": write_date(self.arrival) if self.arrival else "",
            "GD": write_date(self.departure) if self.departure else "",
            "CS": "" if self.class_of_service is None else str(self.class_of_service),
        }
        return [
            ("RN", self.room),
            ("G#", self.number),
            *((code, text) for code, text in said.items() if text),
        ]


class Hotel:
    """Who stays where at the moment."""

    def __init__(self, rooms: tuple[str, ...], guests: Iterable[Guest] = ()) -> None:
        self.rooms = rooms
        self.guests = {guest.number: guest for guest in guests}
        self._next_number = max((int(number) for number in self.guests), default=5000) + 1

    def guest(self, number: str) -> Guest:
        """The guest with this number. Raises UnknownGuestError."""
        try:
            return self.guests[number]
        except KeyError:
            raise UnknownGuestError(number) from None

    def check_in(self, room: str, name: str, **details: Any) -> Guest:
        """Add a guest, with the details that Guest has. Raises UnknownRoomError or FieldError."""
        self._require(room)
        guest = Guest(str(self._next_number), room, name, **details)
        self._next_number += 1
        self.guests[guest.number] = guest
        return guest

    def change(self, number: str, details: Mapping[str, Any]) -> Guest:
        """Change what is known of a guest. Raises UnknownGuestError or FieldError."""
        guest = evolve(self.guest(number), **details)
        self.guests[number] = guest
        return guest

    def move(self, number: str, room: str) -> Guest:
        """Put a guest into another room. Raises UnknownGuestError or UnknownRoomError."""
        self._require(room)
        return self.change(number, {"room": room})

    def check_out(self, number: str) -> Guest:
        """Remove a guest. Raises UnknownGuestError."""
        guest = self.guest(number)
        del self.guests[number]
        return guest

    def occupied(self, room: str, besides: str = "") -> bool:
        """Whether anyone stays in the room; ``besides`` is the number of a guest who does not count."""
        return any(guest.room == room and guest.number != besides for guest in self.guests.values())

    def by_room(self) -> dict[str, list[Guest]]:
        """Every room, in order, with its guests; an empty list is a vacant room."""
        rooms: dict[str, list[Guest]] = {room: [] for room in self.rooms}
        for guest in self.guests.values():
            rooms[guest.room].append(guest)
        return rooms

    def _require(self, room: str) -> None:
        if room not in self.rooms:
            raise UnknownRoomError(room)
