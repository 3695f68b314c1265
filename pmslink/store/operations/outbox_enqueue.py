"""How what is asked for becomes a row: once for each key, with the next posting number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from pmslink.errors import PmslinkError
from pmslink.hotel.phone_updates import Change
from pmslink.hotel.wake_ups import TooManyWakeUps
from pmslink.store.core.schema import NUMBERS, POSTINGS
from pmslink.store.operations.hotel_updates import apply_change
from pmslink.store.tables.log_entries import Transaction
from pmslink.store.tables.outbox_rows import IS_OPEN, OF_LINK, ROWS_AT_ONCE, Row, add, question, rows
from pmslink.timestamps import from_ms

_OF_KEYS = question(OF_LINK, POSTINGS.c.key.in_(bindparam("keys", expanding=True)))
_LAST = select(NUMBERS.c.last).where(NUMBERS.c.link == bindparam("link"))
_NOTE = update(NUMBERS).where(NUMBERS.c.link == bindparam("of_link")).values(last=bindparam("number"))
_HELD = select(POSTINGS.c.number).where(
    OF_LINK, POSTINGS.c.number.between(bindparam("begin"), bindparam("end")), IS_OPEN
)


class KeyReused(PmslinkError):
    """The key stands for another posting."""


class OutboxFull(PmslinkError):
    """As much waits for the PMS as may."""


class NoNumber(PmslinkError):
    """Every posting number is held by a posting that waits."""


class Offer(NamedTuple):
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
    full: bool = False
    change: Change | None = None


class Accepted(NamedTuple):
    """The row that stands for an offer; `new` is false where its key was known."""

    row: Row
    new: bool


def accept(transaction: Transaction, offers: Sequence[Offer]) -> Sequence[Accepted | Exception]:
    """An operation: make rows, with numbers where they carry one.

    KeyReused, OutboxFull, NoNumber and TooManyWakeUps may come of it.
    """
    connection = transaction.connection
    known = _by_key(connection, offers)
    unwanted = _apply_changes(transaction, offers, known)
    numbers = _free_numbers(connection, offers)
    accepted: list[Accepted | Exception] = []
    made: list[Row] = []
    for place, offer in enumerate(offers):
        if place in unwanted:
            accepted.append(unwanted[place])
            continue
        if offer.key is not None and (row := known.get((offer.link, offer.key))):
            same = row.asked == offer.asked
            accepted.append(Accepted(row, new=False) if same else KeyReused(offer.key))
            continue
        if offer.full:
            accepted.append(OutboxFull(f"as many postings of {offer.link} wait as may"))
            continue
        number = None if offer.digits is None else next(numbers[offer.link], None)
        if number is None and offer.digits is not None:
            accepted.append(NoNumber(f"all posting numbers of {offer.digits} digits are held"))
            continue
        seq = transaction.number()
        row = Row(
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
        accepted.append(Accepted(row, new=True))
        if offer.key is not None:
            known[offer.link, offer.key] = row
    if made:
        add(transaction, made)
        note_numbers(connection, made)
    return accepted


def _apply_changes(
    transaction: Transaction, offers: Sequence[Offer], known: Collection[tuple[str, str]]
) -> dict[int, TooManyWakeUps]:
    """Let the houses know what is new; those that cannot keep what is offered, by its place."""
    heard: set[tuple[str, str | None]] = {*known}
    unwanted: dict[int, TooManyWakeUps] = {}
    for place, offer in enumerate(offers):
        if offer.change is None or offer.full or (offer.link, offer.key) in heard:
            continue
        try:
            apply_change(transaction, offer.link, offer.change, from_ms(offer.created))
        except TooManyWakeUps as problem:
            unwanted[place] = problem
        else:
            heard.update([(offer.link, offer.key)] if offer.key is not None else ())
    return unwanted


def _by_key(connection: Connection, offers: Sequence[Offer]) -> dict[tuple[str, str], Row]:
    keys: dict[str, list[str]] = defaultdict(list)
    for offer in offers:
        if offer.key is not None:
            keys[offer.link].append(offer.key)
    found: dict[tuple[str, str], Row] = {}
    for link, of_link in keys.items():
        for at in range(0, len(of_link), ROWS_AT_ONCE):
            for row in rows(connection, _OF_KEYS, link=link, keys=of_link[at : at + ROWS_AT_ONCE]):
                found[link, row.key or ""] = row
    return found


def _free_numbers(connection: Connection, offers: Sequence[Offer]) -> dict[str, Iterator[int]]:
    """For each link the numbers it gives out next."""
    digits: dict[str, int] = {}
    wanted: dict[str, int] = defaultdict(int)
    for offer in offers:
        if offer.digits is not None:
            digits[offer.link] = offer.digits
            wanted[offer.link] += 1
    return {link: free_numbers(connection, link, 10 ** digits[link] - 1, wanted[link]) for link in digits}


def free_numbers(connection: Connection, link: str, highest: int, at_once: int) -> Iterator[int]:
    """1 … highest in a circle from the last one on, without those that rows which wait hold."""
    last = connection.execute(_LAST, {"link": link}).scalar() or 0
    looked_at = 0
    while looked_at < highest:
        begin = last % highest + 1
        end = begin + min(at_once, highest - begin + 1, highest - looked_at) - 1
        between = {"link": link, "begin": begin, "end": end}
        held = set(connection.execute(_HELD, between).scalars())
        yield from (number for number in range(begin, end + 1) if number not in held)
        looked_at += end - begin + 1
        last = end


def note_numbers(connection: Connection, rows: Iterable[Row]) -> None:
    last = {row.link: row.number for row in rows if row.number is not None}
    for link, number in last.items():
        if not connection.execute(_NOTE, {"of_link": link, "number": number}).rowcount:
            connection.execute(insert(NUMBERS), {"link": link, "last": number})
