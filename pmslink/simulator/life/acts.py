"""The parts of activities: choices of rooms and guests, and the sending of records in different ways.

Two acts about one room are at least some seconds apart, because the order of records within two seconds means
nothing to a PBX; see `ActScheduler`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from random import Random
from typing import TypeVar

from pmslink.fias.record import Record
from pmslink.simulator.hotel.hotel_model import Guest
from pmslink.simulator.hotel.move_records import MOVE_FORMS, ORDERED_MOVE_FORMS, MoveForm
from pmslink.simulator.pms.act_scheduler import Step
from pmslink.simulator.pms.property import Pms

MAX_GUESTS_PER_ROOM = 3
PAUSES_S = (0.0, 0.0, 0.2, 0.5)
"""Pauses between two records of an act; all of one act are shorter than a PBX's window of two seconds."""
MAX_PAUSES = 3

_T = TypeVar("_T")
Activity = Callable[[Pms, Random], int]


def choose(rng: Random, candidates: Iterable[_T]) -> _T | None:
    """Choose one of the candidates; None if there are none."""
    choices: Sequence[_T] = list(candidates)
    return rng.choice(choices) if choices else None


def vacant_rooms(pms: Pms) -> list[str]:
    """Return the vacant rooms that no act is about."""
    return [
        room
        for room, guests in pms.hotel.guests_by_room().items()
        if not guests and not pms.acts.is_busy(room)
    ]


def occupied_rooms(pms: Pms, max_guests: int = MAX_GUESTS_PER_ROOM) -> dict[str, list[Guest]]:
    """Return the guests of each room with at most so many guests that no act is about."""
    return {
        room: guests
        for room, guests in pms.hotel.guests_by_room().items()
        if 0 < len(guests) <= max_guests and not pms.acts.is_busy(room)
    }


def choose_guest(pms: Pms, rng: Random) -> Guest | None:
    """Choose a guest in whose room no act takes place."""
    return choose(rng, (guest for guest in pms.hotel.guests.values() if not pms.acts.is_busy(guest.room)))


def move_forms(pms: Pms) -> tuple[MoveForm, ...]:
    """Return the ways to send a move now.

    While the link is down, records of hours wait and are received at one time. Then only some ways are clear.
    """
    return MOVE_FORMS if pms.alive else ORDERED_MOVE_FORMS


def send_act(
    pms: Pms, rng: Random, records: Sequence[Record], rooms: Iterable[str], *, pauses: bool = False
) -> None:
    """Send the records of an act about these rooms, sometimes with those of another room in between.

    ``pauses``: sometimes there are pauses between the records.
    """
    steps = [send_step(pms, record) for record in records]
    if pauses and rng.random() < 1 / 2:
        for at in range(1, min(len(steps), MAX_PAUSES + 1)):
            steps[at] = (rng.choice(PAUSES_S), steps[at][1])
    rooms = list(rooms)
    if len(steps) > 1 and rng.random() < 1 / 3:
        others = [room for room in occupied_rooms(pms) if room not in rooms]
        if (other := choose(rng, others)) is not None:
            step = partial(pms.change_equipment, other, class_of_service=rng.randrange(4))
            steps.insert(rng.randrange(1, len(steps)), (0.0, step))
            rooms.append(other)
    pms.acts.run(steps, rooms)


def send_step(pms: Pms, record: Record) -> Step:
    """Return the step that sends a record."""
    return 0.0, partial(pms.send_record, record)
