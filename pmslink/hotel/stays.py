"""Who sleeps where: check-in, check-out, data change, move, and the resync that compares it all.

FIAS tells with GS whether others stay in the room *after* the event. Who, by that, is not there any more
has left, and the PBX hears of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve

from pmslink.fias.record import Record
from pmslink.hotel.equipment import class_of_service
from pmslink.hotel.hotel_state import TOGETHER, House, Leaving, Now
from pmslink.hotel.rooms import Guest, Room, guest_json, told_of_guest
from pmslink.hotel.wake_ups import cancel_gone, taken_along

MOST_GUESTS = 100
"""Of one room; a PMS that names more is not believed."""
LONGEST_NUMBER = 40
"""Characters of a reservation number; FIAS has 10."""
_NOBODY_ELSE = "N"
_OTHERS = "Y"


# Records.


def checked_in(house: House, record: Record, now: Now) -> None:
    """GI: a guest comes, or with SF is told of once more."""
    said = dict(record.fields)
    resync = "SF" in said
    room = house.named(record)
    if room is None:
        return
    guest = Guest(_number(said), **told_of_guest(said))  # type: ignore[arg-type]
    known = _known(house, guest.number, room)
    if known is None and len(room.guests) >= MOST_GUESTS:
        return
    if known is None:
        _arrive(house, guest, room, said, now, resync)
    elif known[0] == room:
        _tell_changes(house, room, evolve(guest, sharer=known[1].sharer), said, now, resync)
    else:
        _move(house, guest, known[0], room, said, (said.get("GS"), None), now, resync)


def changed(house: House, record: Record, now: Now) -> None:
    """GC: what is listed of a guest is different now, or with RO another room is his."""
    said = dict(record.fields)
    room = house.named(record)
    if room is None:
        return
    number = _number(said)
    if number == "0":  # a telephone number of a room without a stay
        return
    known = _known(house, number, room)
    old_room = house.rooms.get(said.get("RO", ""))
    if known is None and not number and old_room is not None:  # kept by room
        known = _known(house, number, old_room)
    if known is None and len(room.guests) >= MOST_GUESTS:
        return
    if known is None:  # his check-in was missed
        known = room, Guest(number, sharer=bool(room.guests))
    old, guest = known[0], evolve(known[1], **told_of_guest(said))  # type: ignore[arg-type]
    if old == room:
        _tell_changes(house, room, guest, said, now)
    else:
        _move(house, guest, old, room, said, shares(record), now)


def checked_out(house: House, record: Record, now: Now) -> None:
    """GO: a guest goes, or with SF the room is vacant.

    A guest who is known by number stays for a moment: a check-in to another room that comes with it
    makes a move of both.
    """
    said = dict(record.fields)
    room = house.named(record)
    if room is None:
        return
    number = _number(said)
    resync = "SF" in said
    share = said.get("GS")
    if resync and house.resyncing:  # who was there may be told of elsewhere yet; else he is gone at DE
        house.saw_vacant(room.room)
        house.put(room, now)
    elif not number or resync:
        settle_room(house, room.room, now)
        room = house.rooms.get(room.room, room)
        house.put(room, now)
        if number and share != _NOBODY_ELSE:
            depart(house, room, _numbered(room, number), now, resync, share)
        elif share != _OTHERS:  # else it names nobody who is known to go
            vacate(house, room, now, resync)
    elif house.whereabouts.get(number) == room.room:
        house.leaving.setdefault(room.room, {}).setdefault(number, Leaving(now.at, share))
    elif share == _NOBODY_ELSE and (not room.guests or _moved_just_now(house, number, room, now)):
        vacate(house, room, now)


def resync_started(house: House, record: Record, now: Now) -> None:
    """DS: all who stay are told of once more."""
    abandon_resync(house)
    settle_all(house, now)
    house.resyncing = True
    house.seen = set()
    house.tell("resync.started", resync=True)


def resync_ended(house: House, record: Record, now: Now) -> None:
    """DE: who was not mentioned is gone, if anybody was."""
    if not house.resyncing:
        return
    settle_all(house, now)
    whole = house.seen is not None
    if house.seen:
        for room in tuple(house.rooms.values()):
            gone = [guest for guest in room.guests if not house.was_seen(guest, room.room)]
            depart(house, room, gone, now, resync=True)
    _end_resync(house, whole)


def abandon_resync(house: House) -> None:
    """A resync that was running will not end: it changes nothing more."""
    if house.resyncing:
        _end_resync(house, complete=False)


def _end_resync(house: House, complete: bool) -> None:
    house.resyncing = False
    house.seen = None
    house.newcomers.clear()
    house.spared.clear()
    house.tell("resync.ended", told={"complete": complete}, resync=True)


# What they come to.


def _arrive(house: House, guest: Guest, room: Room, said: Mapping[str, str], now: Now, resync: bool) -> None:
    """A new guest, alone or with others; whom a resync tells of need not be new."""
    share = said.get("GS")
    if share == _NOBODY_ELSE and not resync:
        depart(house, room, room.guests, now)
        room = house.rooms.get(room.room, room)
    guest = evolve(guest, sharer=_is_sharer(share, room))
    first = not guest.sharer and not resync
    told = {"guest": guest_json(guest)}
    house.tell("guest.checked_in", room.room, told, resync)
    if first:  # what is not told is as by default; a sharer must not reset the room
        room = evolve(room, class_of_service=None, do_not_disturb=False, message_light=False)
    _put_guest(house, guest, _served(room, said), now, resync)


def _move(
    house: House,
    guest: Guest,
    old: Room,
    new: Room,
    said: Mapping[str, str],
    shares: tuple[str | None, str | None],
    now: Now,
    resync: bool = False,
) -> None:
    """A guest takes another room; `shares` are GS of the new and the old one."""
    new_share, old_share = shares
    leaving = _no_longer_leaving(house, old.room, guest.number)
    if leaving is not None:
        old_share = leaving.share
    elif old_share is None and guest.number and not resync:
        house.moved = {number: one for number, one in house.moved.items() if now.at < one[1] + TOGETHER}
        house.moved[guest.number] = (old.room, now.at)
    if old_share == _NOBODY_ELSE:
        others = tuple(one for one in old.guests if one.number != guest.number)
        depart(house, old, others, now, resync)
    if new_share == _NOBODY_ELSE and not resync:
        depart(house, new, new.guests, now)
    old, new = house.rooms[old.room], house.rooms.get(new.room, new)
    left = old.without(*_numbered(old, guest.number))
    first = not new.guests
    guest = evolve(guest, sharer=_is_sharer(new_share, new))
    vacant = not left.guests and old_share != _OTHERS
    told = {"guest": guest_json(guest), "from_room": old.room, "vacant": vacant}
    house.tell("guest.moved", new.room, told, resync)
    alone = vacant or (resync and house.only_newcomers(left))  # what was of the room was this guest's
    if alone:
        left = left.vacated() if vacant else left.cleared(house.spared)
        new = taken_along(house, old, left, new, resync)
        house.left(old.room, new.room)
    if first and not resync:
        new = evolve(new, class_of_service=None, do_not_disturb=False, message_light=False)
    if first and alone:
        new = evolve(new, class_of_service=old.class_of_service, message_light=old.message_light)
    house.put(left, now, resync=resync)
    _put_guest(house, guest, _served(new, said), now, resync)


def depart(
    house: House,
    room: Room,
    gone: Iterable[Guest],
    now: Now,
    resync: bool = False,
    share: str | None = None,
) -> None:
    """These guests have left; with the last of them all that was of the room, unless GS tells of others."""
    for guest in gone:
        room = house.rooms[room.room]
        room = room.without(guest)
        house.whereabouts.pop(guest.number, None)
        _no_longer_leaving(house, room.room, guest.number)
        vacant = not room.guests and share != _OTHERS
        if vacant or (resync and house.only_newcomers(room)):
            left = room.vacated() if vacant else room.cleared(house.spared)
            room = _left(house, room, left, resync)
        house.tell("guest.checked_out", room.room, {"guest": guest_json(guest), "vacant": vacant}, resync)
        house.put(room, now, resync=resync)


def vacate(house: House, room: Room, now: Now, resync: bool = False) -> None:
    """Nobody is in the room any more, known or not, and nothing of it is as it was."""
    if room.guests:
        depart(house, room, room.guests, now, resync)
    else:
        house.put(_left(house, room, room.vacated(), resync), now, resync=resync)


def _left(house: House, room: Room, left: Room, resync: bool) -> Room:
    """What the last guests leave behind; with them goes what the PMS was to hear of the room."""
    cancel_gone(house, room, left, resync)
    house.left(room.room)
    return left


def settle(house: House, name: str, number: str, now: Now) -> None:
    """A guest whose check-out was held back for a moment has left."""
    leaving = _no_longer_leaving(house, name, number)
    if leaving is None:  # gone with another
        return
    room = house.rooms[name]
    gone = room.guests if leaving.share == _NOBODY_ELSE else _numbered(room, number)
    depart(house, room, gone, now, share=leaving.share)


def settle_room(house: House, name: str | None, now: Now) -> None:
    """All who are leaving this room have left, for something new is told of it."""
    for number in tuple(house.leaving.get(name or "", ())):
        settle(house, name or "", number, now)


def settle_all(house: House, now: Now) -> None:
    """All who are leaving have left."""
    for name in tuple(house.leaving):
        settle_room(house, name, now)


def _no_longer_leaving(house: House, name: str, number: str) -> Leaving | None:
    guests = house.leaving.get(name, {})
    leaving = guests.pop(number, None)
    if leaving is not None and not guests:
        del house.leaving[name]
    return leaving


def _moved_just_now(house: House, number: str, room: Room, now: Now) -> bool:
    """Whether a check-out is the second half of a move: the guest has checked in elsewhere a moment ago."""
    left, since = house.moved.pop(number, ("", 0))
    return left == room.room and since <= now.at < since + TOGETHER


def _tell_changes(
    house: House, room: Room, guest: Guest, said: Mapping[str, str], now: Now, resync: bool = False
) -> None:
    """What is different of a guest who stays in the room."""
    known = room.guest(guest.number)
    if guest != known:
        house.tell("guest.changed", room.room, {"guest": guest_json(guest)}, resync)
    _put_guest(house, guest, _served(room, said), now, resync)


def _put_guest(house: House, guest: Guest, room: Room, now: Now, resync: bool) -> None:
    new = room.guest(guest.number) is None
    if guest.number:
        house.whereabouts[guest.number] = room.room
    house.saw(guest, room.room, new)
    house.put(room.with_guest(guest), now, resync=resync)


def _served(room: Room, said: Mapping[str, str]) -> Room:
    """With the class of service, if a record tells it."""
    value = class_of_service(said.get("CS"))
    return room if value is None else evolve(room, class_of_service=value)


def _known(house: House, number: str, room: Room) -> tuple[Room, Guest] | None:
    """Where a guest is, and who that is; one without a number is whoever is in the room."""
    at = house.rooms.get(house.whereabouts.get(number, "")) if number else room
    guest = None if at is None else at.guest(number)
    return None if at is None or guest is None else (at, guest)


def _number(said: Mapping[str, str]) -> str:
    """The reservation number; empty where the PMS keeps the link by room."""
    return said.get("G#", "")[:LONGEST_NUMBER]


def _is_sharer(share: str | None, room: Room) -> bool:
    """Whether a guest comes to a room that is another's; where GS does not tell, by who is there."""
    return share == _OTHERS or (share != _NOBODY_ELSE and bool(room.guests))


def _numbered(room: Room, number: str) -> tuple[Guest, ...]:
    return tuple(guest for guest in room.guests if guest.number == number)


def shares(record: Record) -> tuple[str | None, str | None]:
    """GS of the new room and of the old one: each belongs to the room that stands before it."""
    found: dict[str, str] = {}
    last = "RN"
    for code, value in record.fields:
        if code in ("RN", "RO"):
            last = code
        elif code == "GS":
            found.setdefault(last, value)
    return found.get("RN"), found.get("RO")
