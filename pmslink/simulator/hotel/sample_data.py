"""The initial rooms and guests: generated, and the same at every start.

All properties of a process share these values, so thousands of properties need little memory.
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
    """Return ``count`` room numbers, twenty a floor: 101 to 120, then 201 to 220, and so on."""
    return tuple(
        str(index // ROOMS_PER_FLOOR * 100 + 101 + index % ROOMS_PER_FLOOR) for index in range(count)
    )


def random_person(rng: random.Random) -> dict[str, str]:
    """Choose a person: name, first name, title and language, as attributes of Guest."""
    return {
        "name": rng.choice(_NAMES),
        "first_name": rng.choice(_FIRST_NAMES),
        "title": rng.choice(_TITLES),
        "language": rng.choice(_LANGUAGES),
    }


def sample_guests(count: int, today: date) -> tuple[Guest, ...]:
    """Return guests for two thirds of ``count`` rooms; one occupied room in six has two guests."""
    return _sample_stays(count, today)[0]


def sample_equipment(count: int, today: date) -> Mapping[str, Equipment]:
    """Return the equipment of each room that `sample_guests` occupies: a class of service."""
    return _sample_stays(count, today)[1]


@lru_cache(maxsize=16)
def _sample_stays(count: int, today: date) -> tuple[tuple[Guest, ...], Mapping[str, Equipment]]:
    rng = random.Random(f"{count} rooms")  # noqa: S311 (sample data, not secret)
    beds = [
        room
        for room in room_numbers(count)
        if rng.random() < 2 / 3
        for _ in range(2 if rng.random() < 1 / 6 else 1)
    ]
    guests, equipment = [], {}
    for index, room in enumerate(beds):
        guests.append(
            Guest(
                number=str(_FIRST_RESERVATION_NUMBER + index),
                room=room,
                **random_person(rng),
                arrival=today - timedelta(days=rng.randrange(5)),
                departure=today + timedelta(days=rng.randrange(1, 8)),
                vip=rng.choice(("", "", "", "1")),
            )
        )
        equipment[room] = _EQUIPMENT_BY_CLASS_OF_SERVICE[rng.randrange(1, 4)]
    return tuple(guests), equipment


_EQUIPMENT_BY_CLASS_OF_SERVICE = tuple(Equipment(class_of_service=service) for service in range(4))
