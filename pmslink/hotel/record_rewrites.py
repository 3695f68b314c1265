"""Records of the PMS as ones that fit what was done by hand."""

from __future__ import annotations

from collections.abc import Container, Iterable

from pmslink.fias.record import BAR, Field, Record
from pmslink.hotel.guest_fields import SHARE_YES
from pmslink.hotel.rooms import room_key

_PLACING_FIELDS = ("RO", "GS")


def for_room(record: Record, room_name: str) -> Record:
    """Return a record as one that is about another room, and puts nobody elsewhere."""
    fields = ((code, room_name if code == "RN" else value) for code, value in record.fields)
    return rebuild(record, (one for one in fields if one[0] not in _PLACING_FIELDS))


def with_sharers(record: Record, rooms_by_hand: Container[str]) -> Record:
    """Return a record that says of rooms with guests by hand that others stay in them.

    That the PMS has nobody else there does not concern those guests.
    """
    names = {code: room_key(record.get(code)) for code in ("RN", "RO")}
    shared = {code for code, name in names.items() if name in rooms_by_hand}
    if not shared or (record.id != "GO" and "SF" in record):  # a repeated check-in displaces nobody
        return record
    fields: list[Field] = []
    room_field = ""
    for code, value in record.fields:
        room_field = code if code in names else room_field
        if code != "GS" or room_field not in shared:
            fields.append((code, value))
        if code in shared:
            fields.append(("GS", SHARE_YES))
    return rebuild(record, fields)


def rebuild(record: Record, fields: Iterable[Field]) -> Record:
    """Return a record with other fields."""
    return Record(BAR.join((record.id, *(code + value for code, value in fields), "")))
