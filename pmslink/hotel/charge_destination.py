"""Where a charge goes: to the guest who was in the room when it arose, wherever that guest is now.

The functions are pure: the store looks up the guests, calls them, and writes the result. A guest is named by
a key, as in the table of stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

GUEST_LEFT_REASON = "the guest has left the hotel, and somebody else is in the room now"
VACANT_THEN_REASON = "nobody was in the room then, and somebody is in it now"
IN_DOUBT_SUFFIX = "; whether the PMS has booked the charge before is not known"


def find_destination(
    room: str,
    guests: Sequence[str] | None,
    room_by_guest: Mapping[str, str],
    occupants: Collection[str],
) -> str | None:
    """Return the room that a charge goes to, or None if it would be charged to a guest of another time.

    `guests` are those who were in `room` when the charge arose, ordered by check-in: none of them if the room
    is known to have been vacant, None if nothing is known, and then the charge goes to the room as it is.
    `room_by_guest` holds the present rooms of these guests, `occupants` are the guests in `room` now. A
    charge to a room that is vacant now goes there: the PMS decides about it.
    """
    if guests is None or any(room_by_guest.get(guest) == room for guest in guests):
        return room
    for guest in guests:
        if guest in room_by_guest:
            return room_by_guest[guest]
    return None if occupants else room


def refusal_reason(guests: Sequence[str] | None) -> str:
    """Return the text for a charge that has no destination."""
    return GUEST_LEFT_REASON if guests else VACANT_THEN_REASON
