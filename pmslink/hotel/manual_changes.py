"""Changes that a person makes by hand while the PMS cannot be reached: check-ins, check-outs and moves.

    waiting ─▶ agreed | differs ─▶ kept ─▶ agreed
       │                  │          │
       ▼                  ▼          ▼
    overruled           taken      taken

A change is *open* until the PMS agrees with it, or what the PMS says is taken over. A closed change is listed
for a day. `manual_acts` makes changes, `reconciliation` compares them with the PMS. Times are milliseconds
since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from attrs import define, field, fields, frozen

from pmslink.frozen_values import evolve
from pmslink.hotel.room_window import SaidSettings
from pmslink.hotel.rooms import (
    MAX_WAKE_UPS,
    Guest,
    WakeUp,
    parse_stored_wake_up,
    serialize_stored_guest,
    serialize_stored_wake_up,
)

GRACE_MS = 24 * 3600 * 1000
"""How long a change that differs from the PMS stays unless a person decides, and a closed one is listed."""
MAX_MANUAL_CHANGES = 1000
"""Changes of one hotel, open and closed."""

ManualAct = Literal["check_in", "check_out", "move"]
"""What a person has done."""
Outcome = Literal["waiting", "differs", "kept", "agreed", "overruled", "taken"]
"""What the comparison with the PMS has found, or a person has decided.

`waiting`: it has not been compared yet. `differs`: the PMS says something else. `kept`: a person has decided
that it stays until the PMS is corrected. `agreed`: the PMS says the same. `overruled`: the PMS has named
another guest in the room, or another room of the guest. `taken`: what the PMS says was taken over instead.
"""
_OPEN_OUTCOMES: frozenset[Outcome] = frozenset({"waiting", "differs", "kept"})


@frozen
class ManualChange:
    """What was done with one guest.

    `room` is where the guest was checked in or out, or moved from; `to` is where a moved guest is. `by` is
    the name of the token, None for a local caller. `is_gone`: the PMS has checked a moved guest out. `until`:
    when what the PMS says is taken over, or when a closed change is forgotten; None if neither happens by
    itself. `pms_guest` is whom the PMS has named instead, where the guest is. An open change is overruled for
    that at the end of the resync, or at `until`, unless the PMS names its guest as well.
    """

    id: int
    what: ManualAct
    by: str | None
    at: int
    guest: Guest
    room: str
    to: str | None = None
    outcome: Outcome = "waiting"
    until: int | None = None
    is_gone: bool = False
    pms_guest: Guest | None = None

    @property
    def number(self) -> str:
        """The number of the guest, as in the list of the room."""
        return self.guest.number

    @property
    def is_open(self) -> bool:
        """Whether the rooms may differ from the PMS because of it."""
        return self.outcome in _OPEN_OUTCOMES

    @property
    def guest_room(self) -> str | None:
        """Where the guest is by hand; None for one who was checked out."""
        return {"check_in": self.room, "check_out": None, "move": self.to}[self.what]

    @property
    def pms_room(self) -> str | None:
        """Where the PMS has the guest; None if it has the guest nowhere."""
        return None if self.what == "check_in" or self.is_gone else self.room

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms that it concerns."""
        return (self.room,) if self.to is None else (self.room, self.to)


_CHANGE_FIELDS = frozenset(one.name for one in fields(ManualChange))


@frozen
class ManualCounts:
    """How many changes of a hotel are open, wait for the comparison with the PMS, and differ from it.

    `undecided` are those that differ, and of which nobody has decided to keep them.
    """

    open: int = 0
    waiting: int = 0
    differ: int = 0
    undecided: int = 0


@frozen
class SuspendedSettings:
    """What the PMS has for the guests of a room who were checked out by hand.

    It belongs to all of them, so it comes back with the first one who does.
    """

    settings: SaidSettings = field(factory=SaidSettings)
    wake_ups: tuple[WakeUp, ...] = ()


@define(eq=False)
class ManualChanges:
    """The changes by hand of one hotel, and what the PMS has said meanwhile of the rooms of them."""

    by_id: dict[int, ManualChange] = field(factory=dict)
    """All changes; the ids grow with time."""
    pms_settings: dict[str, SaidSettings] = field(factory=dict)
    """What the PMS has said of rooms that are not as it has them, and that is not applied for that reason."""
    suspended: dict[str, SuspendedSettings] = field(factory=dict)
    """By room of the PMS; only of rooms with open check-outs."""
    is_changed: bool = False
    """Whether a change was made, compared or decided; False in a copy."""

    def copy(self) -> ManualChanges:
        """Copy the collection, for changes that may be discarded."""
        return ManualChanges(self.by_id.copy(), self.pms_settings.copy(), self.suspended.copy())

    @property
    def open(self) -> list[ManualChange]:
        """The changes with which the PMS has not agreed, and that were not taken back, oldest first."""
        return [change for change in self.by_id.values() if change.is_open]

    @property
    def counts(self) -> ManualCounts:
        """How many changes there are."""
        outcomes = [change.outcome for change in self.open]
        waiting, undecided = outcomes.count("waiting"), outcomes.count("differs")
        return ManualCounts(len(outcomes), waiting, len(outcomes) - waiting, undecided)

    @property
    def due_times(self) -> list[int]:
        """When what the PMS says is taken over, or a closed change is forgotten."""
        return [change.until for change in self.by_id.values() if change.until is not None]

    def set(self, change: ManualChange) -> ManualChange:
        """Add or replace a change, and return it."""
        if self.by_id.get(change.id) != change:
            self.by_id[change.id] = change
            self.is_changed = True
            self._forget_suspended(change.room)
        return change

    def remove(self, change: ManualChange) -> None:
        """Remove a change that is over, or was undone by hand."""
        del self.by_id[change.id]
        self.is_changed = True
        self._forget_suspended(change.room)

    def checked_out_of(self, room_name: str) -> bool:
        """Check whether a guest was checked out by hand whom the PMS still has in a room."""
        return any(one.what == "check_out" and one.room == room_name for one in self.concerning(room_name))

    def suspend(self, room_name: str, settings: SaidSettings, wake_ups: Iterable[WakeUp] = ()) -> None:
        """Store what the PMS has for the guests of a room who were checked out by hand."""
        before = self.suspended.get(room_name, SuspendedSettings())
        by_time = {one.at: one for one in (*before.wake_ups, *wake_ups)}
        self.suspended[room_name] = SuspendedSettings(
            evolve(before.settings, **settings.values), tuple(by_time.values())[:MAX_WAKE_UPS]
        )

    def clear_suspended_wake_ups(self, room_name: str, at: datetime | None) -> None:
        """Remove the wake-up at a local time, or all of them, of guests who were checked out by hand."""
        if (before := self.suspended.get(room_name)) is not None:
            wake_ups = tuple(one for one in before.wake_ups if at is not None and one.at != at)
            self.suspended[room_name] = evolve(before, wake_ups=wake_ups)

    def _forget_suspended(self, room_name: str) -> None:
        if room_name in self.suspended and not self.checked_out_of(room_name):
            del self.suspended[room_name]

    def concerning(self, room_name: str) -> list[ManualChange]:
        """Return the open changes that concern a room."""
        return [change for change in self.open if room_name in change.rooms]

    def with_guest_in(self, room_name: str) -> list[ManualChange]:
        """Return the open changes whose guests are in a room by hand."""
        return [change for change in self.open if change.guest_room == room_name]

    @property
    def rooms_by_hand(self) -> frozenset[str]:
        """The rooms with guests who are there by hand."""
        return frozenset(change.guest_room for change in self.open if change.guest_room is not None)

    def by_room(self) -> dict[str, ManualChange]:
        """Return the last open change that concerns each room."""
        return {room: change for change in sorted(self.open, key=_made_at) for room in change.rooms}

    def is_by_hand(self, number: str, room_name: str) -> bool:
        """Check whether a guest is in a room by hand only."""
        return any(change.number == number for change in self.with_guest_in(room_name))

    def erase_guest_data(self, room_name: str, erased: Mapping[str, Any]) -> None:
        """Erase the personal data in the changes that concern a room."""
        for change in tuple(self.by_id.values()):
            if room_name in change.rooms:
                self.set(evolve(change, guest=evolve(change.guest, **erased), pms_guest=None))


def _made_at(change: ManualChange) -> tuple[int, int]:
    return change.at, change.id


def serialize_manual_changes(manual: ManualChanges) -> dict[str, Any]:
    """Serialize the changes of a hotel for the store."""
    return {
        "changes": [_serialize_change(change) for change in manual.by_id.values()],
        "pms_settings": {room: settings.values for room, settings in manual.pms_settings.items()},
        "suspended": {room: _serialize_suspended(one) for room, one in manual.suspended.items()},
    }


def parse_manual_changes(stored: Mapping[str, Any]) -> ManualChanges:
    """Parse the changes of a hotel from what `serialize_manual_changes` returned, also an earlier one."""
    changes = map(_parse_change, stored["changes"])
    settings = {room: SaidSettings(**values) for room, values in stored["pms_settings"].items()}
    suspended = {room: _parse_suspended(one) for room, one in stored.get("suspended", {}).items()}
    return ManualChanges({change.id: change for change in changes}, settings, suspended)


def _serialize_suspended(suspended: SuspendedSettings) -> dict[str, Any]:
    return {
        "settings": suspended.settings.values,
        "wake_ups": [serialize_stored_wake_up(one) for one in suspended.wake_ups],
    }


def _parse_suspended(stored: Mapping[str, Any]) -> SuspendedSettings:
    return SuspendedSettings(
        SaidSettings(**stored["settings"]), tuple(map(parse_stored_wake_up, stored["wake_ups"]))
    )


def _serialize_change(change: ManualChange) -> dict[str, Any]:
    pms_guest = change.pms_guest
    return {
        "id": change.id,
        "what": change.what,
        "by": change.by,
        "at": change.at,
        "guest": serialize_stored_guest(change.guest),
        "room": change.room,
        "to": change.to,
        "outcome": change.outcome,
        "until": change.until,
        "is_gone": change.is_gone,
        "pms_guest": None if pms_guest is None else serialize_stored_guest(pms_guest),
    }


def _parse_change(stored: Mapping[str, Any]) -> ManualChange:
    pms_guest = stored["pms_guest"]
    values = {
        **{name: value for name, value in stored.items() if name in _CHANGE_FIELDS},
        "guest": Guest(**stored["guest"]),
        "pms_guest": None if pms_guest is None else Guest(**pms_guest),
    }
    return ManualChange(**values)
