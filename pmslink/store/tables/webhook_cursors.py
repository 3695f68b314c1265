"""The cursors of webhooks: the last event that each link's webhook has delivered."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from sqlalchemy import Connection, bindparam, delete, func, select

from pmslink.store.core.prepared_statements import PreparedStatement, insert_many
from pmslink.store.core.schema import CURSORS, EVENTS, TRANSITIONS
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.audit_log import AuditEntry, insert_audit_entries

_DELETE = PreparedStatement(delete(CURSORS).where(CURSORS.c.link == bindparam("link")))
_COUNTS = [
    PreparedStatement(
        select(func.count()).where(
            table.c.link == bindparam("link"),
            table.c.seq > bindparam("after"),
            table.c.seq <= bindparam("until"),
        )
    )
    for table in (EVENTS, TRANSITIONS)
]


@frozen
class Cursor:
    """The last delivered event of a link; without a `seq` the link has no webhook any more.

    `audit` tells of the caller who skipped the event.
    """

    link: str
    seq: int | None
    audit: AuditEntry | None = None


def store_cursors(transaction: Transaction, cursors: Sequence[Cursor]) -> Sequence[None]:
    """Operation: insert, update or delete cursors."""
    newest = {cursor.link: cursor for cursor in cursors}
    _DELETE.execute_many(transaction.connection, [{"link": link} for link in newest])
    rows = [(cursor.link, cursor.seq) for cursor in newest.values() if cursor.seq is not None]
    if rows:
        insert_many(transaction.connection, CURSORS, rows)
    insert_audit_entries(transaction, [cursor.audit for cursor in cursors if cursor.audit is not None])
    return [None] * len(cursors)


def read_cursors(connection: Connection) -> dict[str, int]:
    """Return the number of the last delivered event, by link."""
    return {row.link: row.seq for row in connection.execute(select(CURSORS))}


def count_events_after(connection: Connection, link: str, after: int, until: int) -> int:
    """Return how many events of a link have numbers above `after`, up to `until`."""
    counts = (
        statement.execute(connection, link=link, after=after, until=until).fetchone() for statement in _COUNTS
    )
    return sum(count for (count,) in counts)
