"""The queue of the outbox: the rows that are to be sent, in the order in which they are sent.

Results of wake-ups (WA) come first. All other rows are in the order in which they were enqueued.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from operator import attrgetter
from typing import Literal

from sqlalchemy import Connection, bindparam, func, or_, select

from pmslink.store.core.prepared_statements import PreparedStatement
from pmslink.store.core.schema import POSTINGS
from pmslink.store.tables.outbox_rows import OF_LINK, OutboxRow, fetch_first, fetch_rows, row_query

Lane = Literal["all", "no_postings", "wake_up_results"]
"""Which rows may be sent at present."""

_RECORDS_BY_LANE: Mapping[Lane, tuple[str, ...]] = {
    "all": ("PS", "RE", "WR", "WC"),
    "no_postings": ("RE", "WR", "WC"),
    "wake_up_results": (),
}
"""The records of each lane, apart from WA, which is in every lane."""
_BATCH_ROWS = 50
RETRY_LATER_MS = 30_000
"""Milliseconds after which a posting that the PMS answers with RY is sent again."""

_IS_QUEUED = POSTINGS.c.queued == 1
_IS_DUE = or_(
    POSTINGS.c.not_before.is_(None),
    POSTINGS.c.not_before <= bindparam("now"),
    POSTINGS.c.not_before > bindparam("now") + 2 * RETRY_LATER_MS,  # the clock was set back
)
# Rows of one record, because the database reads them in the order of its index, however many there are.
_SELECT_DUE = row_query(
    OF_LINK,
    _IS_QUEUED,
    POSTINGS.c.record == bindparam("record"),
    POSTINGS.c.id > bindparam("after"),
    _IS_DUE,
    limit=bindparam("limit"),
)
_SELECT_RETRY_TIME = PreparedStatement(
    select(func.min(POSTINGS.c.not_before)).where(
        OF_LINK,
        _IS_QUEUED,
        POSTINGS.c.record == bindparam("record"),
        POSTINGS.c.not_before > bindparam("now"),
    )
)


def due_rows(
    connection: Connection, link: str, now: int, lane: Lane, postings_after: int | None = None
) -> Iterator[OutboxRow]:
    """Yield the rows of a lane that are due, in order; a caller may change a row before it asks for the next.

    With `postings_after`, postings that were accepted before this number of the store's sequence are left
    out, and those behind them: postings are sent in order. `now` is in milliseconds since 1970 in UTC.
    """
    values = {"link": link, "now": now}
    yield from _rows_of_records(connection, ("WA",), values)
    if lane == "all" and postings_after is not None:
        oldest = fetch_first(connection, _SELECT_DUE, record="PS", after=0, limit=1, **values)
        if oldest is not None and oldest.id < postings_after:
            lane = "no_postings"
    yield from _rows_of_records(connection, _RECORDS_BY_LANE[lane], values)


def next_retry_time(connection: Connection, link: str, now: int, lane: Lane) -> int | None:
    """Return when the next row of a lane is due that is not due yet; None without one."""
    if "PS" not in _RECORDS_BY_LANE[lane]:
        return None  # only postings are set aside
    time: int | None
    (time,) = _SELECT_RETRY_TIME.execute(connection, link=link, now=now, record="PS").fetchone()
    return time


def _rows_of_records(
    connection: Connection, records: tuple[str, ...], values: Mapping[str, object]
) -> Iterator[OutboxRow]:
    after, limit = 0, 1  # mostly the first row is sent
    while True:
        batches = (
            fetch_rows(
                connection,
                _SELECT_DUE,
                record=record,
                after=after,
                limit=limit,
                **values,
            )
            for record in records
        )
        rows = sorted(chain.from_iterable(batches), key=attrgetter("id"))[:limit]
        if not rows:
            return
        yield from rows
        after, limit = rows[-1].id, _BATCH_ROWS
