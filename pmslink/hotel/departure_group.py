"""The guests who leave one room within a move window, and the settings of the room that they had."""

from __future__ import annotations

from attrs import evolve, frozen

from pmslink.hotel.guest_fields import SHARE_NO, SHARE_YES


@frozen
class Departure:
    """One guest who leaves a room; `since` in milliseconds since 1970 in UTC.

    `share` is GS of the record that says so: N if the room is empty then, Y if others stay, None without one.
    `new_room` is the room to which the guest has moved; `is_over`: the guest has checked out.
    """

    number: str
    since: int
    share: str | None = None
    resync: bool = False
    new_room: str | None = None
    is_over: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is open whether the guest moves or checks out."""
        return self.new_room is None and not self.is_over


@frozen
class GuestSettings:
    """The settings that departing guests had: they follow the guests, and do not stay with the room."""

    class_of_service: int | None
    message_light: bool
    wake_up_ids: tuple[int, ...]


@frozen
class DepartureGroup:
    """The departures from one room in a move window.

    `settings` are set once all guests have departed who had them. `is_separated`: the room was reset for its
    next guests meanwhile. `is_settled`: the settings have moved, or have ended.
    """

    departures: tuple[Departure, ...] = ()
    settings: GuestSettings | None = None
    is_separated: bool = False
    is_settled: bool = False

    def find(self, number: str) -> Departure | None:
        """Find the departure of a guest."""
        return next((one for one in self.departures if one.number == number), None)

    def with_departure(self, departure: Departure) -> DepartureGroup:
        """Add a departure, or replace that of the same guest."""
        return evolve(self, departures=(*self.others(departure.number), departure))

    def others(self, number: str) -> tuple[Departure, ...]:
        """Return the departures of all guests but one."""
        return tuple(one for one in self.departures if one.number != number)

    def reopened(self) -> DepartureGroup:
        """Prepare for one more departure: settled ones have nothing to do with it."""
        if not self.is_settled:
            return self
        return DepartureGroup(tuple(one for one in self.departures if one.is_open))

    def pending_since(self, resyncing: bool) -> list[int]:
        """Return when the windows began at whose end something is to be done.

        They are those of the open departures; without any, those of the guests who have moved. Settings that
        wait for the guests of another room wait for the last of these. What a resync says waits for its end.
        """
        if open_since := [one.since for one in self.departures if one.is_open]:
            return open_since
        moved = [one for one in self.departures if not one.is_over]
        if self.settings is None:
            return [one.since for one in moved if not (one.resync and resyncing)]
        return [] if resyncing and any(one.resync for one in moved) else [max(one.since for one in moved)]

    @property
    def leaves_unknown_guests(self) -> bool:
        """Whether every record says that others stay, although none is known."""
        return bool(self.departures) and all(one.share == SHARE_YES for one in self.departures)

    def last_to_leave(self) -> tuple[Departure, ...]:
        """Return those who may have left last: the settings of the room go with one of them."""
        for share in (SHARE_NO, None):
            if found := tuple(one for one in self.departures if one.share == share):
                return found
        return self.departures
