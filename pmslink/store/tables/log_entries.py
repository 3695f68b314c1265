"""What is kept in the order in which it happened, and what the world is told of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal

from attrs import define, frozen
from sqlalchemy import Table

from pmslink.store.core.database import insert_many
from pmslink.store.core.schema import LINK_SNAPSHOTS, SYNC_CHANGES, TRANSITIONS
from pmslink.store.core.transaction import Entry, Transaction
from pmslink.timestamps import to_ms

Direction = Literal["in", "out"]


@define(eq=False)
class RecordLogged(Entry):
    """A record that came in or went out."""

    link: str
    at: datetime
    direction: Direction
    type: str
    text: str
    session: int = 0
    """Since the PMS started the link last, in which it came; not kept."""


@define(eq=False)
class TransitionLogged(Entry):
    """A change of marker. It has an id from the beginning; `cause` is JSON."""

    id: int
    link: str
    at: datetime
    old: str | None
    new: str
    reason: str
    cause: str


@frozen
class SyncChanged:
    """A change of in-sync. It is no entry: who watches hears of it by what is announced of the link."""

    id: int
    link: str
    at: datetime
    in_sync: bool


@define(eq=False)
class HotelEventLogged(Entry):
    """An event of the hotel; `text` is what it tells beside its type and room, in JSON."""

    link: str
    at: datetime
    type: str
    room: str | None
    text: str
    lacks_extension: bool = False
    """Whether no extension belonged to the room when the event was created. Not stored."""


@define(eq=False)
class NextDueChanged(Entry):
    """When something is to be done about a house, in milliseconds; None: nothing is. Nobody outside hears
    of it."""

    link: str
    next_at: int | None


@define(eq=False)
class LinkSnapshotLogged(Entry):
    """A change of a link, as JSON for the stream. It is published even while the database fails."""

    publish_when_failing: ClassVar[bool] = True

    at: datetime
    text: str


def append_transitions(transaction: Transaction, transitions: Sequence[TransitionLogged]) -> Sequence[None]:
    """An operation: keep these changes of marker."""
    return _append(
        transaction,
        TRANSITIONS,
        transitions,
        lambda one: (one.id, one.seq, one.link, to_ms(one.at), one.old, one.new, one.reason, one.cause),
    )


def append_sync_changes(transaction: Transaction, sync_changes: Sequence[SyncChanged]) -> Sequence[None]:
    """An operation: keep these changes of in-sync."""
    rows = [(one.id, one.link, to_ms(one.at), one.in_sync) for one in sync_changes]
    insert_many(transaction.connection, SYNC_CHANGES, rows)
    return [None] * len(sync_changes)


def append_link_snapshots(
    transaction: Transaction, snapshots: Sequence[LinkSnapshotLogged]
) -> Sequence[None]:
    """An operation: keep these for watchers who come back."""
    return _append(transaction, LINK_SNAPSHOTS, snapshots, lambda one: (one.seq, to_ms(one.at), one.text))


def _append(
    transaction: Transaction,
    table: Table,
    entries: Sequence[Any],
    to_row: Callable[[Any], tuple[object, ...]],
) -> Sequence[None]:
    for entry in entries:
        if not entry.published:
            entry.seq = transaction.next_seq()
            transaction.to_publish.append(entry)
    insert_many(transaction.connection, table, [to_row(entry) for entry in entries])
    return [None] * len(entries)
