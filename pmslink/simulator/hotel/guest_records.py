"""The records that a PMS sends about guests and rooms.

The records cover check-in, change, move, check-out, resync, class of service, lights and wake-ups. Each has
all fields; the fields that the PBX declared are selected later. GS is Y if others stay in the room
after the event.
"""

from __future__ import annotations

from collections.abc import Iterator

from pmslink.fias.record import Field, Record, build_record
from pmslink.simulator.hotel.hotel_model import Guest, Hotel
from pmslink.simulator.hotel.room_equipment import WakeUp

_RESYNC_FLAG = ("SF", "")  # the presence of the field marks a record of a resync


def guest_fields(hotel: Hotel, guest: Guest) -> list[Field]:
    """Return the fields of a guest: room and number first, then the person, then the class of service."""
    service = hotel.equipment(guest.room).class_of_service
    return [*guest.fields(), *([] if service is None else [("CS", str(service))])]


def check_in_record(hotel: Hotel, guest: Guest, stamp: list[Field], shares: bool | None = None) -> Record:
    """Build GI for a guest who is already in the hotel. ``shares`` is GS, by default as the hotel is now."""
    if shares is None:
        shares = hotel.is_occupied(guest.room, excluding=guest.number)
    return _gi_record(hotel, guest, shares, *stamp)


def check_out_record(
    hotel: Hotel, guest: Guest, room: str, stamp: list[Field], shares: bool | None = None
) -> Record:
    """Build GO for a guest who no longer stays in the room; GO never has the name."""
    if shares is None:
        shares = hotel.is_occupied(room, excluding=guest.number)
    return build_record("GO", [("RN", room), ("G#", guest.number), _share_field(shares), *stamp])


def guest_change_record(hotel: Hotel, guest: Guest, before: list[Field], stamp: list[Field]) -> Record | None:
    """Build GC with the fields that differ from ``before``; a removed value is an empty field.

    Returns None if nothing changed.
    """
    old, new = dict(before), dict(guest_fields(hotel, guest))
    changed = [(code, new.get(code, "")) for code in {**old, **new} if old.get(code) != new.get(code)]
    share = _share_field(hotel.is_occupied(guest.room, excluding=guest.number))
    content = [("RN", guest.room), ("G#", guest.number), share, *changed, *stamp]
    return build_record("GC", content) if changed else None


def move_record(
    hotel: Hotel,
    before: Guest,
    after: Guest,
    stamp: list[Field],
    shares: tuple[bool, bool] | None = None,
) -> Record:
    """Build GC for a move to another room; each GS belongs to the room field before it.

    ``shares`` are GS of the new and of the old room, by default as the hotel is now.
    """
    if shares is None:
        shares = (
            hotel.is_occupied(after.room, excluding=after.number),
            hotel.is_occupied(before.room, excluding=after.number),
        )
    room, number, *person = guest_fields(hotel, after)
    new_share, old_share = map(_share_field, shares)
    return build_record("GC", [room, new_share, number, *person, ("RO", before.room), old_share, *stamp])


def resync_records(hotel: Hotel, stamp: list[Field]) -> Iterator[Record]:
    """Build the records between DS and DE: a GI for each guest, a GO for each vacant room, all with SF."""
    for room, guests in hotel.guests_by_room().items():
        for index, guest in enumerate(guests):
            yield _gi_record(hotel, guest, index > 0, _RESYNC_FLAG, *stamp)
        if not guests:
            yield build_record("GO", [("RN", room), _share_field(False), _RESYNC_FLAG, *stamp])


def in_house_records(hotel: Hotel, stamp: list[Field]) -> Iterator[Record]:
    """Build a GI for each guest as the hotel is now, without the mark of a resync."""
    for guests in hotel.guests_by_room().values():
        for guest in guests:
            yield _gi_record(hotel, guest, len(guests) > 1, *stamp)


def equipment_record(
    room: str,
    class_of_service: int | None,
    message_light: bool | None,
    do_not_disturb: bool | None,
    status: str | None = None,
) -> Record:
    """Build RE with the values that are not None."""
    values = {
        "CS": None if class_of_service is None else str(class_of_service),
        "ML": _flag_text(message_light),
        "DN": _flag_text(do_not_disturb),
        "RS": status,
    }
    return build_record(
        "RE", [("RN", room), *((code, text) for code, text in values.items() if text is not None)]
    )


def wake_up_record(room: str, wake_up: WakeUp) -> Record:
    """Build WR, which orders a wake-up."""
    date, time = wake_up
    return build_record("WR", [("RN", room), ("DA", date), ("TI", time)])


def wake_up_cancel_record(room: str, wake_up: WakeUp | None) -> Record:
    """Build WC; None becomes an empty date and time, which cancel all wake-ups of the room."""
    date, time = wake_up or ("", "")
    return build_record("WC", [("RN", room), ("DA", date), ("TI", time)])


def _gi_record(hotel: Hotel, guest: Guest, shares: bool, *more: Field) -> Record:
    room, number, *person = guest_fields(hotel, guest)
    return build_record("GI", [room, number, _share_field(shares), *person, *more])


def _share_field(shares: bool) -> Field:
    return ("GS", "Y" if shares else "N")


def _flag_text(value: bool | None) -> str | None:
    return None if value is None else "Y" if value else "N"
