"""What each record means: the fold of records, and of the time that passes, over a house.

Without input and output. What a record says and the house knows already changes nothing and is told to
nobody, so that a PMS may say anything twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pmslink.fias.record import Record
from pmslink.hotel import equipment, stays, wake_ups
from pmslink.hotel.hotel_state import TOGETHER, House, Now

MEANINGS: Mapping[str, Callable[[House, Record, Now], None]] = {
    "GI": stays.checked_in,
    "GC": stays.changed,
    "GO": stays.checked_out,
    "DS": stays.resync_started,
    "DE": stays.resync_ended,
    "RE": equipment.equipped,
    "WR": wake_ups.ordered,
    "WC": wake_ups.called_off,
    "NS": equipment.audit_started,
    "NE": equipment.audit_ended,
}
"""By record id: what it does to a house."""


def hear(house: House, record: Record, now: Now) -> None:
    """A record from the PMS. One that means nothing here, or has come before, changes nothing."""
    meaning = MEANINGS.get(record.id)
    if meaning is None or house.heard_before(record, now.session):
        return
    if house.leaving and record.id != "GO":  # told twice, that is no news of the room
        stays.settle_room(house, record.get("RN"), now)
    meaning(house, record, now)


def let_time_pass(house: House, now: Now) -> None:
    """Guests who left have left, wake-ups are due, attempts to wake are over."""
    for room, guests in tuple(house.leaving.items()):
        for number, leaving in tuple(guests.items()):
            if not leaving.since <= now.at < leaving.since + TOGETHER:  # a clock may have been set back
                stays.settle(house, room, number, now)
    for name in sorted(house.waking):
        wake_ups.let_time_pass(house, name, now)
