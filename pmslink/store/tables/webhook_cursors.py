"""How far each link's webhook has been told."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from sqlalchemy import Connection, delete, func, select

from pmslink.store.core.database import insert_many
from pmslink.store.core.schema import CURSORS, EVENTS, TRANSITIONS
from pmslink.store.core.transaction import Transaction


@frozen
class Cursor:
    """The last event of a link that was told; without a number, none is told any more."""

    link: str
    seq: int | None


def store_cursors(transaction: Transaction, cursors: Sequence[Cursor]) -> Sequence[None]:
    """An operation: keep each as it is now."""
    newest = {cursor.link: cursor for cursor in cursors}
    for link in newest:
        transaction.connection.execute(delete(CURSORS).where(CURSORS.c.link == link))
    kept = [(one.link, one.seq) for one in newest.values() if one.seq is not None]
    if kept:
        insert_many(transaction.connection, CURSORS, kept)
    return [None] * len(cursors)


def read_cursors(connection: Connection) -> dict[str, int]:
    """By link."""
    return {row.link: row.seq for row in connection.execute(select(CURSORS))}


def count_events_after(connection: Connection, link: str, after: int, until: int) -> int:
    """How many events of a link have these numbers, the first excluded."""
    return sum(
        connection.execute(
            select(func.count()).where(table.c.link == link, table.c.seq > after, table.c.seq <= until)
        ).scalar_one()
        for table in (EVENTS, TRANSITIONS)
    )
