"""The runs of the service, which distinguish downtime of the service from downtime of a link.

A run is one row. It is inserted at the start, and updated each minute and at a clean stop. So the end of a
run that crashed is known to within a minute, and its last state is not counted until the next start.
A row for each minute would add nothing. Rows only at the start and the stop would hide a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import delete

from pmslink.store.core.prepared_statements import insert_many
from pmslink.store.core.schema import RUNS
from pmslink.store.core.transaction import Transaction
from pmslink.timestamps import from_ms, to_ms


@frozen
class Run:
    """A run of the service, from its start to its last update.

    Rows with an id between those of two runs belong to the first of them.
    """

    id: int
    began: datetime
    seen: datetime


def store_runs(transaction: Transaction, runs: Sequence[Run]) -> Sequence[None]:
    """Operation: insert or update the rows of runs."""
    for run in runs:
        transaction.connection.execute(delete(RUNS).where(RUNS.c.id == run.id))
        insert_many(transaction.connection, RUNS, [(run.id, to_ms(run.began), to_ms(run.seen))])
    return [None] * len(runs)


def run_from_row(row: Any) -> Run:
    """Return the run of a row."""
    return Run(row.id, from_ms(row.began), from_ms(row.seen))
