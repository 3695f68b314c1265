"""Compare what was done by hand with what the PMS says, record by record and at the end of a resync.

A record that names a guest counts at once, also outside of a resync. That the PMS does not mention a guest,
or has a room vacant, counts only at the end of a complete resync.

* The PMS names the same guest in the room: it agrees, and the guest keeps wake-ups and lights.
* The PMS names another guest in the room, or the guest in a third room: what it says is taken over at once.
  Where it may name the guest as well, because guests share the room, that is at the end of the resync, or of
  the records that come together.
* Else what was done by hand stays, until a person decides, or for a day. What the PMS says meanwhile of the
  rooms as it has them is not applied: of a guest who was moved by hand, it is applied to the guest's room.
"""

from __future__ import annotations

from pmslink.fias.record import Record
from pmslink.frozen_values import evolve
from pmslink.hotel.departures import begin_departure, check_out_now, complete_oldest_departure
from pmslink.hotel.equipment import parse_class_of_service
from pmslink.hotel.events import StayChange
from pmslink.hotel.guest_fields import (
    SHARE_NO,
    SHARE_YES,
    parse_gs_flags,
    parse_guest_fields,
    parse_reservation_number,
)
from pmslink.hotel.guest_names import is_named, is_same_guest
from pmslink.hotel.guest_settings import close_window
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.manual_changes import ManualChange
from pmslink.hotel.manual_decisions import close, displace, mark_differing, overrule, release_room
from pmslink.hotel.record_rewrites import for_room, with_sharers
from pmslink.hotel.room_reconciliation import reconcile_equipment, reconcile_wake_up
from pmslink.hotel.room_window import MOVE_WINDOW_MS, SaidSettings
from pmslink.hotel.rooms import Guest, is_manual_number, room_key

_NO_STAY = "0"


def reconcile(state: HotelState, record: Record, context: Context) -> Record | None:
    """Compare a record with what was done by hand.

    Return the record that is to be applied: the same one, one for another room, or None.
    """
    if not state.manual.by_id or (room_name := room_key(record.get("RN"))) is None:
        return record
    reconciled: Record | None = record
    match record.id:
        case "GI" | "GC":
            reconciled = _reconcile_placement(state, record, room_name, context)
        case "GO":
            reconciled = _reconcile_check_out(state, record, room_name, context)
        case "RE":
            return reconcile_equipment(state, record, room_name, context)
        case "WR" | "WC":
            return reconcile_wake_up(state, record, room_name, context)
    return None if reconciled is None else with_sharers(reconciled, state.manual.rooms_by_hand)


def compare_with_resync(state: HotelState, context: Context) -> None:
    """Compare all changes with the resync that has just been completed."""
    for compared in state.manual.open:
        change = state.manual.by_id[compared.id]
        if not change.is_open:  # it was over with another one
            continue
        is_seen = state.is_seen(change.guest, change.room)
        if change.what == "check_out" and not is_seen:
            _agree(state, change, change.guest, context)
            continue
        is_gone = change.is_gone or (change.what == "move" and not is_seen)
        change = state.manual.set(evolve(change, is_gone=is_gone))
        other = change.pms_guest
        if other is not None and not state.is_seen(other, change.guest_room or ""):
            change = evolve(change, pms_guest=None, until=None if change.outcome == "kept" else change.until)
        if not overrule(state, change, context):
            mark_differing(state, evolve(change, pms_guest=None), context)


# Guest records.


def _reconcile_placement(
    state: HotelState, record: Record, room_name: str, context: Context
) -> Record | None:
    number = parse_reservation_number(dict(record.fields))
    if record.id == "GC" and number == _NO_STAY:
        return record
    guest = _named_guest(state, record, number, room_name, context)
    change = _find_change(state, guest, room_name)
    arrival = _find_arrival(state, guest, room_name)
    reconciled: Record | None = record
    if arrival is not None:
        _on_arrival(state, record, arrival, change, guest, context)
    elif change is not None and change.room == room_name and not change.is_gone:
        reconciled = _on_still_there(state, record, change, guest, context)
    elif change is not None and change.guest_room == room_name:
        _agree(state, change, guest, context)
        _release(state, change, record, context)
    else:
        _make_room(state, record, guest, room_name, context)
        if change is not None and change.is_open:  # the PMS has the guest in a third room
            close(state, change, "overruled", context, guest)
            _release(state, change, record, context)
    _end_former_stays(state, record, guest, room_name, change, context)
    return reconciled


def _named_guest(state: HotelState, record: Record, number: str, room_name: str, context: Context) -> Guest:
    """Return the guest of a record, with the data known of that guest where the record has none."""
    found = state.find_guest(number, room_name)
    hidden = next((one.guest for one in state.manual.open if number and one.number == number), None)
    before = found[1] if found is not None else hidden
    parsed = parse_guest_fields(dict(record.fields), context.policy.guest_fields)
    if before is None or record.id == "GI":
        return Guest(number, **parsed)
    return evolve(before, **{**parsed, "fields": {**before.fields, **parsed["fields"]}})


def _find_change(state: HotelState, guest: Guest, room_name: str) -> ManualChange | None:
    """Find the open change of a guest of the PMS. Without a number, rooms and names identify the guest."""
    for change in state.manual.open:
        if is_manual_number(change.number) or change.number != guest.number:
            continue
        if guest.number or (room_name in change.rooms and _may_be(change.guest, guest)):
            return change
    return None


def _may_be(by_hand: Guest, guest: Guest) -> bool:
    """Check whether a guest without a number may be one who was moved or checked out by hand."""
    return not is_named(guest) or is_same_guest(by_hand, guest)


def _find_arrival(state: HotelState, guest: Guest, room_name: str) -> ManualChange | None:
    """Find the change that has checked in by hand the guest whom the PMS names in a room."""
    arrivals = [one for one in state.manual.with_guest_in(room_name) if one.what == "check_in"]
    return next((one for one in arrivals if is_same_guest(_present(state, one), guest)), None)


def _on_arrival(
    state: HotelState,
    record: Record,
    arrival: ManualChange,
    change: ManualChange | None,
    guest: Guest,
    context: Context,
) -> None:
    """Confirm a guest who was checked in by hand, and was perhaps also checked out, or moved, by hand."""
    if change is not None:
        _agree(state, change, guest, context)
    found = state.find_guest(guest.number, arrival.room)
    old_room = None if found is None else found[0].room
    if change is not None:
        old_room = change.guest_room
    if old_room is not None:  # also in this room, if the PMS has not named the guest before
        check_out_now(state, old_room, (guest.number,), context, state.resyncing)
    _confirm_arrival(state, arrival, guest, context)
    for confirmed in (arrival, change):
        if confirmed is not None:
            _release(state, confirmed, record, context)


def _confirm_arrival(state: HotelState, change: ManualChange, guest: Guest, context: Context) -> None:
    """Give a guest who was checked in by hand the number and the data that the PMS has."""
    room_name = change.room
    while complete_oldest_departure(state, room_name, context):
        pass
    if room_name in state.windows:
        close_window(state, room_name, context)
    room = state.rooms[room_name]
    confirmed = evolve(guest, sharer=False)
    guests = tuple(confirmed if one.number == change.number else one for one in room.guests)
    state.room_by_guest.pop(change.number, None)
    if guest.number:
        state.room_by_guest[guest.number] = room_name
    state.set_room(evolve(room, guests=guests), context, resync=state.resyncing)
    state.emit_guest("guest.changed", room_name, confirmed, context, state.resyncing)
    state.add_stay_change(StayChange("confirmed", room_name, guest.number, former_number=change.number))
    _agree(state, change, confirmed, context)


def _present(state: HotelState, change: ManualChange) -> Guest:
    room = state.rooms.get(change.guest_room or "")
    return (None if room is None else room.guest(change.number)) or change.guest


def _on_still_there(
    state: HotelState, record: Record, change: ManualChange, guest: Guest, context: Context
) -> Record | None:
    """Note that the PMS has a guest where the guest was before. What it says of the guest applies."""
    state.mark_seen(guest, change.room)
    class_of_service = parse_class_of_service(record.get("CS"))
    if class_of_service is not None and change.what == "check_out":
        state.manual.suspend(change.room, SaidSettings(class_of_service))
    change = state.manual.set(evolve(change, guest=guest))
    if not _repeats(state, record):
        mark_differing(state, change, context)
    return None if change.to is None else for_room(record, change.to)


def _make_room(state: HotelState, record: Record, guest: Guest, room_name: str, context: Context) -> None:
    """Make room for a guest of the PMS whom nobody has put there by hand.

    Where guests share a room, the PMS may name the one who is there by hand in another record of the same
    resync, or at the same time. A guest whom the PMS does not name is not another one than who is there: both
    are in the room, until the PMS names the guest or a person decides.
    """
    present = state.manual.with_guest_in(room_name)
    if not present or _is_known_there(state, guest, room_name):
        return
    share, _ = parse_gs_flags(record)
    if present[0].what == "check_in" and not is_named(guest):
        for change in present:
            if not _repeats(state, record):
                mark_differing(state, change, context)
    elif _repeats(state, record) or share == SHARE_YES:
        for change in present:
            until = change.until if _repeats(state, record) else context.now_ms + MOVE_WINDOW_MS
            state.manual.set(evolve(change, pms_guest=guest, until=until))
    else:
        displace(state, room_name, context, guest)


def _is_known_there(state: HotelState, guest: Guest, room_name: str) -> bool:
    """Check whether a guest of the PMS is in a room already, and not named now for the first time."""
    room = state.rooms.get(room_name)
    before = None if room is None or not _is_present(state, guest, room_name) else room.guest(guest.number)
    return before is not None and (is_named(before) or not is_named(guest))


def _end_former_stays(
    state: HotelState,
    record: Record,
    guest: Guest,
    room_name: str,
    own_change: ManualChange | None,
    context: Context,
) -> None:
    """Note whose stays in a room have ended at the PMS, because it has this guest there now.

    What they consume must not go to this guest, wherever they are by hand. A PMS that identifies guests by
    room has one in each.
    """
    is_alone = _says_alone(record)
    for change in state.manual.concerning(room_name):
        is_other = own_change is None or change.id != own_change.id
        is_replaced = change.number == guest.number == ""
        if not is_other or change.pms_room != room_name or not (is_replaced or is_alone):
            continue
        if change.what == "check_out":
            _agree(state, change, change.guest, context)
            _release(state, change, record, context)
        else:
            state.manual.set(evolve(change, is_gone=True))


def _says_alone(record: Record) -> bool:
    """Check whether a record brings a guest into a room, and says that nobody else is in it."""
    share, _ = parse_gs_flags(record)
    return share == SHARE_NO and "SF" not in record and (record.id == "GI" or "RO" in record)


def _is_present(state: HotelState, guest: Guest, room_name: str) -> bool:
    """Check whether a guest in a room is this one: without a number it may be one who was moved by hand."""
    return bool(guest.number) or not state.manual.is_by_hand("", room_name)


def _reconcile_check_out(
    state: HotelState, record: Record, room_name: str, context: Context
) -> Record | None:
    number = parse_reservation_number(dict(record.fields))
    if _repeats(state, record):
        if not state.manual.concerning(room_name):
            return record
        state.mark_seen_vacant(room_name)
        return None
    leaving = _find_leaving(state, number, room_name)
    for change in leaving:
        _agree(state, change, change.guest, context)
        if change.to is not None:  # unless the PMS has the guest elsewhere in a moment
            begin_departure(state, change.to, change.number, context, is_stated=True)
        _release(state, change, record, context)
    present = state.manual.with_guest_in(room_name)
    if not present:
        return record
    if number and state.room_by_guest.get(number) == room_name:
        return record
    if not number:
        numbers = tuple(one.number for one in state.rooms[room_name].guests)
        of_pms = tuple(one for one in numbers if not state.manual.is_by_hand(one, room_name))
        check_out_now(state, room_name, of_pms, context)
    for change in present:
        if change.what == "check_in" and not leaving:
            mark_differing(state, change, context)
    return None


def _find_leaving(state: HotelState, number: str, room_name: str) -> list[ManualChange]:
    """Find the open changes of the guests whom the PMS checks out of a room: without a number, of all."""
    return [
        change
        for change in state.manual.open
        if change.what != "check_in" and (change.number == number if number else change.pms_room == room_name)
    ]


def _agree(state: HotelState, change: ManualChange, guest: Guest, context: Context) -> None:
    close(state, evolve(change, guest=guest), "agreed", context)


def _release(state: HotelState, change: ManualChange, record: Record, context: Context) -> None:
    """Apply what the PMS has said of the rooms of a closed change, unless this record begins anew."""
    for name in change.rooms:
        release_room(state, name, context, applies=_repeats(state, record))


def _repeats(state: HotelState, record: Record) -> bool:
    """Check whether a record repeats what is so, instead of saying what happens."""
    return state.resyncing and "SF" in record
