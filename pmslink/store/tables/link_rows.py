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
    HOUSES,
    LINKS,
    NUMBERS,
    POSTINGS,
    RECORDS,
    ROOMS,
    SYNCS,
    TRANSITIONS,
)
from pmslink.store.tables.log_entries import Transaction
from pmslink.store.tables.outbox_rows import OPEN

Intent = Literal["enabled", "disabled", "expired", "disconnected"]
_OF_A_LINK: tuple[Table, ...] = (
    RECORDS,
    TRANSITIONS,
    SYNCS,
    POSTINGS,
    NUMBERS,
    ROOMS,
    HOUSES,
    EVENTS,
    CURSORS,
)


class NotFinal(PmslinkError):
    """A link whose postings are not all final is not removed."""


@frozen
class KeptLink:
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


def kept_links(connection: Connection) -> list[KeptLink]:
    """All that are known, in the order in which they became known."""
    return [KeptLink(*row[:-1]) for row in connection.execute(select(LINKS))]  # the last is the checksum


def keep_links(transaction: Transaction, links: Sequence[KeptLink]) -> Sequence[None]:
    """An operation: keep each as it is now."""
    newest = {link.name: link for link in links}
    for link in newest.values():
        values = {**asdict(link), "checksum": checksum(astuple(link))}
        changed = update(LINKS).where(LINKS.c.name == link.name).values(**values)
        if not transaction.connection.execute(changed).rowcount:
            transaction.connection.execute(insert(LINKS), values)
    return [None] * len(links)


@frozen
class Remove:
    """A link is to be removed with all that is kept of it; `discard` its postings that are not final."""

    name: str
    discard: bool


def remove_links(transaction: Transaction, asked: Sequence[Remove]) -> Sequence[NotFinal | None]:
    """An operation: forget links. NotFinal may come of it."""
    return [_remove(transaction, one) for one in asked]


def _remove(transaction: Transaction, asked: Remove) -> NotFinal | None:
    connection = transaction.connection
    waiting = select(POSTINGS.c.id).where(POSTINGS.c.link == asked.name, POSTINGS.c.state.in_(OPEN)).limit(1)
    if not asked.discard and connection.execute(waiting).first():
        return NotFinal(f"postings of {asked.name} are not final; discard=true gives them up")
    for table in _OF_A_LINK:
        connection.execute(delete(table).where(table.c.link == asked.name))
    connection.execute(delete(LINKS).where(LINKS.c.name == asked.name))
    transaction.houses.forget(asked.name)
    return None
