"""What a person does by hand while the PMS cannot be reached: check-in, check-out, move, change of a name.

The PBX gets the events of each act at once, as of a record of the PMS, and the act is listed as a change by
hand until the PMS agrees with it. What was undone by hand, or concerns a guest who came and left by hand,
leaves no change.
"""

from __future__ import annotations

from attrs import frozen

from pmslink.errors import NotApplicableError
from pmslink.frozen_values import evolve
from pmslink.hotel import departures, stays
from pmslink.hotel.guest_fields import SHARE_NO
from pmslink.hotel.guest_settings import change_settings
from pmslink.hotel.hotel_state import MAX_GUESTS, MAX_ROOMS, Context, HotelState
from pmslink.hotel.manual_changes import MAX_MANUAL_CHANGES, ManualChange
from pmslink.hotel.manual_decisions import release_room
from pmslink.hotel.room_window import SaidSettings
from pmslink.hotel.rooms import Guest, Room, manual_number


@frozen
class ManualGuest:
    """The guest of a check-in by hand. `departure` is a date in ISO 8601."""

    name: str
    first_name: str | None = None
    language: str | None = None
    departure: str | None = None
    class_of_service: int | None = None


def check_in(
    state: HotelState, room_name: str, guest: ManualGuest, by: str | None, context: Context
) -> ManualChange:
    """Check a guest in. If the room's guest was checked in by hand, change what is known of that guest.

    Raises NotApplicableError if somebody else is in the room, or the hotel is full.
    """
    context = evolve(context, author="local")
    present = _present_guests(state, room_name, context)
    change = next((one for one in state.manual.with_guest_in(room_name) if one.what == "check_in"), None)
    if present and (change is None or [change.number] != [one.number for one in present]):
        raise NotApplicableError("occupied", f"room {room_name} is occupied; check its guest out first")
    if change is None:
        change = _check_in_new(state, room_name, guest, by, context)
    else:
        change = _change_guest(state, change, guest, by, context)
    state.emit_room_changes()
    return state.manual.set(change)


def _check_in_new(
    state: HotelState, room_name: str, guest: ManualGuest, by: str | None, context: Context
) -> ManualChange:
    _require_space(state, 1)
    room = _find_room(state, room_name)
    if state.guest_count >= MAX_GUESTS:
        raise NotApplicableError("hotel_full", f"the hotel has {MAX_GUESTS} guests already")
    change_id = context.next_id()
    arrival = context.policy.to_local(context.now_ms).date().isoformat()
    checked_in = _with_data(Guest(manual_number(change_id), arrival=arrival), guest)
    values = {} if guest.class_of_service is None else {"CS": str(guest.class_of_service)}
    stays.check_in(
        state, stays.Placement(checked_in.number, room, values, SHARE_NO, guest=checked_in), context
    )
    return ManualChange(change_id, "check_in", by, context.now_ms, checked_in, room_name)


def _change_guest(
    state: HotelState, change: ManualChange, guest: ManualGuest, by: str | None, context: Context
) -> ManualChange:
    room = state.rooms[change.room]
    before = room.guest(change.number) or change.guest
    after = _with_data(before, guest)
    if after != before:
        state.emit_guest("guest.changed", room.room, after, context)
        state.set_room(room.with_guest(after), context)
    if guest.class_of_service is not None:
        change_settings(state, room.room, SaidSettings(guest.class_of_service), context, context.author)
    return evolve(change, guest=after, by=by, at=context.now_ms)


def _with_data(guest: Guest, data: ManualGuest) -> Guest:
    return evolve(
        guest,
        name=data.name,
        first_name=data.first_name,
        language=data.language,
        departure=data.departure,
    )


def check_out(state: HotelState, room_name: str, by: str | None, context: Context) -> list[ManualChange]:
    """Check all guests of a room out, and return what is open because of it.

    Raises NotApplicableError if the room is vacant.
    """
    context = evolve(context, author="local")
    guests = _present_guests(state, room_name, context)
    if not guests:
        raise NotApplicableError("vacant", f"nobody is in room {room_name}")
    _require_space(state, len(guests))
    changes = [_record_check_out(state, room_name, guest, by, context) for guest in guests]
    opened = [change for change in changes if change is not None]
    if opened:  # the settings of a room are those of all its guests
        room = state.rooms[room_name]
        settings = SaidSettings(room.class_of_service, room.message_light or None)
        state.manual.suspend(opened[0].room, settings, room.wake_ups)
    departures.check_out_now(state, room_name, tuple(guest.number for guest in guests), context)
    release_room(state, room_name, context)
    state.emit_room_changes()
    return opened


def _record_check_out(
    state: HotelState, room_name: str, guest: Guest, by: str | None, context: Context
) -> ManualChange | None:
    before = _change_of(state, guest, room_name)
    if before is None:
        change_id = context.next_id()
        return state.manual.set(ManualChange(change_id, "check_out", by, context.now_ms, guest, room_name))
    if before.pms_room is None:  # the PMS does not have the guest either
        state.manual.remove(before)
        return None
    values = {"what": "check_out", "guest": guest, "to": None}
    return _make_anew(state, before, by, context, **values)


def move(
    state: HotelState, room_name: str, new_name: str, by: str | None, context: Context
) -> list[ManualChange]:
    """Move all guests of a room to a vacant one, and return what is open because of it.

    Raises NotApplicableError if the old room is vacant, or the new one is occupied.
    """
    context = evolve(context, author="local")
    guests = _present_guests(state, room_name, context)
    if not guests:
        raise NotApplicableError("vacant", f"nobody is in room {room_name}")
    if new_name == room_name or _present_guests(state, new_name, context):
        raise NotApplicableError("occupied", f"room {new_name} is occupied; move its guest first")
    _require_space(state, len(guests))
    changes = [_record_move(state, room_name, new_name, guest, by, context) for guest in guests]
    for guest in guests:
        room = _find_room(state, new_name)
        placement = stays.Placement(guest.number, room, {}, None, is_check_in=False)
        stays.move(state, placement, state.rooms[room_name], context)
    for name in (room_name, new_name):
        release_room(state, name, context)
    state.emit_room_changes()
    return [change for change in changes if change is not None]


def _record_move(
    state: HotelState, room_name: str, new_name: str, guest: Guest, by: str | None, context: Context
) -> ManualChange | None:
    before = _change_of(state, guest, room_name)
    if before is None:
        change_id = context.next_id()
        change = ManualChange(change_id, "move", by, context.now_ms, guest, room_name, new_name)
        return state.manual.set(change)
    if before.what == "check_in":
        return _make_anew(state, before, by, context, room=new_name)
    if before.pms_room == new_name:  # back where the PMS has the guest
        state.manual.remove(before)
        return None
    return _make_anew(state, before, by, context, to=new_name, guest=guest)


def _make_anew(
    state: HotelState, before: ManualChange, by: str | None, context: Context, **values: object
) -> ManualChange:
    """Replace a change by one that is not compared yet.

    It has an id of its own: a decision about the former comparison must not be one about the next.
    """
    state.manual.remove(before)
    comparison = {"outcome": "waiting", "until": None, "pms_guest": None}
    made = {"id": context.next_id(), "by": by, "at": context.now_ms}
    return state.manual.set(evolve(before, **made, **comparison, **values))


def _change_of(state: HotelState, guest: Guest, room_name: str) -> ManualChange | None:
    """Find the open change that has put a guest into a room."""
    changes = state.manual.with_guest_in(room_name)
    return next((change for change in changes if change.number == guest.number), None)


def _present_guests(state: HotelState, room_name: str, context: Context) -> list[Guest]:
    """Return the guests of a room. Those who are leaving have left: no record will say whereto."""
    if room_name not in state.rooms:
        return []
    while departures.complete_oldest_departure(state, room_name, context):
        pass
    return list(state.rooms[room_name].guests)


def _find_room(state: HotelState, room_name: str) -> Room:
    room = state.room_by_name(room_name)
    if room is None:
        raise NotApplicableError("hotel_full", f"the hotel has {MAX_ROOMS} rooms already")
    return room


def _require_space(state: HotelState, count: int) -> None:
    """Raise NotApplicableError if so many changes more would be too many; forget closed ones before that."""
    closed = [change for change in state.manual.by_id.values() if not change.is_open]
    for change in closed[: max(0, len(state.manual.by_id) + count - MAX_MANUAL_CHANGES)]:
        state.manual.remove(change)
    if len(state.manual.by_id) + count > MAX_MANUAL_CHANGES:
        raise NotApplicableError(
            "too_many_by_hand", f"{MAX_MANUAL_CHANGES} changes by hand wait for the PMS already"
        )
