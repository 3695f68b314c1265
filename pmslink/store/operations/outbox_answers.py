"""Store the outcome of a sent outbox row: answered, confirmed, refused or unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, bindparam

from pmslink.hotel import pending_updates
from pmslink.store.core.schema import POSTINGS
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.outbox_queue import RETRY_LATER_MS
from pmslink.store.tables.outbox_rows import (
    IS_OPEN,
    OF_LINK,
    SELECT_SENT,
    OutboxRow,
    fetch_first,
    fetch_rows,
    row_by_id,
    row_query,
    update_row,
)

ANSWER_DEADLINE_MS = 24 * 3600 * 1000
"""Milliseconds after which RY or NA counts as a refusal."""

_HAS_NUMBER = (OF_LINK, POSTINGS.c.number == bindparam("number"), POSTINGS.c.attempts > 0)
_SELECT_LAST_BY_NUMBER = row_query(*_HAS_NUMBER, newest_first=True, limit=1)
_SELECT_SENT_BY_ID = row_query(OF_LINK, POSTINGS.c.id == bindparam("id"), POSTINGS.c.state == "sent")
_SELECT_OPEN_BY_NUMBER = row_query(*_HAS_NUMBER, IS_OPEN, newest_first=True, limit=1)


@frozen
class PostingAnswer:
    """The answer (PA) of the PMS to a posting number, or to the only row that it can belong to.

    `now` is in milliseconds since 1970 in UTC; `status` is AS, `text` is CT.
    """

    link: str
    now: int
    status: str
    text: str | None
    number: int | None = None
    row_id: int | None = None


def store_answers(transaction: Transaction, answers: Sequence[PostingAnswer]) -> Sequence[OutboxRow | None]:
    """Operation: store answers, and return the row of each, changed or not; None if no row has its number."""
    return [_store_answer(transaction, answer) for answer in answers]


def _store_answer(transaction: Transaction, answer: PostingAnswer) -> OutboxRow | None:
    row = _answered_row(transaction.connection, answer)
    if row is None:
        return None
    status = answer.status.strip()
    changes: dict[str, Any] = {
        "answered": answer.now,
        "answer": status,
        "text_answer": answer.text,
        "reason": None,
    }
    is_overdue = _is_answer_overdue(row, answer.now) and transaction.hotels.is_clock_settled()
    match status, row:
        case "OK", OutboxRow(state="sent" | "unknown" | "discarded" | "pending"):
            return update_row(transaction, row, state="done", queued=0, not_before=None, **changes)
        case "OK", OutboxRow(
            state="refused", reason="guest_left" | "local_guest"
        ):  # an attempt of before was booked
            return update_row(transaction, row, state="done", queued=0, **changes)
        case "RY" | "NA", OutboxRow(state="sent" | "unknown") if not is_overdue:
            not_before = answer.now + RETRY_LATER_MS if status == "RY" else None
            changes |= {"not_before": not_before, "held_since": row.held_since or answer.now}
            return update_row(transaction, row, state="pending", queued=1, **changes)
        case _, OutboxRow(state="sent" | "unknown"):
            changes["reason"] = "pms"
            return update_row(transaction, row, state="refused", queued=0, **changes)
    return row


def _answered_row(connection: Connection, answer: PostingAnswer) -> OutboxRow | None:
    """Return the open row that has the number, else the last one that had it."""
    if answer.row_id is not None:
        return row_by_id(connection, answer.row_id)
    values = {"link": answer.link, "number": answer.number}
    return fetch_first(connection, _SELECT_OPEN_BY_NUMBER, **values) or fetch_first(
        connection, _SELECT_LAST_BY_NUMBER, **values
    )


def _is_answer_overdue(row: OutboxRow, now: int) -> bool:
    return row.held_since is not None and now - row.held_since >= ANSWER_DEADLINE_MS


@frozen
class ConfirmDelivered:
    """A later record of the PMS proves that it has received these rows."""

    link: str
    now: int
    ids: tuple[int, ...]


def confirm_delivered(transaction: Transaction, requests: Sequence[ConfirmDelivered]) -> Sequence[None]:
    """Operation: mark sent rows, whose records have no answer of their own, as done."""
    for request in requests:
        for row in _sent_rows(transaction.connection, request.link, request.ids):
            update_row(transaction, row, state="done", answered=request.now)
    return [None] * len(requests)


def _sent_rows(connection: Connection, link: str, ids: Sequence[int]) -> list[OutboxRow]:
    rows = (fetch_first(connection, _SELECT_SENT_BY_ID, link=link, id=row_id) for row_id in sorted(ids))
    return [row for row in rows if row is not None]


@frozen
class MarkUnknown:
    """Sent rows of a link will not be answered any more; without `ids` all of them, as at a start.

    `resend`: postings are queued again. Without it they stay in state unknown. No row is queued again after
    `max_attempts` attempts without an answer.
    """

    link: str
    resend: bool
    max_attempts: int
    ids: tuple[int, ...] | None = None


def mark_unknown(transaction: Transaction, requests: Sequence[MarkUnknown]) -> Sequence[Sequence[OutboxRow]]:
    """Operation: mark sent rows as unknown, queue some of them again, and return them for each request."""
    results: list[Sequence[OutboxRow]] = []
    for request in requests:
        if request.ids is None:
            sent = fetch_rows(transaction.connection, SELECT_SENT, link=request.link)
        else:
            sent = _sent_rows(transaction.connection, request.link, request.ids)
        results.append([_mark_unknown(transaction, row, request) for row in sent])
    return results


def _mark_unknown(transaction: Transaction, row: OutboxRow, request: MarkUnknown) -> OutboxRow:
    lost = row.lost + 1
    is_posting = row.record == pending_updates.POSTING_RECORD
    resend = request.resend if is_posting else pending_updates.is_resent_when_unknown(row)
    queued = int(resend and lost < request.max_attempts)
    return update_row(transaction, row, state="unknown", queued=queued, lost=lost, reason="unanswered")


@frozen
class MarkRefused:
    """A claimed row cannot be sent: the character set of the link lacks a character. `reason` is a text."""

    row_id: int
    now: int
    reason: str


def mark_refused(transaction: Transaction, requests: Sequence[MarkRefused]) -> Sequence[None]:
    """Operation: mark claimed rows as refused, with the reason, and do not count the attempt.

    A row becomes unknown instead if an earlier attempt was not answered.
    """
    for request in requests:
        row = row_by_id(transaction.connection, request.row_id)
        if row is not None and row.state == "sent":
            changes: dict[str, Any] = {"answered": request.now, "text_answer": request.reason}
            if row.lost:
                changes |= {"state": "unknown", "reason": "unanswered"}
            else:
                changes |= {"state": "refused", "reason": "charset"}
            update_row(transaction, row, attempts=row.attempts - 1, **changes)
    return [None] * len(requests)
