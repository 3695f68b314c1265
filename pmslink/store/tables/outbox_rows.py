"""The outbox table: rows for records that are sent to the PMS, queries, inserts and updates.

    pending ─▶ sent ─▶ done | refused | unknown        discarded, by an operator

A row is `queued` while it is to be sent, for the first time or again; 2 is a posting whose guest the PMS does
not know yet (`held_charges`), so that others pass it. `attempts` counts how often it was
sent, and is committed before the first byte is written. `lost` counts the attempts without an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, Literal, NamedTuple

from attrs import define
from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, or_, select, update

from pmslink.hotel.events import Event, EventType
from pmslink.store.core.prepared_statements import PreparedStatement, insert_many
from pmslink.store.core.row_checksum import checksum
from pmslink.store.core.schema import IS_UNRESOLVED, POSTINGS
from pmslink.store.core.transaction import Entry, Transaction
from pmslink.store.tables.hotel_events import append_event

RowState = Literal["pending", "sent", "unknown", "done", "refused", "discarded"]
RowReason = Literal["guest_left", "local_guest", "pms", "charset", "unanswered", "restored"]
"""Why a row is refused or unknown; the names are part of the API."""
FINAL_STATES: tuple[RowState, ...] = ("done", "refused", "discarded")
OPEN_STATES: tuple[RowState, ...] = ("pending", "sent", "unknown")


class OutboxRow(NamedTuple):
    """One row of the outbox, with its values in the order of the table's columns.

    Times are milliseconds since 1970 in UTC. `guests` are the keys of the guests (`stays.py`) who were in the
    room when a posting started, as a JSON list; None if that is not known. `reservation` is the reservation
    number (G#) of the first of them. `room_sent` is the room that the record was sent for.
    """

    id: int
    link: str
    record: str
    type: str
    room: str
    body: str
    text: str
    subject: str | None
    until: int | None
    key: str | None
    asked: str | None
    number: int | None
    created: int
    changed: int
    state: RowState = "pending"
    queued: int = 1
    attempts: int = 0
    lost: int = 0
    sent: int | None = None
    sent_seq: int | None = None
    answered: int | None = None
    answer: str | None = None
    text_answer: str | None = None
    not_before: int | None = None
    held_since: int | None = None
    reservation: str | None = None
    guests: str | None = None
    room_sent: str | None = None
    reason: RowReason | None = None

    @classmethod
    def new(
        cls,
        seq: int,
        *,
        link: str,
        record: str,
        row_type: str,
        room: str,
        body: str,
        text: str,
        created: int,
        subject: str | None = None,
        until: int | None = None,
        key: str | None = None,
        asked: str | None = None,
        number: int | None = None,
        reservation: str | None = None,
        guests: str | None = None,
    ) -> OutboxRow:
        """Return a pending row that was never sent; `seq` is its id and the number of its last change."""
        return cls(
            id=seq,
            link=link,
            record=record,
            type=row_type,
            room=room,
            body=body,
            text=text,
            subject=subject,
            until=until,
            key=key,
            asked=asked,
            number=number,
            created=created,
            changed=seq,
            reservation=reservation,
            guests=guests,
        )


class UnresolvedRow(NamedTuple):
    """What is counted of a row that is not done or discarded; `created` is in milliseconds since 1970."""

    link: str
    id: int
    record: str
    state: RowState
    queued: int
    created: int


@define(eq=False)
class OutboxRowChanged(Entry):
    """A row was inserted, or has changed."""

    row: OutboxRow


@define(eq=False)
class RefusedRowPurged(Entry):
    """A refused row was deleted, because its retention time has ended."""

    link: str
    row_id: int

    @classmethod
    def of(cls, seq: int, link: str, row_id: int) -> RefusedRowPurged:
        """Return an entry with a number of the sequence."""
        entry = cls(link, row_id)
        entry.seq = seq
        return entry


@define(eq=False)
class UnresolvedRowsRead(Entry):
    """All rows that are not done or discarded, oldest first, as they are at this number of the sequence.

    It is published to the links only, and not stored in the log.
    """

    rows: Sequence[UnresolvedRow]


# Reading.


def row_query(
    *conditions: ColumnElement[bool],
    newest_first: bool = False,
    limit: int | BindParameter[int] | None = None,
) -> PreparedStatement:
    """Return a statement that selects the rows which meet all conditions, ordered by id."""
    order = POSTINGS.c.id.desc() if newest_first else POSTINGS.c.id
    return PreparedStatement(select(POSTINGS).where(*conditions).order_by(order).limit(limit))


OF_LINK = POSTINGS.c.link == bindparam("link")
IS_OPEN = or_(*(POSTINGS.c.state == state for state in OPEN_STATES))

SELECT_SENT = row_query(OF_LINK, POSTINGS.c.state == "sent")
"""The rows of a link that are sent, and not answered yet."""
_MAX_ROOM_UPDATES = 50
"""Updates of a room that are read: in older ones nobody looks for who set a sign."""
_SELECT_ROOM_UPDATES = row_query(
    OF_LINK,
    POSTINGS.c.room == bindparam("room"),
    POSTINGS.c.number.is_(None),
    newest_first=True,
    limit=_MAX_ROOM_UPDATES,
)
_SELECT_BY_ID = row_query(POSTINGS.c.id == bindparam("id"))
_SELECT_BY_LINK_AND_ID = row_query(OF_LINK, POSTINGS.c.id == bindparam("id"))


def fetch_rows(connection: Connection, query: PreparedStatement, **values: object) -> list[OutboxRow]:
    """Return all rows that a query selects."""
    return [_from_row(db_row) for db_row in query.execute(connection, **values)]


def fetch_first(connection: Connection, query: PreparedStatement, **values: object) -> OutboxRow | None:
    """Return the first row that a query selects. The query has a limit, or selects one row at most."""
    db_row = query.execute(connection, **values).fetchone()
    return None if db_row is None else _from_row(db_row)


def row_by_id(connection: Connection, row_id: int) -> OutboxRow | None:
    """Return a row of any link, or None if it does not exist."""
    return fetch_first(connection, _SELECT_BY_ID, id=row_id)


def row_of_link(connection: Connection, link: str, row_id: int) -> OutboxRow | None:
    """Return a row of a link, or None if the link has no such row."""
    return fetch_first(connection, _SELECT_BY_LINK_AND_ID, link=link, id=row_id)


def newest_rows(
    connection: Connection, link: str, state: RowState | None, before: int | None, limit: int
) -> list[OutboxRow]:
    """Return rows of a link, newest first; only those in a state, and with ids below `before`, if given."""
    return list(islice(select_newest_rows(connection, link, state, before), limit))


def select_newest_rows(
    connection: Connection,
    link: str,
    state: RowState | None,
    before: int | None,
    *conditions: ColumnElement[bool],
) -> Iterator[OutboxRow]:
    """Yield rows of a link that meet all conditions, newest first; they are read as they are taken."""
    query = select(POSTINGS).where(POSTINGS.c.link == link, *conditions).order_by(POSTINGS.c.id.desc())
    if state is not None:
        query = query.where(POSTINGS.c.state == state)
    if before is not None:
        query = query.where(POSTINGS.c.id < before)
    with connection.execute(query) as db_rows:
        yield from map(_from_row, db_rows)


def newest_room_updates(connection: Connection, link: str, room: str) -> list[OutboxRow]:
    """Return the last updates of a room and its phone, newest first; postings are none."""
    return fetch_rows(connection, _SELECT_ROOM_UPDATES, link=link, room=room)


def unresolved_rows(connection: Connection) -> list[UnresolvedRow]:
    """Return all rows that are not done or discarded, oldest first."""
    columns = [POSTINGS.c[name] for name in UnresolvedRow._fields]
    query = select(*columns).where(IS_UNRESOLVED).order_by(POSTINGS.c.id)
    return [UnresolvedRow._make(row) for row in connection.execute(query)]


def publish_unresolved_rows(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """Operation: publish `unresolved_rows` between the changes before and after them."""
    entry = UnresolvedRowsRead(unresolved_rows(transaction.connection))
    entry.seq = transaction.next_seq()
    transaction.to_publish.append(entry)
    return [None] * len(arguments)


def last_changed_rows(connection: Connection, limit: int) -> list[OutboxRowChanged]:
    """Return the rows of all links that changed last, newest change first."""
    query = select(POSTINGS).order_by(POSTINGS.c.changed.desc()).limit(limit)
    return [_row_changed(_from_row(db_row)) for db_row in connection.execute(query)]


def _from_row(db_row: Any) -> OutboxRow:
    return OutboxRow._make(db_row[:-1])  # the last is the checksum


# Writing.


def update_row(transaction: Transaction, row: OutboxRow, **changes: Any) -> OutboxRow:
    """Change columns of a row, publish the change, and return the new row.

    A row that an operator has to decide on (refused, or unknown and not queued) is also a hotel event.
    """
    changed = row._replace(changed=transaction.next_seq(), **changes)
    values = {f"new_{name}": getattr(changed, name) for name in ("changed", *changes)}
    values["new_checksum"] = checksum(tuple(changed))
    _update_statement(("changed", "checksum", *changes)).execute(transaction.connection, row=row.id, **values)
    transaction.to_publish.append(_row_changed(changed))
    if changed.state == "refused" or (changed.state == "unknown" and not changed.queued):
        event_type: EventType = "posting.refused" if changed.state == "refused" else "posting.unknown"
        event = Event(event_type, changed.room, {"posting": row_to_event(changed)})
        append_event(transaction, changed.link, transaction.hotels.wall_clock(), event)
    return changed


def row_to_event(row: OutboxRow) -> dict[str, Any]:
    """Return the content of a row for an event, by column names, without the idempotency key."""
    return {name: value for name, value in row._asdict().items() if name not in ("key", "asked")}


def row_from_event(event_data: Mapping[str, Any]) -> OutboxRow:
    """Return the row of an event's content, which another release may have written with other columns."""
    values = {name: value for name, value in event_data.items() if name in OutboxRow._fields}
    return OutboxRow(**{"key": None, "asked": None, **values})


@cache
def _update_statement(names: tuple[str, ...]) -> PreparedStatement:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return PreparedStatement(update(POSTINGS).where(POSTINGS.c.id == bindparam("row")).values(values))


def _row_changed(row: OutboxRow) -> OutboxRowChanged:
    entry = OutboxRowChanged(row)
    entry.seq = row.changed
    return entry


def insert_rows(transaction: Transaction, new_rows: Sequence[OutboxRow]) -> None:
    """Insert new rows, and publish them."""
    insert_many(transaction.connection, POSTINGS, new_rows)
    transaction.to_publish.extend(map(_row_changed, new_rows))
