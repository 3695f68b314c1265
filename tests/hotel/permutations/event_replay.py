"""A PBX that only applies the events, and checks that each is possible after those before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import Factory, define

from pmslink.hotel.events import Event, WakeUpFinished

_ROOM_EVENTS = {"room.class_of_service", "room.message_light", "room.do_not_disturb", "room.status"}


@define
class EventReplay:
    """What a PBX knows from the events: guests, room settings, wake-ups. `errors` are impossible events."""

    rooms: dict[str, str] = Factory(dict)
    """The room of each guest."""
    names: dict[str, str | None] = Factory(dict)
    values: dict[tuple[str, str], Any] = Factory(dict)
    """The last value of each event type of each room."""
    wake_ups: dict[int, str] = Factory(dict)
    """The local time of each wake-up, by id."""
    errors: list[str] = Factory(list)

    def apply(self, emitted: Iterable[Event | WakeUpFinished]) -> None:
        """Apply events in order."""
        for event in emitted:
            if isinstance(event, Event):
                if event.type.startswith("guest."):
                    self._apply_guest_event(event)
                elif event.type.startswith("wake_up."):
                    self._apply_wake_up_event(event)
                elif event.type in _ROOM_EVENTS and event.room is not None:
                    self.values[event.type, event.room] = event.payload["value"]

    def value(self, event_type: str, room: str) -> Any:
        default = None if event_type in ("room.class_of_service", "room.status") else False
        return self.values.get((event_type, room), default)

    def guests_of(self, room: str | None) -> set[str]:
        return {guest for guest, occupied in self.rooms.items() if occupied == room}

    def _apply_guest_event(self, event: Event) -> None:
        guest, room = event.payload["guest"]["number"], event.room
        assert room is not None
        current = self.rooms.get(guest)
        expected = {"guest.checked_in": None, "guest.moved": event.payload.get("from_room")}.get(
            event.type, room
        )
        if current != expected:
            self.errors.append(f"{event.type} of {guest} in {room}, who is in {current}, not in {expected}")
        if event.type == "guest.checked_out":
            self.rooms.pop(guest, None)
        else:
            self.rooms[guest] = room
            self.names[guest] = event.payload["guest"]["name"]
        left = event.payload.get("from_room", room)
        if event.payload.get("vacant") and self.guests_of(left):
            self.errors.append(f"{event.type} of {guest} says that {left} is vacant: {self.guests_of(left)}")

    def _apply_wake_up_event(self, event: Event) -> None:
        wake_up = event.payload["wake_up"]
        if event.type == "wake_up.set":
            if wake_up["id"] in self.wake_ups:
                self.errors.append(f"wake-up {wake_up} is set twice")
            self.wake_ups[wake_up["id"]] = wake_up["at"]
        elif wake_up["id"] not in self.wake_ups:
            self.errors.append(f"{event.type} of {wake_up}, which is over")
        elif event.type != "wake_up.due":
            del self.wake_ups[wake_up["id"]]
