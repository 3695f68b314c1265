"""Who sleeps where: check-in, check-out, data change, move, and the resync that compares it all.

FIAS tells with GS whether others stay in the room *after* the event. Who, by that, is not there any more
has left, and the PBX hears of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve

from pmslink.fias.record import Record
from pmslink.hotel.equipment import parse_class_of_service
from pmslink.hotel.hotel_state import MOVE_WINDOW_MS, Context, HotelState, PendingCheckOut
from pmslink.hotel.rooms import Guest, Room, guest_fields, serialize_guest
from pmslink.hotel.wake_ups import emit_removed_wake_ups, transfer_wake_ups

MAX_GUESTS = 100
"""Of one room; a PMS that names more is not believed."""
MAX_RESERVATION_NUMBER_CHARS = 40
"""Characters of a reservation number; FIAS has 10."""
_SHARE_NO = "N"
_SHARE_YES = "Y"


# Records.


def on_check_in(state: HotelState, record: Record, context: Context) -> None:
    """GI: a guest comes, or with SF is told of once more."""
    said = dict(record.fields)
    resync = "SF" in said
    room = state.room_of(record)
    if room is None:
        return
    guest = Guest(_reservation_number(said), **guest_fields(said))  # type: ignore[arg-type]
    known = _find_guest(state, guest.number, room)
    if known is None and len(room.guests) >= MAX_GUESTS:
        return
    if known is None:
        _check_in(state, guest, room, said, context, resync)
    elif known[0] == room:
        _update_guest(state, room, evolve(guest, sharer=known[1].sharer), said, context, resync)
    else:
        _move(state, guest, known[0], room, said, (said.get("GS"), None), context, resync)


def on_data_change(state: HotelState, record: Record, context: Context) -> None:
    """GC: what is listed of a guest is different now, or with RO another room is his."""
    said = dict(record.fields)
    room = state.room_of(record)
    if room is None:
        return
    number = _reservation_number(said)
    if number == "0":  # a telephone number of a room without a stay
        return
    known = _find_guest(state, number, room)
    old_room = state.rooms.get(said.get("RO", ""))
    if known is None and not number and old_room is not None:  # kept by room
        known = _find_guest(state, number, old_room)
    if known is None and len(room.guests) >= MAX_GUESTS:
        return
    if known is None:  # his check-in was missed
        known = room, Guest(number, sharer=bool(room.guests))
    old, guest = known[0], evolve(known[1], **guest_fields(said))  # type: ignore[arg-type]
    if old == room:
        _update_guest(state, room, guest, said, context)
    else:
        _move(state, guest, old, room, said, parse_gs_flags(record), context)


def on_check_out(state: HotelState, record: Record, context: Context) -> None:
    """GO: a guest goes, or with SF the room is vacant.

    A guest who is known by number stays for a moment: a check-in to another room that comes with it
    makes a move of both.
    """
    said = dict(record.fields)
    room = state.room_of(record)
    if room is None:
        return
    number = _reservation_number(said)
    resync = "SF" in said
    share = said.get("GS")
    if resync and state.resyncing:  # who was there may be told of elsewhere yet; else he is gone at DE
        state.mark_seen_vacant(room.room)
        state.set_room(room, context)
    elif not number or resync:
        complete_room_check_outs(state, room.room, context)
        room = state.rooms.get(room.room, room)
        state.set_room(room, context)
        if number and share != _SHARE_NO:
            check_out_guests(state, room, _guests_with_number(room, number), context, resync, share)
        elif share != _SHARE_YES:  # else it names nobody who is known to go
            vacate(state, room, context, resync)
    elif state.room_by_guest.get(number) == room.room:
        state.pending_check_outs.setdefault(room.room, {}).setdefault(
            number, PendingCheckOut(context.now_ms, share)
        )
    elif share == _SHARE_NO and (not room.guests or _completes_recent_move(state, number, room, context)):
        vacate(state, room, context)


def on_resync_start(state: HotelState, record: Record, context: Context) -> None:
    """DS: all who stay are told of once more."""
    abort_resync(state)
    complete_all_check_outs(state, context)
    state.resyncing = True
    state.seen_guests = set()
    state.emit("resync.started", resync=True)


def on_resync_end(state: HotelState, record: Record, context: Context) -> None:
    """DE: who was not mentioned is gone, if anybody was."""
    if not state.resyncing:
        return
    complete_all_check_outs(state, context)
    whole = state.seen_guests is not None
    if state.seen_guests:
        for room in tuple(state.rooms.values()):
            gone = [guest for guest in room.guests if not state.is_seen(guest, room.room)]
            check_out_guests(state, room, gone, context, resync=True)
    _end_resync(state, whole)


def abort_resync(state: HotelState) -> None:
    """A resync that was running will not end: it changes nothing more."""
    if state.resyncing:
        _end_resync(state, complete=False)


def _end_resync(state: HotelState, complete: bool) -> None:
    state.resyncing = False
    state.seen_guests = None
    state.new_guests.clear()
    state.preserved_wake_ups.clear()
    state.emit("resync.ended", payload={"complete": complete}, resync=True)


# What they come to.


def _check_in(
    state: HotelState,
    guest: Guest,
    room: Room,
    field_values: Mapping[str, str],
    context: Context,
    resync: bool,
) -> None:
    """A new guest, alone or with others; whom a resync tells of need not be new."""
    share = field_values.get("GS")
    if share == _SHARE_NO and not resync:
        check_out_guests(state, room, room.guests, context)
        room = state.rooms.get(room.room, room)
    guest = evolve(guest, sharer=_is_sharer(share, room))
    first = not guest.sharer and not resync
    told = {"guest": serialize_guest(guest)}
    state.emit("guest.checked_in", room.room, told, resync)
    if first:  # what is not told is as by default; a sharer must not reset the room
        room = evolve(room, class_of_service=None, do_not_disturb=False, message_light=False)
    _set_guest(state, guest, _with_class_of_service(room, field_values), context, resync)


def _move(
    state: HotelState,
    guest: Guest,
    old: Room,
    new: Room,
    field_values: Mapping[str, str],
    gs_flags: tuple[str | None, str | None],
    context: Context,
    resync: bool = False,
) -> None:
    """A guest takes another room; `shares` are GS of the new and the old one."""
    new_share, old_share = gs_flags
    leaving = _pop_pending_check_out(state, old.room, guest.number)
    if leaving is not None:
        old_share = leaving.share
    elif old_share is None and guest.number and not resync:
        state.recent_moves = {
            number: one
            for number, one in state.recent_moves.items()
            if context.now_ms < one[1] + MOVE_WINDOW_MS
        }
        state.recent_moves[guest.number] = (old.room, context.now_ms)
    if old_share == _SHARE_NO:
        others = tuple(one for one in old.guests if one.number != guest.number)
        check_out_guests(state, old, others, context, resync)
    if new_share == _SHARE_NO and not resync:
        check_out_guests(state, new, new.guests, context)
    old, new = state.rooms[old.room], state.rooms.get(new.room, new)
    left = old.without_guests(*_guests_with_number(old, guest.number))
    first = not new.guests
    guest = evolve(guest, sharer=_is_sharer(new_share, new))
    vacant = not left.guests and old_share != _SHARE_YES
    told = {"guest": serialize_guest(guest), "from_room": old.room, "vacant": vacant}
    state.emit("guest.moved", new.room, told, resync)
    alone = vacant or (resync and state.has_only_new_guests(left))  # what was of the room was this guest's
    if alone:
        left = left.vacated() if vacant else left.reset_for_new_guests(state.preserved_wake_ups)
        new = transfer_wake_ups(state, old, left, new, resync)
        state.add_departure(old.room, new.room)
    if first and not resync:
        new = evolve(new, class_of_service=None, do_not_disturb=False, message_light=False)
    if first and alone:
        new = evolve(new, class_of_service=old.class_of_service, message_light=old.message_light)
    state.set_room(left, context, resync=resync)
    _set_guest(state, guest, _with_class_of_service(new, field_values), context, resync)


def check_out_guests(
    state: HotelState,
    room: Room,
    departed: Iterable[Guest],
    context: Context,
    resync: bool = False,
    share: str | None = None,
) -> None:
    """These guests have left; with the last of them all that was of the room, unless GS tells of others."""
    for guest in departed:
        room = state.rooms[room.room]
        room = room.without_guests(guest)
        state.room_by_guest.pop(guest.number, None)
        _pop_pending_check_out(state, room.room, guest.number)
        vacant = not room.guests and share != _SHARE_YES
        if vacant or (resync and state.has_only_new_guests(room)):
            left = room.vacated() if vacant else room.reset_for_new_guests(state.preserved_wake_ups)
            room = _clear_room(state, room, left, resync)
        state.emit(
            "guest.checked_out", room.room, {"guest": serialize_guest(guest), "vacant": vacant}, resync
        )
        state.set_room(room, context, resync=resync)


def vacate(state: HotelState, room: Room, context: Context, resync: bool = False) -> None:
    """Nobody is in the room any more, known or not, and nothing of it is as it was."""
    if room.guests:
        check_out_guests(state, room, room.guests, context, resync)
    else:
        state.set_room(_clear_room(state, room, room.vacated(), resync), context, resync=resync)


def _clear_room(state: HotelState, room: Room, after: Room, resync: bool) -> Room:
    """What the last guests leave behind; with them goes what the PMS was to hear of the room."""
    emit_removed_wake_ups(state, room, after, resync)
    state.add_departure(room.room)
    return after


def complete_check_out(state: HotelState, room_name: str, reservation_number: str, context: Context) -> None:
    """A guest whose check-out was held back for a moment has left."""
    leaving = _pop_pending_check_out(state, room_name, reservation_number)
    if leaving is None:  # gone with another
        return
    room = state.rooms[room_name]
    gone = room.guests if leaving.share == _SHARE_NO else _guests_with_number(room, reservation_number)
    check_out_guests(state, room, gone, context, share=leaving.share)


def complete_room_check_outs(state: HotelState, room_name: str | None, context: Context) -> None:
    """All who are leaving this room have left, for something new is told of it."""
    for number in tuple(state.pending_check_outs.get(room_name or "", ())):
        complete_check_out(state, room_name or "", number, context)


def complete_all_check_outs(state: HotelState, context: Context) -> None:
    """All who are leaving have left."""
    for name in tuple(state.pending_check_outs):
        complete_room_check_outs(state, name, context)


def _pop_pending_check_out(
    state: HotelState, room_name: str, reservation_number: str
) -> PendingCheckOut | None:
    guests = state.pending_check_outs.get(room_name, {})
    leaving = guests.pop(reservation_number, None)
    if leaving is not None and not guests:
        del state.pending_check_outs[room_name]
    return leaving


def _completes_recent_move(state: HotelState, reservation_number: str, room: Room, context: Context) -> bool:
    """Whether a check-out is the second half of a move: the guest has checked in elsewhere a moment ago."""
    left, since = state.recent_moves.pop(reservation_number, ("", 0))
    return left == room.room and since <= context.now_ms < since + MOVE_WINDOW_MS


def _update_guest(
    state: HotelState,
    room: Room,
    guest: Guest,
    field_values: Mapping[str, str],
    context: Context,
    resync: bool = False,
) -> None:
    """What is different of a guest who stays in the room."""
    known = room.guest(guest.number)
    if guest != known:
        state.emit("guest.changed", room.room, {"guest": serialize_guest(guest)}, resync)
    _set_guest(state, guest, _with_class_of_service(room, field_values), context, resync)


def _set_guest(state: HotelState, guest: Guest, room: Room, context: Context, resync: bool) -> None:
    new = room.guest(guest.number) is None
    if guest.number:
        state.room_by_guest[guest.number] = room.room
    state.mark_seen(guest, room.room, new)
    state.set_room(room.with_guest(guest), context, resync=resync)


def _with_class_of_service(room: Room, field_values: Mapping[str, str]) -> Room:
    """With the class of service, if a record tells it."""
    value = parse_class_of_service(field_values.get("CS"))
    return room if value is None else evolve(room, class_of_service=value)


def _find_guest(state: HotelState, reservation_number: str, room: Room) -> tuple[Room, Guest] | None:
    """Where a guest is, and who that is; one without a number is whoever is in the room."""
    at = state.rooms.get(state.room_by_guest.get(reservation_number, "")) if reservation_number else room
    guest = None if at is None else at.guest(reservation_number)
    return None if at is None or guest is None else (at, guest)


def _reservation_number(field_values: Mapping[str, str]) -> str:
    """The reservation number; empty where the PMS keeps the link by room."""
    return field_values.get("G#", "")[:MAX_RESERVATION_NUMBER_CHARS]


def _is_sharer(share: str | None, room: Room) -> bool:
    """Whether a guest comes to a room that is another's; where GS does not tell, by who is there."""
    return share == _SHARE_YES or (share != _SHARE_NO and bool(room.guests))


def _guests_with_number(room: Room, reservation_number: str) -> tuple[Guest, ...]:
    return tuple(guest for guest in room.guests if guest.number == reservation_number)


def parse_gs_flags(record: Record) -> tuple[str | None, str | None]:
    """GS of the new room and of the old one: each belongs to the room that stands before it."""
    found: dict[str, str] = {}
    last = "RN"
    for code, value in record.fields:
        if code in ("RN", "RO"):
            last = code
        elif code == "GS":
            found.setdefault(last, value)
    return found.get("RN"), found.get("RO")
