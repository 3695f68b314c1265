"""What a person may do to a row."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from sqlalchemy import Connection, bindparam

from pmslink.errors import PmslinkError
from pmslink.store.core.schema import POSTINGS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.outbox_enqueue import (
    PostingNumbersExhaustedError,
    free_numbers,
    store_last_numbers,
)
from pmslink.store.tables.outbox_rows import (
    IS_OPEN,
    OF_LINK,
    OutboxRow,
    fetch_first,
    row_of_link,
    row_query,
    update_row,
)

_SELECT_NUMBER_IN_USE = row_query(
    OF_LINK, POSTINGS.c.number == bindparam("number"), POSTINGS.c.id != bindparam("id"), IS_OPEN
).limit(1)


class RowNotFoundError(PmslinkError):
    """There is no row with this id."""


class InvalidRowStateError(PmslinkError):
    """A person may not do this to a row in this state."""


@frozen
class OperatorAction:
    """A person's word on one row. `digits` as in Offer."""

    link: str
    id: int
    digits: int


def resend(transaction: Transaction, requests: Sequence[OperatorAction]) -> Sequence[OutboxRow | Exception]:
    """An operation: send it again, from unknown or refused."""
    return [_resend(transaction, one) for one in requests]


def _resend(transaction: Transaction, request: OperatorAction) -> OutboxRow | Exception:
    row = row_of_link(transaction.connection, request.link, request.id)
    if row is None:
        return RowNotFoundError()
    if row.state not in ("unknown", "refused"):
        return InvalidRowStateError(row.state)
    number = row.number
    if row.state == "refused" and number is not None and _is_number_in_use(transaction.connection, row):
        number = next(free_numbers(transaction.connection, row.link, 10**request.digits - 1, 1), None)
        if number is None:
            return PostingNumbersExhaustedError(f"all posting numbers of {request.digits} digits are held")
    moved = update_row(
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
        store_last_numbers(transaction.connection, [moved])
    return moved


def _is_number_in_use(connection: Connection, row: OutboxRow) -> bool:
    """Whether another row that waits has this one's number by now."""
    others = fetch_first(connection, _SELECT_NUMBER_IN_USE, link=row.link, number=row.number, id=row.id)
    return others is not None


def discard(transaction: Transaction, requests: Sequence[OperatorAction]) -> Sequence[OutboxRow | Exception]:
    """An operation: give it up, from unknown, refused or pending."""
    results: list[OutboxRow | Exception] = []
    for one in requests:
        row = row_of_link(transaction.connection, one.link, one.id)
        if row is None:
            results.append(RowNotFoundError())
        elif row.state not in ("unknown", "refused", "pending"):
            results.append(InvalidRowStateError(row.state))
        else:
            results.append(update_row(transaction, row, state="discarded", queued=0, not_before=None))
    return results
