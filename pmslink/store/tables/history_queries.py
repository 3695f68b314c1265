"""Queries on the history of links: records, transitions, and events in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar, get_args

from attrs import frozen
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    literal_column,
    select,
)

from pmslink.store.core.prepared_statements import PreparedStatement
from pmslink.store.core.schema import EVENTS, LINK_SNAPSHOTS, RECORD_PROBLEMS, RECORDS, TRANSITIONS
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import (
    Direction,
    HotelEventLogged,
    LinkSnapshotLogged,
    RecordLogged,
    TransitionLogged,
)
from pmslink.store.tables.notice_rows import last_changed_notices
from pmslink.store.tables.outbox_rows import last_changed_rows
from pmslink.timestamps import from_ms

_Entry = TypeVar("_Entry", bound=Entry)

_SELECT_LAST_USER_CONTROL = PreparedStatement(
    select(TRANSITIONS.c.at, TRANSITIONS.c.cause)
    .where(
        TRANSITIONS.c.link == bindparam("link"),
        TRANSITIONS.c.cause.like(literal_column("""'{"code": "user"%'""")),
    )
    .order_by(TRANSITIONS.c.id.desc())
    .limit(1)
)


def newest_records(
    connection: Connection,
    link: str,
    direction: Direction | None,
    record_type: str | None,
    before: int | None,
    limit: int,
) -> list[RecordLogged]:
    """Return records of a link, newest first.

    If given, only those of a direction, of a type, and with numbers below `before`.
    """
    conditions = [RECORDS.c.link == link]
    if record_type is not None:
        conditions.append(RECORDS.c.type == record_type)
    # A query for each direction, because the indexes have the records of each in order.
    directions: tuple[Direction, ...] = get_args(Direction) if direction is None else (direction,)
    queries = (
        _select_newest(RECORDS, [*conditions, RECORDS.c.direction == one], before, limit)
        for one in directions
    )
    newest = merge(*map(connection.execute, queries), key=attrgetter("seq"), reverse=True)
    records = [_record_from_row(row) for row in islice(newest, limit)]
    _add_problems(connection, records)
    return records


def _add_problems(connection: Connection, records: list[RecordLogged]) -> None:
    seqs = [record.seq for record in records if record.direction == "in"]
    query = select(RECORD_PROBLEMS.c.seq, RECORD_PROBLEMS.c.problem).where(RECORD_PROBLEMS.c.seq.in_(seqs))
    problems: dict[int, str] = dict(map(tuple, connection.execute(query)))
    for record in records:
        record.problem = problems.get(record.seq)


def newest_transitions(
    connection: Connection, link: str, before: int | None, limit: int
) -> list[TransitionLogged]:
    """Return transitions of a link, newest first; only those with ids below `before`, if given."""
    query = select(TRANSITIONS).where(TRANSITIONS.c.link == link).order_by(TRANSITIONS.c.id.desc())
    if before is not None:
        query = query.where(TRANSITIONS.c.id < before)
    return [transition_from_row(row) for row in connection.execute(query.limit(limit))]


@frozen
class StoredControl:
    """When a user's control changed the state of a link, and the cause, as JSON."""

    at: int
    cause: str


def last_user_controls(connection: Connection, links: Iterable[str]) -> dict[str, StoredControl]:
    """Return the last control of a user for each of these links that has one."""
    controls: dict[str, StoredControl] = {}
    for link in links:
        row = _SELECT_LAST_USER_CONTROL.execute(connection, link=link).fetchone()
        if row is not None:
            controls[link] = StoredControl(*row)
    return controls


def events_after(connection: Connection, link: str, after: int, limit: int) -> list[Entry]:
    """Return hotel events and transitions of a link with numbers above `after`, oldest first."""
    events = _select_oldest(EVENTS, after, limit).where(EVENTS.c.link == link)
    transitions = _select_oldest(TRANSITIONS, after, limit).where(TRANSITIONS.c.link == link)
    return _merge_by_seq(
        limit,
        map(_hotel_event_from_row, connection.execute(events)),
        map(transition_from_row, connection.execute(transitions)),
    )


def last_published(connection: Connection, limit: int) -> list[Entry]:
    """Return the last published entries of all links, oldest first; records are not among them."""
    newest = [
        *map(_hotel_event_from_row, connection.execute(_select_newest(EVENTS, [], None, limit))),
        *map(transition_from_row, connection.execute(_select_newest(TRANSITIONS, [], None, limit))),
        *map(_link_snapshot_from_row, connection.execute(_select_newest(LINK_SNAPSHOTS, [], None, limit))),
        *last_changed_rows(connection, limit),
        *last_changed_notices(connection, limit),
    ]
    return sorted(newest, key=attrgetter("seq"))[-limit:]


def _select_newest(
    table: Table, conditions: list[ColumnElement[bool]], before: int | None, limit: int
) -> Select[Any]:
    if before is not None:
        conditions = [*conditions, table.c.seq < before]
    return select(table).where(*conditions).order_by(table.c.seq.desc()).limit(limit)


def _select_oldest(table: Table, after: int, limit: int) -> Select[Any]:
    return select(table).where(table.c.seq > after).order_by(table.c.seq).limit(limit)


def _merge_by_seq(limit: int, *sorted_entries: Iterable[Entry]) -> list[Entry]:
    return list(islice(merge(*sorted_entries, key=attrgetter("seq")), limit))


def _record_from_row(row: Any) -> RecordLogged:
    return _as_published(row, RecordLogged(row.link, _timestamp(row), row.direction, row.type, row.text))


def transition_from_row(row: Any) -> TransitionLogged:
    """Return the transition of a row."""
    return _as_published(
        row, TransitionLogged(row.id, row.link, _timestamp(row), row.old, row.new, row.reason, row.cause)
    )


def _hotel_event_from_row(row: Any) -> HotelEventLogged:
    return _as_published(row, HotelEventLogged(row.link, _timestamp(row), row.type, row.room, row.text))


def _link_snapshot_from_row(row: Any) -> LinkSnapshotLogged:
    return _as_published(row, LinkSnapshotLogged(_timestamp(row), row.text))


def _timestamp(row: Any) -> datetime:
    return from_ms(row.at)


def _as_published(row: Any, entry: _Entry) -> _Entry:
    entry.seq, entry.published = row.seq, True
    return entry
