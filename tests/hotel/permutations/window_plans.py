"""Plans of windows: acts of a hotel's guests, one or two at a time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from attrs import Factory, define, evolve

from tests.hotel.permutations.chooser import Chooser
from tests.hotel.permutations.hotel_truth import HotelTruth, Window, WindowPlan

MAX_GUESTS_IN_HOTEL = 6
MAX_TRIES = 4
CLASSES = (0, 1, 2, 3)


@define
class PlanWriter:
    """Choose acts and write them into a plan. Two acts of one plan are about different rooms."""

    choose: Chooser
    truth: HotelTruth
    numbers: list[str]
    """The reservation numbers of the guests who may check in."""
    moves: dict[str, str] = Factory(dict)
    departures: set[str] = Factory(set)
    arrivals: dict[str, str] = Factory(dict)
    returned: set[str] = Factory(set)
    used_rooms: set[str] = Factory(set)

    def write(self) -> WindowPlan:
        """Write a plan whose result is determined; it may be empty."""
        for _ in range(2 if self.choose.rarely(4) else 1):
            self._write_act()
        plan = WindowPlan(self.moves, frozenset(self.departures), self.arrivals, frozenset(self.returned))
        targets = dict.fromkeys(plan.targets.values())
        classes = {room: self.choose.one(CLASSES) for room in targets if self.choose.rarely(2)}
        plan = evolve(plan, classes=classes)
        return plan if is_determined(self.truth, plan) else WindowPlan()

    def _write_act(self) -> None:
        """Write an act that is possible now, or none."""
        before = self._guest_count
        if not self.truth.room_by_guest and not before and not self.choose.rarely(4):
            fill(self)
            return
        for _ in range(MAX_TRIES):
            act = self.choose.one(ACTS)
            act(self)
            if self._guest_count > before or act is nothing:
                return

    @property
    def _guest_count(self) -> int:
        return len(self.moves) + len(self.departures) + len(self.arrivals) + len(self.returned)

    def occupied(self, least: int = 1) -> list[str]:
        """The rooms that no act has used, with at least so many guests."""
        return [room for room in self._free_rooms() if len(self.truth.guests_of(room)) >= least]

    def vacant(self) -> list[str]:
        return [room for room in self._free_rooms() if not self.truth.guests_of(room)]

    def _free_rooms(self) -> list[str]:
        return [room for room in self.truth.settings if room not in self.used_rooms]

    def use(self, *rooms: str) -> None:
        self.used_rooms.update(rooms)

    def guests(self, room: str) -> list[str]:
        return sorted(self.truth.guests_of(room))

    def arrive(self, room: str, most: int = 3) -> None:
        staying = len(self.truth.room_by_guest) - len(self.departures) + len(self.arrivals)
        absent = [
            one for one in self.numbers if one not in self.truth.room_by_guest and one not in self.arrivals
        ]
        for guest in self.choose.some(absent, min(most, MAX_GUESTS_IN_HOTEL - staying), least=1):
            self.arrivals[guest] = room
        self.use(room)


def is_determined(truth: HotelTruth, plan: WindowPlan) -> bool:
    """Check whether the contract determines what a plan results in."""
    copy = HotelTruth(truth.settings)
    copy.settings, copy.room_by_guest = dict(truth.settings), dict(truth.room_by_guest)
    return Window(copy, plan).is_determined


def check_in(plan: PlanWriter) -> None:
    """Guests check in, to a vacant room or to other guests."""
    rooms = plan.vacant() or plan.occupied()
    if plan.choose.rarely(4):
        rooms = plan.occupied() or rooms
    if rooms:
        plan.arrive(plan.choose.one(rooms))


def fill(plan: PlanWriter) -> None:
    """Guests check in to several rooms of an empty hotel."""
    for room in plan.choose.some(plan.vacant(), most=4, least=1):
        plan.arrive(room)


def check_out(plan: PlanWriter) -> None:
    """Some or all guests of a room check out."""
    if rooms := plan.occupied():
        room = plan.choose.one(rooms)
        plan.departures.update(plan.choose.some(plan.guests(room), most=6, least=1))
        plan.use(room)


def change_over(plan: PlanWriter) -> None:
    """All guests of a room check out, and others check in."""
    if rooms := plan.occupied():
        room = plan.choose.one(rooms)
        plan.departures.update(plan.guests(room))
        plan.arrive(room)


def exchange(plan: PlanWriter) -> None:
    """The guests of two or more rooms exchange their rooms in a ring."""
    rooms = plan.choose.some(plan.occupied(), most=4, least=2)
    if len(rooms) > 1:
        for room, new in zip(rooms, [*rooms[1:], rooms[0]], strict=True):
            plan.moves.update(dict.fromkeys(plan.guests(room), new))
        plan.use(*rooms)


def exchange_some(plan: PlanWriter) -> None:
    """Some guests of two rooms exchange their rooms."""
    rooms = plan.choose.some(plan.occupied(), most=2, least=2)
    if len(rooms) > 1:
        for room, new in (rooms, rooms[::-1]):
            plan.moves.update(dict.fromkeys(plan.choose.some(plan.guests(room), most=2, least=1), new))
        plan.use(*rooms)


def move(plan: PlanWriter) -> None:
    """All guests of a room move to another, vacant or not."""
    _move(plan, least_guests=1, is_all=True)


def move_some(plan: PlanWriter) -> None:
    """Some guests of a room move to another, vacant or not."""
    _move(plan, least_guests=2, is_all=False)


def _move(plan: PlanWriter, least_guests: int, is_all: bool) -> None:
    if not (rooms := plan.occupied(least_guests)):
        return
    room = plan.choose.one(rooms)
    plan.use(room)
    if targets := [*plan.vacant(), *plan.occupied()]:
        new = plan.choose.one(targets)
        guests = plan.guests(room)
        some = guests if is_all else plan.choose.some(guests, most=len(guests) - 1, least=1)
        plan.moves.update(dict.fromkeys(some, new))
        plan.use(new)


def move_and_leave(plan: PlanWriter) -> None:
    """Some guests of a room check out, and the others move."""
    if not (rooms := plan.occupied(2)):
        return
    room = plan.choose.one(rooms)
    plan.use(room)
    if targets := [*plan.vacant(), *plan.occupied()]:
        new = plan.choose.one(targets)
        guests = plan.choose.shuffled(plan.guests(room))
        count = plan.choose.number(len(guests) - 1, 1)
        plan.departures.update(guests[:count])
        plan.moves.update(dict.fromkeys(guests[count:], new))
        plan.use(new)


def chain(plan: PlanWriter) -> None:
    """The guests of one room check out or move away, those of another move in, and others check in there."""
    rooms = plan.choose.some(plan.occupied(), most=3, least=2)
    if len(rooms) < 2:
        return
    plan.use(*rooms)
    if (vacant := plan.vacant()) and plan.choose.rarely(2):
        rooms = [plan.choose.one(vacant), *rooms]
        plan.use(rooms[0])
    else:
        plan.departures.update(plan.guests(rooms[0]))
    for new, room in pairwise(rooms):
        plan.moves.update(dict.fromkeys(plan.guests(room), new))
    if plan.choose.rarely(2):
        plan.arrive(rooms[-1])


def take_back(plan: PlanWriter) -> None:
    """The check-out of a guest is taken back. Others of the room may check out."""
    if rooms := plan.occupied():
        room = plan.choose.one(rooms)
        returned, *others = plan.choose.shuffled(plan.guests(room))
        plan.returned.add(returned)
        plan.departures.update(plan.choose.some(others, most=2))
        plan.use(room)


def anything(plan: PlanWriter) -> None:
    """Every guest stays, moves or checks out, and others check in."""
    rooms = plan.occupied()
    every = [*rooms, *plan.vacant()]
    for room in rooms:
        for guest in plan.guests(room):
            new = plan.choose.one([room, *every, ""])
            if not new:
                plan.departures.add(guest)
            elif new != room:
                plan.moves[guest] = new
    if every and plan.choose.rarely(2):
        plan.arrive(plan.choose.one(every))
    plan.use(*every)


def nothing(plan: PlanWriter) -> None:
    """Nothing happens to the guests."""


Act = Callable[[PlanWriter], None]

ACTS: tuple[Act, ...] = (
    check_in,
    check_in,
    exchange,
    exchange,
    move,
    check_out,
    change_over,
    move_some,
    move_some,
    exchange_some,
    exchange_some,
    move_and_leave,
    chain,
    take_back,
    anything,
    nothing,
)
