"""The activities of guests and the front desk: check-in, check-out, changes, moves, equipment, wake-ups.

Each activity changes a property and returns how many operations it made, 0 if none was possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from pmslink.simulator.hotel.hotel_model import Guest
from pmslink.simulator.hotel.sample_data import random_person
from pmslink.simulator.pms.property import Pms

TARGET_OCCUPANCY_RATIO = 2 / 3
"""The ratio of occupied rooms in the long run."""
MAX_GUESTS_PER_ROOM = 3
MAX_DESK_WAKE_UPS = 4
"""Scheduled wake-ups of one room at which the front desk stops ordering."""

_T = TypeVar("_T")
Activity = Callable[[Pms, Random], int]


def choose_activity(pms: Pms, rng: Random) -> Activity:
    """Choose a random activity; the weights of check-in and check-out adjust towards the target occupancy."""
    occupied = len({guest.room for guest in pms.hotel.guests.values()}) / len(pms.hotel.rooms)
    missing = round(60 * (TARGET_OCCUPANCY_RATIO - occupied))
    weights = {**_ACTIVITY_WEIGHTS, check_in: max(1, 10 + missing), check_out: max(1, 10 - missing)}
    return rng.choices(list(weights), list(weights.values()))[0]


def check_in(pms: Pms, rng: Random) -> int:
    """Check a guest into a vacant room, usually with a class of service."""
    room = _choose(rng, (room for room, guests in pms.hotel.guests_by_room().items() if not guests))
    if room is None:
        return 0
    service = rng.choice((None, 1, 2, 2, 3))
    days = timedelta(days=rng.randrange(1, 8))
    vip = rng.choice(("", "", "", "1"))
    departure = pms.now().date() + days
    pms.check_in(room, **random_person(rng), departure=departure, vip=vip, class_of_service=service)
    return 1


def share(pms: Pms, rng: Random) -> int:
    """Check a sharer into an occupied room."""
    first = _choose(
        rng, (guests[0] for guests in _guests_by_occupied_room(pms) if len(guests) < MAX_GUESTS_PER_ROOM)
    )
    if first is None:
        return 0
    person = {**random_person(rng), "name": first.name}
    pms.check_in(first.room, **person, departure=first.departure)
    return 1


def check_out(pms: Pms, rng: Random) -> int:
    """Check out all guests of a room, sometimes only one of them."""
    guests = _choose(rng, _guests_by_occupied_room(pms))
    if guests is None:
        return 0
    departing = guests[:1] if rng.random() < 1 / 5 else guests
    for guest in departing:
        pms.check_out(guest.number)
    return len(departing)


def change(pms: Pms, rng: Random) -> int:
    """Correct one attribute of a guest, or change the date of departure."""
    guest = _choose_guest(pms, rng)
    if guest is None:
        return 0
    attribute = rng.choice(("name", "first_name", "language", "title", "departure"))
    days = timedelta(days=rng.randrange(1, 8))
    values = {**random_person(rng), "departure": pms.now().date() + days}
    return int(pms.change(guest.number, {attribute: values[attribute]}) != guest)


def move(pms: Pms, rng: Random) -> int:
    """Move a guest to a vacant room, sometimes to an occupied one."""
    guest = _choose_guest(pms, rng)
    if guest is None:
        return 0
    joins_others = rng.random() < 1 / 6
    rooms = pms.hotel.guests_by_room().items()
    candidates = (
        room
        for room, guests in rooms
        if room != guest.room and (0 < len(guests) < MAX_GUESTS_PER_ROOM if joins_others else not guests)
    )
    room = _choose(rng, candidates)
    if room is None:
        return 0
    pms.move(guest.number, room)
    return 1


def class_of_service(pms: Pms, rng: Random) -> int:
    """Set a room's class of service."""
    return _equip_random_room(
        pms, rng, lambda room: pms.change_equipment(room, class_of_service=rng.randrange(4))
    )


def message_light(pms: Pms, rng: Random) -> int:
    """Switch a room's message light on or off."""
    return _equip_random_room(
        pms, rng, lambda room: pms.change_equipment(room, message_light=not pms.equipment(room).message_light)
    )


def do_not_disturb(pms: Pms, rng: Random) -> int:
    """Switch a room's do-not-disturb on or off."""
    return _equip_random_room(
        pms,
        rng,
        lambda room: pms.change_equipment(room, do_not_disturb=not pms.equipment(room).do_not_disturb),
    )


def order_wake_up(pms: Pms, rng: Random) -> int:
    """Order one to three wake-ups for a room."""
    guest = _choose_guest(pms, rng)
    if guest is None or len(pms.equipment(guest.room).wake_ups) >= MAX_DESK_WAKE_UPS:
        return 0
    times = {choose_wake_up_time(pms.now(), rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))}
    for time in sorted(times):
        pms.order_wake_up(guest.room, time)
    return len(times)


def cancel_wake_up(pms: Pms, rng: Random) -> int:
    """Cancel one wake-up of a room, or all of them."""
    rooms = dict.fromkeys(guest.room for guest in pms.hotel.guests.values())
    room = _choose(rng, (room for room in rooms if pms.equipment(room).wake_ups))
    if room is None:
        return 0
    date, time = rng.choice(pms.equipment(room).wake_ups)
    cancels_all = rng.random() < 1 / 4
    try:
        at = datetime.strptime(date + time, "%y%m%d%H%M%S")  # noqa: DTZ007 (local, as FIAS has it)
    except ValueError:  # the PBX sent an invalid DA or TI
        cancels_all, at = True, None
    pms.cancel_wake_up(room, None if cancels_all else at)
    return 1


def choose_wake_up_time(now: datetime, rng: Random) -> datetime:
    """Choose a future minute in the same local time: usually in a morning, sometimes within half an hour."""
    minute = now.replace(tzinfo=None, second=0, microsecond=0)
    if rng.random() < 1 / 4:
        return minute + timedelta(minutes=rng.randrange(2, 30))
    morning = minute.replace(hour=0, minute=0) + timedelta(hours=5, minutes=5 * rng.randrange(60))
    return morning if morning > minute + timedelta(minutes=1) else morning + timedelta(days=1)


def _equip_random_room(pms: Pms, rng: Random, action: Callable[[str], object]) -> int:
    guest = _choose_guest(pms, rng)
    if guest is None:
        return 0
    action(guest.room)
    return 1


def _guests_by_occupied_room(pms: Pms) -> list[list[Guest]]:
    return [guests for guests in pms.hotel.guests_by_room().values() if guests]


def _choose_guest(pms: Pms, rng: Random) -> Guest | None:
    return _choose(rng, pms.hotel.guests.values())


def _choose(rng: Random, candidates: Iterable[_T]) -> _T | None:
    choices: Sequence[_T] = list(candidates)
    return rng.choice(choices) if choices else None


_ACTIVITY_WEIGHTS: dict[Activity, int] = {
    check_in: 10,
    share: 3,
    check_out: 10,
    change: 8,
    move: 5,
    class_of_service: 5,
    message_light: 8,
    do_not_disturb: 5,
    order_wake_up: 8,
    cancel_wake_up: 3,
}
