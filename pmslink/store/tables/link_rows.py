"""What is kept of each link: its definition if the interface made it, what is wanted of it, its resync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import asdict, astuple, frozen
from sqlalchemy import Connection, Table, delete, insert, select, update

from pmslink.errors import PmslinkError
from pmslink.store.core.row_checksum import checksum
from pmslink.store.core.schema import (
    CURSORS,
    EVENTS,
    HOTELS,
    LINKS,
    POSTING_NUMBERS,
    POSTINGS,
    RECORDS,
    ROOMS,
    SYNC_CHANGES,
    TRANSITIONS,
)
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.outbox_rows import OPEN_STATES

Intent = Literal["enabled", "disabled", "expired", "disconnected"]
_LINK_TABLES: tuple[Table, ...] = (
    RECORDS,
    TRANSITIONS,
    SYNC_CHANGES,
    POSTINGS,
    POSTING_NUMBERS,
    ROOMS,
    HOTELS,
    EVENTS,
    CURSORS,
)


class PostingsNotFinalError(PmslinkError):
    """A link whose postings are not all final is not removed."""


@frozen
class StoredLink:
    """One link as it is kept; moments in milliseconds.

    `definition` is what the interface was given, flat and in JSON; None if the configuration has it.
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


def read_links(connection: Connection) -> list[StoredLink]:
    """All that are known, in the order in which they became known."""
    return [StoredLink(*row[:-1]) for row in connection.execute(select(LINKS))]  # the last is the checksum


def store_links(transaction: Transaction, links: Sequence[StoredLink]) -> Sequence[None]:
    """An operation: keep each as it is now."""
    newest = {link.name: link for link in links}
    for link in newest.values():
        values = {**asdict(link), "checksum": checksum(astuple(link))}
        changed = update(LINKS).where(LINKS.c.name == link.name).values(**values)
        if not transaction.connection.execute(changed).rowcount:
            transaction.connection.execute(insert(LINKS), values)
    return [None] * len(links)


@frozen
class RemoveLink:
    """A link is to be removed with all that is kept of it; `discard` its postings that are not final."""

    name: str
    discard: bool


def remove_links(
    transaction: Transaction, requests: Sequence[RemoveLink]
) -> Sequence[PostingsNotFinalError | None]:
    """An operation: forget links. PostingsNotFinalError may come of it."""
    return [_remove(transaction, one) for one in requests]


def _remove(transaction: Transaction, request: RemoveLink) -> PostingsNotFinalError | None:
    connection = transaction.connection
    waiting = (
        select(POSTINGS.c.id)
        .where(POSTINGS.c.link == request.name, POSTINGS.c.state.in_(OPEN_STATES))
        .limit(1)
    )
    if not request.discard and connection.execute(waiting).first():
        return PostingsNotFinalError(f"postings of {request.name} are not final; discard=true gives them up")
    for table in _LINK_TABLES:
        connection.execute(delete(table).where(table.c.link == request.name))
    connection.execute(delete(LINKS).where(LINKS.c.name == request.name))
    transaction.hotels.remove(request.name)
    return None
