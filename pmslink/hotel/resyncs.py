"""Resyncs: between DS and DE the PMS repeats all stays; at DE, all other guests check out."""

from __future__ import annotations

from pmslink.fias.record import Record
from pmslink.hotel.departures import check_out_now
from pmslink.hotel.events import StayChange
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.reconciliation import compare_with_resync


def on_resync_start(state: HotelState, record: Record, context: Context) -> None:
    """Handle DS: begin a resync."""
    abort_resync(state)
    state.resyncing = True
    state.seen_guests = set()
    state.emit("resync.started", resync=True)


def on_resync_end(state: HotelState, record: Record, context: Context) -> None:
    """Handle DE: check out the guests that the resync did not mention, if it mentioned any guest.

    Those who are in their rooms by hand stay.
    """
    if not state.resyncing:
        return
    complete = state.seen_guests is not None
    if state.seen_guests:
        compare_with_resync(state, context)
        for room in tuple(state.rooms.values()):
            departed = tuple(
                guest.number
                for guest in room.guests
                if not state.is_seen(guest, room.room)
                and not state.manual.is_by_hand(guest.number, room.room)
            )
            if departed:
                check_out_now(state, room.room, departed, context, resync=True)
        state.add_stay_change(StayChange("vacant", None))
    state.emit_room_changes()
    _end_resync(state, complete)


def abort_resync(state: HotelState) -> None:
    """End a resync that the PMS will not complete with DE; no guest is checked out."""
    if state.resyncing:
        _end_resync(state, complete=False)


def _end_resync(state: HotelState, complete: bool) -> None:
    state.resyncing = False
    state.seen_guests = None
    state.emit("resync.ended", payload={"complete": complete}, resync=True)
