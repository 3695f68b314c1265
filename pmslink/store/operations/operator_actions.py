"""Actions of an operator on an outbox row: send it again, or discard it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import evolve, frozen
from sqlalchemy import Connection, bindparam

from pmslink.errors import PmslinkError
from pmslink.store.core.schema import POSTINGS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.outbox_enqueue import (
    PostingNumbersExhaustedError,
    free_numbers,
    store_last_numbers,
)
from pmslink.store.tables.audit_log import AuditEntry, insert_audit_entries
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
    OF_LINK, POSTINGS.c.number == bindparam("number"), POSTINGS.c.id != bindparam("id"), IS_OPEN, limit=1
)


class RowNotFoundError(PmslinkError):
    """There is no row with this id."""


class InvalidRowStateError(PmslinkError):
    """The action is not allowed in the present state of the row. The error's text is the state."""


@frozen
class OperatorAction:
    """An operator's action on one row; `digits` is the width of the link's posting numbers.

    `audit` tells of the operator; the states of the row are added to it.
    """

    link: str
    row_id: int
    digits: int
    audit: AuditEntry | None = None


def resend(transaction: Transaction, requests: Sequence[OperatorAction]) -> Sequence[OutboxRow | Exception]:
    """Operation: queue rows again that are unknown or refused, and return them.

    A posting goes to its own room now, whoever is there.

    A result may be RowNotFoundError, InvalidRowStateError or PostingNumbersExhaustedError.
    """
    return [_resend(transaction, request) for request in requests]


def _resend(transaction: Transaction, request: OperatorAction) -> OutboxRow | Exception:
    row = row_of_link(transaction.connection, request.link, request.row_id)
    if row is None:
        return RowNotFoundError()
    if row.state not in ("unknown", "refused"):
        return InvalidRowStateError(row.state)
    number = row.number
    if row.state == "refused" and number is not None and _is_number_in_use(transaction.connection, row):
        number = next(free_numbers(transaction.connection, row.link, 10**request.digits - 1, 1), None)
        if number is None:
            return PostingNumbersExhaustedError(f"all posting numbers of {request.digits} digits are in use")
    changed = update_row(
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
        guests=None,
        room_sent=None,
        reason=None,
    )
    if number != row.number:
        store_last_numbers(transaction.connection, [changed])
    _insert_audit_entry(transaction, request, row, changed)
    return changed


def _insert_audit_entry(
    transaction: Transaction, request: OperatorAction, before: OutboxRow, after: OutboxRow
) -> None:
    if request.audit is None:
        return
    states = [json.dumps({"state": row.state}) for row in (before, after)]
    insert_audit_entries(transaction, [evolve(request.audit, before=states[0], after=states[1])])


def _is_number_in_use(connection: Connection, row: OutboxRow) -> bool:
    """Return whether another open row now has this row's posting number."""
    other_row = fetch_first(connection, _SELECT_NUMBER_IN_USE, link=row.link, number=row.number, id=row.id)
    return other_row is not None


def discard(transaction: Transaction, requests: Sequence[OperatorAction]) -> Sequence[OutboxRow | Exception]:
    """Operation: discard rows that are unknown, refused or pending, and return them.

    A result may be RowNotFoundError or InvalidRowStateError.
    """
    results: list[OutboxRow | Exception] = []
    for request in requests:
        row = row_of_link(transaction.connection, request.link, request.row_id)
        if row is None:
            results.append(RowNotFoundError())
        elif row.state not in ("unknown", "refused", "pending"):
            results.append(InvalidRowStateError(row.state))
        else:
            discarded = update_row(transaction, row, state="discarded", queued=0, not_before=None)
            _insert_audit_entry(transaction, request, row, discarded)
            results.append(discarded)
    return results
