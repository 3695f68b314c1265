"""The truth of a hotel: who stays where, and what belongs to whom.

The truth is changed by windows, which are short enough that the order of a window's guest records has no
meaning. A `WindowPlan` says what happens to the guests in one window. A `Window` follows which part of it the
PMS has sent so far, because an order for a room (RE, WR, WC, or a phone) is about whoever is in the room and
not leaving at that moment, or else about the room itself.

The rules:

- Class of service, message light and wake-ups belong to the guests of a room. They stay while one of the
  guests stays who were there before the window. Otherwise they go where the guests go, or end with them.
- A guest who comes into a room where nobody stays resets it: class of service, message light, do-not-disturb,
  and wake-ups, except those that the PMS requested within the window.
- A guest who joins guests who stay brings wake-ups, and no lights.
- A class of service in a check-in, data change or move applies to the room.

The following is not determined by the contract, and `WindowPlan.is_determined` rejects it:

- the guests of one room go to different rooms, nobody stays, and something belongs to them;
- guests with different lights or classes of service come together in a room where nobody stays.

So an order for the guests of a room is not determined if they then do one of these.

The order of an order for a room and the records of a group is determined only if all or none of these
records have been sent. `Window.settings_of` returns None in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import Factory, define, evolve, field, frozen

WakeUps = dict[str, set[int]]
"""The ids of the wake-ups at each local time, as `wake_up.set` tells them.

If wake-ups at one time come together, one of them remains. It is not determined which.
"""


@define
class Settings:
    """What has been set for a room or its guests. `do_not_disturb` None: not determined."""

    class_of_service: int | None = None
    message_light: bool = False
    do_not_disturb: bool | None = False
    wake_ups: WakeUps = Factory(dict)
    recent_times: set[str] = Factory(set)
    """The times of the wake-ups that the PMS has requested in this window."""

    @property
    def are_default(self) -> bool:
        return self == Settings()

    @property
    def of_guests(self) -> tuple[int | None, bool]:
        """The class of service and the message light, which follow the guests."""
        return self.class_of_service, self.message_light

    def add_wake_ups(self, wake_ups: WakeUps) -> None:
        for time, ids in wake_ups.items():
            self.wake_ups.setdefault(time, set()).update(ids)


@frozen
class WindowPlan:
    """What happens to the guests of a hotel in one window.

    `classes`: the class of service that the records of the guests who come into a room state.
    """

    moves: Mapping[str, str] = field(factory=dict)
    departures: frozenset[str] = frozenset()
    arrivals: Mapping[str, str] = field(factory=dict)
    returned: frozenset[str] = frozenset()
    """Guests whose check-out is taken back within the window."""
    classes: Mapping[str, int] = field(factory=dict)

    @property
    def guests(self) -> frozenset[str]:
        return frozenset((*self.moves, *self.departures, *self.arrivals, *self.returned))

    @property
    def targets(self) -> dict[str, str]:
        """The new room of each guest who comes into one."""
        return {**self.moves, **self.arrivals}


class HotelTruth:
    """The guests of each room, and the settings of the rooms."""

    def __init__(self, rooms: Iterable[str]) -> None:
        self.settings = {room: Settings() for room in rooms}
        self.room_by_guest: dict[str, str] = {}

    def guests_of(self, room: str) -> set[str]:
        return {guest for guest, occupied in self.room_by_guest.items() if occupied == room}


class Window:
    """The truth during a window: what the PMS has sent of the plan so far."""

    def __init__(self, truth: HotelTruth, plan: WindowPlan) -> None:
        self.plan = plan
        self.cancelled: set[int] = set()
        """The ids of the wake-ups that have been cancelled."""
        self.gone: set[str] = set()
        """The guests of whom the PMS has sent that they leave their room."""
        self.shared: set[str] = set()
        """The rooms of which the PMS has sent that a guest leaves and others stay."""
        self.come: set[str] = set()
        """The guests of whom the PMS has sent that they are in their new room."""
        self.truth = truth
        self._before = dict(truth.room_by_guest)
        self._left: dict[str, Settings] = {}  # what belongs to the guests of a room where nobody stays
        self._merged: set[str] = set()  # the rooms that have got what their new guests brought
        for room in truth.settings:
            if self.leavers(room) and not self.stayers(room):
                self._left[room], truth.settings[room] = truth.settings[room], Settings()

    def leavers(self, room: str) -> set[str]:
        """The guests who were in a room before the window, and are not in it afterwards."""
        leaving = {*self.plan.moves, *self.plan.departures}
        return {guest for guest, occupied in self._before.items() if occupied == room and guest in leaving}

    def stayers(self, room: str) -> set[str]:
        """The guests who are in a room before the window, and afterwards."""
        leavers = self.leavers(room)
        return {
            guest for guest, occupied in self._before.items() if occupied == room and guest not in leavers
        }

    def newcomers(self, room: str) -> set[str]:
        return {guest for guest, target in self.plan.targets.items() if target == room}

    def is_touched(self, room: str) -> bool:
        """Check whether the plan is about a guest of the room."""
        concerned = self.leavers(room) | self.newcomers(room) | (self.plan.returned & self.stayers(room))
        return bool(concerned)

    def origins(self, room: str) -> list[str]:
        """The rooms whose guests, all of them, leave, and some of them for this room."""
        newcomers = self.newcomers(room)
        return [origin for origin in self._left if self.leavers(origin) & newcomers]

    @property
    def is_determined(self) -> bool:
        """Check whether the contract determines the result of the plan."""
        for origin, left in self._left.items():
            targets = {self.plan.moves[guest] for guest in self.leavers(origin) if guest in self.plan.moves}
            if len(targets) > 1 and (left.wake_ups or left.of_guests != (None, False)):
                return False
        return all(len(self._brought(room)) < 2 for room in self.truth.settings if not self.stayers(room))

    def _brought(self, room: str) -> set[tuple[int | None, bool]]:
        """The different classes of service and lights that the guests bring who come into a room."""
        brought = {self._left[origin].of_guests for origin in self.origins(room)}
        bringers = {guest for origin in self.origins(room) for guest in self.leavers(origin)}
        if self.newcomers(room) - bringers:
            brought.add((None, False))
        return {(None, light) for _, light in brought} if room in self.plan.classes else brought

    def _is_mixed(self, room: str) -> bool:
        """Check whether the guests of a room, who all leave it, do not stay together, or come to others."""
        targets = {self.plan.moves[guest] for guest in self.leavers(room) if guest in self.plan.moves}
        return len(targets) > 1 or any(self.newcomers(new) - self.leavers(room) for new in targets)

    def left_by(self, room: str) -> Settings:
        """What belongs to the guests of a room, all of whom leave; without any, the defaults."""
        return self._left.get(room, Settings())

    def is_gone(self, room: str) -> bool:
        """Check whether the PMS has sent that every guest leaves who does not stay."""
        return self.leavers(room) <= self.gone

    def is_complete(self, room: str) -> bool:
        """Check whether the PMS has sent who comes into a room, and that nobody stays where they were."""
        return self.newcomers(room) <= self.come and all(
            self.is_gone(origin) for origin in self.origins(room)
        )

    def may_have_unknown_guests(self, room: str) -> bool:
        """Check whether guests are said to stay in a room, and none is known to be in it."""
        return room in self.shared and not self.stayers(room) and not self.newcomers(room) & self.come

    def settings_of(self, room: str) -> Settings | None:
        """Return what an order for a room changes at this moment; None if that is not determined."""
        if any(
            (guest in self.gone) != (guest in self.come) for guest in self.plan.returned & self.stayers(room)
        ):
            return None
        has_come = bool(self.newcomers(room) & self.come)
        if has_come and not self.is_complete(room):
            return None
        if room in self._left and not self.is_gone(room) and self._is_mixed(room):
            return None
        if has_come and any(self.may_have_unknown_guests(origin) for origin in self.origins(room)):
            return None
        if room not in self._left or self.is_gone(room):
            return self.truth.settings[room]
        return None if has_come or self.leavers(room) & self.gone else self._left[room]

    def send_gone(self, guests: Iterable[str], emptied_rooms: Iterable[str] = ()) -> None:
        """Note that the PMS has sent that guests leave, or that nobody stays in a room."""
        self.gone.update(guests)
        for room in emptied_rooms:
            self.gone |= self.leavers(room)
        self._merge_complete_rooms()

    def send_come(self, guest: str, by_resync: bool = False, is_missed: bool = False) -> None:
        """Note that the PMS has sent that a guest is in the new room.

        `is_missed`: a data change says so, because the check-in was missed.
        """
        if (room := self.plan.targets.get(guest)) is not None:
            if not self.stayers(room) and not self.newcomers(room) & self.come and not is_missed:
                self._reset(room, by_resync)
            if guest in self.plan.moves:
                self.gone.add(guest)
        self.come.add(guest)
        self._merge_complete_rooms()

    def _reset(self, room: str, by_resync: bool) -> None:
        settings = self.truth.settings[room]
        was_on = settings.do_not_disturb is not False or self.left_by(room).do_not_disturb is not False
        wake_ups = {time: ids for time, ids in settings.wake_ups.items() if time in settings.recent_times}
        self.cancelled.update(*(ids for time, ids in settings.wake_ups.items() if time not in wake_ups))
        # a resync resets no room that has been vacant; whether one that guests leave is not determined
        do_not_disturb = None if by_resync and was_on else False
        self.truth.settings[room] = Settings(do_not_disturb=do_not_disturb, wake_ups=wake_ups)

    def _merge_complete_rooms(self) -> None:
        for room in self.truth.settings:
            if room not in self._merged and self.newcomers(room) and self.is_complete(room):
                self._merge(room)

    def _merge(self, room: str) -> None:
        self._merged.add(room)
        settings = self.truth.settings[room]
        for origin in self.origins(room):
            left = self._left[origin]
            settings.add_wake_ups(left.wake_ups)
            left.wake_ups = {}
            if not self.stayers(room):
                settings.class_of_service, settings.message_light = left.of_guests
        settings.class_of_service = self.plan.classes.get(room, settings.class_of_service)

    def end(self) -> None:
        """End the window, when the PMS has sent all of the plan."""
        for room in self.truth.settings:
            assert self.is_complete(room), f"the PMS has not sent who comes into {room}"
            assert self.is_gone(room), f"the PMS has not sent who leaves {room}"
        for left in self._left.values():
            self.cancelled.update(*left.wake_ups.values())
        for guest in self.plan.departures:
            del self.truth.room_by_guest[guest]
        self.truth.room_by_guest.update(self.plan.targets)
        for room, settings in self.truth.settings.items():
            self.truth.settings[room] = evolve(settings, recent_times=set())
