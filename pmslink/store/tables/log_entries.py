"""The entries of the log: records, transitions, hotel events and link snapshots, numbered in commit order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal

from attrs import define, frozen
from sqlalchemy import Table

from pmslink.hotel.manual_changes import ManualCounts
from pmslink.store.core.prepared_statements import insert_many
from pmslink.store.core.schema import LINK_SNAPSHOTS, SYNC_CHANGES, TRANSITIONS
from pmslink.store.core.transaction import Entry, Transaction
from pmslink.timestamps import to_ms

Direction = Literal["in", "out"]


@define(eq=False)
class RecordLogged(Entry):
    """A record that was received or sent."""

    link: str
    at: datetime
    direction: Direction
    type: str
    text: str
    session: int = 0
    """The number of the link session in which it was received. Not stored."""
    problem: str | None = None
    """What is not understood of a record from the PMS, in English and without personal data."""
    is_beyond_bounds: bool = False
    """Whether it was ignored because the hotel had reached a bound, which `problem` names. Not stored."""
    is_text_stored: bool = True
    """Whether it gets a row. Over the budget of its link only what it means is stored. Not stored."""


@define(eq=False)
class TransitionLogged(Entry):
    """A change of a link's state. Its id is assigned before it is submitted; `cause` is JSON."""

    id: int
    link: str
    at: datetime
    old: str | None
    new: str
    reason: str
    cause: str


@frozen
class SyncChanged:
    """A link became in sync or out of sync. It is not published: subscribers get a link snapshot instead."""

    id: int
    link: str
    at: datetime
    in_sync: bool


@define(eq=False)
class HotelEventLogged(Entry):
    """An event of a hotel; `text` is its content apart from type and room, as JSON."""

    link: str
    at: datetime
    type: str
    room: str | None
    text: str
    lacks_extension: bool = False
    """Whether the room had no extension when the event was created. Not stored."""


@define(eq=False)
class NextDueChanged(Entry):
    """A new due time of a hotel, in milliseconds since 1970 in UTC; None if nothing is due.

    It is published to the scheduler only, and not stored in the log.
    """

    link: str
    next_at: int | None


@define(eq=False)
class ManualChangesCounted(Entry):
    """The number of changes by hand in a hotel is another one, or one of them was decided.

    It is published to the links only, and not stored in the log.
    """

    link: str
    counts: ManualCounts


@define(eq=False)
class LinkSnapshotLogged(Entry):
    """A change of a link, as JSON for the stream. It is published even while the database fails."""

    publish_when_failing: ClassVar[bool] = True

    at: datetime
    text: str


def append_transitions(transaction: Transaction, transitions: Sequence[TransitionLogged]) -> Sequence[None]:
    """Operation: store transitions."""
    return _append(
        transaction,
        TRANSITIONS,
        transitions,
        lambda entry: (
            entry.id,
            entry.seq,
            entry.link,
            to_ms(entry.at),
            entry.old,
            entry.new,
            entry.reason,
            entry.cause,
        ),
    )


def append_sync_changes(transaction: Transaction, sync_changes: Sequence[SyncChanged]) -> Sequence[None]:
    """Operation: store when links became in sync or out of sync."""
    rows = [(change.id, change.link, to_ms(change.at), change.in_sync) for change in sync_changes]
    insert_many(transaction.connection, SYNC_CHANGES, rows)
    return [None] * len(sync_changes)


def append_link_snapshots(
    transaction: Transaction, snapshots: Sequence[LinkSnapshotLogged]
) -> Sequence[None]:
    """Operation: store link snapshots, for subscribers that resume after a restart."""
    return _append(
        transaction, LINK_SNAPSHOTS, snapshots, lambda entry: (entry.seq, to_ms(entry.at), entry.text)
    )


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
