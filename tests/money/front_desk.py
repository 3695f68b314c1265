"""The front desk of the simulated hotel: who really is in which room, and how the PMS tells it.

It knows nothing of the link. Each act changes the truth at once, and tells it by records in one of the ways
that PMSs use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Protocol

from attrs import frozen

MAX_MOVE_GAP_S = 1.5
"""Longest time between two records that tell one move."""

BUSY_S = 4.0
"""Two acts of one guest are told further apart than this: a PMS may tell one by records of two seconds."""
UNTOLD = float("inf")


@frozen
class Person:
    """A guest; `number` is the reservation number (G#), empty in a hotel that has none."""

    id: int
    number: str


class Tell(Protocol):
    """Sends a record to the link, now or after a delay."""

    def __call__(self, delay: float, text: str, also: Callable[[], None] | None = None) -> None:
        """Send a record, and call `also` just before."""


class FrontDesk:
    """The truth about the rooms. `tell` gets the delay of a record, its text, and what happens with it."""

    def __init__(
        self,
        random: Random,
        rooms: Iterable[str],
        is_numbered: bool,
        now: Callable[[], float],
        tell: Tell,
    ) -> None:
        self.rooms: dict[str, list[Person]] = {room: [] for room in rooms}
        self._random = random
        self._is_numbered = is_numbered
        self._now = now
        self._tell = tell
        self._touched: dict[int, float] = {}
        """When the link was told what each guest last did, by the guest's id; infinite before it is told."""
        self._departed: list[Person] = []
        self._person_count = 0
        self.acts: tuple[Callable[[], None], ...] = (
            self.check_in,
            self.check_in,
            self.check_out,
            self.change_guests,
            self.change_guests,
            self.move,
            self.move,
        )
        if is_numbered:
            self.acts += (self.swap, self.take_back, self.correct_check_out, self.join, self.part)

    def occupancy(self) -> dict[str, frozenset[int]]:
        """Return who is in each room."""
        return {room: frozenset(guest.id for guest in guests) for room, guests in self.rooms.items()}

    def resync_records(self) -> list[str]:
        """Return the records between DS and DE."""
        records = []
        for room, guests in self.rooms.items():
            for index, guest in enumerate(guests):
                records.append(self._check_in_record(room, guest, index > 0, "SF|"))
        return records

    # Acts.

    def check_in(self) -> None:
        """A new guest comes to a vacant room."""
        if room := self._pick(vacant=True):
            self._arrive(room, self._new_person())

    def join(self) -> None:
        """A new guest comes to a room that others have."""
        if room := self._pick(vacant=False):
            self._arrive(room, self._new_person())

    def check_out(self) -> None:
        """All guests of a room leave."""
        if room := self._pick(vacant=False):
            self._leave(room, self.rooms[room])

    def part(self) -> None:
        """One guest of a room leaves; others may stay."""
        if room := self._pick(vacant=False):
            self._leave(room, [self._random.choice(self.rooms[room])])

    def change_guests(self) -> None:
        """The guests of a room leave, and the next one comes at once."""
        if room := self._pick(vacant=False):
            if self._is_numbered and self._random.random() < 0.3:  # the check-in says that nobody else stays
                for guest in self.rooms[room]:
                    self._touch(guest)
                self._departed += self.rooms[room]
                self.rooms[room] = []
            else:
                self._leave(room, self.rooms[room])
            self._arrive(room, self._new_person())

    def take_back(self) -> None:
        """A guest who has left comes back, to any room."""
        vacant = self._pick(vacant=True)
        guests = [guest for guest in self._departed if not self._is_busy(guest)]
        if guests and vacant:
            guest = self._random.choice(guests)
            self._departed.remove(guest)
            self._arrive(vacant, guest)

    def correct_check_out(self) -> None:
        """A check-out is told by mistake, and taken back within the time of a move."""
        if room := self._pick(vacant=False):
            guest = self._random.choice(self.rooms[room])
            others = len(self.rooms[room]) > 1
            self._touch(guest)
            self._tell(0.0, _check_out_record(room, guest, others))
            self._tell(self._gap(), self._check_in_record(room, guest, others))

    def move(self) -> None:
        """The guests of a room, or one of them, move to a vacant room."""
        old, new = self._pick(vacant=False), self._pick(vacant=True)
        if not old or not new:
            return
        movers = self.rooms[old]
        if self._random.random() < 0.5:
            movers = [self._random.choice(movers)]
        way = self._random.choice(("GC", "GO GI", "GI GO", "GI")) if self._is_numbered else "GC"
        for index, guest in enumerate(list(movers)):
            self._move(guest, old, new, way, others=index > 0)

    def swap(self) -> None:
        """The guests of two rooms swap."""
        first, second = self._pick(vacant=False), self._pick(vacant=False)
        if not first or not second or first == second:
            return
        self.rooms[first], self.rooms[second] = self.rooms[second], self.rooms[first]
        records = []
        for room, old in ((first, second), (second, first)):
            for index, guest in enumerate(self.rooms[room]):
                self._touch(guest)
                records.append(self._check_in_record(room, guest, index > 0))
                records.append(_check_out_record(old, guest, index + 1 < len(self.rooms[room])))
        if self._random.random() < 0.5:
            self._random.shuffle(records)
        for record in records:
            self._tell(0.0, record)

    # Steps.

    def _arrive(self, room: str, guest: Person) -> None:
        others = bool(self.rooms[room])
        self._touch(guest)
        self.rooms[room].append(guest)
        self._tell(0.0, self._check_in_record(room, guest, others))

    def _leave(self, room: str, leaving: Iterable[Person]) -> None:
        for guest in list(leaving):
            self._touch(guest)
            self.rooms[room].remove(guest)
            self._departed.append(guest)
            self._tell(0.0, _check_out_record(room, guest, bool(self.rooms[room])))

    def _move(self, guest: Person, old: str, new: str, way: str, others: bool) -> None:
        self._touch(guest)
        self.rooms[old].remove(guest)
        leaves_others = bool(self.rooms[old])
        check_in = self._check_in_record(new, guest, others)
        check_out = _check_out_record(old, guest, leaves_others)
        number = f"G#{guest.number}|" if guest.number else ""
        change = f"GC|RN{new}|GS{_flag(others)}|{number}RO{old}|GS{_flag(leaves_others)}|"
        if way == "GO GI":  # meanwhile the guest is nowhere
            self._tell(0.0, check_out)
            self._tell(self._gap(), check_in, lambda: self.rooms[new].append(guest))
            return
        self.rooms[new].append(guest)
        match way:
            case "GC":
                self._tell(0.0, change)
            case "GI GO":
                self._tell(0.0, check_in)
                self._tell(self._gap(), check_out)
            case "GI":
                self._tell(0.0, check_in)

    def _gap(self) -> float:
        return self._random.choice((0.0, self._random.uniform(0.0, MAX_MOVE_GAP_S)))

    def _new_person(self) -> Person:
        self._person_count += 1
        number = str(1000 + self._person_count) if self._is_numbered else ""
        return Person(self._person_count, number)

    def _pick(self, vacant: bool) -> str | None:
        """Pick a room whose guests have done nothing else in the time of a move."""
        rooms = [
            room
            for room, guests in self.rooms.items()
            if bool(guests) is not vacant and not any(map(self._is_busy, guests))
        ]
        return self._random.choice(rooms) if rooms else None

    def on_all_told(self) -> None:
        """Note that the link has been told everything."""
        for guest, told_at in self._touched.items():
            if told_at == UNTOLD:
                self._touched[guest] = self._now()

    def _touch(self, guest: Person) -> None:
        self._touched[guest.id] = UNTOLD

    def _is_busy(self, guest: Person) -> bool:
        return self._now() - self._touched.get(guest.id, -BUSY_S) < BUSY_S

    def _check_in_record(self, room: str, guest: Person, others: bool, more: str = "") -> str:
        number = f"G#{guest.number}|" if guest.number else ""
        return f"GI|RN{room}|{number}GS{_flag(others)}|GNGuest {guest.id}|{more}"


def _check_out_record(room: str, guest: Person, others: bool) -> str:
    number = f"G#{guest.number}|" if guest.number else ""
    return f"GO|RN{room}|{number}GS{_flag(others)}|"


def _flag(others: bool) -> str:
    return "Y" if others else "N"
