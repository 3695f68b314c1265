"""Discard or move queued updates: when the guest leaves the room, and when a requested wake-up has ended."""

from __future__ import annotations

from sqlalchemy import bindparam, or_

from pmslink.fias.record import Record
from pmslink.hotel import pending_updates
from pmslink.hotel.events import Vacated
from pmslink.store.core.schema import POSTINGS
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.outbox_rows import (
    OF_LINK,
    OutboxRow,
    fetch_rows,
    insert_rows,
    row_query,
    update_row,
)

_SELECT_UNDELIVERED = row_query(
    OF_LINK,
    POSTINGS.c.state.in_(("pending", "unknown")),
    POSTINGS.c.queued == 1,
    POSTINGS.c.number.is_(None),
    POSTINGS.c.room == bindparam("room"),
    or_(
        POSTINGS.c.record.in_(pending_updates.WAKE_UP_RECORDS),
        POSTINGS.c.subject.in_(pending_updates.PERSONAL_SUBJECTS),
    ),
)

_SELECT_UNSENT_REQUESTS = row_query(
    OF_LINK,
    POSTINGS.c.state == "pending",
    POSTINGS.c.attempts == 0,
    POSTINGS.c.record == "WR",
    POSTINGS.c.room == bindparam("room"),
    POSTINGS.c.until == bindparam("until"),
)


def cancel_ended_wake_up(transaction: Transaction, link: str, room: str, due: int) -> None:
    """Discard the request of a wake-up that has ended before the request was sent.

    The result (WA) overtakes the request (WR), after which the PMS would expect the wake-up for ever. `due`
    is in milliseconds since 1970 in UTC.
    """
    for row in fetch_rows(transaction.connection, _SELECT_UNSENT_REQUESTS, link=link, room=room, until=due):
        _discard(transaction, row, pending_updates.WAKE_UP_ENDED_REASON)


def cancel_pending_for_room(transaction: Transaction, link: str, vacated: Vacated) -> None:
    """Discard the queued updates of a room whose guests have left.

    Those that are newer than the departure are of the next guests, and so are those that these have brought,
    as in a swap of rooms. The updates that follow the guest are queued for the new room.
    """
    room, new_room, next_since = vacated.room, vacated.new_room, vacated.next_since
    for row in fetch_rows(transaction.connection, _SELECT_UNDELIVERED, link=link, room=room):
        if row.created > vacated.since or (next_since is not None and row.id > next_since):
            continue
        if new_room is not None and pending_updates.follows_guest(row.record, new_room):
            _discard(transaction, row, pending_updates.guest_moved_reason(new_room))
            insert_rows(transaction, [_copy_to_room(transaction, row, new_room)])
        elif pending_updates.is_void_after_departure(row.record):
            _discard(transaction, row, pending_updates.GUEST_LEFT_REASON)


def _discard(transaction: Transaction, row: OutboxRow, reason: str) -> None:
    update_row(transaction, row, state="discarded", queued=0, not_before=None, text_answer=reason)


def _copy_to_room(transaction: Transaction, row: OutboxRow, room: str) -> OutboxRow:
    seq = transaction.next_seq()
    return row._replace(
        id=seq,
        changed=seq,
        room=room,
        text=pending_updates.replace_room(Record(row.text), room).text,
        key=None,
        asked=None,
        state="pending",
        queued=1,
        attempts=0,
        lost=0,
        sent=None,
        sent_seq=None,
        room_sent=None,
        reason=None,
    )
