"""Rooms and guests to begin with: invented, and the same at every start.

Everything here is shared by all the properties of a process, so that thousands of them stay small.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache, lru_cache

from pmslink.simulator.hotel.hotel_model import Guest
from pmslink.simulator.hotel.room_equipment import Equipment

ROOMS_PER_FLOOR = 20
_FIRST_RESERVATION_NUMBER = 5001
_NAMES = ("Adams", "Bauer", "Clark", "Diaz", "Engel", "García", "Jensen", "König", "Müller", "Olsen")
_FIRST_NAMES = ("Ann", "Ben", "Carla", "David", "Emma", "Felix", "Grace", "Hugo", "Inès", "Léon")
_TITLES = ("", "", "Dr", "Prof")
_LANGUAGES = ("EA", "GE", "FR", "SP", "IT")


@cache
def room_numbers(count: int) -> tuple[str, ...]:
    """``count`` rooms, twenty a floor: 101 to 120, then 201 to 220, and so on."""
    return tuple(str(at // ROOMS_PER_FLOOR * 100 + 101 + at % ROOMS_PER_FLOOR) for at in range(count))


def random_person(rng: random.Random) -> dict[str, str]:
    """Somebody: name, first name, title and language, under Guest's names."""
    return {
        "name": rng.choice(_NAMES),
        "first_name": rng.choice(_FIRST_NAMES),
        "title": rng.choice(_TITLES),
        "language": rng.choice(_LANGUAGES),
    }


def sample_guests(count: int, today: date) -> tuple[Guest, ...]:
    """Guests for two thirds of so many rooms; one occupied room in six holds two of them."""
    return _sample_stays(count, today)[0]


def sample_equipment(count: int, today: date) -> Mapping[str, Equipment]:
    """The class of service of each room in which the population stays."""
    return _sample_stays(count, today)[1]


@lru_cache(maxsize=16)
def _sample_stays(count: int, today: date) -> tuple[tuple[Guest, ...], Mapping[str, Equipment]]:
    chance = random.Random(f"{count} rooms")  # noqa: S311 (invented, not secret)
    beds = [
        room
        for room in room_numbers(count)
        if chance.random() < 2 / 3
        for _ in range(2 if chance.random() < 1 / 6 else 1)
    ]
    guests, rooms = [], {}
    for at, room in enumerate(beds):
        guests.append(
            Guest(
                number=str(_FIRST_RESERVATION_NUMBER + at),
                room=room,
                **random_person(chance),
                arrival=today - timedelta(days=chance.randrange(5)),
                departure=today + timedelta(days=chance.randrange(1, 8)),
                vip=chance.choice(("", "", "", "1")),
            )
        )
        rooms[room] = _EQUIPMENT_BY_CLASS_OF_SERVICE[chance.randrange(1, 4)]
    return tuple(guests), rooms


_EQUIPMENT_BY_CLASS_OF_SERVICE = tuple(Equipment(class_of_service=service) for service in range(4))
