"""The houses of all links: what was said of them is folded in the commit that keeps it.

So a record and what came of it are both safe, or neither is, and nothing is told twice. In the writer's
thread the houses are in memory; a commit works on copies, which take the place of the originals once it
has succeeded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from attrs import asdict, frozen
from sqlalchemy import BindParameter, Connection, bindparam, delete, select

from pmslink.fias.record import Record
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import (
    REPLAY_WINDOW_RECORDS,
    TIMESTAMPED_RECORD_IDS,
    HotelState,
    PendingCheckOut,
)
from pmslink.hotel.rooms import PERSONAL_FIELDS, Room, parse_room, serialize_room
from pmslink.store.core.database import insert_many
from pmslink.store.core.schema import EVENTS, HOTELS, RECORDS, ROOMS
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.log_entries import NextDueChanged
from pmslink.store.tables.outbox_rows import QUERY_BATCH_ROWS

_DEFAULT_POLICY = HotelPolicy()
_PREVIOUS_SERVICE_SESSION = -1
"""The session of what an earlier service has heard."""
_LINK_PARAMETER: BindParameter[str] = bindparam("link")
_SELECT_ROOMS = select(ROOMS.c.room, ROOMS.c.body, ROOMS.c.changed).where(ROOMS.c.link == _LINK_PARAMETER)
_SELECT_HOTEL = select(HOTELS.c.body, HOTELS.c.next_at).where(HOTELS.c.link == _LINK_PARAMETER)
_DELETE_ROOMS = delete(ROOMS).where(
    ROOMS.c.link == _LINK_PARAMETER, ROOMS.c.room.in_(bindparam("rooms", expanding=True))
)
_DELETE_HOTEL = delete(HOTELS).where(HOTELS.c.link == _LINK_PARAMETER)
_SELECT_STAMPED_RECORDS = (
    select(RECORDS.c.text)
    .where(
        RECORDS.c.link == _LINK_PARAMETER,
        RECORDS.c.direction == "in",
        RECORDS.c.type.in_(sorted(TIMESTAMPED_RECORD_IDS)),
    )
    .where(RECORDS.c.text.not_like("%|SF%"))  # what a resync tells is not remembered
    .order_by(RECORDS.c.seq.desc())
    .limit(REPLAY_WINDOW_RECORDS)
)


@frozen
class _CommittedHotel:
    """A house as it is committed, and the row that stands for it beside those of its rooms."""

    state: HotelState
    row: tuple[str, int | None] | None

    @property
    def next_at(self) -> int | None:
        """When something is to be done about it."""
        return None if self.row is None else self.row[1]


class HotelStore:
    """As they are committed, and by which rules they live."""

    def __init__(self, wall_clock: Callable[[], datetime]) -> None:
        self.wall_clock = wall_clock
        self._policies: dict[str, HotelPolicy] = {}
        self._cache: dict[str, _CommittedHotel] = {}

    def begin(self) -> UnitOfWork:
        """Return a unit of work without any changes."""
        return UnitOfWork(self)

    def set_policy(self, link: str, policy: HotelPolicy) -> None:
        """From now on these are the rules of a hotel."""
        self._policies[link] = policy

    def remove_policy(self, link: str) -> None:
        """The link is no more."""
        self._policies.pop(link, None)

    def has_policy(self, link: str) -> bool:
        """Whether the link of a hotel runs; else nobody can tell what time it is there."""
        return link in self._policies

    def policy_of(self, link: str) -> HotelPolicy:
        """The rules of a hotel."""
        return self._policies.get(link, _DEFAULT_POLICY)

    def get_committed(self, connection: Connection, link: str) -> _CommittedHotel:
        """In the writer's thread: the house as it is committed."""
        return self._cache.get(link) or _load_hotel(connection, link)

    def is_cached(self, link: str) -> bool:
        """In the writer's thread: whether the house is in memory."""
        return link in self._cache

    def set_committed(self, link: str, committed: _CommittedHotel | None) -> None:
        """In the writer's thread: this is committed; None for a link that was removed."""
        if committed is None:
            self._cache.pop(link, None)
        else:
            self._cache[link] = committed


class UnitOfWork:
    """The houses that one commit changes, and what happens in them."""

    def __init__(self, hotels: HotelStore) -> None:
        self._hotels = hotels
        self._originals: dict[str, _CommittedHotel] = {}
        self._drafts: dict[str, HotelState] = {}
        self._results: dict[str, _CommittedHotel | None] = {}
        self._event_rows: list[tuple[str, tuple[object, ...]]] = []

    def policy_of(self, link: str) -> HotelPolicy:
        """Return the policy of a link's hotel."""
        return self._hotels.policy_of(link)

    def wall_clock(self) -> datetime:
        """Return the current time in UTC."""
        return self._hotels.wall_clock()

    def add_event_row(self, link: str, row: tuple[object, ...]) -> None:
        """Insert a row into the table of hotel events on flush, unless the link is removed before."""
        self._event_rows.append((link, row))

    def hotel(self, connection: Connection, link: str) -> HotelState:
        """A house that this commit may change."""
        if link not in self._originals:
            self._originals[link] = self._hotels.get_committed(connection, link)
        if link not in self._drafts:
            self._drafts[link] = self._originals[link].state.copy()
        return self._drafts[link]

    def is_resyncing(self, connection: Connection, link: str) -> bool:
        """Whether a resync of this house runs. All links ask at a start, so no rooms are read for it."""
        if link in self._originals or self._hotels.is_cached(link):
            return self.hotel(connection, link).resyncing
        row = connection.execute(_SELECT_HOTEL, {"link": link}).first()
        return row is not None and bool(json.loads(row.body)["resyncing"])

    def remove(self, link: str) -> None:
        """The link is removed; whoever speaks of it after that finds an empty house."""
        self._originals[link] = _CommittedHotel(HotelState({}), None)
        self._drafts.pop(link, None)
        self._event_rows = [(name, row) for name, row in self._event_rows if name != link]
        self._results[link] = None

    def flush(self, transaction: Transaction) -> None:
        """All that is different now, at the end of the commit."""
        if self._event_rows:
            insert_many(transaction.connection, EVENTS, [row for _, row in self._event_rows])
        for link in self._results:  # as yet, those that were removed
            _publish_next_due(transaction, link, None)
        for link, house in self._drafts.items():
            _write_rooms(transaction.connection, link, house)
            before, row = self._originals[link], _hotel_row(house)
            kept = _CommittedHotel(house, row)
            if row != before.row:
                transaction.connection.execute(_DELETE_HOTEL, {"link": link})
                if row is not None:
                    insert_many(transaction.connection, HOTELS, [(link, *row)])
            if kept.next_at != before.next_at:
                _publish_next_due(transaction, link, kept.next_at)
            self._results[link] = kept

    def committed(self) -> None:
        """What was written is safe."""
        for link, kept in self._results.items():
            self._hotels.set_committed(link, kept)


def _write_rooms(connection: Connection, link: str, hotel: HotelState) -> None:
    touched = sorted(hotel.changed_rooms)
    hotel.changed_rooms.clear()
    for at in range(0, len(touched), QUERY_BATCH_ROWS):
        names = touched[at : at + QUERY_BATCH_ROWS]
        connection.execute(_DELETE_ROOMS, {"link": link, "rooms": names})
        insert_many(connection, ROOMS, [_room_row(link, hotel.rooms[name]) for name in names])


def _room_row(link: str, room: Room) -> tuple[object, ...]:
    named = any(getattr(guest, name) for guest in room.guests for name in PERSONAL_FIELDS)
    return (link, room.room, json.dumps(serialize_room(room), ensure_ascii=False), room.changed, named)


def _hotel_row(hotel: HotelState) -> tuple[str, int | None] | None:
    """None if all there is to say of it is how its rooms are."""
    if not (
        hotel.night_audit_stamp is not None
        or hotel.resyncing
        or hotel.pending_check_outs
        or hotel.rooms_with_wake_ups
    ):
        return None
    leaving = {room: _serialize_check_outs(guests) for room, guests in hotel.pending_check_outs.items()}
    told = {"auditing": hotel.night_audit_stamp, "resyncing": hotel.resyncing, "leaving": leaving}
    return json.dumps(told), hotel.next_due_at


def _serialize_check_outs(guests: Mapping[str, PendingCheckOut]) -> dict[str, object]:
    return {number: asdict(one) for number, one in guests.items()}


def _publish_next_due(transaction: Transaction, link: str, next_at: int | None) -> None:
    planned = NextDueChanged(link, next_at)
    planned.seq = transaction.next_seq()
    transaction.to_publish.append(planned)


def _load_hotel(connection: Connection, link: str) -> _CommittedHotel:
    rooms = {room.room: room for room in _read_rooms(connection, link)}
    row = connection.execute(_SELECT_HOTEL, {"link": link}).first()
    told = json.loads(row.body) if row is not None else {}
    leaving = {
        room: {number: PendingCheckOut(**one) for number, one in guests.items()}
        for room, guests in told.get("leaving", {}).items()
    }
    house = HotelState(rooms, told.get("auditing"), told.get("resyncing", False), leaving)
    for text in reversed(connection.execute(_SELECT_STAMPED_RECORDS, {"link": link}).scalars().all()):
        house.is_replay(Record(text), _PREVIOUS_SERVICE_SESSION)
    return _CommittedHotel(house, None if row is None else (row.body, row.next_at))


def _read_rooms(connection: Connection, link: str) -> Iterator[Room]:
    for name, body, changed in connection.execute(_SELECT_ROOMS, {"link": link}):
        yield parse_room(name, json.loads(body), changed)


def next_due_times(connection: Connection) -> dict[str, int]:
    """When something is to be done about a house, by link."""
    asked = select(HOTELS.c.link, HOTELS.c.next_at).where(HOTELS.c.next_at.is_not(None))
    return {row.link: row.next_at for row in connection.execute(asked)}


# Reading.


def rooms_of(connection: Connection, link: str) -> list[Room]:
    """All rooms of a link that are known, by name."""
    return sorted(_read_rooms(connection, link), key=lambda room: room.room)


_SELECT_ROOM = _SELECT_ROOMS.where(ROOMS.c.room == bindparam("room"))


def room_of(connection: Connection, link: str, room: str) -> Room | None:
    """One of them."""
    row = connection.execute(_SELECT_ROOM, {"link": link, "room": room}).first()
    return None if row is None else parse_room(row.room, json.loads(row.body), row.changed)
