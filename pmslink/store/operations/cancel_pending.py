"""What a guest has told the PMS by phone, and it has not heard yet, when the guest leaves the room."""

from __future__ import annotations

from sqlalchemy import bindparam, or_

from pmslink.fias.record import Record, build_record
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

_WAKE_UP_RECORDS = ("WR", "WC", "WA")
_SELECT_UNDELIVERED = row_query(
    OF_LINK,
    POSTINGS.c.state.in_(("pending", "unknown")),
    POSTINGS.c.queued == 1,
    POSTINGS.c.number.is_(None),
    POSTINGS.c.room == bindparam("room"),
    or_(POSTINGS.c.record.in_(_WAKE_UP_RECORDS), POSTINGS.c.subject.in_(("sign", "voicemail"))),
)


def cancel_pending_for_room(
    transaction: Transaction, link: str, room: str, new_room: str | None = None
) -> None:
    """Nobody stays in the room any more: what its phone ordered is not to reach the PMS.

    With a guest who has moved his wake-ups, and how they ended, go to the new room, as they do in the PMS.
    """
    for row in fetch_rows(transaction.connection, _SELECT_UNDELIVERED, link=link, room=room):
        if new_room is not None and row.record in _WAKE_UP_RECORDS:
            _cancel(transaction, row, f"the guest has moved to room {new_room}")
            insert_rows(transaction, [_copy_to_room(transaction, row, new_room)])
        elif row.record != "WA":  # a guest who was woken was woken
            _cancel(transaction, row, "the guest has left the room")


def _cancel(transaction: Transaction, row: OutboxRow, reason: str) -> None:
    update_row(transaction, row, state="discarded", queued=0, not_before=None, text_answer=reason)


def _copy_to_room(transaction: Transaction, row: OutboxRow, room: str) -> OutboxRow:
    id = transaction.next_seq()
    fields = ((code, room if code == "RN" else value) for code, value in Record(row.text).fields)
    text = build_record(row.record, fields).text
    return row._replace(
        id=id,
        changed=id,
        room=room,
        text=text,
        key=None,
        asked=None,
        state="pending",
        queued=1,
        attempts=0,
        lost=0,
        sent=None,
        sent_seq=None,
    )
