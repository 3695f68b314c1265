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
from pmslink.store.tables.hotel_events import happened
from pmslink.store.tables.log_entries import Entry, Transaction

State = Literal["pending", "sent", "unknown", "done", "refused", "discarded"]
FINAL: tuple[State, ...] = ("done", "refused", "discarded")
OPEN: tuple[State, ...] = ("pending", "sent", "unknown")
ROWS_AT_ONCE = 5000
"""Parameters of one statement are not without limit."""


class Row(NamedTuple):
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
    state: State = "pending"
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
class Moved(Entry):
    """A row has changed its state, or was made."""

    row: Row


# Reading. A statement is put together once: that takes SQLAlchemy longer than SQLite takes to obey it.


def question(*conditions: ColumnElement[bool], newest_first: bool = False) -> Select[Any]:
    """A statement that asks for the rows of these conditions, in the order of their ids."""
    order = POSTINGS.c.id.desc() if newest_first else POSTINGS.c.id
    return select(POSTINGS).where(*conditions).order_by(order)


OF_LINK = POSTINGS.c.link == bindparam("link")
IS_OPEN = or_(*(POSTINGS.c.state == state for state in OPEN))

_BY_ID = question(POSTINGS.c.id == bindparam("id"))
_OF_LINK_BY_ID = question(OF_LINK, POSTINGS.c.id == bindparam("id"))


def rows(connection: Connection, asked: Select[Any], **values: object) -> list[Row]:
    """All that a question asks for."""
    return [_row(found) for found in connection.execute(asked, values)]


def first(connection: Connection, asked: Select[Any], **values: object) -> Row | None:
    """The first; the question has a limit, or can have one answer only."""
    found = connection.execute(asked, values).first()
    return None if found is None else _row(found)


def by_id(connection: Connection, id: int) -> Row | None:
    """One, of whatever link; None if it was removed with that."""
    return first(connection, _BY_ID, id=id)


def row_of(connection: Connection, link: str, id: int) -> Row | None:
    """One row of a link."""
    return first(connection, _OF_LINK_BY_ID, link=link, id=id)


def newest_rows(
    connection: Connection, link: str, state: State | None, before: int | None, limit: int
) -> list[Row]:
    """The rows of a link, in this state, older than this id; newest first."""
    asked = question(POSTINGS.c.link == link, newest_first=True)
    if state is not None:
        asked = asked.where(POSTINGS.c.state == state)
    if before is not None:
        asked = asked.where(POSTINGS.c.id < before)
    return rows(connection, asked.limit(limit))


def standing(connection: Connection) -> list[tuple[str, int, State, int]]:
    """Link, id, state and birth of every row that is not done or discarded, oldest first."""
    columns = (POSTINGS.c.link, POSTINGS.c.id, POSTINGS.c.state, POSTINGS.c.created)
    asked = select(*columns).where(POSTINGS.c.state.in_((*OPEN, "refused"))).order_by(POSTINGS.c.id)
    return [tuple(row) for row in connection.execute(asked)]


def count_standing(
    transaction: Transaction, arguments: Sequence[None]
) -> Sequence[list[tuple[str, int, State, int]]]:
    """An operation: `standing`, as of all that was written before."""
    return [standing(transaction.connection)] * len(arguments)


def changed_rows(connection: Connection, limit: int) -> list[Moved]:
    """The rows of all links that changed last, as they are now."""
    asked = select(POSTINGS).order_by(POSTINGS.c.changed.desc()).limit(limit)
    return [_moved(_row(found)) for found in connection.execute(asked)]


def _row(found: Any) -> Row:
    return Row._make(found[:-1])  # the last is the checksum


# Writing.


def move(transaction: Transaction, row: Row, **changes: Any) -> Row:
    """Change a row, and tell it; that it wants a person, as an event too."""
    moved = row._replace(changed=transaction.number(), **changes)
    values = {f"new_{name}": getattr(moved, name) for name in ("changed", *changes)}
    values["new_checksum"] = checksum(tuple(moved))
    transaction.connection.execute(_change(("changed", "checksum", *changes)), {"row": row.id, **values})
    transaction.told.append(_moved(moved))
    if moved.state == "refused" or (moved.state == "unknown" and not moved.queued):
        told = {"posting": row_told(moved)}
        event = Event("posting.refused" if moved.state == "refused" else "posting.unknown", moved.room, told)
        happened(transaction, moved.link, transaction.houses.wall(), event)
    return moved


def row_told(row: Row) -> dict[str, Any]:
    """A row as an event keeps it, by the names of its columns."""
    return {name: value for name, value in row._asdict().items() if name not in ("key", "asked")}


def told_row(told: Mapping[str, Any]) -> Row:
    """What `row_told` gave, perhaps of a version with other columns."""
    known = {name: value for name, value in told.items() if name in Row._fields}
    return Row(**{"key": None, "asked": None, **known})


@cache
def _change(names: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return update(POSTINGS).where(POSTINGS.c.id == bindparam("row")).values(values)


def _moved(row: Row) -> Moved:
    moved = Moved(row)
    moved.seq = row.changed
    return moved


def add(transaction: Transaction, made: Sequence[Row]) -> None:
    """Insert new rows, and tell them."""
    insert_many(transaction.connection, POSTINGS, made)
    transaction.told.extend(map(_moved, made))
