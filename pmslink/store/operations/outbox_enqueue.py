"""Enqueue new outbox rows: once for each idempotency key, with the next free posting number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from attrs import frozen
from sqlalchemy import Connection, bindparam, insert, select, update

from pmslink.errors import PmslinkError
from pmslink.fias.record import Record
from pmslink.hotel.phone_update_records import PhoneUpdate, resolve_sign, sign_not_on_reason
from pmslink.hotel.wake_ups import TooManyWakeUpsError
from pmslink.store.core import store_metadata
from pmslink.store.core.prepared_statements import PreparedStatement
from pmslink.store.core.schema import POSTING_NUMBERS, POSTINGS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.charge_routing import guests_at_start
from pmslink.store.operations.held_charges import (
    AWAITS_GUEST,
    AwaitConfirmation,
    route_of_local_guest,
)
from pmslink.store.operations.hotel_updates import apply_phone_update
from pmslink.store.tables.audit_log import AuditEntry, insert_audit_entries
from pmslink.store.tables.outbox_rows import (
    IS_OPEN,
    OF_LINK,
    OutboxRow,
    fetch_first,
    insert_rows,
    row_query,
)
from pmslink.timestamps import from_ms

_SELECT_BY_KEY = row_query(OF_LINK, POSTINGS.c.key == bindparam("key"))
RESTORE_SKIP_PERCENT = 62
"""Part of all posting numbers that a restored store skips: those that may have been assigned since the copy.

The golden section: after several restores the numbers are still far from each other.
"""

_SELECT_LAST_NUMBER = PreparedStatement(
    select(POSTING_NUMBERS.c.last).where(POSTING_NUMBERS.c.link == bindparam("link"))
)
_UPDATE_LAST_NUMBER = PreparedStatement(
    update(POSTING_NUMBERS)
    .where(POSTING_NUMBERS.c.link == bindparam("of_link"))
    .values(last=bindparam("number"))
)
_SELECT_NUMBERS_IN_USE = PreparedStatement(
    select(POSTINGS.c.number).where(
        OF_LINK, POSTINGS.c.number.between(bindparam("begin"), bindparam("end")), IS_OPEN
    )
)


class IdempotencyKeyReusedError(PmslinkError):
    """The idempotency key was already used for a different request; the error's text is the key."""


class OutboxFullError(PmslinkError):
    """The outbox of a link has its maximum number of open rows."""


class PostingNumbersExhaustedError(PmslinkError):
    """Every posting number is in use by an open posting."""


class NewRow(NamedTuple):
    """A row to enqueue. `digits` is the width of the posting number (P#), None for a record without one.

    `key` is the caller's idempotency key, `asked` a digest of the request that came with it. With
    `outbox_full` a new row is rejected, but a stored key still returns its row. `phone_update` is applied to
    the hotel. `started` is when a posting arose, by default when it was created. `audit` tells of the caller
    who changed a room. Times are milliseconds since 1970 in UTC.
    """

    link: str
    record: str
    type: str
    room: str
    body: str
    text: str
    created: int
    digits: int | None = None
    key: str | None = None
    asked: str | None = None
    subject: str | None = None
    until: int | None = None
    outbox_full: bool = False
    phone_update: PhoneUpdate | None = None
    started: int | None = None
    audit: AuditEntry | None = None


@frozen
class _AppliedUpdate:
    """What became of the phone update of a new row.

    `text` is the text of the record that it needs, `unneeded_reason` says why it needs none.
    """

    text: str = ""
    unneeded_reason: str | None = None
    error: TooManyWakeUpsError | None = None


class Enqueued(NamedTuple):
    """The row of a request; `is_new` is false if its idempotency key was stored before."""

    row: OutboxRow
    is_new: bool


def enqueue(transaction: Transaction, new_rows: Sequence[NewRow]) -> Sequence[Enqueued | Exception]:
    """Operation: insert rows, with posting numbers where they need one.

    A row that needs no record, because it would change nothing, is done at once.
    A result may be IdempotencyKeyReusedError, OutboxFullError, PostingNumbersExhaustedError or
    TooManyWakeUpsError.
    """
    connection = transaction.connection
    rows_by_key = _rows_by_key(connection, new_rows)
    applied = _apply_phone_updates(transaction, new_rows, rows_by_key)
    numbers = _free_numbers_by_link(connection, new_rows)
    results: list[Enqueued | Exception] = []
    inserted: list[OutboxRow] = []
    audit: list[AuditEntry] = []
    for index, new_row in enumerate(new_rows):
        update = applied.get(index, _AppliedUpdate(new_row.text))
        if update.error is not None:
            results.append(update.error)
        elif new_row.key is not None and (existing := rows_by_key.get((new_row.link, new_row.key))):
            results.append(_existing_row_result(existing, new_row))
        else:
            row = _build_row(transaction, new_row, update, numbers)
            results.append(row if isinstance(row, Exception) else Enqueued(row, is_new=True))
            if isinstance(row, OutboxRow):
                inserted.append(row)
                if new_row.audit is not None:
                    audit.append(new_row.audit)
                if row.key is not None:
                    rows_by_key[row.link, row.key] = row
    if inserted:
        insert_rows(transaction, inserted)
        store_last_numbers(connection, inserted)
    insert_audit_entries(transaction, audit)
    return results


def _existing_row_result(existing: OutboxRow, new_row: NewRow) -> Enqueued | IdempotencyKeyReusedError:
    if existing.asked == new_row.asked:
        return Enqueued(existing, is_new=False)
    return IdempotencyKeyReusedError(new_row.key)


def _build_row(
    transaction: Transaction,
    new_row: NewRow,
    update: _AppliedUpdate,
    numbers: Mapping[str, Iterator[int]],
) -> OutboxRow | OutboxFullError | PostingNumbersExhaustedError:
    if new_row.outbox_full:
        return OutboxFullError(f"the outbox of {new_row.link} is full")
    number = None if new_row.digits is None else next(numbers[new_row.link], None)
    if number is None and new_row.digits is not None:
        return PostingNumbersExhaustedError(f"all posting numbers of {new_row.digits} digits are in use")
    reservation, guests = None, None
    if number is not None:
        started = new_row.created if new_row.started is None else new_row.started
        reservation, guests = guests_at_start(transaction, new_row.link, new_row.room, started)
    row = OutboxRow.new(
        transaction.next_seq(),
        link=new_row.link,
        record=new_row.record,
        row_type=new_row.type,
        room=new_row.room,
        body=new_row.body,
        text=update.text,
        created=new_row.created,
        subject=new_row.subject,
        until=new_row.until,
        key=new_row.key,
        asked=new_row.asked,
        number=number,
        reservation=reservation,
        guests=guests,
    )
    if update.unneeded_reason is not None:
        return row._replace(state="done", queued=0, text_answer=update.unneeded_reason)
    awaits_guest = isinstance(route_of_local_guest(transaction, row), AwaitConfirmation)
    return row._replace(queued=AWAITS_GUEST) if awaits_guest else row


def _apply_phone_updates(
    transaction: Transaction, new_rows: Sequence[NewRow], existing: Collection[tuple[str, str]]
) -> dict[int, _AppliedUpdate]:
    """Apply the phone updates of new rows to their hotels; return what became of them, by index."""
    applied_keys: set[tuple[str, str | None]] = {*existing}
    applied: dict[int, _AppliedUpdate] = {}
    for index, new_row in enumerate(new_rows):
        is_applied = (new_row.link, new_row.key) in applied_keys
        if new_row.phone_update is None or new_row.outbox_full or is_applied:
            continue
        applied[index] = _apply_phone_update(transaction, new_row, new_row.phone_update)
        if new_row.key is not None and applied[index].error is None:
            applied_keys.add((new_row.link, new_row.key))
    return applied


def _apply_phone_update(transaction: Transaction, new_row: NewRow, update: PhoneUpdate) -> _AppliedUpdate:
    room = transaction.hotels.hotel(transaction.connection, new_row.link).rooms.get(new_row.room)
    record = resolve_sign(update, Record(new_row.text), room)
    if record is None:
        return _AppliedUpdate(new_row.text, sign_not_on_reason(update))
    try:
        apply_phone_update(transaction, new_row.link, update, from_ms(new_row.created))
    except TooManyWakeUpsError as error:
        return _AppliedUpdate(error=error)
    return _AppliedUpdate(record.text)


def _rows_by_key(connection: Connection, new_rows: Sequence[NewRow]) -> dict[tuple[str, str], OutboxRow]:
    """Return the existing rows of the idempotency keys, by link and key."""
    rows: dict[tuple[str, str], OutboxRow] = {}
    for new_row in new_rows:
        if new_row.key is not None:
            row = fetch_first(connection, _SELECT_BY_KEY, link=new_row.link, key=new_row.key)
            if row is not None:
                rows[new_row.link, new_row.key] = row
    return rows


def _free_numbers_by_link(connection: Connection, new_rows: Sequence[NewRow]) -> dict[str, Iterator[int]]:
    """Return the free posting numbers of each link, in the order in which they are assigned."""
    digits: dict[str, int] = {}
    needed: dict[str, int] = defaultdict(int)
    for new_row in new_rows:
        if new_row.digits is not None:
            digits[new_row.link] = new_row.digits
            needed[new_row.link] += 1
    return {link: free_numbers(connection, link, 10 ** digits[link] - 1, needed[link]) for link in digits}


def free_numbers(connection: Connection, link: str, max_number: int, batch_size: int) -> Iterator[int]:
    """Yield the posting numbers of a link that no open row has.

    The numbers count from the last assigned one to `max_number`, and continue at 1.
    """
    stored = _SELECT_LAST_NUMBER.execute(connection, link=link).fetchone()
    if stored is not None:
        last: int = stored[0]
    else:  # the first posting of the link, or the first since the store was restored
        last = -1 if store_metadata.read_value(connection, "was_restored") else 0
    if last < 0:  # of a restored store: see the schema
        last = -1 - last + max_number * RESTORE_SKIP_PERCENT // 100
    examined = 0
    while examined < max_number:
        begin = last % max_number + 1
        end = begin + min(batch_size, max_number - begin + 1, max_number - examined) - 1
        rows = _SELECT_NUMBERS_IN_USE.execute(connection, link=link, begin=begin, end=end)
        in_use = {number for (number,) in rows}
        yield from (number for number in range(begin, end + 1) if number not in in_use)
        examined += end - begin + 1
        last = end


def store_last_numbers(connection: Connection, rows: Iterable[OutboxRow]) -> None:
    """Store the posting number that each link assigned last; `rows` are in the order of assignment."""
    last_numbers = {row.link: row.number for row in rows if row.number is not None}
    for link, number in last_numbers.items():
        if not _UPDATE_LAST_NUMBER.execute(connection, of_link=link, number=number).rowcount:
            connection.execute(insert(POSTING_NUMBERS), {"link": link, "last": number})
