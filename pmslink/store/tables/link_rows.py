"""The rows of links: the definition of a link that the API created, its intent, and its last resync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import astuple, frozen
from sqlalchemy import Connection, Table, delete, select

from pmslink.errors import PmslinkError
from pmslink.store.core.prepared_statements import upsert_many
from pmslink.store.core.schema import (
    CURSORS,
    EVENTS,
    HOTELS,
    LINKS,
    NOTICES,
    POSTING_NUMBERS,
    POSTINGS,
    RECORD_PROBLEMS,
    RECORDS,
    ROOMS,
    STAYS,
    SYNC_CHANGES,
    TRANSITIONS,
)
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.audit_log import AuditEntry, insert_audit_entries
from pmslink.store.tables.outbox_rows import OPEN_STATES

Intent = Literal["enabled", "disabled", "expired", "disconnected"]
_LINK_TABLES: tuple[Table, ...] = (
    RECORDS,
    RECORD_PROBLEMS,
    TRANSITIONS,
    SYNC_CHANGES,
    POSTINGS,
    POSTING_NUMBERS,
    ROOMS,
    HOTELS,
    STAYS,
    EVENTS,
    CURSORS,
    NOTICES,
)


class PostingsNotFinalError(PmslinkError):
    """The link is not removed, because it has open postings."""


@frozen
class StoredLink:
    """The row of a link. Times are milliseconds since 1970 in UTC.

    `definition` is the flat JSON object that the API received; None for a link of the configuration file.
    `intent_before` is the intent that the link had before it expired. `made_by` and `made_at` say who created
    the link with the API, and when; both are None for a link of the file or of an older release.
    """

    name: str
    definition: str | None
    intent: Intent
    expiry_seen: int | None = None
    down_since: int | None = None
    last_in_sync: int | None = None
    resync_wanted: bool = True
    resync_asked: int | None = None
    resync_started: int | None = None
    resync_ended: int | None = None
    resync_records: int = 0
    intent_before: Intent | None = None
    made_by: str | None = None
    made_at: int | None = None


def read_links(connection: Connection) -> list[StoredLink]:
    """Return all links, in the order in which they were first stored."""
    return [StoredLink(*row[:-1]) for row in connection.execute(select(LINKS))]  # the last is the checksum


def store_links(transaction: Transaction, links: Sequence[StoredLink]) -> Sequence[None]:
    """Operation: insert or update the rows of links."""
    newest = {link.name: link for link in links}
    rows = [astuple(link, recurse=False) for link in newest.values()]
    upsert_many(transaction.connection, LINKS, rows)
    return [None] * len(links)


@frozen
class RemoveLink:
    """A request to remove a link with all its data; `discard` permits it with open postings.

    `audit` tells of the caller who removes it; None if it could not be created.
    """

    name: str
    discard: bool
    audit: AuditEntry | None = None


def remove_links(
    transaction: Transaction, requests: Sequence[RemoveLink]
) -> Sequence[PostingsNotFinalError | None]:
    """Operation: remove links. A result may be PostingsNotFinalError."""
    return [_remove(transaction, request) for request in requests]


def check_removable(connection: Connection, request: RemoveLink) -> PostingsNotFinalError | None:
    """Return an error if the link has open postings, and the request does not permit that."""
    open_postings = (
        select(POSTINGS.c.id)
        .where(POSTINGS.c.link == request.name, POSTINGS.c.state.in_(OPEN_STATES))
        .limit(1)
    )
    if not request.discard and connection.execute(open_postings).first():
        return PostingsNotFinalError(f"postings of {request.name} are not final; discard=true discards them")
    return None


def _remove(transaction: Transaction, request: RemoveLink) -> PostingsNotFinalError | None:
    connection = transaction.connection
    if (refusal := check_removable(connection, request)) is not None:
        return refusal
    for table in _LINK_TABLES:
        connection.execute(delete(table).where(table.c.link == request.name))
    connection.execute(delete(LINKS).where(LINKS.c.name == request.name))
    transaction.hotels.remove(request.name)
    if request.audit is not None:
        insert_audit_entries(transaction, [request.audit])
    return None
