"""The queue of the outbox: the rows that are to be sent, in the order in which they are sent.

Results of wake-ups (WA) come first. All other rows are in the order in which they were enqueued. A posting
that the PMS answers with RY is set aside until a later time, and others pass it. Each query reads only the
rows that it returns, however many are queued or set aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import takewhile
from operator import attrgetter
from typing import Literal

from sqlalchemy import Connection, bindparam, func, select, tuple_

from pmslink.hotel.pending_updates import POSTING_RECORD
from pmslink.store.core.prepared_statements import PreparedStatement
from pmslink.store.core.schema import POSTINGS
from pmslink.store.tables.outbox_rows import OF_LINK, OutboxRow, fetch_rows, row_query

Lane = Literal["all", "no_postings", "wake_up_results"]
"""Which rows may be sent at present."""

_RECORDS_BY_LANE: Mapping[Lane, tuple[str, ...]] = {
    "all": ("PS", "RE", "WR", "WC"),
    "no_postings": ("RE", "WR", "WC"),
    "wake_up_results": (),
}
"""The records of each lane, apart from WA, which is in every lane."""
_BATCH_ROWS = 50
_BEGINNING_MS, _END_MS = 0, 2**53
"""Times before and after all others; the second one is also higher than all ids."""
RETRY_LATER_MS = 30_000
"""Milliseconds after which a posting that the PMS answers with RY is sent again."""

_IN_QUEUE = (OF_LINK, POSTINGS.c.queued == 1, POSTINGS.c.record == bindparam("record"))
# Rows of one record, because the database reads them in the order of its index, however many there are.
_SELECT_NEVER_SET_ASIDE = row_query(
    *_IN_QUEUE,
    POSTINGS.c.not_before.is_(None),
    POSTINGS.c.id > bindparam("after"),
    limit=bindparam("limit"),
)
_SET_ASIDE_UNTIL = tuple_(POSTINGS.c.not_before, POSTINGS.c.id)
_SELECT_SET_ASIDE = PreparedStatement(
    select(POSTINGS)
    .where(
        *_IN_QUEUE,
        tuple_(bindparam("after_time"), bindparam("after")) < _SET_ASIDE_UNTIL,
        POSTINGS.c.not_before <= bindparam("end"),
    )
    .order_by(*_SET_ASIDE_UNTIL)
    .limit(bindparam("limit"))
)
_SELECT_RETRY_TIME = PreparedStatement(
    select(func.min(POSTINGS.c.not_before)).where(*_IN_QUEUE, POSTINGS.c.not_before > bindparam("now"))
)


def due_rows(
    connection: Connection, link: str, now: int, lane: Lane, postings_after: int | None = None
) -> Iterator[OutboxRow]:
    """Yield the rows of a lane that are due, in order; a caller may change a row before it asks for the next.

    With `postings_after`, postings that were accepted before this number of the store's sequence are left
    out, and those behind them: postings are sent in order. `now` is in milliseconds since 1970 in UTC.
    """
    yield from _never_set_aside(connection, link, "WA")
    records = _RECORDS_BY_LANE[lane]
    queues = [_never_set_aside(connection, link, record) for record in records if record != POSTING_RECORD]
    if POSTING_RECORD in records:
        postings = _due_postings(connection, link, now)
        if postings_after is not None:
            postings = takewhile(lambda row: row.id >= postings_after, postings)
        queues.append(postings)
    yield from merge(*queues, key=attrgetter("id"))


def next_retry_time(connection: Connection, link: str, now: int, lane: Lane) -> int | None:
    """Return when the next row of a lane is due that is not due yet; None without one."""
    if POSTING_RECORD not in _RECORDS_BY_LANE[lane]:
        return None  # only postings are set aside
    query = _SELECT_RETRY_TIME.execute(connection, link=link, record=POSTING_RECORD, now=now)
    time: int | None
    (time,) = query.fetchone()
    return time


def _due_postings(connection: Connection, link: str, now: int) -> Iterator[OutboxRow]:
    """Yield the postings that are due, by id; those that were set aside in the order of their times."""
    set_back = now + 2 * RETRY_LATER_MS  # to be sent later than that: the clock was set back
    return merge(
        _never_set_aside(connection, link, POSTING_RECORD),
        _set_aside(connection, link, _BEGINNING_MS, now),
        _set_aside(connection, link, set_back, _END_MS),
        key=attrgetter("id"),
    )


def _never_set_aside(connection: Connection, link: str, record: str) -> Iterator[OutboxRow]:
    after, limit = 0, 1  # mostly the first row is sent
    while rows := fetch_rows(
        connection, _SELECT_NEVER_SET_ASIDE, link=link, record=record, after=after, limit=limit
    ):
        yield from rows
        after, limit = rows[-1].id, _BATCH_ROWS


def _set_aside(connection: Connection, link: str, after_time: int, end: int) -> Iterator[OutboxRow]:
    """Yield the postings that were set aside until `end` or earlier, but after `after_time`, in order."""
    values: dict[str, object] = {"link": link, "record": POSTING_RECORD, "end": end}
    values |= {"after_time": after_time, "after": _END_MS, "limit": 1}
    while rows := fetch_rows(connection, _SELECT_SET_ASIDE, **values):
        yield from rows
        values |= {"after_time": rows[-1].not_before, "after": rows[-1].id, "limit": _BATCH_ROWS}
