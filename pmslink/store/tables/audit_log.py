"""The audit trail: what callers of the API changed, and what they were refused."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import astuple, frozen
from sqlalchemy import Connection, select
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.core.prepared_statements import insert_many
from pmslink.store.core.schema import AUDIT
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.core.transaction import Transaction

DONE = "done"
"""The result of an action that was not refused."""


@frozen
class AuditEntry:
    """What a caller did. `at` is in milliseconds since 1970 in UTC.

    `link` is None for an action on the service. `object` says what of the link it was, such as "room 214".
    `before` and `after` are JSON. `result` is DONE, or the code of the error that the caller got.
    """

    at: int
    who: str
    role: str
    action: str
    link: str | None = None
    object: str | None = None
    before: str | None = None
    after: str | None = None
    result: str = DONE


@frozen
class StoredAuditEntry:
    """An audit entry with the number that the store gave it."""

    id: int
    entry: AuditEntry


def insert_audit_entries(transaction: Transaction, entries: Sequence[AuditEntry]) -> None:
    """Insert entries, in the transaction of what they tell of."""
    rows = [(transaction.next_seq(), *astuple(entry, recurse=False)) for entry in entries]
    if rows:
        insert_many(transaction.connection, AUDIT, rows)


def append_audit_entries(transaction: Transaction, entries: Sequence[AuditEntry]) -> Sequence[None]:
    """Operation: store entries about actions that change nothing in the store."""
    insert_audit_entries(transaction, entries)
    return [None] * len(entries)


def store_even_if_rejected(stored: Deferred[None], journal: JournalPort, entry: AuditEntry) -> Deferred[None]:
    """Store an entry once the disk works again, if the write `stored` that includes it is rejected.

    It is for an action that takes effect at once: what was done is in the audit trail, also if its caller
    gets an error. Returns `stored`.
    """

    def on_rejected(failure: Failure) -> Failure:
        if failure.check(StoreUnavailableError):
            journal.submit_nowait(append_audit_entries, entry)
        return failure

    return stored.addErrback(on_rejected)


@frozen
class AuditQuery:
    """Which entries to return: at most `limit`, with ids below `before`; None does not restrict them."""

    limit: int
    before: int | None = None
    link: str | None = None
    who: str | None = None
    action: str | None = None


def newest_audit_entries(connection: Connection, query: AuditQuery) -> list[StoredAuditEntry]:
    """Return entries, newest first."""
    statement = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(query.limit)
    for column, value in (
        (AUDIT.c.link, query.link),
        (AUDIT.c.who, query.who),
        (AUDIT.c.action, query.action),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if query.before is not None:
        statement = statement.where(AUDIT.c.id < query.before)
    return [StoredAuditEntry(row[0], AuditEntry(*row[1:-1])) for row in connection.execute(statement)]
