"""The activities of guests and the front desk: check-in, check-out, changes, equipment.

Each activity changes a property and returns how many operations it made, 0 if none was possible.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from pmslink.simulator.hotel.room_equipment import build_wake_up
from pmslink.simulator.hotel.sample_data import random_person
from pmslink.simulator.life.acts import (
    MAX_GUESTS_PER_ROOM,
    choose,
    choose_guest,
    occupied_rooms,
    send_act,
    vacant_rooms,
)
from pmslink.simulator.life.wake_up_activities import choose_wake_up_time
from pmslink.simulator.pms.property import Pms


def check_in(pms: Pms, rng: Random) -> int:
    """Check one guest or a couple into a vacant room, usually with a class of service."""
    room = choose(rng, vacant_rooms(pms))
    if room is None:
        return 0
    people = _choose_people(pms, rng)
    records = pms.check_in_together(room, people)
    rng.shuffle(records)
    send_act(pms, rng, records, [room], pauses=True)
    return len(people)


def wake_up_in_advance(pms: Pms, rng: Random) -> int:
    """Order a wake-up for a vacant room, and check in its guest at once."""
    room = choose(rng, vacant_rooms(pms))
    if room is None:
        return 0
    at = choose_wake_up_time(pms.now(), rng)
    pms.order_wake_up(room, at)
    records = pms.check_in_together(room, _choose_people(pms, rng)[:1])
    pms.hotel.set_equipment(room, pms.equipment(room).with_wake_ups(build_wake_up(at)))  # of the guest
    send_act(pms, rng, records, [room])
    return 1


def share(pms: Pms, rng: Random) -> int:
    """Check a sharer into an occupied room."""
    guests = choose(rng, occupied_rooms(pms, MAX_GUESTS_PER_ROOM - 1).values())
    if guests is None:
        return 0
    first = guests[0]
    person = {**random_person(rng), "name": first.name}
    pms.check_in(first.room, **person, departure=first.departure)
    pms.acts.mark_busy([first.room])
    return 1


def check_out(pms: Pms, rng: Random) -> int:
    """Check out all guests of a room, sometimes only one of them."""
    guests = choose(rng, occupied_rooms(pms).values())
    if guests is None:
        return 0
    departing = guests[:1] if rng.random() < 1 / 5 else guests
    for guest in departing:
        pms.check_out(guest.number)
    pms.acts.mark_busy([guests[0].room])
    return len(departing)


def take_back_check_out(pms: Pms, rng: Random) -> int:
    """Check out the guests of a room, and take it back within two seconds for some or all of them."""
    guests = choose(rng, occupied_rooms(pms).values())
    if guests is None:
        return 0
    room, numbers = guests[0].room, [guest.number for guest in guests]
    returning = rng.sample(numbers, rng.randint(1, len(numbers)))
    send_act(pms, rng, pms.take_back_check_outs(room, returning, rng), [room], pauses=True)
    return len(numbers)


def change_over(pms: Pms, rng: Random) -> int:
    """Check out the guests of a room and check in the next guest, in any order, or without the GO."""
    room = choose(rng, occupied_rooms(pms))
    if room is None:
        return 0
    gone = pms.check_out_together(room)
    come = pms.check_in_together(room, _choose_people(pms, rng)[:1])
    orders = [gone + come, come + gone, come] if pms.alive else [gone + come]
    send_act(pms, rng, rng.choice(orders), [room], pauses=True)
    return len(gone) + 1


def change(pms: Pms, rng: Random) -> int:
    """Correct one attribute of a guest, or change the date of departure."""
    guest = choose_guest(pms, rng)
    if guest is None:
        return 0
    attribute = rng.choice(("name", "first_name", "language", "title", "departure"))
    days = timedelta(days=rng.randrange(1, 8))
    values = {**random_person(rng), "departure": pms.now().date() + days}
    return int(pms.change(guest.number, {attribute: values[attribute]}) != guest)


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


def _choose_people(pms: Pms, rng: Random) -> list[dict[str, Any]]:
    """Choose a guest or a couple, as arguments of a check-in."""
    service = rng.choice((None, 1, 2, 2, 3))
    departure = pms.now().date() + timedelta(days=rng.randrange(1, 8))
    first = {**random_person(rng), "departure": departure, "class_of_service": service}
    people = [{**first, "vip": rng.choice(("", "", "", "1"))}]
    if rng.random() < 1 / 6:
        people.append({**random_person(rng), "name": first["name"], "departure": departure})
    return people


def _equip_random_room(pms: Pms, rng: Random, action: Callable[[str], object]) -> int:
    guest = choose_guest(pms, rng)
    if guest is None:
        return 0
    action(guest.room)
    return 1
