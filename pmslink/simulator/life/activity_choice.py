"""The choice of the next activity in a hotel."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from pmslink.simulator.life import guest_activities, room_moves, wake_up_activities
from pmslink.simulator.life.acts import Activity
from pmslink.simulator.pms.property import Pms

TARGET_OCCUPANCY_RATIO = 2 / 3
"""The ratio of occupied rooms in the long run."""
MAX_ATTEMPTS = 20
"""Activities that are tried until one is possible."""


def run_activity(pms: Pms, rng: Random) -> tuple[str, int]:
    """Run a random activity that is possible now. Return its name, and the number of operations.

    If the acts of the last seconds are about all rooms, none is possible.
    """
    for _ in range(MAX_ATTEMPTS):
        activity = choose_activity(pms, rng)
        if count := activity(pms, rng):
            return activity.__name__, count
    return "", 0


def choose_activity(pms: Pms, rng: Random) -> Activity:
    """Choose a random activity; the weights of check-in and check-out adjust towards the target occupancy."""
    occupied = len({guest.room for guest in pms.hotel.guests.values()}) / len(pms.hotel.rooms)
    missing = round(60 * (TARGET_OCCUPANCY_RATIO - occupied))
    weights = {
        **ACTIVITY_WEIGHTS,
        guest_activities.check_in: max(1, 10 + missing),
        guest_activities.check_out: max(1, 10 - missing),
    }
    return rng.choices(list(weights), list(weights.values()))[0]


ACTIVITY_WEIGHTS: Mapping[Activity, int] = {
    guest_activities.check_in: 10,
    guest_activities.wake_up_in_advance: 2,
    guest_activities.share: 3,
    guest_activities.check_out: 10,
    guest_activities.take_back_check_out: 2,
    guest_activities.change_over: 3,
    guest_activities.change: 8,
    room_moves.move: 5,
    room_moves.move_room: 2,
    room_moves.move_group: 1,
    room_moves.swap: 2,
    room_moves.swap_guests: 1,
    guest_activities.class_of_service: 5,
    guest_activities.message_light: 8,
    guest_activities.do_not_disturb: 5,
    wake_up_activities.order_wake_up: 8,
    wake_up_activities.order_wake_up_now: 1,
    wake_up_activities.repeat_wake_up: 2,
    wake_up_activities.cancel_wake_up: 3,
}
"""How often each activity is chosen, in relation to the others."""
