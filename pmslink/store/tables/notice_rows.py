"""Notices: facts that somebody should know, such as that a link is down, and who has acknowledged them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from typing import Any, ClassVar, Literal

from attrs import define, field, frozen
from sqlalchemy import ColumnElement, Connection, or_, select

from pmslink.store.core.prepared_statements import upsert_many
from pmslink.store.core.schema import NOTICES
from pmslink.store.core.transaction import Entry, Transaction

NoticeKind = Literal["down", "decision", "wake_up", "expires_soon", "expired", "flapping", "store", "by_hand"]
NoticeState = Literal["open", "acknowledged", "over"]


@frozen
class Notice:
    """One fact, from when it began until it is over. Times are milliseconds since 1970 in UTC."""

    id: int
    """The number of the store's sequence at which it was opened."""
    link: str | None
    """None for a notice about the service itself."""
    kind: NoticeKind
    subject: str
    """Identifies the fact among those of its link and kind, as the start of an outage does."""
    opened: int
    params: Mapping[str, Any] = field(factory=dict)
    """The parameters of its text, and perhaps the `cause`. They hold no personal data."""
    over: int | None = None
    """When the fact ended; None while it lasts."""
    acknowledged_by: str | None = None
    """The name of the token; None also for a user of this machine without a token."""
    acknowledged_at: int | None = None

    @property
    def state(self) -> NoticeState:
        """Whether the fact is over, and if not, whether somebody has acknowledged it."""
        if self.over is not None:
            return "over"
        return "open" if self.acknowledged_at is None else "acknowledged"


@define(eq=False)
class NoticeChanged(Entry):
    """A notice that was opened or has changed. It is published even while the database fails."""

    publish_when_failing: ClassVar[bool] = True

    notice: Notice


def store_notices(transaction: Transaction, entries: Sequence[NoticeChanged]) -> Sequence[None]:
    """Operation: insert or replace the rows of notices."""
    for entry in entries:
        if not entry.published:
            entry.seq = transaction.next_seq()
            transaction.to_publish.append(entry)
    upsert_many(transaction.connection, NOTICES, [_to_row(entry) for entry in entries])
    return [None] * len(entries)


def lasting_notices(connection: Connection) -> list[Notice]:
    """Return all notices that are not over, oldest first."""
    query = select(NOTICES).where(NOTICES.c.over.is_(None)).order_by(NOTICES.c.id)
    return [_from_row(row) for row in connection.execute(query)]


def find_notice(connection: Connection, notice_id: int) -> Notice | None:
    """Return the notice with this id, or None."""
    row = connection.execute(select(NOTICES).where(NOTICES.c.id == notice_id)).first()
    return None if row is None else _from_row(row)


def newest_notices(
    connection: Connection,
    link: str | None,
    states: Set[NoticeState],
    before: int | None,
    limit: int,
) -> list[Notice]:
    """Return notices in one of these states, newest first.

    If given, only those of a link, and with ids below `before`.
    """
    query = select(NOTICES).order_by(NOTICES.c.id.desc()).limit(limit)
    if states == _LASTING_STATES:
        query = query.where(NOTICES.c.over.is_(None))
    elif len(states) < len(_STATE_CONDITIONS):
        query = query.where(or_(*(_STATE_CONDITIONS[state] for state in states)))
    if link is not None:
        query = query.where(NOTICES.c.link == link)
    # a bound even without `before`: the database searches the key then, and does not scan the table
    query = query.where(NOTICES.c.id < (_MAX_ID if before is None else before))
    return [_from_row(row) for row in connection.execute(query)]


def last_changed_notices(connection: Connection, limit: int) -> list[NoticeChanged]:
    """Return the notices that changed last, newest change first."""
    query = select(NOTICES).order_by(NOTICES.c.changed.desc()).limit(limit)
    return [_published(row) for row in connection.execute(query)]


_MAX_ID = 2**63 - 1
_LASTING_STATES: Set[NoticeState] = {"open", "acknowledged"}
_STATE_CONDITIONS: Mapping[NoticeState, ColumnElement[bool]] = {
    "open": NOTICES.c.over.is_(None) & NOTICES.c.acknowledged_at.is_(None),
    "acknowledged": NOTICES.c.over.is_(None) & NOTICES.c.acknowledged_at.is_not(None),
    "over": NOTICES.c.over.is_not(None),
}


def _published(row: Any) -> NoticeChanged:
    entry = NoticeChanged(_from_row(row))
    entry.seq, entry.published = row.changed, True
    return entry


def _from_row(row: Any) -> Notice:
    return Notice(
        *(row.id, row.link, row.kind, row.subject, row.opened, json.loads(row.params), row.over),
        *(row.acknowledged_by, row.acknowledged_at),
    )


def _to_row(entry: NoticeChanged) -> tuple[object, ...]:
    notice = entry.notice
    params = json.dumps(notice.params, ensure_ascii=False)
    return (
        *(notice.id, notice.link, notice.kind, notice.subject, notice.opened, entry.seq, notice.over),
        *(params, notice.acknowledged_by, notice.acknowledged_at),
    )
