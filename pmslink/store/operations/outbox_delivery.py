"""What becomes of a row once the link takes it: sent, answered, proved, or left in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import Connection, bindparam, func, or_, select

from pmslink.fias.record import Record
from pmslink.hotel.guest_fields import parse_gs_flags
from pmslink.hotel.hotel_state import MOVE_WINDOW_MS
from pmslink.hotel.phone_updates import PhoneUpdate, parse_phone_update
from pmslink.hotel.wake_ups import TooManyWakeUpsError
from pmslink.store.core.schema import POSTINGS, RECORDS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.hotel_updates import apply_phone_update
from pmslink.store.tables.outbox_rows import (
    IS_OPEN,
    OF_LINK,
    QUERY_BATCH_ROWS,
    OutboxRow,
    fetch_first,
    fetch_rows,
    row_by_id,
    row_query,
    update_row,
)
from pmslink.timestamps import from_ms

RETRY_LATER_MS = 30_000
"""Milliseconds that a posting which the PMS answers with RY waits before it is sent again."""
ANSWER_DEADLINE_MS = 24 * 3600 * 1000
"""Milliseconds after which a PMS that says RY or NA has refused."""

_WAKE_UP_REQUEST_RECORDS = ("WR", "WC")
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
    RECORDS.c.type.in_(("WR", "WC", "GO", "GC")),
)
_SELECT_LAST_BY_NUMBER = row_query(
    OF_LINK, POSTINGS.c.number == bindparam("number"), POSTINGS.c.attempts > 0, newest_first=True
).limit(1)
_SELECT_OPEN_BY_NUMBER = _SELECT_LAST_BY_NUMBER.where(IS_OPEN)
_SELECT_SENT = row_query(OF_LINK, POSTINGS.c.state == "sent")
_SELECT_SENT_BY_IDS = _SELECT_SENT.where(POSTINGS.c.id.in_(bindparam("ids", expanding=True)))


# Sending.


@frozen
class ClaimNext:
    """The next row of a link is wanted.

    `resend`: postings in doubt that are queued may be sent again. `mine`, after a take that failed: the
    rows that are on their way; what else is counted as sent, that take has left behind.
    """

    link: str
    now: int
    resend: bool = True
    in_flight_ids: tuple[int, ...] | None = None


@frozen
class NotBefore:
    """There is one, but not before this moment."""

    at: int


def claim_next(
    transaction: Transaction, requests: Sequence[ClaimNext]
) -> Sequence[OutboxRow | NotBefore | None]:
    """An operation: the next row that is to be sent now, already counted as sent."""
    return [_claim_next(transaction, one) for one in requests]


def _claim_next(transaction: Transaction, request: ClaimNext) -> OutboxRow | NotBefore | None:
    link, now = request.link, request.now
    if request.in_flight_ids is not None:
        for row in fetch_rows(transaction.connection, _SELECT_SENT, link=link):
            if row.id not in request.in_flight_ids:
                _release(transaction, row)
    while next_row := _next_due(transaction.connection, link, now):
        if why := _superseded_reason(transaction.connection, next_row):
            update_row(transaction, next_row, state="discarded", queued=0, text_answer=why)
        elif _stays_unknown(next_row, request):
            update_row(transaction, next_row, state="unknown", queued=0)
        elif _awaits_check_out(transaction, next_row):
            return NotBefore(now + MOVE_WINDOW_MS)
        else:
            return _mark_sent(transaction, next_row, now)
    at = transaction.connection.execute(_SELECT_NEXT_RETRY_TIME, {"link": link}).scalar()
    return None if at is None else NotBefore(at)


def _stays_unknown(row: OutboxRow, request: ClaimNext) -> bool:
    """Whether what became of a row stays unknown: sending it again is not wished, or of no use any more."""
    if row.record == "PS":
        return row.state == "unknown" and not request.resend
    return bool(row.attempts) and row.until is not None and row.until < request.now


def _awaits_check_out(transaction: Transaction, row: OutboxRow) -> bool:
    """Whether it shows in a moment if the guest who has told this moves or leaves, which makes it void."""
    if row.record == "PS" or row.attempts:
        return False
    return row.room in transaction.hotels.hotel(transaction.connection, row.link).pending_check_outs


def _next_due(connection: Connection, link: str, now: int) -> OutboxRow | None:
    """The oldest that is to be sent again, or for the first time."""
    found = (
        fetch_first(connection, _SELECT_NEXT_RESEND, link=link),
        fetch_first(connection, _SELECT_NEXT_PENDING, link=link, now=now),
    )
    return min(filter(None, found), key=attrgetter("id"), default=None)


def _mark_sent(transaction: Transaction, row: OutboxRow, now: int) -> OutboxRow:
    if not row.attempts:
        _reapply_phone_update(transaction, row, now)
    number = transaction.next_seq()
    attempts = row.attempts + 1
    return update_row(
        transaction,
        row,
        state="sent",
        queued=0,
        attempts=attempts,
        sent=now,
        sent_seq=number,
        not_before=None,
    )


def _reapply_phone_update(transaction: Transaction, row: OutboxRow, now: int) -> None:
    """What a phone told is so again, if the PMS has said something else while it waited: it hears this last.

    Unless the phone has told something else since, or the time of a wake-up has passed.
    """
    change = parse_phone_update(row.type, row.room, row.body)
    if change is None or (row.until is not None and row.until <= now):
        return
    asked = {"link": row.link, "room": row.room, "id": row.id}
    later = fetch_rows(transaction.connection, _SELECT_LATER_QUEUED, **asked)
    changes: Iterable[PhoneUpdate] = [change]
    if row.record in _WAKE_UP_REQUEST_RECORDS:
        changes = _effective_wake_up_updates(transaction, row.link, change, later)
    elif any(one.subject == row.subject for one in later):
        changes = ()
    for one in changes:
        with suppress(TooManyWakeUpsError):  # the PMS has filled the room meanwhile
            apply_phone_update(transaction, row.link, one, from_ms(now))


def _effective_wake_up_updates(
    transaction: Transaction, link: str, phone_update: PhoneUpdate, later_rows: Iterable[OutboxRow]
) -> Iterator[PhoneUpdate]:
    """What a phone told of wake-ups, without the moments of which it has told something later."""
    told = [
        parse_phone_update(one.type, one.room, one.body)
        for one in later_rows
        if one.record in _WAKE_UP_REQUEST_RECORDS
    ]
    moments = {one.value for one in told if one is not None}
    if None in moments or phone_update.value in moments:
        return
    if phone_update.value is not None or not moments:
        yield phone_update
    elif room := transaction.hotels.hotel(transaction.connection, link).rooms.get(phone_update.room):
        for wake_up in room.wake_ups:
            if wake_up.at not in moments:
                yield evolve(phone_update, value=wake_up.at)


def _superseded_reason(connection: Connection, row: OutboxRow) -> str | None:
    """Why a row that was sent before need not be sent again."""
    if not row.attempts:
        return None
    if row.record == "RE":
        newer = fetch_first(
            connection, _SELECT_NEWER_VALUE, link=row.link, room=row.room, subject=row.subject, id=row.id
        )
        return "a newer value is sent instead" if newer else None
    if row.record in _WAKE_UP_REQUEST_RECORDS:
        spoken = connection.execute(
            _SELECT_PMS_RECORDS_SINCE, {"link": row.link, "seq": row.sent_seq or 0}
        ).scalars()
        if any(_supersedes_wake_ups(Record(text), row.room) for text in spoken):
            return "the PMS has spoken of this room's wake-up since"
    return None


def _supersedes_wake_ups(record: Record, room: str) -> bool:
    """Whether the PMS says anew whom to wake there: it orders or cancels, or the room becomes vacant."""
    match record.id:
        case "WR" | "WC":
            return record.get("RN") == room
        case "GO":
            return record.get("RN") == room and record.get("GS") != "Y"
    return record.get("RO") == room and parse_gs_flags(record)[1] != "Y"


@frozen
class Release:
    """A row was counted as sent, but not a byte of it was written."""

    id: int


def release(transaction: Transaction, requests: Sequence[Release]) -> Sequence[None]:
    """An operation: what was taken is to be sent later."""
    for one in requests:
        row = row_by_id(transaction.connection, one.id)
        if row is not None and row.state == "sent":  # not answered meanwhile, for an earlier attempt
            _release(transaction, row)
    return [None] * len(requests)


def _release(transaction: Transaction, row: OutboxRow) -> None:
    state = "unknown" if row.lost else "pending"
    update_row(transaction, row, state=state, queued=1, attempts=row.attempts - 1)


# What comes back.


@frozen
class PostingAnswer:
    """The PMS's PA, for a number, or for the row that it can only mean."""

    link: str
    now: int
    status: str
    text: str | None
    number: int | None = None
    id: int | None = None


def store_answers(transaction: Transaction, answers: Sequence[PostingAnswer]) -> Sequence[OutboxRow | None]:
    """An operation: note what the PMS answered. None where no row is meant, or it says nothing new."""
    return [_store_answer(transaction, answer) for answer in answers]


def _store_answer(transaction: Transaction, answer: PostingAnswer) -> OutboxRow | None:
    connection = transaction.connection
    if answer.id is not None:
        row: OutboxRow | None = row_by_id(connection, answer.id)
    else:
        # The one that holds the number; else the last that had it.
        meant = {"link": answer.link, "number": answer.number}
        row = fetch_first(connection, _SELECT_OPEN_BY_NUMBER, **meant) or fetch_first(
            connection, _SELECT_LAST_BY_NUMBER, **meant
        )
    told: dict[str, Any] = {"answered": answer.now, "answer": answer.status, "text_answer": answer.text}
    match answer.status, row:
        case _, None:
            return None
        case "OK", OutboxRow(state="sent" | "unknown" | "discarded" | "pending"):
            return update_row(transaction, row, state="done", queued=0, **told)
        case "RY" | "NA", OutboxRow(state="sent" | "unknown") if not _is_answer_overdue(row, answer.now):
            not_before = answer.now + RETRY_LATER_MS if answer.status == "RY" else None
            held_since = row.held_since or answer.now
            told.update(not_before=not_before, held_since=held_since)
            return update_row(transaction, row, state="pending", queued=1, **told)
        case _, OutboxRow(state="sent" | "unknown"):
            return update_row(transaction, row, state="refused", queued=0, **told)
    return None


def _is_answer_overdue(row: OutboxRow, now: int) -> bool:
    return row.held_since is not None and now - row.held_since >= ANSWER_DEADLINE_MS


@frozen
class ConfirmDelivered:
    """What came later proves that the PMS has read these rows."""

    link: str
    now: int
    ids: tuple[int, ...]


def confirm_delivered(transaction: Transaction, requests: Sequence[ConfirmDelivered]) -> Sequence[None]:
    """An operation: records that are not answered are done once there is proof."""
    for one in requests:
        for row in _sent_rows(transaction.connection, one.link, one.ids):
            update_row(transaction, row, state="done", answered=one.now)
    return [None] * len(requests)


def _sent_rows(connection: Connection, link: str, ids: Sequence[int]) -> list[OutboxRow]:
    return [
        row
        for at in range(0, len(ids), QUERY_BATCH_ROWS)
        for row in fetch_rows(connection, _SELECT_SENT_BY_IDS, link=link, ids=ids[at : at + QUERY_BATCH_ROWS])
    ]


@frozen
class MarkUnknown:
    """What was sent will not be answered any more: these rows of a link, or all of it at a start.

    `resend`, up to `limit` attempts that are not answered; else a posting rests in unknown.
    """

    link: str
    resend: bool
    max_attempts: int
    ids: tuple[int, ...] | None = None


def mark_unknown(transaction: Transaction, requests: Sequence[MarkUnknown]) -> Sequence[Sequence[OutboxRow]]:
    """An operation: nobody knows what became of these; some are to be sent again. Gives the rows."""
    left: list[Sequence[OutboxRow]] = []
    for one in requests:
        if one.ids is None:
            sent = fetch_rows(transaction.connection, _SELECT_SENT, link=one.link)
        else:
            sent = _sent_rows(transaction.connection, one.link, one.ids)
        left.append([_mark_unknown(transaction, row, one) for row in sent])
    return left


def _mark_unknown(transaction: Transaction, row: OutboxRow, request: MarkUnknown) -> OutboxRow:
    again = row.record != "WA"  # a second result of a wake-up would be taken for the first of another
    if row.record == "PS":
        again = request.resend and row.lost + 1 < request.max_attempts
    return update_row(transaction, row, state="unknown", queued=int(again), lost=row.lost + 1)


@frozen
class MarkRefused:
    """A row that cannot be sent as the link is set up now."""

    id: int
    now: int
    reason: str


def mark_refused(transaction: Transaction, requests: Sequence[MarkRefused]) -> Sequence[None]:
    """An operation: it was not sent, and this is why. What became of an earlier attempt stays unknown."""
    for one in requests:
        row = row_by_id(transaction.connection, one.id)
        if row is not None and row.state == "sent":
            state = "unknown" if row.lost else "refused"
            told = {"attempts": row.attempts - 1, "text_answer": one.reason}
            update_row(transaction, row, state=state, answered=one.now, **told)
    return [None] * len(requests)
