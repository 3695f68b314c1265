"""What is to be sent to the PMS: its rows, how they are read, and how one changes.

    pending ─▶ sent ─▶ done | refused | unknown        discarded, by a person

A row is `queued` while it is to be sent, for the first time or again. `attempts` counts how often it
was sent, and is committed before the first byte is written; `lost` counts those of which nothing came
back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from attrs import define
from sqlalchemy import ColumnElement, Connection, Select, Update, bindparam, or_, select, update

from pmslink.hotel.events import Event
from pmslink.store.core.database import insert_many
from pmslink.store.core.row_checksum import checksum
from pmslink.store.core.schema import POSTINGS
from pmslink.store.core.transaction import Entry, Transaction
from pmslink.store.tables.hotel_events import append_event

RowState = Literal["pending", "sent", "unknown", "done", "refused", "discarded"]
FINAL_STATES: tuple[RowState, ...] = ("done", "refused", "discarded")
OPEN_STATES: tuple[RowState, ...] = ("pending", "sent", "unknown")
QUERY_BATCH_ROWS = 5000
"""Parameters of one statement are not without limit."""


class OutboxRow(NamedTuple):
    """One row, as it is kept; moments in milliseconds. A tuple, in the order of the table's columns."""

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


@define(eq=False)
class OutboxRowChanged(Entry):
    """A row has changed its state, or was made."""

    row: OutboxRow


# Reading. A statement is put together once: that takes SQLAlchemy longer than SQLite takes to obey it.


def row_query(*conditions: ColumnElement[bool], newest_first: bool = False) -> Select[Any]:
    """A statement that asks for the rows of these conditions, in the order of their ids."""
    order = POSTINGS.c.id.desc() if newest_first else POSTINGS.c.id
    return select(POSTINGS).where(*conditions).order_by(order)


OF_LINK = POSTINGS.c.link == bindparam("link")
IS_OPEN = or_(*(POSTINGS.c.state == state for state in OPEN_STATES))

_SELECT_BY_ID = row_query(POSTINGS.c.id == bindparam("id"))
_SELECT_BY_LINK_AND_ID = row_query(OF_LINK, POSTINGS.c.id == bindparam("id"))


def fetch_rows(connection: Connection, query: Select[Any], **values: object) -> list[OutboxRow]:
    """All that a question asks for."""
    return [_from_row(found) for found in connection.execute(query, values)]


def fetch_first(connection: Connection, query: Select[Any], **values: object) -> OutboxRow | None:
    """The first; the question has a limit, or can have one answer only."""
    found = connection.execute(query, values).first()
    return None if found is None else _from_row(found)


def row_by_id(connection: Connection, row_id: int) -> OutboxRow | None:
    """One, of whatever link; None if it was removed with that."""
    return fetch_first(connection, _SELECT_BY_ID, id=row_id)


def row_of_link(connection: Connection, link: str, row_id: int) -> OutboxRow | None:
    """One row of a link."""
    return fetch_first(connection, _SELECT_BY_LINK_AND_ID, link=link, id=row_id)


def newest_rows(
    connection: Connection, link: str, state: RowState | None, before: int | None, limit: int
) -> list[OutboxRow]:
    """The rows of a link, in this state, older than this id; newest first."""
    asked = row_query(POSTINGS.c.link == link, newest_first=True)
    if state is not None:
        asked = asked.where(POSTINGS.c.state == state)
    if before is not None:
        asked = asked.where(POSTINGS.c.id < before)
    return fetch_rows(connection, asked.limit(limit))


def unresolved_rows(connection: Connection) -> list[tuple[str, int, RowState, int]]:
    """Link, id, state and birth of every row that is not done or discarded, oldest first."""
    columns = (POSTINGS.c.link, POSTINGS.c.id, POSTINGS.c.state, POSTINGS.c.created)
    asked = select(*columns).where(POSTINGS.c.state.in_((*OPEN_STATES, "refused"))).order_by(POSTINGS.c.id)
    return [tuple(row) for row in connection.execute(asked)]


def read_unresolved_rows(
    transaction: Transaction, arguments: Sequence[None]
) -> Sequence[list[tuple[str, int, RowState, int]]]:
    """An operation: `standing`, as of all that was written before."""
    return [unresolved_rows(transaction.connection)] * len(arguments)


def last_changed_rows(connection: Connection, limit: int) -> list[OutboxRowChanged]:
    """The rows of all links that changed last, as they are now."""
    asked = select(POSTINGS).order_by(POSTINGS.c.changed.desc()).limit(limit)
    return [_row_changed(_from_row(found)) for found in connection.execute(asked)]


def _from_row(db_row: Any) -> OutboxRow:
    return OutboxRow._make(db_row[:-1])  # the last is the checksum


# Writing.


def update_row(transaction: Transaction, row: OutboxRow, **changes: Any) -> OutboxRow:
    """Change a row, and tell it; that it wants a person, as an event too."""
    moved = row._replace(changed=transaction.next_seq(), **changes)
    values = {f"new_{name}": getattr(moved, name) for name in ("changed", *changes)}
    values["new_checksum"] = checksum(tuple(moved))
    transaction.connection.execute(
        _update_statement(("changed", "checksum", *changes)), {"row": row.id, **values}
    )
    transaction.to_publish.append(_row_changed(moved))
    if moved.state == "refused" or (moved.state == "unknown" and not moved.queued):
        told = {"posting": row_to_event(moved)}
        event = Event("posting.refused" if moved.state == "refused" else "posting.unknown", moved.room, told)
        append_event(transaction, moved.link, transaction.hotels.wall_clock(), event)
    return moved


def row_to_event(row: OutboxRow) -> dict[str, Any]:
    """A row as an event keeps it, by the names of its columns."""
    return {name: value for name, value in row._asdict().items() if name not in ("key", "asked")}


def row_from_event(event_data: Mapping[str, Any]) -> OutboxRow:
    """What `row_to_event` gave, perhaps of a version with other columns."""
    known = {name: value for name, value in event_data.items() if name in OutboxRow._fields}
    return OutboxRow(**{"key": None, "asked": None, **known})


@cache
def _update_statement(names: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return update(POSTINGS).where(POSTINGS.c.id == bindparam("row")).values(values)


def _row_changed(row: OutboxRow) -> OutboxRowChanged:
    moved = OutboxRowChanged(row)
    moved.seq = row.changed
    return moved


def insert_rows(transaction: Transaction, new_rows: Sequence[OutboxRow]) -> None:
    """Insert new rows, and tell them."""
    insert_many(transaction.connection, POSTINGS, new_rows)
    transaction.to_publish.extend(map(_row_changed, new_rows))
