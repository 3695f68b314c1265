"""What a PMS tells of its guests and rooms: the records of check-in, change, move, check-out and resync,
of class of service, lights and wake-ups.

Each holds every field that the PMS knows; what the PBX declared is chosen from them later. GS says
whether others stay in the room after the event.
"""

from __future__ import annotations

from collections.abc import Iterator

from pmslink.fias.record import Field, Record, write
from pmslink.simulator.hotel.hotel_model import Guest, Hotel
from pmslink.simulator.hotel.room_equipment import WakeUp

_SWAP = ("SF", "")  # its presence says: part of a resync


def said(hotel: Hotel, guest: Guest) -> list[Field]:
    """What is said of a guest: room and number first, then the person, then the room's class of service."""
    service = hotel.equipment(guest.room).class_of_service
    return [*guest.fields(), *([] if service is None else [("CS", str(service))])]


def arrival(hotel: Hotel, guest: Guest, stamp: list[Field]) -> Record:
    """GI for a guest who is already counted in the hotel."""
    return _check_in(hotel, guest, hotel.occupied(guest.room, besides=guest.number), *stamp)


def departure(hotel: Hotel, guest: Guest, room: str, stamp: list[Field]) -> Record:
    """GO for a guest who no longer stays in the room. It never carries the name."""
    share = _share(hotel.occupied(room, besides=guest.number))
    return write("GO", [("RN", room), ("G#", guest.number), share, *stamp])


def change(hotel: Hotel, guest: Guest, before: list[Field], stamp: list[Field]) -> Record | None:
    """GC with nothing but what changed since ``before`` was said; a value that was taken away comes empty.

    None where nothing changed.
    """
    old, new = dict(before), dict(said(hotel, guest))
    changed = [(code, new.get(code, "")) for code in {**old, **new} if old.get(code) != new.get(code)]
    share = _share(hotel.occupied(guest.room, besides=guest.number))
    whole = [("RN", guest.room), ("G#", guest.number), share, *changed, *stamp]
    return write("GC", whole) if changed else None


def move(hotel: Hotel, before: Guest, after: Guest, stamp: list[Field]) -> Record:
    """GC from one room to another; each GS belongs to the room right before it."""
    room, number, *person = said(hotel, after)
    new_share = _share(hotel.occupied(after.room, besides=after.number))
    old_share = _share(hotel.occupied(before.room, besides=after.number))
    return write("GC", [room, new_share, number, *person, ("RO", before.room), old_share, *stamp])


def inventory(hotel: Hotel, stamp: list[Field]) -> Iterator[Record]:
    """The heart of a resync: a GI for each guest, a GO for each vacant room, all with SF."""
    for room, guests in hotel.by_room().items():
        for at, guest in enumerate(guests):
            yield _check_in(hotel, guest, at > 0, _SWAP, *stamp)
        if not guests:
            yield write("GO", [("RN", room), _share(False), _SWAP, *stamp])


def equipped(
    room: str, class_of_service: int | None, message_light: bool | None, do_not_disturb: bool | None
) -> Record:
    """RE for what is not None."""
    told = {
        "CS": None if class_of_service is None else str(class_of_service),
        "ML": _yes_or_no(message_light),
        "DN": _yes_or_no(do_not_disturb),
    }
    return write("RE", [("RN", room), *((code, text) for code, text in told.items() if text is not None)])


def wake_up(room: str, moment: WakeUp) -> Record:
    """WR: somebody wants to be woken."""
    return write("WR", [("RN", room), ("DA", moment[0]), ("TI", moment[1])])


def wake_up_cancelled(room: str, moment: WakeUp | None) -> Record:
    """WC; an empty date and time, for None, cancel all wake-ups of the room."""
    date, time = moment or ("", "")
    return write("WC", [("RN", room), ("DA", date), ("TI", time)])


def _check_in(hotel: Hotel, guest: Guest, shares: bool, *more: Field) -> Record:
    room, number, *person = said(hotel, guest)
    return write("GI", [room, number, _share(shares), *person, *more])


def _share(shares: bool) -> Field:
    return ("GS", "Y" if shares else "N")


def _yes_or_no(value: bool | None) -> str | None:
    return None if value is None else "Y" if value else "N"
