"""The reducer: apply a record, or the passage of time, to the state of a hotel.

It is pure. A record that repeats the current state emits no event, so that a PMS may repeat records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pmslink.fias.record import Record
from pmslink.hotel import departures, equipment, resyncs, stays, wake_up_attempts, wake_ups
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.manual_decisions import expire
from pmslink.hotel.reconciliation import reconcile
from pmslink.hotel.record_times import is_made_later, parse_record_time
from pmslink.hotel.rooms import room_key

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
"""The handler of each record id."""


def apply_record(state: HotelState, record: Record, context: Context) -> None:
    """Apply a record from the PMS. Replays, and records without a handler, are ignored.

    `state.bound_problem` says whether the record was ignored because the hotel had reached a bound.
    """
    state.bound_problem = None
    handler = HANDLERS.get(record.id)
    if handler is None or state.is_replay(record, context.session):
        return
    if (made_at := parse_record_time(record)) is not None:
        if is_made_later(state.last_record_time, made_at, lambda: context.policy.to_local(context.now_ms)):
            departures.end_windows(state, context)
        state.last_record_time = made_at
    expire(state, context)
    guest_room = state.room_by_guest.get(record.get("G#") or "")
    rooms = (room_key(record.get("RN")), room_key(record.get("RO")), guest_room)
    departures.close_past_windows(state, rooms, context)
    reconciled = reconcile(state, record, context)
    if reconciled is not None:
        handler(state, reconciled, context)
    state.emit_room_changes()


def advance(state: HotelState, context: Context) -> None:
    """Apply the passage of time: end departures and changes by hand, begin and end attempts of wake-ups."""
    expire(state, context)  # before the windows end that tell whose settings a room has
    departures.advance_departures(state, context)
    for name in sorted(state.rooms_with_wake_ups):
        wake_up_attempts.advance_room(state, name, context)
    state.emit_room_changes()
