"""What a person may do to a row."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from sqlalchemy import Connection, bindparam

from pmslink.errors import PmslinkError
from pmslink.store.core.schema import POSTINGS
from pmslink.store.operations.outbox_enqueue import NoNumber, free_numbers, note_numbers
from pmslink.store.tables.log_entries import Transaction
from pmslink.store.tables.outbox_rows import IS_OPEN, OF_LINK, Row, first, move, question, row_of

_OTHERS = question(
    OF_LINK, POSTINGS.c.number == bindparam("number"), POSTINGS.c.id != bindparam("id"), IS_OPEN
).limit(1)


class NoSuchRow(PmslinkError):
    """There is no row with this id."""


class WrongState(PmslinkError):
    """A person may not do this to a row in this state."""


@frozen
class Decide:
    """A person's word on one row. `digits` as in Offer."""

    link: str
    id: int
    digits: int


def resend(transaction: Transaction, asked: Sequence[Decide]) -> Sequence[Row | Exception]:
    """An operation: send it again, from unknown or refused."""
    return [_resend(transaction, one) for one in asked]


def _resend(transaction: Transaction, asked: Decide) -> Row | Exception:
    row = row_of(transaction.connection, asked.link, asked.id)
    if row is None:
        return NoSuchRow()
    if row.state not in ("unknown", "refused"):
        return WrongState(row.state)
    number = row.number
    if row.state == "refused" and number is not None and _is_held(transaction.connection, row):
        number = next(free_numbers(transaction.connection, row.link, 10**asked.digits - 1, 1), None)
        if number is None:
            return NoNumber(f"all posting numbers of {asked.digits} digits are held")
    moved = move(
        transaction,
        row,
        state="pending",
        queued=1,
        lost=0,
        number=number,
        answered=None,
        answer=None,
        text_answer=None,
        not_before=None,
        held_since=None,
    )
    if number != row.number:
        note_numbers(transaction.connection, [moved])
    return moved


def _is_held(connection: Connection, row: Row) -> bool:
    """Whether another row that waits has this one's number by now."""
    others = first(connection, _OTHERS, link=row.link, number=row.number, id=row.id)
    return others is not None


def discard(transaction: Transaction, asked: Sequence[Decide]) -> Sequence[Row | Exception]:
    """An operation: give it up, from unknown, refused or pending."""
    results: list[Row | Exception] = []
    for one in asked:
        row = row_of(transaction.connection, one.link, one.id)
        if row is None:
            results.append(NoSuchRow())
        elif row.state not in ("unknown", "refused", "pending"):
            results.append(WrongState(row.state))
        else:
            results.append(move(transaction, row, state="discarded", queued=0, not_before=None))
    return results
