"""The stays of guests: who was in which room at which moment, so that a charge follows its guest.

A stay begins with a check-in or a move to the room, and ends with a check-out or a move to another room.
The key of a guest is the reservation number (G#). Where the PMS identifies guests by room, the key is made of
the id of the guest's first stay, and remains the same when the guest moves. The key of a guest who was
checked in by hand is the number that the service has given the guest, until the PMS confirms the stay.

Rows with an empty guest say that a room is vacant since a moment; with an empty room, that every room without
a guest is. Times are milliseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from pmslink.hotel.events import StayChange
from pmslink.hotel.rooms import is_manual_number
from pmslink.store.core.prepared_statements import PreparedStatement, insert_many
from pmslink.store.core.row_checksum import checksum
from pmslink.store.core.schema import STAYS
from pmslink.store.core.transaction import Transaction

_NOBODY = ""
"""The guest of a row that says that a room is vacant."""
_ALL_ROOMS = ""
"""The room of a row that says that all rooms without a guest are vacant."""
_SECOND_MS = 1000


class Stay(NamedTuple):
    """A row: a guest in a room, or a vacant room; `until` is None while it lasts."""

    id: int
    link: str
    room: str
    guest: str
    reservation: str | None
    since: int
    until: int | None = None


class Occupant(NamedTuple):
    """A guest in a room: the key of the guest, and the reservation number (G#) if there is one."""

    guest: str
    reservation: str | None


class ConfirmedStay(NamedTuple):
    """The PMS has confirmed the stay of a guest who was checked in by hand: the guest has another key now."""

    former_guest: str
    guest: str
    reservation: str | None


def _stay_query(*conditions: ColumnElement[bool]) -> PreparedStatement:
    columns = [column for column in STAYS.columns if column is not STAYS.c.checksum]
    query = select(*columns).where(STAYS.c.link == bindparam("link"), *conditions).order_by(STAYS.c.id)
    return PreparedStatement(query)


_IS_ROOM = STAYS.c.room == bindparam("room")
_HAS_GUEST = STAYS.c.guest != _NOBODY
_IS_GUEST = (STAYS.c.guest == bindparam("guest"), _HAS_GUEST)  # the index is over rows with a guest
_LASTS = STAYS.c.until.is_(None)
_SELECT_PRESENT_IN_ROOM = _stay_query(_IS_ROOM, _HAS_GUEST, _LASTS)
_SELECT_VACANCY = _stay_query(_IS_ROOM, STAYS.c.guest == _NOBODY, _LASTS)
_SELECT_PRESENT_GUEST = _stay_query(*_IS_GUEST, _LASTS)
_SELECT_IN_ROOM_BETWEEN = _stay_query(
    _IS_ROOM,
    _HAS_GUEST,
    STAYS.c.since <= bindparam("end"),
    _LASTS | (STAYS.c.until > bindparam("begin")),
)
_SELECT_OF_GUEST = _stay_query(*_IS_GUEST)
_SELECT_FIRST_ID = PreparedStatement(
    select(func.min(STAYS.c.id)).where(STAYS.c.link == bindparam("link"), *_IS_GUEST)
)
_SELECT_VACANT_SINCE = PreparedStatement(
    select(func.max(STAYS.c.since)).where(
        STAYS.c.link == bindparam("link"),
        STAYS.c.room.in_((bindparam("room"), _ALL_ROOMS)),
        STAYS.c.guest == _NOBODY,
        STAYS.c.since <= bindparam("at"),
    )
)
_SELECT_LAST_END = PreparedStatement(
    select(func.max(STAYS.c.until)).where(
        STAYS.c.link == bindparam("link"), _IS_ROOM, _HAS_GUEST, STAYS.c.until <= bindparam("at")
    )
)
_UPDATE_END = PreparedStatement(
    update(STAYS)
    .where(STAYS.c.id == bindparam("stay"))
    .values(until=bindparam("end"), checksum=bindparam("new_checksum"))
)
_UPDATE_GUEST = PreparedStatement(
    update(STAYS)
    .where(STAYS.c.id == bindparam("stay"))
    .values(
        guest=bindparam("new_guest"),
        reservation=bindparam("new_reservation"),
        checksum=bindparam("new_checksum"),
    )
)


# Queries.


def occupants_at(connection: Connection, link: str, room: str, at: int) -> list[Occupant] | None:
    """Return who was in a room at a moment, ordered by check-in; None if that is not known.

    The list is empty if the room is known to have been vacant. A moment in whole seconds is a time whose
    fraction was cut off: guests who checked in during that second were in the room, if nobody else was.
    """
    occupants = _occupants_between(connection, link, room, at, at)
    if not occupants and at % _SECOND_MS == 0:
        occupants = _occupants_between(connection, link, room, at, at + _SECOND_MS - 1)
    if occupants:
        return occupants
    return [] if _is_known_vacant(connection, link, room, at) else None


def _occupants_between(connection: Connection, link: str, room: str, begin: int, end: int) -> list[Occupant]:
    stays = _fetch(connection, _SELECT_IN_ROOM_BETWEEN, link=link, room=room, begin=begin, end=end)
    occupants = dict.fromkeys(Occupant(stay.guest, stay.reservation) for stay in stays)
    if len(occupants) <= 1:
        return [*occupants]
    return sorted(occupants, key=lambda occupant: _first_stay_id(connection, link, occupant.guest))


def _first_stay_id(connection: Connection, link: str, guest: str) -> int:
    (stay_id,) = _SELECT_FIRST_ID.execute(connection, link=link, guest=guest).fetchone()
    return int(stay_id)


def _is_known_vacant(connection: Connection, link: str, room: str, at: int) -> bool:
    """Return whether the room was reported vacant, and no guest has left it since without such a report."""
    (vacant_since,) = _SELECT_VACANT_SINCE.execute(connection, link=link, room=room, at=at).fetchone()
    if vacant_since is None:
        return False
    (last_end,) = _SELECT_LAST_END.execute(connection, link=link, room=room, at=at).fetchone()
    return last_end is None or last_end <= vacant_since


def present_guests(connection: Connection, link: str, room: str) -> set[str]:
    """Return the keys of the guests who are in a room now."""
    return {stay.guest for stay in _fetch(connection, _SELECT_PRESENT_IN_ROOM, link=link, room=room)}


def rooms_of_guests(connection: Connection, link: str, guests: Sequence[str]) -> dict[str, str]:
    """Return the present room of each of these guests who is in the hotel, by the keys of the guests."""
    stays = (_fetch(connection, _SELECT_PRESENT_GUEST, link=link, guest=guest) for guest in guests)
    return {stay.guest: stay.room for stay in chain.from_iterable(stays)}


def _fetch(connection: Connection, query: PreparedStatement, **values: object) -> list[Stay]:
    return list(map(Stay._make, query.execute(connection, **values)))


# Writing.


def apply_stay_changes(
    transaction: Transaction, link: str, at: int, changes: Iterable[StayChange]
) -> list[ConfirmedStay]:
    """Write who checked in, moved and left at a time, in the order in which it happened.

    Return the stays that the PMS has confirmed.
    """
    confirmed: list[ConfirmedStay] = []
    for change in changes:
        match change:
            case StayChange(kind="began", room=str(room), number=number):
                _begin(transaction, link, at, room, number)
            case StayChange(kind="moved", room=str(room), number=number, from_room=str(from_room)):
                _move(transaction, link, at, room, number, from_room)
            case StayChange(kind="ended", room=str(room), number=number):
                _end(transaction, _find_present(transaction.connection, link, room, number), at)
            case StayChange(kind="vacant", room=room):
                _report_vacant(transaction, link, at, room or _ALL_ROOMS)
            case StayChange(kind="confirmed", number=number, former_number=former):
                confirmed.append(_confirm(transaction, link, number, former))
    return confirmed


def _confirm(transaction: Transaction, link: str, number: str, former: str) -> ConfirmedStay:
    """Give a guest who was checked in by hand the key that guests of the PMS have."""
    stays = _fetch(transaction.connection, _SELECT_OF_GUEST, link=link, guest=former)
    key = number or (f"stay {stays[0].id}" if stays else former)
    for stay in stays:
        confirmed = stay._replace(guest=key, reservation=number or None)
        _UPDATE_GUEST.execute(
            transaction.connection,
            stay=stay.id,
            new_guest=key,
            new_reservation=confirmed.reservation,
            new_checksum=checksum(tuple(confirmed)),
        )
    return ConfirmedStay(former, key, number or None)


def _begin(transaction: Transaction, link: str, at: int, room: str, number: str) -> None:
    present = _find_present(transaction.connection, link, room, number)
    if [stay.room for stay in present] != [room]:
        _end(transaction, present, at)
        _insert(transaction, link, at, room, *_key_of(number))


def _move(transaction: Transaction, link: str, at: int, room: str, number: str, from_room: str) -> None:
    present = _find_present(transaction.connection, link, from_room, number)
    _end(transaction, present, at)
    reservation, key = _key_of(number)
    _insert(transaction, link, at, room, reservation, present[0].guest if present else key)


def _key_of(number: str) -> tuple[str | None, str | None]:
    """Return the reservation number of a guest, and the key if it does not follow from that."""
    return (None, number) if is_manual_number(number) else (number or None, None)


def _report_vacant(transaction: Transaction, link: str, at: int, room: str) -> None:
    connection = transaction.connection
    if room != _ALL_ROOMS and (
        present_guests(connection, link, room) or _is_known_vacant(connection, link, room, at)
    ):
        return  # nothing new, or a guest is there after all
    _end(transaction, _fetch(connection, _SELECT_VACANCY, link=link, room=room), at)
    _insert(transaction, link, at, room, None, _NOBODY)


def _find_present(connection: Connection, link: str, room: str, number: str) -> list[Stay]:
    """Return the present stay of a guest; without a number, of the guest without a number in the room."""
    if number:
        return _fetch(connection, _SELECT_PRESENT_GUEST, link=link, guest=number)
    present = _fetch(connection, _SELECT_PRESENT_IN_ROOM, link=link, room=room)
    return [stay for stay in present if stay.reservation is None and not is_manual_number(stay.guest)]


def _insert(
    transaction: Transaction,
    link: str,
    at: int,
    room: str,
    reservation: str | None,
    guest: str | None = None,
) -> None:
    """Insert a stay that lasts; without `guest`, under the key of a guest who has just checked in."""
    stay_id = transaction.next_seq()
    key = guest if guest is not None else reservation or f"stay {stay_id}"
    if key != _NOBODY:
        _end(transaction, _fetch(transaction.connection, _SELECT_VACANCY, link=link, room=room), at)
    insert_many(transaction.connection, STAYS, [Stay(stay_id, link, room, key, reservation, at)])


def _end(transaction: Transaction, stays: Iterable[Stay], at: int) -> None:
    for stay in stays:
        ended = stay._replace(until=max(at, stay.since))  # the clock may have been set back
        _UPDATE_END.execute(
            transaction.connection, stay=stay.id, end=ended.until, new_checksum=checksum(tuple(ended))
        )
