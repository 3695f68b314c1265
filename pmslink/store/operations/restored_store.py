"""Continue with a store that was restored from an older copy, without booking anything twice.

What the copy lacks is unknown: rows that it has as pending may have been sent since, and posting numbers that
it has not assigned yet may have been used.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve
from sqlalchemy import update

from pmslink.store.core import store_metadata
from pmslink.store.core.schema import POSTING_NUMBERS
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.link_rows import read_links, store_links
from pmslink.store.tables.outbox_rows import IS_OPEN, fetch_rows, row_query, update_row

_SELECT_OPEN = row_query(IS_OPEN)


def continue_restored_store(transaction: Transaction, arguments: Sequence[None]) -> Sequence[int]:
    """Operation: make all open rows unknown, move the posting numbers on, and require resyncs.

    Returns the number of rows. Each link requests a resync, and a person decides on each row.
    """
    rows = fetch_rows(transaction.connection, _SELECT_OPEN)
    for row in rows:
        update_row(transaction, row, state="unknown", queued=0, reason="restored")
    assigned = POSTING_NUMBERS.c.last
    transaction.connection.execute(update(POSTING_NUMBERS).where(assigned >= 0).values(last=-1 - assigned))
    links = read_links(transaction.connection)
    store_links(transaction, [evolve(link, resync_wanted=True) for link in links])
    store_metadata.write_value(transaction.connection, "restored", 0)
    store_metadata.write_value(transaction.connection, "was_restored", 1)
    return [len(rows)] * len(arguments)
