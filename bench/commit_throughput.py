"""Enqueue postings at the store, through its journal; the baseline is sqlite3 with one row per commit."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.task import react

from bench.bench_processes import LINK, format_spread, print_table, state_directory
from pmslink.store.core import schema_version
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.journal import Journal
from pmslink.store.core.pool_thread import PoolThread
from pmslink.store.operations.outbox_enqueue import NewRow, enqueue
from pmslink.store.operations.retention import Retention
from pmslink.store.store_service import Store, open_store
from pmslink.store.tables.outbox_rows import OutboxRow
from pmslink.timestamps import utc_now

ROWS_BY_CONCURRENCY = {1: 500, 100: 5000, 1000: 10_000}
"""Rows in a round, by the number of rows in flight."""
BASELINE_ROWS = 500
ROUNDS = 11
TARGET_FACTOR = 8
"""Target: the factor against one row per commit, with many rows in flight."""
HISTORY_DAYS, GUEST_DAYS = 400, 30

reactor: Any = global_reactor

_BODY = '{"started": "2026-11-25T15:01:19.852Z", "amount": 1050, "dialled": "0049891234567", "duration": 225}'
_TEXT = "PS|RN104|PTC|TA1050|DD0049891234567|DU000345|DA261125|TI160119|"


def make_new_row() -> NewRow:
    """Make the new row of a call, with a unique Idempotency-Key."""
    key, asked = str(uuid4()), uuid4().hex[:24]
    return NewRow(LINK, "PS", "call", "104", _BODY, _TEXT, 1795618877519, digits=8, key=key, asked=asked)


def make_rows(count: int) -> list[OutboxRow]:
    """Make the outbox rows of these calls."""
    return [
        OutboxRow(row_id, *row[:6], None, None, row.key, row.asked, row_id, row.created, row_id)
        for row_id, row in _numbered_new_rows(count)
    ]


def _numbered_new_rows(count: int) -> list[tuple[int, NewRow]]:
    return [(row_id, make_new_row()) for row_id in range(1, count + 1)]


def open_disk_store(reactor: Any, folder: Path) -> Store:
    """Open a store with the settings of the service, without starting it."""
    database = SqliteDatabase(folder)
    retention = Retention(timedelta(days=GUEST_DAYS), timedelta(days=HISTORY_DAYS))
    names = ("writing", "reading", "lists")
    writing, reading, *lists = (PoolThread(reactor, name) for name in names)
    return Store(
        database, open_store(database, utc_now(), 1), reactor, utc_now, retention, writing, reading, lists
    )


def measure_baseline(folder: Path, rows: int = BASELINE_ROWS, indexed: bool = True) -> float:
    """Measure rows per second of sqlite3 into the same table, with one row per commit."""
    folder.mkdir()
    database = SqliteDatabase(folder)
    database.create()
    with database.writer() as connection, connection.begin():
        schema_version.create_or_migrate(connection)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as plain:
        plain.execute("PRAGMA synchronous=FULL")
        if not indexed:
            plain.execute("DROP TABLE postings")
            plain.execute(
                "CREATE TABLE postings "
                f"(id INTEGER PRIMARY KEY, {', '.join((*OutboxRow._fields[1:], 'checksum'))})"
            )
        return _insert_one_by_one(plain, make_rows(rows))


def _insert_one_by_one(connection: sqlite3.Connection, rows: list[OutboxRow]) -> float:
    columns = (*OutboxRow._fields, "checksum")
    insertion = f"INSERT INTO postings VALUES ({', '.join('?' * len(columns))})"
    started_at = time.monotonic()
    for row in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(insertion, (*row, 0))
        connection.execute("COMMIT")
    return len(rows) / (time.monotonic() - started_at)


async def measure_journal(journal: Journal, in_flight: int, count: int) -> float:
    """Measure rows that are enqueued per second, with this many in flight."""
    new_rows = iter([make_new_row() for _ in range(count)])

    async def enqueue_rows() -> None:
        for new_row in new_rows:
            await journal.submit(enqueue, new_row)

    started_at = time.monotonic()
    await gatherResults([Deferred.fromCoroutine(enqueue_rows()) for _ in range(in_flight)])
    return count / (time.monotonic() - started_at)


async def run_round(reactor: Any, folder: Path) -> dict[str, float]:
    """Measure all rates once, on new files: `indexed`, `plain`, and the numbers in flight."""
    folder.mkdir()
    rates = {
        "indexed": measure_baseline(folder / "indexed"),
        "plain": measure_baseline(folder / "plain", indexed=False),
    }
    store = open_disk_store(reactor, folder)
    store.startService()
    for in_flight, count in ROWS_BY_CONCURRENCY.items():
        rates[str(in_flight)] = await measure_journal(store.journal, in_flight, count)
    await store.stopService()
    return rates


def _comparison_row(in_flight: str, rounds: list[dict[str, float]]) -> tuple[str, ...]:
    factors = [
        format_spread([rates[in_flight] / rates[baseline] for rates in rounds], 1)
        for baseline in ("indexed", "plain")
    ]
    target = "–" if in_flight == "1" else f"at least {TARGET_FACTOR}"
    return (
        f"journal, {in_flight} in flight",
        format_spread([rates[in_flight] for rates in rounds]),
        *factors,
        target,
    )


async def measure(reactor: Any) -> None:
    """Run all rounds and print the table."""
    with state_directory() as folder:
        rounds = [await run_round(reactor, folder / str(number)) for number in range(ROUNDS)]
    rows: list[tuple[str, ...]] = [
        (
            f"sqlite3, one row per commit, {indexes}",
            format_spread([rates[name] for rates in rounds]),
            "",
            "",
            "",
        )
        for name, indexes in (("indexed", "the same indexes"), ("plain", "only the primary key"))
    ]
    rows += [_comparison_row(str(in_flight), rounds) for in_flight in ROWS_BY_CONCURRENCY]
    columns = ("1/s", "against the same indexes", "against no index", "target")
    print_table("rows on disk", columns, rows)


if __name__ == "__main__":
    reactor.seconds = time.monotonic
    react(lambda reactor: ensureDeferred(measure(reactor)))
