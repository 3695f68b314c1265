"""The history of a simulated hotel: who stayed in which room at each moment, and when the link was alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import Factory, define

from pmslink.simulator.hotel.hotel_model import Guest, Hotel
from pmslink.simulator.hotel.room_equipment import Equipment, WakeUp

TIME_BEFORE_LOG = timedelta(days=1)
"""How long the first guests of a hotel have been there. A call may have begun before the simulation."""
MOVE_TIME = timedelta(seconds=4)
"""The longest time from a move in the hotel to its last record, and the window in which it may be told."""


@define
class StayLog:
    """Stays by reservation number, as pairs of a time and the room from then on; None after the check-out."""

    now: Callable[[], datetime]
    stays: dict[str, list[tuple[datetime, str | None]]] = Factory(dict)
    link: list[tuple[datetime, bool]] = Factory(list)
    """When the link became alive, or ended."""
    wake_ups: dict[str, list[tuple[datetime, tuple[WakeUp, ...]]]] = Factory(dict)
    """The wake-ups of each room from a time on, as the PMS has them."""

    def time(self) -> datetime:
        """Return the current time in whole milliseconds, as events have it."""
        now = self.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def add(self, number: str, room: str | None) -> None:
        """Note that a guest is in a room from now on."""
        self.stays.setdefault(number, []).append((self.time(), room))

    def add_link(self, alive: bool) -> None:
        """Note whether the link is alive from now on."""
        if alive != (bool(self.link) and self.link[-1][1]):
            self.link.append((self.time(), alive))

    def add_wake_ups(self, room: str, wake_ups: tuple[WakeUp, ...]) -> None:
        """Note the wake-ups of a room from now on."""
        log = self.wake_ups.setdefault(room, [])
        if wake_ups != (log[-1][1] if log else ()):
            log.append((self.time(), wake_ups))

    def guests_between(self, room: str, begin: datetime, end: datetime) -> set[str]:
        """Return the guests who were in a room at any moment from `begin` to `end`."""
        return {
            number
            for number, stay in self.stays.items()
            for at, (since, occupied) in enumerate(stay)
            if occupied == room and since <= end and (at + 1 == len(stay) or stay[at + 1][0] >= begin)
        }

    def changes_between(self, room: str, begin: datetime, end: datetime) -> list[datetime]:
        """Return when a guest came into a room or left it from `begin` to `end`."""
        return sorted(
            since
            for stay in self.stays.values()
            for at, (since, occupied) in enumerate(stay)
            if begin <= since <= end and room in (occupied, at and stay[at - 1][1])
        )

    def wake_ups_between(self, room: str, begin: datetime, end: datetime) -> set[WakeUp]:
        """Return the wake-ups that a room had at any moment from `begin` to `end`."""
        log = self.wake_ups.get(room, [])
        return {
            wake_up
            for at, (since, wake_ups) in enumerate(log)
            if since <= end and (at + 1 == len(log) or log[at + 1][0] >= begin)
            for wake_up in wake_ups
        }

    def has_left(self, number: str, at: datetime) -> bool:
        """Return whether a guest has checked out of the hotel by this time."""
        since, room = self.stays.get(number, [(at, None)])[-1]
        return room is None and since <= at

    def outage_start(self, at: datetime) -> datetime | None:
        """Return when the link ended that is not alive at this time; None if it is alive."""
        before = [(since, alive) for since, alive in self.link if since <= at]
        return before[-1][0] if before and not before[-1][1] else None

    def is_alive_between(self, begin: datetime, end: datetime) -> bool:
        """Return whether the link was alive from `begin` to `end` without an interruption."""
        before = [alive for since, alive in self.link if since < begin]
        return bool(before) and before[-1] and not any(begin <= since <= end for since, _ in self.link)


class LoggedHotel(Hotel):
    """A hotel that logs all stays and wake-ups."""

    def __init__(self, hotel: Hotel, log: StayLog) -> None:
        equipment = {room: hotel.equipment(room) for room in hotel.rooms}
        super().__init__(hotel.rooms, hotel.guests.values(), equipment)
        self._equipment = _LoggedEquipment(log, equipment)
        self._log = log
        for guest in self.guests.values():
            log.stays[guest.number] = [(log.now() - TIME_BEFORE_LOG, guest.room)]

    def check_in(self, room: str, name: str, *, class_of_service: int | None = None, **details: Any) -> Guest:
        """Check in a guest, and log the stay."""
        guest = super().check_in(room, name, class_of_service=class_of_service, **details)
        self._log.add(guest.number, room)
        return guest

    def move_together(self, rooms: Mapping[str, str]) -> None:
        """Move guests, and log their stays."""
        super().move_together(rooms)
        for number, room in rooms.items():
            self._log.add(number, room)

    def check_out(self, number: str) -> Guest:
        """Check out a guest, and log the end of the stay."""
        self._log.add(number, None)
        return super().check_out(number)


class _LoggedEquipment(dict[str, Equipment]):
    """The equipment of each room. Its wake-ups are logged."""

    def __init__(self, log: StayLog, equipment: Mapping[str, Equipment]) -> None:
        super().__init__(equipment)
        self._log = log

    def __setitem__(self, room: str, equipment: Equipment) -> None:
        self._log.add_wake_ups(room, equipment.wake_ups)
        super().__setitem__(room, equipment)
