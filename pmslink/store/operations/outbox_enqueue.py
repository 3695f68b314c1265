"""How what is asked for becomes a row: once for each key, with the next posting number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from pmslink.errors import PmslinkError
from pmslink.hotel.phone_updates import PhoneUpdate
from pmslink.hotel.wake_ups import TooManyWakeUpsError
from pmslink.store.core.schema import POSTING_NUMBERS, POSTINGS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.hotel_updates import apply_phone_update
from pmslink.store.tables.outbox_rows import (
    IS_OPEN,
    OF_LINK,
    QUERY_BATCH_ROWS,
    OutboxRow,
    fetch_rows,
    insert_rows,
    row_query,
)
from pmslink.timestamps import from_ms

_SELECT_BY_KEYS = row_query(OF_LINK, POSTINGS.c.key.in_(bindparam("keys", expanding=True)))
_SELECT_LAST_NUMBER = select(POSTING_NUMBERS.c.last).where(POSTING_NUMBERS.c.link == bindparam("link"))
_UPDATE_LAST_NUMBER = (
    update(POSTING_NUMBERS)
    .where(POSTING_NUMBERS.c.link == bindparam("of_link"))
    .values(last=bindparam("number"))
)
_SELECT_NUMBERS_IN_USE = select(POSTINGS.c.number).where(
    OF_LINK, POSTINGS.c.number.between(bindparam("begin"), bindparam("end")), IS_OPEN
)


class IdempotencyKeyReusedError(PmslinkError):
    """The key stands for another posting."""


class OutboxFullError(PmslinkError):
    """As much waits for the PMS as may."""


class PostingNumbersExhaustedError(PmslinkError):
    """Every posting number is held by a posting that waits."""


class NewRow(NamedTuple):
    """What is to become a row. `digits` is the width of P#, None for records that carry none.

    `key` is the caller's, `asked` a digest of what was asked for with it. With `full` nothing new is
    taken, but what was accepted before is known. The house hears of the `change`.
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


class Enqueued(NamedTuple):
    """The row that stands for an offer; `new` is false where its key was known."""

    row: OutboxRow
    is_new: bool


def enqueue(transaction: Transaction, new_rows: Sequence[NewRow]) -> Sequence[Enqueued | Exception]:
    """An operation: make rows, with numbers where they carry one.

    A result may be IdempotencyKeyReusedError, OutboxFullError, PostingNumbersExhaustedError or
    TooManyWakeUpsError.
    """
    connection = transaction.connection
    known = _rows_by_key(connection, new_rows)
    unwanted = _apply_phone_updates(transaction, new_rows, known)
    numbers = _free_numbers_by_link(connection, new_rows)
    accepted: list[Enqueued | Exception] = []
    made: list[OutboxRow] = []
    for place, offer in enumerate(new_rows):
        if place in unwanted:
            accepted.append(unwanted[place])
            continue
        if offer.key is not None and (row := known.get((offer.link, offer.key))):
            same = row.asked == offer.asked
            accepted.append(Enqueued(row, is_new=False) if same else IdempotencyKeyReusedError(offer.key))
            continue
        if offer.outbox_full:
            accepted.append(OutboxFullError(f"as many postings of {offer.link} wait as may"))
            continue
        number = None if offer.digits is None else next(numbers[offer.link], None)
        if number is None and offer.digits is not None:
            accepted.append(
                PostingNumbersExhaustedError(f"all posting numbers of {offer.digits} digits are held")
            )
            continue
        seq = transaction.next_seq()
        row = OutboxRow(
            seq,
            offer.link,
            offer.record,
            offer.type,
            offer.room,
            offer.body,
            offer.text,
            offer.subject,
            offer.until,
            offer.key,
            offer.asked,
            number,
            offer.created,
            changed=seq,
        )
        made.append(row)
        accepted.append(Enqueued(row, is_new=True))
        if offer.key is not None:
            known[offer.link, offer.key] = row
    if made:
        insert_rows(transaction, made)
        store_last_numbers(connection, made)
    return accepted


def _apply_phone_updates(
    transaction: Transaction, new_rows: Sequence[NewRow], existing: Collection[tuple[str, str]]
) -> dict[int, TooManyWakeUpsError]:
    """Let the houses know what is new; those that cannot keep what is offered, by its place."""
    heard: set[tuple[str, str | None]] = {*existing}
    unwanted: dict[int, TooManyWakeUpsError] = {}
    for place, offer in enumerate(new_rows):
        if offer.phone_update is None or offer.outbox_full or (offer.link, offer.key) in heard:
            continue
        try:
            apply_phone_update(transaction, offer.link, offer.phone_update, from_ms(offer.created))
        except TooManyWakeUpsError as problem:
            unwanted[place] = problem
        else:
            heard.update([(offer.link, offer.key)] if offer.key is not None else ())
    return unwanted


def _rows_by_key(connection: Connection, new_rows: Sequence[NewRow]) -> dict[tuple[str, str], OutboxRow]:
    keys: dict[str, list[str]] = defaultdict(list)
    for offer in new_rows:
        if offer.key is not None:
            keys[offer.link].append(offer.key)
    found: dict[tuple[str, str], OutboxRow] = {}
    for link, of_link in keys.items():
        for at in range(0, len(of_link), QUERY_BATCH_ROWS):
            for row in fetch_rows(
                connection, _SELECT_BY_KEYS, link=link, keys=of_link[at : at + QUERY_BATCH_ROWS]
            ):
                found[link, row.key or ""] = row
    return found


def _free_numbers_by_link(connection: Connection, new_rows: Sequence[NewRow]) -> dict[str, Iterator[int]]:
    """For each link the numbers it gives out next."""
    digits: dict[str, int] = {}
    wanted: dict[str, int] = defaultdict(int)
    for offer in new_rows:
        if offer.digits is not None:
            digits[offer.link] = offer.digits
            wanted[offer.link] += 1
    return {link: free_numbers(connection, link, 10 ** digits[link] - 1, wanted[link]) for link in digits}


def free_numbers(connection: Connection, link: str, max_number: int, batch_size: int) -> Iterator[int]:
    """1 … highest in a circle from the last one on, without those that rows which wait hold."""
    last = connection.execute(_SELECT_LAST_NUMBER, {"link": link}).scalar() or 0
    looked_at = 0
    while looked_at < max_number:
        begin = last % max_number + 1
        end = begin + min(batch_size, max_number - begin + 1, max_number - looked_at) - 1
        between = {"link": link, "begin": begin, "end": end}
        held = set(connection.execute(_SELECT_NUMBERS_IN_USE, between).scalars())
        yield from (number for number in range(begin, end + 1) if number not in held)
        looked_at += end - begin + 1
        last = end


def store_last_numbers(connection: Connection, rows: Iterable[OutboxRow]) -> None:
    last = {row.link: row.number for row in rows if row.number is not None}
    for link, number in last.items():
        if not connection.execute(_UPDATE_LAST_NUMBER, {"of_link": link, "number": number}).rowcount:
            connection.execute(insert(POSTING_NUMBERS), {"link": link, "last": number})
