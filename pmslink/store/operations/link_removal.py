"""Delete the history of a link in steps, before it is removed: one commit would hold up all others."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Table, delete, select

from pmslink.store.core.schema import (
    EVENTS,
    NOTICES,
    POSTINGS,
    RECORD_PROBLEMS,
    RECORDS,
    STAYS,
    SYNC_CHANGES,
    TRANSITIONS,
)
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.retention import PURGE_BATCH_ROWS, PURGE_STEP_ROWS, PURGE_STEP_S
from pmslink.store.tables.link_rows import PostingsNotFinalError, RemoveLink, check_removable

_HISTORY_TABLES: tuple[Table, ...] = (
    *(RECORDS, RECORD_PROBLEMS, EVENTS, STAYS),
    *(TRANSITIONS, SYNC_CHANGES, POSTINGS, NOTICES),
)


def delete_history(
    transaction: Transaction, requests: Sequence[RemoveLink]
) -> Sequence[bool | PostingsNotFinalError]:
    """Operation: delete history of links, as a step of a purge does; return whether nothing is left of it.

    The link must not run. What remains is deleted by `remove_links`. A result may be PostingsNotFinalError.
    """
    return [_delete_history(transaction, request) for request in requests]


def _delete_history(transaction: Transaction, request: RemoveLink) -> bool | PostingsNotFinalError:
    if (refusal := check_removable(transaction.connection, request)) is not None:
        return refusal
    end = time.monotonic() + PURGE_STEP_S
    deleted = 0
    for table in _HISTORY_TABLES:
        while count := _delete_batch(transaction, table, request.name):
            deleted += count
            if deleted >= PURGE_STEP_ROWS or time.monotonic() >= end:
                return False
    return True


def _delete_batch(transaction: Transaction, table: Table, link: str) -> int:
    (key,) = table.primary_key
    batch = select(key).where(table.c.link == link).limit(PURGE_BATCH_ROWS)
    return transaction.connection.execute(delete(table).where(key.in_(batch))).rowcount
