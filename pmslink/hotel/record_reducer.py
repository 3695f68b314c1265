"""What each record means: the fold of records, and of the time that passes, over a house.

Without input and output. What a record says and the house knows already changes nothing and is told to
nobody, so that a PMS may say anything twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pmslink.fias.record import Record
from pmslink.hotel import check_outs, equipment, resyncs, stays, wake_up_attempts, wake_ups
from pmslink.hotel.hotel_state import MOVE_WINDOW_MS, Context, HotelState

HANDLERS: Mapping[str, Callable[[HotelState, Record, Context], None]] = {
    "GI": stays.on_check_in,
    "GC": stays.on_data_change,
    "GO": stays.on_check_out,
    "DS": resyncs.on_resync_start,
    "DE": resyncs.on_resync_end,
    "RE": equipment.on_room_equipment,
    "WR": wake_ups.on_wake_up_request,
    "WC": wake_ups.on_wake_up_clear,
    "NS": equipment.on_night_audit_start,
    "NE": equipment.on_night_audit_end,
}
"""By record id: what it does to a house."""


def apply_record(state: HotelState, record: Record, context: Context) -> None:
    """A record from the PMS. One that means nothing here, or has come before, changes nothing."""
    meaning = HANDLERS.get(record.id)
    if meaning is None or state.is_replay(record, context.session):
        return
    if state.pending_check_outs and record.id != "GO":  # told twice, that is no news of the room
        check_outs.complete_room_check_outs(state, record.get("RN"), context)
    meaning(state, record, context)


def advance(state: HotelState, context: Context) -> None:
    """Guests who left have left, wake-ups are due, attempts to wake are over."""
    for room, guests in tuple(state.pending_check_outs.items()):
        for number, leaving in tuple(guests.items()):
            if (
                not leaving.since <= context.now_ms < leaving.since + MOVE_WINDOW_MS
            ):  # a clock may have been set back
                check_outs.complete_check_out(state, room, number, context)
    for name in sorted(state.rooms_with_wake_ups):
        wake_up_attempts.advance_room(state, name, context)
