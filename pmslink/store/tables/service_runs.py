"""When the service ran: without that, nobody could tell how a link was from when nothing is known of it.

A run is one row, begun at the start and brought up to date each minute and at a stop in good order. So a
run that ended without a word is known to within a minute, and its last transition is not taken for what
lasted until the next start. A row for each minute would tell no more; a row at the start and one at the
stop would leave a crash looking like a service that ran on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import delete

from pmslink.store.core.database import insert_many
from pmslink.store.core.schema import RUNS
from pmslink.store.core.transaction import Transaction
from pmslink.timestamps import from_ms, to_ms


@frozen
class Run:
    """From its start to when it was last known to run. What has a greater id, and a smaller one than the
    next run, happened in it."""

    id: int
    began: datetime
    seen: datetime


def store_runs(transaction: Transaction, runs: Sequence[Run]) -> Sequence[None]:
    """An operation: keep each as it is now."""
    for run in runs:
        transaction.connection.execute(delete(RUNS).where(RUNS.c.id == run.id))
        insert_many(transaction.connection, RUNS, [(run.id, to_ms(run.began), to_ms(run.seen))])
    return [None] * len(runs)


def run_from_row(row: Any) -> Run:
    """One, of its row."""
    return Run(row.id, from_ms(row.began), from_ms(row.seen))
