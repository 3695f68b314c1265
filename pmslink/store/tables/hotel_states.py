"""The states of all hotels: stored in the same transaction as the records that change them.

So a record and its effects are stored together or not at all, and no event is published twice. The writer's
thread caches the states. A transaction changes copies, which replace the cached states after its commit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from attrs import frozen
from sqlalchemy import BindParameter, Connection, bindparam, delete, select

from pmslink.fias.record import Record
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import REPLAY_WINDOW_RECORDS, TIMESTAMPED_RECORD_IDS, HotelState
from pmslink.hotel.manual_changes import (
    ManualChanges,
    ManualCounts,
    parse_manual_changes,
    serialize_manual_changes,
)
from pmslink.hotel.room_window import Departure, Party, RoomWindow, parse_window, serialize_window
from pmslink.hotel.rooms import PERSONAL_FIELDS, Room, parse_room, serialize_room
from pmslink.store.core.prepared_statements import PreparedStatement, insert_many, upsert_many
from pmslink.store.core.schema import EVENTS, HOTELS, RECORDS, ROOMS
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.log_entries import ManualChangesCounted, NextDueChanged

_DEFAULT_POLICY = HotelPolicy()
_PREVIOUS_SERVICE_SESSION = -1
"""The session number of all records that an earlier service received."""
_LINK_PARAMETER: BindParameter[str] = bindparam("link")
_SELECT_ROOMS = select(ROOMS.c.room, ROOMS.c.body, ROOMS.c.changed).where(ROOMS.c.link == _LINK_PARAMETER)
_SELECT_ROOMS_BY_NAME = _SELECT_ROOMS.order_by(ROOMS.c.room)
_SELECT_HOTEL = PreparedStatement(
    select(HOTELS.c.body, HOTELS.c.next_at).where(HOTELS.c.link == _LINK_PARAMETER)
)
_DELETE_HOTEL = PreparedStatement(delete(HOTELS).where(HOTELS.c.link == _LINK_PARAMETER))
_MAX_EXAMINED_RECORDS = 20_000
"""Newest records of each type among which a start looks for those that a replay may repeat."""
_SELECT_STAMPED_RECORDS = PreparedStatement(
    select(RECORDS.c.seq, RECORDS.c.text)
    .where(
        RECORDS.c.link == _LINK_PARAMETER, RECORDS.c.direction == "in", RECORDS.c.type == bindparam("type")
    )
    .order_by(RECORDS.c.seq.desc())
    .limit(_MAX_EXAMINED_RECORDS)
)
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_MANUAL_KEY = "by_hand"
"""The key of the changes by hand in the body of a hotel's row; a row without any lacks it."""


@frozen
class _CommittedHotel:
    """The committed state of a hotel, and its row apart from those of its rooms."""

    state: HotelState
    row: tuple[str, int | None] | None

    @property
    def next_at(self) -> int | None:
        """When something is due, in milliseconds since 1970 in UTC."""
        return None if self.row is None else self.row[1]


class HotelStore:
    """The committed states of all hotels, and their policies."""

    def __init__(
        self, wall_clock: Callable[[], datetime], is_clock_settled: Callable[[], bool] = lambda: True
    ) -> None:
        self.wall_clock = wall_clock
        self.is_clock_settled = is_clock_settled
        self._policies: dict[str, HotelPolicy] = {}
        self._cache: dict[str, _CommittedHotel] = {}

    def begin(self) -> UnitOfWork:
        """Return a unit of work without any changes."""
        return UnitOfWork(self)

    def set_policy(self, link: str, policy: HotelPolicy) -> None:
        """Set the policy of a link's hotel."""
        self._policies[link] = policy

    def remove_policy(self, link: str) -> None:
        """Remove the policy of a link that does not run any more."""
        self._policies.pop(link, None)

    def has_policy(self, link: str) -> bool:
        """Return whether the link of a hotel runs. Without a policy its local time is unknown."""
        return link in self._policies

    def policy_of(self, link: str) -> HotelPolicy:
        """Return the policy of a link's hotel, or the default one."""
        return self._policies.get(link, _DEFAULT_POLICY)

    def get_committed(self, connection: Connection, link: str) -> _CommittedHotel:
        """Return the committed hotel of a link. For the writer's thread only."""
        return self._cache.get(link) or _load_hotel(connection, link)

    def is_cached(self, link: str) -> bool:
        """Return whether the hotel of a link is cached. For the writer's thread only."""
        return link in self._cache

    def set_committed(self, link: str, committed: _CommittedHotel | None) -> None:
        """Replace the committed hotel of a link, or drop it (None). For the writer's thread only."""
        if committed is None:
            self._cache.pop(link, None)
        else:
            self._cache[link] = committed


class UnitOfWork:
    """The hotels that one transaction changes, and the rows of their events."""

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

    def is_clock_settled(self) -> bool:
        """Return whether the current time is certain."""
        return self._hotels.is_clock_settled()

    def add_event_row(self, link: str, row: tuple[object, ...]) -> None:
        """Insert a row into the table of hotel events on flush, unless the link is removed before."""
        self._event_rows.append((link, row))

    def hotel(self, connection: Connection, link: str) -> HotelState:
        """Return the state of a hotel that this transaction may change."""
        if link not in self._originals:
            self._originals[link] = self._hotels.get_committed(connection, link)
        if link not in self._drafts:
            self._drafts[link] = self._originals[link].state.copy()
        return self._drafts[link]

    def is_resyncing(self, connection: Connection, link: str) -> bool:
        """Return whether a resync runs, without reading rooms, because the start asks for every link."""
        if link in self._originals or self._hotels.is_cached(link):
            return self.hotel(connection, link).resyncing
        row = _SELECT_HOTEL.execute(connection, link=link).fetchone()
        return row is not None and bool(json.loads(row[0])["resyncing"])

    def remove(self, link: str) -> None:
        """Delete the hotel of a removed link. Later in the transaction its hotel is empty."""
        self._originals[link] = _CommittedHotel(HotelState({}), None)
        self._drafts.pop(link, None)
        self._event_rows = [(name, row) for name, row in self._event_rows if name != link]
        self._results[link] = None

    def flush(self, transaction: Transaction) -> None:
        """Write all changed hotels and all event rows, at the end of the transaction."""
        if self._event_rows:
            insert_many(transaction.connection, EVENTS, [row for _, row in self._event_rows])
        for link in self._results:  # until here, `_results` has only the removed hotels
            _publish_next_due(transaction, link, None)
            _publish_manual_counts(transaction, link, ManualCounts())
        room_rows: list[tuple[object, ...]] = []
        hotel_rows: list[tuple[object, ...]] = []
        emptied: list[Mapping[str, object]] = []
        for link, state in self._drafts.items():
            room_rows.extend(_take_changed_rooms(link, state))
            before, row = self._originals[link], _hotel_row(state)
            after = _CommittedHotel(state, row)
            if row is None and before.row is not None:
                emptied.append({"link": link})
            elif row is not None and row != before.row:
                hotel_rows.append((link, *row))
            if after.next_at != before.next_at:
                _publish_next_due(transaction, link, after.next_at)
            if state.manual.counts != before.state.manual.counts:
                _publish_manual_counts(transaction, link, state.manual.counts)
            self._results[link] = after
        upsert_many(transaction.connection, ROOMS, room_rows)
        upsert_many(transaction.connection, HOTELS, hotel_rows)
        _DELETE_HOTEL.execute_many(transaction.connection, emptied)

    def committed(self) -> None:
        """Replace the committed hotels by the changed ones, after the commit."""
        for link, committed in self._results.items():
            self._hotels.set_committed(link, committed)


def _take_changed_rooms(link: str, hotel: HotelState) -> list[tuple[object, ...]]:
    """Return the rows of the rooms that have changed, and count them as written."""
    changed = sorted(hotel.changed_rooms)
    hotel.changed_rooms.clear()
    return [_room_row(link, hotel.rooms[name], hotel.manual) for name in changed]


def _room_row(link: str, room: Room, manual: ManualChanges) -> tuple[object, ...]:
    guests = [*room.guests, *(change.guest for change in manual.concerning(room.room))]
    has_names = any(getattr(guest, name) for guest in guests for name in (*PERSONAL_FIELDS, "fields"))
    return (link, room.room, _ENCODER.encode(serialize_room(room)), room.changed, has_names)


def _hotel_row(hotel: HotelState) -> tuple[str, int | None] | None:
    """Return the body and due time of a hotel's row; None if it has no state apart from its rooms."""
    windows = {room: serialize_window(one) for room, one in hotel.windows.items() if one.is_stored}
    manual = hotel.manual
    has_state = hotel.night_audit_stamp is not None or hotel.resyncing or windows or manual.by_id
    if not (has_state or hotel.rooms_with_wake_ups):
        return None
    body = {"auditing": hotel.night_audit_stamp, "resyncing": hotel.resyncing, "windows": windows}
    if manual.by_id:
        body[_MANUAL_KEY] = serialize_manual_changes(manual)
    return json.dumps(body), hotel.next_due_at


def _parse_windows(body: Mapping[str, Any], rooms: Mapping[str, Room]) -> dict[str, RoomWindow]:
    """Parse the windows of rooms. Before version 4 only pending check-outs were stored, by room and guest."""
    windows = {room: parse_window(stored) for room, stored in body.get("windows", {}).items()}
    for room, stored in body.get("leaving", {}).items():
        departures = tuple(Departure(number, **values, is_stated=True) for number, values in stored.items())
        guests = tuple(guest.number for guest in rooms[room].guests)
        windows[room] = RoomWindow(Party(guests, departures))
    return windows


def _parse_manual(body: Mapping[str, Any]) -> ManualChanges:
    return parse_manual_changes(body[_MANUAL_KEY]) if _MANUAL_KEY in body else ManualChanges()


def _publish_manual_counts(transaction: Transaction, link: str, counts: ManualCounts) -> None:
    entry = ManualChangesCounted(link, counts)
    entry.seq = transaction.next_seq()
    transaction.to_publish.append(entry)


def _publish_next_due(transaction: Transaction, link: str, next_at: int | None) -> None:
    entry = NextDueChanged(link, next_at)
    entry.seq = transaction.next_seq()
    transaction.to_publish.append(entry)


def _load_hotel(connection: Connection, link: str) -> _CommittedHotel:
    rooms = {room.room: room for room in _read_rooms(connection, link)}
    row: tuple[str, int | None] | None = _SELECT_HOTEL.execute(connection, link=link).fetchone()
    body = json.loads(row[0]) if row is not None else {}
    windows = _parse_windows(body, rooms)
    state = HotelState(
        rooms, body.get("auditing"), body.get("resyncing", False), windows, _parse_manual(body)
    )
    for text in reversed(_read_stamped_records(connection, link)):
        state.is_replay(Record(text), _PREVIOUS_SERVICE_SESSION)
    return _CommittedHotel(state, row)


def _read_stamped_records(connection: Connection, link: str) -> list[str]:
    """Return the newest records that a replay may repeat, newest first; those of a resync are no replays."""
    with ExitStack() as results:  # read no further than needed: mostly the first thousand are enough
        by_type = [
            results.enter_context(
                closing(_SELECT_STAMPED_RECORDS.execute(connection, link=link, type=record_type))
            )
            for record_type in sorted(TIMESTAMPED_RECORD_IDS)
        ]
        newest = merge(*by_type, key=itemgetter(0), reverse=True)
        texts = (text for _, text in islice(newest, _MAX_EXAMINED_RECORDS) if "|SF" not in text)
        return list(islice(texts, REPLAY_WINDOW_RECORDS))


def _read_rooms(connection: Connection, link: str) -> Iterator[Room]:
    return (row.parse() for row in room_rows(connection, link))


def next_due_times(connection: Connection) -> dict[str, int]:
    """Return when something is due in each hotel, by link, in milliseconds since 1970 in UTC."""
    query = select(HOTELS.c.link, HOTELS.c.next_at).where(HOTELS.c.next_at.is_not(None))
    return {row.link: row.next_at for row in connection.execute(query)}


def manual_counts(connection: Connection) -> dict[str, ManualCounts]:
    """Return how many changes by hand each hotel has that has any, by link."""
    query = select(HOTELS.c.link, HOTELS.c.body).where(HOTELS.c.body.contains(f'"{_MANUAL_KEY}":'))
    return {row.link: _parse_manual(json.loads(row.body)).counts for row in connection.execute(query)}


# Reading.


def manual_changes_of(connection: Connection, link: str) -> ManualChanges:
    """Return the changes by hand of a link's hotel."""
    row = _SELECT_HOTEL.execute(connection, link=link).fetchone()
    return ManualChanges() if row is None else _parse_manual(json.loads(row[0]))


class StoredRoom(NamedTuple):
    """The row of a room. Parsing the rows of a large hotel takes much longer than reading them."""

    name: str
    body: str
    changed: int

    def parse(self) -> Room:
        """Return the room."""
        return parse_room(self.name, json.loads(self.body), self.changed)


def room_rows(connection: Connection, link: str) -> list[StoredRoom]:
    """Return the rows of all rooms of a link, ordered by name."""
    return [StoredRoom(*row) for row in connection.execute(_SELECT_ROOMS_BY_NAME, {"link": link})]


def rooms_of(connection: Connection, link: str) -> list[Room]:
    """Return all rooms of a link, ordered by name."""
    return list(_read_rooms(connection, link))


_SELECT_ROOM = _SELECT_ROOMS.where(ROOMS.c.room == bindparam("room"))


def room_of(connection: Connection, link: str, room: str) -> Room | None:
    """Return a room of a link, or None if it is not stored."""
    row = connection.execute(_SELECT_ROOM, {"link": link, "room": room}).first()
    return None if row is None else parse_room(row.room, json.loads(row.body), row.changed)
