"""The window of a room: who left the room and who came within two seconds, and what belongs to whom.

A PMS sends one move, or one exchange of rooms, as several records in any order. So the window stores what
the records have said, and the settings of the room follow from all of it. Times are milliseconds since 1970
in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import asdict, field, frozen

from pmslink.frozen_values import evolve
from pmslink.hotel.guest_fields import SHARE_YES

MOVE_WINDOW_MS = 2_000
"""Records about a room within this time belong together, in whatever order they come."""


def is_in_window(since: int, now_ms: int) -> bool:
    """Check whether a moment is in the window. One in the future means a clock that was set back."""
    return since <= now_ms < since + MOVE_WINDOW_MS


@frozen
class GuestSettings:
    """What the guests of a room have. All but the two door signs follow them into another room."""

    class_of_service: int | None = None
    message_light: bool = False
    do_not_disturb: bool = False
    make_up_room: bool = False
    wake_up_ids: tuple[int, ...] = ()


@frozen
class Departure:
    """A guest leaves the room. `share` is GS of the record that says so, Y if others stay, N if none does.

    `is_stated`: a record says so (GO, or GC with RO), instead of one about the guest's new room, or about the
    next guest. `new_room` is the room to which the guest has moved. `is_over`: the guest has checked out.
    """

    number: str
    since: int
    share: str | None = None
    resync: bool = False
    is_stated: bool = False
    new_room: str | None = None
    is_over: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is open whether the guest moves or checks out."""
        return self.new_room is None and not self.is_over


@frozen
class Arrival:
    """A guest has come into the room. `share` is GS of the record, `sets_class`: it has CS.

    `old_room` is the room that the guest has left for it, None for one who has checked in.
    """

    number: str
    at: int
    share: str | None = None
    resync: bool = False
    sets_class: bool = False
    old_room: str | None = None


@frozen
class Inheritance:
    """What the party of another room has brought, with its guests. `order` grows with time."""

    order: int
    room: str
    guests: tuple[str, ...]
    settings: GuestSettings


@frozen
class Party:
    """Guests who are in the room together, and leave one after the other, or do not leave.

    `settings` is what they have, once the room's settings can be those of others, or of the room itself.
    `is_settled`: all have left, and the settings have gone with one of them, or have ended.
    """

    guests: tuple[str, ...] = ()
    departures: tuple[Departure, ...] = ()
    settings: GuestSettings | None = None
    is_settled: bool = False

    def departure(self, number: str) -> Departure | None:
        """Find the departure of a guest."""
        return next((one for one in self.departures if one.number == number), None)

    def with_departure(self, departure: Departure) -> Party:
        """Add a departure, or replace that of the same guest."""
        others = tuple(one for one in self.departures if one.number != departure.number)
        return evolve(self, departures=(*others, departure))

    def without_departure(self, number: str) -> Party:
        """Remove the departure of a guest, who stays."""
        return evolve(self, departures=tuple(one for one in self.departures if one.number != number))

    def without_guest(self, number: str) -> Party:
        """Remove a guest, who comes back as a new one."""
        guests = tuple(one for one in self.guests if one != number)
        return evolve(self.without_departure(number), guests=guests)

    @property
    def has_left(self) -> bool:
        """Whether all guests leave, or have left."""
        return bool(self.guests) and {*self.guests} <= {one.number for one in self.departures}

    @property
    def is_past(self) -> bool:
        """Whether nothing can happen to the guests and their settings any more."""
        return self.is_settled and not any(one.is_open for one in self.departures)

    @property
    def leaves_others(self) -> bool:
        """Whether all who leave are said to leave others behind."""
        return bool(self.departures) and all(one.share == SHARE_YES for one in self.departures)


@frozen
class SaidSettings:
    """What has been said of a room since its party had it to itself. None: nothing."""

    class_of_service: int | None = None
    message_light: bool | None = None
    do_not_disturb: bool | None = None
    make_up_room: bool | None = None

    @property
    def values(self) -> dict[str, Any]:
        """What has been said, by the name of the setting."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@frozen
class RoomWindow:
    """What has been said of a room within two seconds, or longer by a resync in progress.

    `party` are the guests who were there first, `arrivals` those who have come since, `returns` those whose
    departure was taken back. `former` are parties whose room `party` has got already within the window.
    `inherited` is what arrivals have brought. `is_separated`: the room is no longer as its party had it.
    """

    party: Party = field(factory=Party)
    former: tuple[Party, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    returns: tuple[Arrival, ...] = ()
    said: SaidSettings = field(factory=SaidSettings)
    inherited: tuple[Inheritance, ...] = ()
    is_separated: bool = False

    @property
    def _moments(self) -> list[int]:
        """When something was said of the room."""
        return [one.since for one in self.departures] + [one.at for one in (*self.arrivals, *self.returns)]

    @property
    def parties(self) -> tuple[Party, ...]:
        """All parties."""
        return (*self.former, self.party)

    @property
    def departures(self) -> Iterator[Departure]:
        """The departures of all parties."""
        return (departure for party in self.parties for departure in party.departures)

    def departure(self, number: str) -> Departure | None:
        """Find the last departure of a guest."""
        return next((one for one in reversed(tuple(self.departures)) if one.number == number), None)

    def arrival(self, number: str) -> Arrival | None:
        """Find the arrival of a guest."""
        return next((one for one in self.arrivals if one.number == number), None)

    def party_of(self, number: str) -> Party | None:
        """Find the last party of which a guest is a member."""
        return next((one for one in reversed(self.parties) if number in one.guests), None)

    def with_party(self, before: Party, after: Party) -> RoomWindow:
        """Replace a party."""
        if before is self.party:
            return evolve(self, party=after)
        return evolve(self, former=tuple(after if one is before else one for one in self.former))

    def without_guest(self, number: str) -> RoomWindow:
        """Forget a guest, who comes back as a new one."""
        return evolve(
            self,
            party=self.party.without_guest(number),
            former=tuple(party.without_guest(number) for party in self.former),
            arrivals=tuple(one for one in self.arrivals if one.number != number),
        )

    def due_at(self, resyncing: bool) -> int | None:
        """When a departure ends, or else the window; None if nothing ends with the window."""
        departures = tuple(self.departures)
        if open_since := [one.since for one in departures if one.is_open]:
            return min(open_since) + MOVE_WINDOW_MS
        if not departures or self.is_kept(resyncing):
            return None
        return max(self._moments) + MOVE_WINDOW_MS

    @property
    def is_stored(self) -> bool:
        """Whether a restart must not lose the window: it says more than that guests are in the room now."""
        live = [one for one in self.arrivals if not one.resync]
        has_others = bool(self.party.guests) or any(one.share == SHARE_YES or one.old_room for one in live)
        return any(self.departures) or (bool(live) and has_others)

    def is_kept(self, resyncing: bool) -> bool:
        """Check whether the resync in progress keeps the window: it may say more of the room."""
        is_resync = any(one.resync for one in self.departures) or any(one.resync for one in self.arrivals)
        return resyncing and is_resync

    def is_over(self, now_ms: int, resyncing: bool) -> bool:
        """Check whether nothing said of the room belongs together with what comes now."""
        if self.is_kept(resyncing) or any(one.is_open for one in self.departures):
            return False
        return not any(is_in_window(moment, now_ms) for moment in self._moments)

    def has_returned(self, number: str, now_ms: int) -> bool:
        """Check whether the departure of a guest was taken back just now."""
        return any(one.number == number and is_in_window(one.at, now_ms) for one in self.returns)


def serialize_window(window: RoomWindow) -> dict[str, Any]:
    """Serialize the window of a room for the store."""
    return asdict(window)


def parse_window(stored: Mapping[str, Any]) -> RoomWindow:
    """Parse the window of a room from what `serialize_window` returned."""
    return RoomWindow(
        _parse_party(stored["party"]),
        tuple(_parse_party(party) for party in stored["former"]),
        tuple(Arrival(**arrival) for arrival in stored["arrivals"]),
        tuple(Arrival(**arrival) for arrival in stored["returns"]),
        SaidSettings(**stored["said"]),
        tuple(_parse_inheritance(inheritance) for inheritance in stored["inherited"]),
        stored["is_separated"],
    )


def _parse_party(stored: Mapping[str, Any]) -> Party:
    departures = tuple(Departure(**departure) for departure in stored["departures"])
    settings = _parse_settings(stored["settings"])
    return Party(tuple(stored["guests"]), departures, settings, stored["is_settled"])


def _parse_inheritance(stored: Mapping[str, Any]) -> Inheritance:
    settings = _parse_settings(stored["settings"]) or GuestSettings()
    return Inheritance(stored["order"], stored["room"], tuple(stored["guests"]), settings)


def _parse_settings(stored: Mapping[str, Any] | None) -> GuestSettings | None:
    if stored is None:
        return None
    return GuestSettings(**{**stored, "wake_up_ids": tuple(stored["wake_up_ids"])})
