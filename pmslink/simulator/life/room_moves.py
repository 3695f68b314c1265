"""Activities in which guests change their rooms: moves, swaps, rings of three rooms, couples and groups.

The records are sent in all the ways of PMSs. Each activity returns how many guests it moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

from pmslink.fias.record import Record
from pmslink.simulator.hotel.hotel_model import Guest
from pmslink.simulator.life.acts import (
    MAX_GUESTS_PER_ROOM,
    PAUSES_S,
    choose,
    choose_guest,
    move_forms,
    occupied_rooms,
    send_act,
    send_step,
    vacant_rooms,
)
from pmslink.simulator.pms.property import Pms

GROUP_ROOMS = 3
"""Rooms of a group that moves."""
VACANT_DIRTY = "1"
"""The status of a room that its guest has just left (RS)."""


def move(pms: Pms, rng: Random) -> int:
    """Move a guest to a vacant room, sometimes to an occupied one."""
    guest = choose_guest(pms, rng)
    if guest is None:
        return 0
    joins_others = rng.random() < 1 / 6
    others = [room for room in occupied_rooms(pms, MAX_GUESTS_PER_ROOM - 1) if room != guest.room]
    room = choose(rng, others if joins_others else vacant_rooms(pms))
    if room is None:
        return 0
    is_emptied = len(pms.hotel.guests_in(guest.room)) == 1
    records = pms.move_together({guest.number: room}, rng, move_forms(pms))
    if is_emptied and [record.id for record in records] == ["GO", "GI"] and rng.random() < 1 / 2:
        _send_with_room_record(pms, rng, records, guest.room, room)
    else:
        send_act(pms, rng, records, (guest.room, room), pauses=True)
    return 1


def _send_with_room_record(pms: Pms, rng: Random, records: Sequence[Record], old: str, new: str) -> None:
    """Send GO and GI with an RE about the room that the guest has left in between."""
    change: Callable[[], object] = partial(pms.change_equipment, old, class_of_service=0)
    if rng.random() < 1 / 2:
        change = partial(pms.change_equipment, old, status=VACANT_DIRTY)
    check_out, check_in = (send_step(pms, record) for record in records)
    pms.acts.run([check_out, (rng.choice(PAUSES_S), change), check_in], (old, new))


def move_room(pms: Pms, rng: Random) -> int:
    """Move all guests of a shared room, for example a couple, to a vacant room."""
    shared = [guests for guests in occupied_rooms(pms).values() if len(guests) > 1]
    guests, room = choose(rng, shared), choose(rng, vacant_rooms(pms))
    return 0 if guests is None or room is None else _move_rooms(pms, rng, {guests[0].room: room})


def move_group(pms: Pms, rng: Random) -> int:
    """Move all guests of several rooms to vacant rooms at one time."""
    rooms, vacant = list(occupied_rooms(pms)), vacant_rooms(pms)
    count = min(GROUP_ROOMS, len(rooms), len(vacant))
    if count < 2:
        return 0
    return _move_rooms(pms, rng, dict(zip(rng.sample(rooms, count), rng.sample(vacant, count), strict=True)))


def swap(pms: Pms, rng: Random) -> int:
    """Let all guests of two rooms exchange their rooms, in some cases of three rooms in a ring."""
    rooms = list(occupied_rooms(pms))
    count = min(rng.choice((2, 2, 3)), len(rooms))
    if count < 2:
        return 0
    ring = rng.sample(rooms, count)
    return _move_rooms(pms, rng, dict(zip(ring, [*ring[1:], ring[0]], strict=True)))


def swap_guests(pms: Pms, rng: Random) -> int:
    """Let one guest each of two rooms exchange their rooms; the others stay."""
    rooms = occupied_rooms(pms)
    if len(rooms) < 2:
        return 0
    first, second = (rng.choice(rooms[room]) for room in rng.sample(list(rooms), 2))
    return _move_guests(pms, rng, {first.number: second.room, second.number: first.room})


def _move_rooms(pms: Pms, rng: Random, rooms: Mapping[str, str]) -> int:
    """Move all guests of rooms, by old and new room."""
    guests: list[Guest] = [guest for room in rooms for guest in pms.hotel.guests_in(room)]
    return _move_guests(pms, rng, {guest.number: rooms[guest.room] for guest in guests})


def _move_guests(pms: Pms, rng: Random, moves: Mapping[str, str]) -> int:
    rooms = {*moves.values(), *(pms.hotel.guest(number).room for number in moves)}
    send_act(pms, rng, pms.move_together(moves, rng, move_forms(pms)), sorted(rooms))
    return len(moves)
