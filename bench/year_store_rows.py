"""The rows of a store of a year, spread over its links and over the time for which they are kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from attrs import frozen

from pmslink.hotel.rooms import Room, serialize_room
from pmslink.store.core import schema_version
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.row_checksum import checksum
from pmslink.timestamps import to_ms

GUEST_DAYS, HISTORY_DAYS = 30, 400
EXPIRED_DAYS = 1
"""Days by which the oldest rows are older than they are kept, so that a purge has to delete them."""
LARGE_LINK = "hotel-0"
"""The link with the most rows; and one of the others."""
SMALL_LINK = "hotel-1"
_LARGE_LINK_SHARE = 50
"""One row in so many is of the large link."""
_UNRESOLVED_SHARE = 5000
"""One posting in so many waits for an operator."""
_BATCH_ROWS = 20_000
_RECORD_TYPES = ("GI", "RE", "GO", "GC", "RE", "WR", "PA", "PS")
_GUEST = "G#{number}|GNGuest {number}|GSN|DA261120|TI070000|"

Row = tuple[object, ...]


@frozen
class Scale:
    """Numbers of rows."""

    postings: int
    records: int
    transitions: int
    events: int
    links: int

    def tenth(self) -> Scale:
        """Return a tenth of the rows, for as many links."""
        rows = self.postings // 10, self.records // 10, self.transitions // 10, self.events // 10
        return Scale(*rows, self.links)


SAMPLE = Scale(150_000, 90_000, 45_000, 30_000, 100)
FULL = Scale(5_000_000, 3_000_000, 1_500_000, 1_000_000, 1_000)


def build_store(folder: Path, scale: Scale, now: datetime) -> Path:
    """Create a store with rows up to `now`, and return its path."""
    database = SqliteDatabase(folder)
    database.create()
    with database.writer() as connection, connection.begin():
        schema_version.create_or_migrate(connection)
    fill_store(database.path, scale, now)
    return database.path


def fill_store(path: Path, scale: Scale, now: datetime) -> None:
    """Insert the rows into empty tables; their indexes are created afterwards, which is faster."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-200000")
        indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql != ''")
        indexes_by_name: dict[str, str] = dict(indexes)
        for name in indexes_by_name:
            connection.execute(f"DROP INDEX {name}")
        for table, count, days, row in (
            ("postings", scale.postings, HISTORY_DAYS, _posting),
            ("records", scale.records, GUEST_DAYS, _record),
            ("transitions", scale.transitions, HISTORY_DAYS, _transition),
            ("syncs", scale.transitions // 2, HISTORY_DAYS, _sync_change),
            ("events", scale.events, GUEST_DAYS, _event),
        ):
            _insert(connection, table, _rows(count, days, scale.links, to_ms(now), row))
        _insert(connection, "links", (_link(number) for number in range(scale.links)))
        _insert(connection, "rooms", (_room(number) for number in range(10 * scale.links)))
        for statement in indexes_by_name.values():
            connection.execute(statement)


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[Row]) -> None:
    connection.execute("BEGIN")
    places = ", ".join("?" * len(connection.execute(f"PRAGMA table_info({table})").fetchall()))
    connection.executemany(f"INSERT INTO {table} VALUES ({places})", ((*row, checksum(row)) for row in rows))
    connection.execute("COMMIT")


def _rows(count: int, days: int, links: int, now: int, row: Callable[[int, str, int], Row]) -> Iterator[Row]:
    """Yield the rows with numbers from 1 on, links and times."""
    span = (days + EXPIRED_DAYS) * timedelta(days=1) // timedelta(milliseconds=1)
    for number in range(1, count + 1):
        link = 0 if number % _LARGE_LINK_SHARE == 0 else 1 + number % (links - 1)
        yield row(number, f"hotel-{link}", now - span + span * number // count)


def _posting(number: int, link: str, at: int) -> Row:
    is_posting = number % 3 != 0
    is_unresolved = number % _UNRESOLVED_SHARE == 0
    room = str(100 + number % 100)
    body = json.dumps({"type": "call", "room": room, "dialled": "0123456789", "duration": 63, "amount": 125})
    text = f"PS|RN{room}|PTC|TA125|DU000103|DD0123456789|DA261120|TI070000|"
    return (
        *(number, link, "PS" if is_posting else "RE", "call" if is_posting else "status", room, body, text),
        *(None if is_posting else "RS", None, f"key-{number}" if is_posting else None, "0f" * 16),
        *(number % 99_999_999 if is_posting else None, at, number),
        *("refused" if is_unresolved else "done", 0, 1, 0, at, number, at, "OK", None, None, None),
        *(str(number % 5000), f'["{number % 5000}"]', room, "pms" if is_unresolved else None),
    )


def _record(number: int, link: str, at: int) -> Row:
    record = _RECORD_TYPES[number % len(_RECORD_TYPES)]
    text = f"{record}|RN{100 + number % 100}|{_GUEST.format(number=number)}"
    return (number, link, at, "out" if record in ("PS", "WR") else "in", record, text)


def _transition(number: int, link: str, at: int) -> Row:
    states = ("CLOSED", "WAIT_LS", "ESTABLISHED", "EXPECTION")
    old, new = states[number % 4], states[(number + 1) % 4]
    cause = json.dumps({"kind": "link_check_overdue", "seconds": 30})
    return (
        2 * number,
        2 * number + 1,
        link,
        at,
        old,
        new,
        "The PMS did not answer the last link check",
        cause,
    )


def _sync_change(number: int, link: str, at: int) -> Row:
    return (4 * number + 1, link, at, bool(number % 2))


def _event(number: int, link: str, at: int) -> Row:
    event = "wake_up.done" if number % 10 == 0 else "guest.checked_in"
    guest = {"number": str(number), "name": f"Guest {number}", "arrival": "2026-11-20"}
    result = {"result": "answered"} if number % 100 else {"result": "no_answer"}
    room = str(100 + number % 100)
    return (number, link, at, event, room, json.dumps({"extensions": [room], "guest": guest, **result}))


def _link(number: int) -> Row:
    definition = json.dumps({"host": "192.0.2.1", "port": 5010 + number})
    return (f"hotel-{number}", definition, "disabled", *[None] * 3, False, *[None] * 3, 0, None)


def _room(number: int) -> Row:
    link, name = divmod(number, 10)
    room = Room(str(100 + name), changed=number)
    return (f"hotel-{link}", room.room, json.dumps(serialize_room(room)), number, False)
