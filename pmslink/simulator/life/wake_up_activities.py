"""Activities of the front desk with wake-ups: in advance, now, repeated, at midnight, without a date."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from pmslink.simulator.hotel.room_equipment import WakeUpSpelling, parse_wake_up
from pmslink.simulator.life.acts import choose, choose_guest, occupied_rooms
from pmslink.simulator.pms.property import Pms

MAX_DESK_WAKE_UPS = 4
"""Scheduled wake-ups of one room at which the front desk stops ordering."""


def order_wake_up(pms: Pms, rng: Random) -> int:
    """Order one to three wake-ups for a room."""
    guest = choose_guest(pms, rng)
    if guest is None or len(pms.equipment(guest.room).wake_ups) >= MAX_DESK_WAKE_UPS:
        return 0
    times = {choose_wake_up_time(pms.now(), rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))}
    for time in sorted(times):
        pms.order_wake_up(guest.room, time, _choose_spelling(pms, rng, time))
    return len(times)


def order_wake_up_now(pms: Pms, rng: Random) -> int:
    """Order a wake-up for the current minute."""
    guest = choose_guest(pms, rng)
    at = pms.now().replace(tzinfo=None, second=0, microsecond=0)
    if guest is None or not pms.alive or _has_result(pms, guest.room, at):
        return 0
    pms.order_wake_up(guest.room, at)
    return 1


def repeat_wake_up(pms: Pms, rng: Random) -> int:
    """Send the order of a wake-up again."""
    room = choose(rng, (room for room in occupied_rooms(pms) if _future_wake_ups(pms, room)))
    if room is None:
        return 0
    pms.order_wake_up(room, rng.choice(_future_wake_ups(pms, room)))
    return 1


def cancel_wake_up(pms: Pms, rng: Random) -> int:
    """Cancel one wake-up of a room, or all of them."""
    room = choose(rng, (room for room in occupied_rooms(pms) if pms.equipment(room).wake_ups))
    if room is None:
        return 0
    at = parse_wake_up(rng.choice(pms.equipment(room).wake_ups))
    cancels_all = at is None or rng.random() < 1 / 4
    pms.cancel_wake_up(room, None if cancels_all else at)
    return 1


def choose_wake_up_time(now: datetime, rng: Random) -> datetime:
    """Choose a future minute in the same local time.

    It is usually in a morning, sometimes within half an hour, and rarely at midnight.
    """
    minute = now.replace(tzinfo=None, second=0, microsecond=0)
    chance = rng.random()
    if chance < 1 / 4:
        return minute + timedelta(minutes=rng.randrange(2, 30))
    if chance < 1 / 3:
        return minute.replace(hour=0, minute=0) + timedelta(days=1)
    morning = minute.replace(hour=0, minute=0) + timedelta(hours=5, minutes=5 * rng.randrange(60))
    return morning if morning > minute + timedelta(minutes=1) else morning + timedelta(days=1)


def _choose_spelling(pms: Pms, rng: Random, at: datetime) -> WakeUpSpelling:
    """Choose a spelling. Without a date, a record that waits for the link would mean another day."""
    choices: list[WakeUpSpelling] = ["date and time"]
    is_next = at - pms.now().replace(tzinfo=None) < timedelta(hours=23)
    if is_next and pms.alive:
        choices.append("no date")
    if (at.hour, at.minute, at.second) == (0, 0, 0):
        choices.append("24 hours")
    return rng.choice(choices)


def _future_wake_ups(pms: Pms, room: str) -> list[datetime]:
    """Return the wake-ups of a room that are not due yet; a repeated order of others could ring again."""
    times = map(parse_wake_up, pms.equipment(room).wake_ups)
    soon = pms.now().replace(tzinfo=None) + timedelta(minutes=1)
    return [at for at in times if at is not None and at > soon]


def _has_result(pms: Pms, room: str, at: datetime) -> bool:
    """Return whether a wake-up of the room at this time has ended: another order would mean the same."""
    results = pms.equipment(room).wake_up_results
    return any((date, time) == (f"{at:%y%m%d}", f"{at:%H%M%S}") for date, time, _ in results)
