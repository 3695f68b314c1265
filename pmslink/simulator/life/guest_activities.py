"""What happens in a hotel all day: guests come, go and move, and the desk does this and that for them.

Each happening does its thing with a property, and gives how often: 0 where nobody is there for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from pmslink.simulator.hotel.hotel_model import Guest
from pmslink.simulator.hotel.sample_data import person
from pmslink.simulator.pms.property import Pms

OCCUPANCY = 2 / 3
"""The share of rooms that is occupied in the long run."""
MOST_IN_A_ROOM = 3
MOST_WAKE_UPS = 4
"""Wake-ups that wait in one room, as far as the desk orders them."""

_T = TypeVar("_T")
Happening = Callable[[Pms, Random], int]


def next_happening(pms: Pms, chance: Random) -> Happening:
    """Any of them, the frequent ones more often; coming and going keep the hotel as full as it should be."""
    occupied = len({guest.room for guest in pms.hotel.guests.values()}) / len(pms.hotel.rooms)
    missing = round(60 * (OCCUPANCY - occupied))
    weights = {**_WEIGHTS, check_in: max(1, 10 + missing), check_out: max(1, 10 - missing)}
    return chance.choices(list(weights), list(weights.values()))[0]


def check_in(pms: Pms, chance: Random) -> int:
    """Somebody takes a vacant room, most with a class of service."""
    room = _any_of(chance, (room for room, guests in pms.hotel.by_room().items() if not guests))
    if room is None:
        return 0
    service = chance.choice((None, 1, 2, 2, 3))
    days = timedelta(days=chance.randrange(1, 8))
    vip = chance.choice(("", "", "", "1"))
    departure = pms.now().date() + days
    pms.check_in(room, **person(chance), departure=departure, vip=vip, class_of_service=service)
    return 1


def share(pms: Pms, chance: Random) -> int:
    """Somebody joins another guest."""
    first = _any_of(chance, (guests[0] for guests in _occupied(pms) if len(guests) < MOST_IN_A_ROOM))
    if first is None:
        return 0
    who = {**person(chance), "name": first.name}
    pms.check_in(first.room, **who, departure=first.departure)
    return 1


def check_out(pms: Pms, chance: Random) -> int:
    """A room is left: by all of its guests, and now and then by one of them alone."""
    guests = _any_of(chance, _occupied(pms))
    if guests is None:
        return 0
    leaving = guests[:1] if chance.random() < 1 / 5 else guests
    for guest in leaving:
        pms.check_out(guest.number)
    return len(leaving)


def change(pms: Pms, chance: Random) -> int:
    """Something is known better of a guest, or he stays longer."""
    guest = _any_guest(pms, chance)
    if guest is None:
        return 0
    better = chance.choice(("name", "first_name", "language", "title", "departure"))
    days = timedelta(days=chance.randrange(1, 8))
    known = {**person(chance), "departure": pms.now().date() + days}
    return int(pms.change(guest.number, {better: known[better]}) != guest)


def move(pms: Pms, chance: Random) -> int:
    """A guest takes a vacant room, or now and then joins others."""
    guest = _any_guest(pms, chance)
    if guest is None:
        return 0
    others = chance.random() < 1 / 6
    rooms = pms.hotel.by_room().items()
    free = (
        room
        for room, guests in rooms
        if room != guest.room and (0 < len(guests) < MOST_IN_A_ROOM if others else not guests)
    )
    room = _any_of(chance, free)
    if room is None:
        return 0
    pms.move(guest.number, room)
    return 1


def class_of_service(pms: Pms, chance: Random) -> int:
    """The desk bars a room's telephone, or opens it."""
    return _equip(pms, chance, lambda room: pms.equip(room, class_of_service=chance.randrange(4)))


def message_light(pms: Pms, chance: Random) -> int:
    """A message waits at the desk, or was fetched."""
    return _equip(
        pms, chance, lambda room: pms.equip(room, message_light=not pms.equipment(room).message_light)
    )


def do_not_disturb(pms: Pms, chance: Random) -> int:
    """The guests ask the desk for their peace, or for an end of it."""
    return _equip(
        pms, chance, lambda room: pms.equip(room, do_not_disturb=not pms.equipment(room).do_not_disturb)
    )


def order_wake_up(pms: Pms, chance: Random) -> int:
    """The desk notes down one wake-up of a room, or two or three."""
    guest = _any_guest(pms, chance)
    if guest is None or len(pms.equipment(guest.room).wake_ups) >= MOST_WAKE_UPS:
        return 0
    moments = {wake_up_moment(pms.now(), chance) for _ in range(chance.choice((1, 1, 1, 2, 3)))}
    for moment in sorted(moments):
        pms.order_wake_up(guest.room, moment)
    return len(moments)


def cancel_wake_up(pms: Pms, chance: Random) -> int:
    """A guest would rather sleep: one wake-up is cancelled, or all of the room."""
    rooms = dict.fromkeys(guest.room for guest in pms.hotel.guests.values())
    room = _any_of(chance, (room for room in rooms if pms.equipment(room).wake_ups))
    if room is None:
        return 0
    date, time = chance.choice(pms.equipment(room).wake_ups)
    all_of_them = chance.random() < 1 / 4
    try:
        moment = datetime.strptime(date + time, "%y%m%d%H%M%S")  # noqa: DTZ007 (local, as FIAS has it)
    except ValueError:  # a phone's wake-up that is no moment
        all_of_them, moment = True, None
    pms.cancel_wake_up(room, None if all_of_them else moment)
    return 1


def wake_up_moment(now: datetime, chance: Random) -> datetime:
    """A whole minute to come, in the same local time: mostly of a morning, at times very soon."""
    minute = now.replace(tzinfo=None, second=0, microsecond=0)
    if chance.random() < 1 / 4:
        return minute + timedelta(minutes=chance.randrange(2, 30))
    morning = minute.replace(hour=0, minute=0) + timedelta(hours=5, minutes=5 * chance.randrange(60))
    return morning if morning > minute + timedelta(minutes=1) else morning + timedelta(days=1)


def _equip(pms: Pms, chance: Random, act: Callable[[str], object]) -> int:
    guest = _any_guest(pms, chance)
    if guest is None:
        return 0
    act(guest.room)
    return 1


def _occupied(pms: Pms) -> list[list[Guest]]:
    return [guests for guests in pms.hotel.by_room().values() if guests]


def _any_guest(pms: Pms, chance: Random) -> Guest | None:
    return _any_of(chance, pms.hotel.guests.values())


def _any_of(chance: Random, them: Iterable[_T]) -> _T | None:
    choices: Sequence[_T] = list(them)
    return chance.choice(choices) if choices else None


_WEIGHTS: dict[Happening, int] = {
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
