"""What a PMS tells of its guests: the records of check-in, change, move, check-out and resync.

Each holds every field that the PMS knows; what the PBX declared is chosen from them later. GS says
whether others stay in the room after the event.
"""

from __future__ import annotations

from collections.abc import Iterator

from pmslink.fias.record import Field, Record, write
from pmslink.simulator.hotel import Guest, Hotel

_SWAP = ("SF", "")  # its presence says: part of a resync


def arrival(hotel: Hotel, guest: Guest, stamp: list[Field]) -> Record:
    """GI for a guest who is already counted in the hotel."""
    return _check_in(guest, hotel.occupied(guest.room, besides=guest.number), *stamp)


def departure(hotel: Hotel, guest: Guest, room: str, stamp: list[Field]) -> Record:
    """GO for a guest who no longer stays in the room. It never carries the name."""
    share = _share(hotel.occupied(room, besides=guest.number))
    return write("GO", [("RN", room), ("G#", guest.number), share, *stamp])


def change(hotel: Hotel, before: Guest, after: Guest, stamp: list[Field]) -> Record:
    """GC with nothing but what changed; a value that was taken away comes empty."""
    old, new = dict(before.fields()), dict(after.fields())
    changed = [(code, new.get(code, "")) for code in {**old, **new} if old.get(code) != new.get(code)]
    share = _share(hotel.occupied(after.room, besides=after.number))
    return write("GC", [("RN", after.room), ("G#", after.number), share, *changed, *stamp])


def move(hotel: Hotel, before: Guest, after: Guest, stamp: list[Field]) -> Record:
    """GC from one room to another; each GS belongs to the room right before it."""
    room, number, *person = after.fields()
    new_share = _share(hotel.occupied(after.room, besides=after.number))
    old_share = _share(hotel.occupied(before.room, besides=after.number))
    return write("GC", [room, new_share, number, *person, ("RO", before.room), old_share, *stamp])


def inventory(hotel: Hotel, stamp: list[Field]) -> Iterator[Record]:
    """The heart of a resync: a GI for each guest, a GO for each vacant room, all with SF."""
    for room, guests in hotel.by_room().items():
        for at, guest in enumerate(guests):
            yield _check_in(guest, at > 0, _SWAP, *stamp)
        if not guests:
            yield write("GO", [("RN", room), _share(False), _SWAP, *stamp])


def _check_in(guest: Guest, shares: bool, *more: Field) -> Record:
    room, number, *person = guest.fields()
    return write("GI", [room, number, _share(shares), *person, *more])


def _share(shares: bool) -> Field:
    return ("GS", "Y" if shares else "N")
