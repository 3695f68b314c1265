"""Claim the next outbox row for sending, and release a row that could not be sent.

`outbox_answers.py` stores the outcome of a sent row.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

from attrs import frozen
from sqlalchemy import Connection, bindparam, select

from pmslink.fias.record import Record
from pmslink.hotel import pending_updates
from pmslink.hotel.charge_destination import IN_DOUBT_SUFFIX
from pmslink.hotel.hotel_state import HotelState
from pmslink.hotel.phone_update_records import parse_phone_update, with_present_sign
from pmslink.hotel.room_window import MOVE_WINDOW_MS
from pmslink.hotel.wake_ups import TooManyWakeUpsError
from pmslink.store.core.schema import POSTINGS, RECORDS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.charge_routing import (
    LateCharge,
    Refuse,
    SendTo,
    WaitForMove,
    route_posting,
    spelled_room,
)
from pmslink.store.operations.held_charges import AWAITS_GUEST, AwaitConfirmation
from pmslink.store.operations.hotel_updates import apply_phone_update
from pmslink.store.tables.outbox_queue import Lane, due_rows, next_retry_time
from pmslink.store.tables.outbox_rows import (
    OF_LINK,
    OutboxRow,
    RowReason,
    fetch_first,
    fetch_rows,
    row_by_id,
    row_query,
    update_row,
)
from pmslink.timestamps import from_ms

DEFAULT_SEND_LIMIT = 3
"""How often a row is sent without an answer, unless the settings of its link say otherwise."""
MAX_EXAMINED_ROWS = 200
"""Maximum number of rows that one claim examines."""

_SELECT_NEWER_VALUE = row_query(
    OF_LINK,
    POSTINGS.c.number.is_(None),
    POSTINGS.c.room == bindparam("room"),
    POSTINGS.c.subject == bindparam("subject"),
    POSTINGS.c.id > bindparam("id"),
    POSTINGS.c.state != "discarded",
    limit=1,
)
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
    """A request for the next row of a link that is due at `now`.

    `lane` says which rows may be sent; results of wake-ups (WA) come first in each. Postings that were
    accepted before `sync_hold`, a number of the store's sequence, wait. `resend`: postings in state unknown
    that are queued may be sent again. No row is sent more than `send_limit` times without an answer.
    `late_charge`: what happens to a posting whose guest has left. Times are milliseconds since 1970
    in UTC.
    """

    link: str
    now: int
    lane: Lane = "all"
    resend: bool = True
    send_limit: int = DEFAULT_SEND_LIMIT
    late_charge: LateCharge = "hold"
    sync_hold: int | None = None


@frozen
class NotBefore:
    """The answer to a claim if the next row is due only at `at` (milliseconds since 1970 in UTC)."""

    at: int


def claim_next(
    transaction: Transaction, requests: Sequence[ClaimNext]
) -> Sequence[OutboxRow | NotBefore | None]:
    """Operation: return the next row to send now, already in state sent, with its attempt counted.

    Rows before it that must not be sent any more are discarded, refused, or left unknown.
    """
    return [_claim_next(transaction, request) for request in requests]


def _claim_next(transaction: Transaction, request: ClaimNext) -> OutboxRow | NotBefore | None:
    link, now, connection = request.link, request.now, transaction.connection
    due = due_rows(connection, link, now, request.lane, request.sync_hold)
    times: list[int] = []
    for row in islice(due, MAX_EXAMINED_ROWS):
        outcome = _claim(transaction, row, request)
        if isinstance(outcome, OutboxRow):
            return outcome
        if outcome is not None:
            times.append(outcome.at)
    if next(due, None) is not None:  # further rows are examined by the next claim
        return NotBefore(min(times, default=now))
    retry_time = next_retry_time(connection, link, now, request.lane)
    times += [] if retry_time is None else [retry_time]
    return NotBefore(min(times)) if times else None


def _claim(transaction: Transaction, row: OutboxRow, request: ClaimNext) -> OutboxRow | NotBefore | None:
    """Return a due row if it is sent now, when it is due if it has to wait, or None if it is not sent."""
    if reason := _superseded_reason(transaction.connection, row):
        update_row(transaction, row, state="discarded", queued=0, text_answer=reason)
        return None
    if _remains_unknown(transaction, row, request):
        update_row(transaction, row, state="unknown", queued=0, reason="unanswered")
        return None
    if row.record == pending_updates.POSTING_RECORD:
        route = route_posting(transaction, row, request.late_charge)
    else:
        route = _route_update(transaction, row)
    match route:
        case SendTo(room=room):
            return _mark_sent(transaction, row, room, request.now)
        case AwaitConfirmation():
            update_row(transaction, row, queued=AWAITS_GUEST)
            return None
        case Refuse(reason=reason, text=text):
            _refuse_charge(transaction, row, reason, text)
            return None
    return NotBefore(request.now + MOVE_WINDOW_MS)


def _route_update(transaction: Transaction, row: OutboxRow) -> SendTo | WaitForMove:
    if pending_updates.awaits_check_out(row, lambda: _hotel(transaction, row)):
        return WaitForMove()
    return SendTo(row.room)


def _refuse_charge(transaction: Transaction, row: OutboxRow, reason: RowReason, text: str) -> None:
    if row.lost:  # the PMS may have booked an earlier attempt
        text = f"{text}{IN_DOUBT_SUFFIX}"
        update_row(transaction, row, state="unknown", queued=0, reason="unanswered", text_answer=text)
    else:
        changes = {"reason": reason, "text_answer": text, "not_before": None}
        update_row(transaction, row, state="refused", queued=0, **changes)


def _hotel(transaction: Transaction, row: OutboxRow) -> HotelState:
    return transaction.hotels.hotel(transaction.connection, row.link)


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


def _remains_unknown(transaction: Transaction, row: OutboxRow, request: ClaimNext) -> bool:
    """Return whether a row is not sent again, although its outcome is unknown."""
    if row.lost >= request.send_limit:
        return True
    if row.record == pending_updates.POSTING_RECORD:
        return row.state == "unknown" and not request.resend
    is_past = pending_updates.is_expired(row, request.now) and transaction.hotels.is_clock_settled()
    return bool(row.attempts) and is_past


def _mark_sent(transaction: Transaction, row: OutboxRow, room: str, now: int) -> OutboxRow:
    record = Record(row.text)
    if not row.attempts:
        _reapply_phone_update(transaction, row, now)
        record = _with_present_sign(transaction, row, record)
    record = pending_updates.replace_room(record, spelled_room(_hotel(transaction, row), room))
    return update_row(
        transaction,
        row,
        text=record.text,
        room_sent=room,
        state="sent",
        queued=0,
        attempts=row.attempts + 1,
        sent=now,
        sent_seq=transaction.next_seq(),
        not_before=None,
        reason=None,
    )


def _reapply_phone_update(transaction: Transaction, row: OutboxRow, now: int) -> None:
    phone_update = pending_updates.parse_applicable_update(row, now)
    if phone_update is None:
        return
    later = fetch_rows(transaction.connection, _SELECT_LATER_QUEUED, link=row.link, room=row.room, id=row.id)
    for update in pending_updates.updates_to_reapply(row, phone_update, later, _hotel(transaction, row)):
        with suppress(TooManyWakeUpsError):  # the PMS has set the maximum number of wake-ups since
            apply_phone_update(transaction, row.link, update, from_ms(now))


def _with_present_sign(transaction: Transaction, row: OutboxRow, record: Record) -> Record:
    """Return the record of a door sign that is switched off: the other one may have changed since."""
    phone_update = parse_phone_update(row.type, row.room, row.body)
    if phone_update is None:
        return record
    return with_present_sign(phone_update, record, _hotel(transaction, row).rooms.get(row.room))


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
    if row.lost:
        update_row(
            transaction, row, state="unknown", queued=1, attempts=row.attempts - 1, reason="unanswered"
        )
    else:
        update_row(transaction, row, state="pending", queued=1, attempts=row.attempts - 1)
