"""Reading back what was kept of a link: its records, its changes of marker, and both as they happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, select

from pmslink.store.core.schema import ANNOUNCEMENTS, EVENTS, RECORDS, TRANSITIONS
from pmslink.store.tables.log_entries import Announced, Changed, Direction, Entry, Happened, Recorded
from pmslink.store.tables.outbox_rows import changed_rows
from pmslink.timestamps import from_ms

_Entry = TypeVar("_Entry", bound=Entry)


def newest_records(
    connection: Connection,
    link: str,
    direction: Direction | None,
    type: str | None,
    before: int | None,
    limit: int,
) -> list[Recorded]:
    """The records of a link, older than this number, newest first."""
    wanted = [RECORDS.c.link == link]
    if direction is not None:
        wanted.append(RECORDS.c.direction == direction)
    if type is not None:
        wanted.append(RECORDS.c.type == type)
    return [_recorded(row) for row in connection.execute(_newest(RECORDS, wanted, before, limit))]


def newest_transitions(connection: Connection, link: str, before: int | None, limit: int) -> list[Changed]:
    """The changes of marker of a link, older than the one with this id, newest first."""
    asked = select(TRANSITIONS).where(TRANSITIONS.c.link == link).order_by(TRANSITIONS.c.id.desc())
    if before is not None:
        asked = asked.where(TRANSITIONS.c.id < before)
    return [as_changed(row) for row in connection.execute(asked.limit(limit))]


def events_after(connection: Connection, link: str, after: int, limit: int) -> list[Entry]:
    """What happened after this number, oldest first: in the hotel, and to the link's marker."""
    events = _oldest(EVENTS, after, limit).where(EVENTS.c.link == link)
    changes = _oldest(TRANSITIONS, after, limit).where(TRANSITIONS.c.link == link)
    return _in_order(
        limit,
        map(_happened, connection.execute(events)),
        map(as_changed, connection.execute(changes)),
    )


def last_told(connection: Connection, limit: int) -> list[Entry]:
    """The last of what all links were told of, oldest first."""
    newest = [
        *map(_happened, connection.execute(_newest(EVENTS, [], None, limit))),
        *map(as_changed, connection.execute(_newest(TRANSITIONS, [], None, limit))),
        *map(_announced, connection.execute(_newest(ANNOUNCEMENTS, [], None, limit))),
        *changed_rows(connection, limit),
    ]
    return sorted(newest, key=attrgetter("seq"))[-limit:]


def _newest(table: Table, wanted: list[ColumnElement[bool]], before: int | None, limit: int) -> Select[Any]:
    if before is not None:
        wanted = [*wanted, table.c.seq < before]
    return select(table).where(*wanted).order_by(table.c.seq.desc()).limit(limit)


def _oldest(table: Table, after: int, limit: int) -> Select[Any]:
    return select(table).where(table.c.seq > after).order_by(table.c.seq).limit(limit)


def _in_order(limit: int, *sorted_entries: Iterable[Entry]) -> list[Entry]:
    return list(islice(merge(*sorted_entries, key=attrgetter("seq")), limit))


def _recorded(row: Any) -> Recorded:
    return _told(row, Recorded(row.link, _at(row), row.direction, row.type, row.text))


def as_changed(row: Any) -> Changed:
    """A change of marker, of its row."""
    return _told(row, Changed(row.id, row.link, _at(row), row.old, row.new, row.reason, row.cause))


def _happened(row: Any) -> Happened:
    return _told(row, Happened(row.link, _at(row), row.type, row.room, row.text))


def _announced(row: Any) -> Announced:
    return _told(row, Announced(_at(row), row.text))


def _at(row: Any) -> datetime:
    return from_ms(row.at)


def _told(row: Any, entry: _Entry) -> _Entry:
    entry.seq, entry.told = row.seq, True
    return entry
