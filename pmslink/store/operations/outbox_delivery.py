"""Claim the next outbox row for sending, and release a row that could not be sent.

`outbox_answers.py` stores the outcome of a sent row.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import attrgetter

from attrs import frozen
from sqlalchemy import Connection, bindparam, func, or_, select

from pmslink.fias.record import Record
from pmslink.hotel import pending_updates
from pmslink.hotel.hotel_state import MOVE_WINDOW_MS
from pmslink.hotel.wake_ups import TooManyWakeUpsError
from pmslink.store.core.schema import POSTINGS, RECORDS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.hotel_updates import apply_phone_update
from pmslink.store.tables.outbox_rows import (
    OF_LINK,
    SELECT_SENT,
    OutboxRow,
    fetch_first,
    fetch_rows,
    row_by_id,
    row_query,
    update_row,
)
from pmslink.timestamps import from_ms

_IS_DUE = or_(POSTINGS.c.not_before.is_(None), POSTINGS.c.not_before <= bindparam("now"))
_SELECT_NEXT_PENDING = row_query(OF_LINK, POSTINGS.c.state == "pending", _IS_DUE).limit(1)
_SELECT_NEXT_RESEND = row_query(OF_LINK, POSTINGS.c.state == "unknown", POSTINGS.c.queued == 1).limit(1)
_SELECT_NEXT_RETRY_TIME = select(func.min(POSTINGS.c.not_before)).where(
    OF_LINK, POSTINGS.c.state == "pending"
)
_SELECT_NEWER_VALUE = row_query(
    OF_LINK,
    POSTINGS.c.room == bindparam("room"),
    POSTINGS.c.subject == bindparam("subject"),
    POSTINGS.c.id > bindparam("id"),
    POSTINGS.c.state != "discarded",
).limit(1)
_SELECT_LATER_QUEUED = row_query(
    OF_LINK,
    POSTINGS.c.number.is_(None),
    POSTINGS.c.room == bindparam("room"),
    POSTINGS.c.id > bindparam("id"),
    POSTINGS.c.queued == 1,
)
_SELECT_PMS_RECORDS_SINCE = select(RECORDS.c.text).where(
    RECORDS.c.link == bindparam("link"),
    RECORDS.c.seq > bindparam("seq"),
    RECORDS.c.direction == "in",
    RECORDS.c.type.in_(pending_updates.WAKE_UP_CHANGING_RECORDS),
)


@frozen
class ClaimNext:
    """A request for the next row of a link that is due at `now` (milliseconds since 1970 in UTC).

    `resend`: postings in state unknown that are queued may be sent again. `in_flight_ids`, after a claim
    that failed: the rows that are still being sent. All other rows in state sent are released first.
    """

    link: str
    now: int
    resend: bool = True
    in_flight_ids: tuple[int, ...] | None = None


@frozen
class NotBefore:
    """The answer to a claim if the next row is due only at `at` (milliseconds since 1970 in UTC)."""

    at: int


def claim_next(
    transaction: Transaction, requests: Sequence[ClaimNext]
) -> Sequence[OutboxRow | NotBefore | None]:
    """Operation: return the next row to send now, already in state sent, with its attempt counted."""
    return [_claim_next(transaction, request) for request in requests]


def _claim_next(transaction: Transaction, request: ClaimNext) -> OutboxRow | NotBefore | None:
    link, now = request.link, request.now
    if request.in_flight_ids is not None:
        for row in fetch_rows(transaction.connection, SELECT_SENT, link=link):
            if row.id not in request.in_flight_ids:
                _release(transaction, row)
    while next_row := _next_due(transaction.connection, link, now):
        if reason := _superseded_reason(transaction.connection, next_row):
            update_row(transaction, next_row, state="discarded", queued=0, text_answer=reason)
        elif _remains_unknown(next_row, request):
            update_row(transaction, next_row, state="unknown", queued=0)
        elif pending_updates.awaits_check_out(
            next_row, lambda: transaction.hotels.hotel(transaction.connection, link)
        ):
            return NotBefore(now + MOVE_WINDOW_MS)
        else:
            return _mark_sent(transaction, next_row, now)
    at = transaction.connection.execute(_SELECT_NEXT_RETRY_TIME, {"link": link}).scalar()
    return None if at is None else NotBefore(at)


def _next_due(connection: Connection, link: str, now: int) -> OutboxRow | None:
    """Return the oldest row that is due, for the first time or again."""
    candidates = (
        fetch_first(connection, _SELECT_NEXT_RESEND, link=link),
        fetch_first(connection, _SELECT_NEXT_PENDING, link=link, now=now),
    )
    return min(filter(None, candidates), key=attrgetter("id"), default=None)


def _superseded_reason(connection: Connection, row: OutboxRow) -> str | None:
    """Return the reason why a row that was sent before must not be sent again, or None."""
    if not row.attempts:
        return None
    if row.record == "RE":
        newer = fetch_first(
            connection, _SELECT_NEWER_VALUE, link=row.link, room=row.room, subject=row.subject, id=row.id
        )
        return pending_updates.NEWER_VALUE_REASON if newer else None
    if row.record in pending_updates.WAKE_UP_REQUEST_RECORDS:
        texts = connection.execute(
            _SELECT_PMS_RECORDS_SINCE, {"link": row.link, "seq": row.sent_seq or 0}
        ).scalars()
        if any(pending_updates.supersedes_wake_ups(Record(text), row.room) for text in texts):
            return pending_updates.PMS_CHANGED_WAKE_UPS_REASON
    return None


def _remains_unknown(row: OutboxRow, request: ClaimNext) -> bool:
    """Return whether a row is not sent again, although its outcome is unknown."""
    if row.record == pending_updates.POSTING_RECORD:
        return row.state == "unknown" and not request.resend
    return bool(row.attempts) and pending_updates.is_expired(row, request.now)


def _mark_sent(transaction: Transaction, row: OutboxRow, now: int) -> OutboxRow:
    if not row.attempts:
        _reapply_phone_update(transaction, row, now)
    sent_seq = transaction.next_seq()
    attempts = row.attempts + 1
    return update_row(
        transaction,
        row,
        state="sent",
        queued=0,
        attempts=attempts,
        sent=now,
        sent_seq=sent_seq,
        not_before=None,
    )


def _reapply_phone_update(transaction: Transaction, row: OutboxRow, now: int) -> None:
    phone_update = pending_updates.parse_applicable_update(row, now)
    if phone_update is None:
        return
    later = fetch_rows(transaction.connection, _SELECT_LATER_QUEUED, link=row.link, room=row.room, id=row.id)
    state = transaction.hotels.hotel(transaction.connection, row.link)
    for update in pending_updates.updates_to_reapply(row, phone_update, later, state):
        with suppress(TooManyWakeUpsError):  # the PMS has set the maximum number of wake-ups since
            apply_phone_update(transaction, row.link, update, from_ms(now))


@frozen
class Release:
    """A request to release a row in state sent, of which no byte was written to the connection."""

    row_id: int


def release(transaction: Transaction, requests: Sequence[Release]) -> Sequence[None]:
    """Operation: queue claimed rows again, and do not count the attempt."""
    for request in requests:
        row = row_by_id(transaction.connection, request.row_id)
        if row is not None and row.state == "sent":  # else the answer to an earlier attempt was stored since
            _release(transaction, row)
    return [None] * len(requests)


def _release(transaction: Transaction, row: OutboxRow) -> None:
    state = "unknown" if row.lost else "pending"
    update_row(transaction, row, state=state, queued=1, attempts=row.attempts - 1)
