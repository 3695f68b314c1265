"""Accepting at the store, through its journal, beside bare sqlite3 with a row in each transaction."""

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
from pmslink.link.link_registry import utc_now
from pmslink.store.core import schema
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.journal import Journal
from pmslink.store.operations.outbox_enqueue import NewRow, enqueue
from pmslink.store.operations.retention import Retention
from pmslink.store.store_service import PoolThread, Store, open_store
from pmslink.store.tables.outbox_rows import OutboxRow

ROWS_BY_CONCURRENCY = {1: 500, 100: 5000, 1000: 10_000}
"""So many at a time, and so many in a round."""
BASELINE_ROWS = 500
ROUNDS = 11
TARGET_FACTOR = 8
"""So many times the row per transaction is the target, when callers are many."""

reactor: Any = global_reactor

_BODY = '{"started": "2026-11-25T15:01:19.852Z", "amount": 1050, "dialled": "0049891234567", "duration": 225}'
_TEXT = "PS|RN104|PTC|TA1050|DD0049891234567|DU000345|DA261125|TI160119|"


def make_new_row() -> NewRow:
    """A call, with a key of its own."""
    key, asked = str(uuid4()), uuid4().hex[:24]
    return NewRow(LINK, "PS", "call", "104", _BODY, _TEXT, 1795618877519, digits=8, key=key, asked=asked)


def make_rows(number: int) -> list[OutboxRow]:
    """The rows that such calls become."""
    return [
        OutboxRow(at, *one[:6], None, None, one.key, one.asked, at, one.created, at)
        for at, one in _numbered_new_rows(number)
    ]


def _numbered_new_rows(number: int) -> list[tuple[int, NewRow]]:
    return [(at, make_new_row()) for at in range(1, number + 1)]


def open_disk_store(reactor: Any, folder: Path) -> Store:
    """A store as the service has it, not started."""
    database = SqliteDatabase(folder)
    retention = Retention(timedelta(days=30), timedelta(days=400))
    threads = (PoolThread(reactor, "writing"), PoolThread(reactor, "reading"))
    return Store(database, open_store(database, utc_now(), 1), reactor, utc_now, retention, *threads)


def measure_baseline(folder: Path, rows: int = BASELINE_ROWS, indexed: bool = True) -> float:
    """Rows in a second into the same table, each in a transaction of its own."""
    folder.mkdir()
    database = SqliteDatabase(folder)
    database.create()
    with database.writer() as connection, connection.begin():
        schema.create_or_migrate(connection)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as plain:
        plain.execute("PRAGMA synchronous=FULL")
        if not indexed:
            plain.execute("DROP TABLE postings")
            plain.execute(
                "CREATE TABLE postings "
                f"(id INTEGER PRIMARY KEY, {', '.join((*OutboxRow._fields[1:], 'checksum'))})"
            )
        return _insert_one_by_one(plain, make_rows(rows))


def _insert_one_by_one(connection: sqlite3.Connection, content: list[OutboxRow]) -> float:
    columns = (*OutboxRow._fields, "checksum")
    insertion = f"INSERT INTO postings VALUES ({', '.join('?' * len(columns))})"
    begun = time.monotonic()
    for row in content:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(insertion, (*row, 0))
        connection.execute("COMMIT")
    return len(content) / (time.monotonic() - begun)


async def measure_journal(journal: Journal, in_flight: int, rows: int) -> float:
    """Offers accepted in a second, when so many wait at any time."""
    content = iter([make_new_row() for _ in range(rows)])

    async def caller() -> None:
        for one in content:
            await journal.submit(enqueue, one)

    begun = time.monotonic()
    await gatherResults([Deferred.fromCoroutine(caller()) for _ in range(in_flight)])
    return rows / (time.monotonic() - begun)


async def run_round(reactor: Any, folder: Path) -> dict[str, float]:
    """All of it once, on new files."""
    folder.mkdir()
    rates = {
        "indexed": measure_baseline(folder / "indexed"),
        "plain": measure_baseline(folder / "plain", indexed=False),
    }
    store = open_disk_store(reactor, folder)
    store.startService()
    for in_flight, rows in ROWS_BY_CONCURRENCY.items():
        rates[str(in_flight)] = await measure_journal(store.journal, in_flight, rows)
    await store.stopService()
    return rates


def _comparison_row(in_flight: str, rounds: list[dict[str, float]]) -> tuple[str, ...]:
    beside = [
        format_spread([one[in_flight] / one[bare_one] for one in rounds], 1)
        for bare_one in ("indexed", "plain")
    ]
    target = "–" if in_flight == "1" else f"{TARGET_FACTOR} at least"
    return (
        f"the journal, {in_flight} in flight",
        format_spread([one[in_flight] for one in rounds]),
        *beside,
        target,
    )


async def measure(reactor: Any) -> None:
    with state_directory() as folder:
        rounds = [await run_round(reactor, folder / str(number)) for number in range(ROUNDS)]
    rows: list[tuple[str, ...]] = [
        (f"sqlite3, a row in each commit, {what}", format_spread([one[name] for one in rounds]), "", "", "")
        for name, what in (("indexed", "the same indexes"), ("plain", "no index but the key"))
    ]
    rows += [_comparison_row(str(in_flight), rounds) for in_flight in ROWS_BY_CONCURRENCY]
    print_table("rows safe on disk", ("1/s", "beside the same indexes", "beside no index", "target"), rows)


if __name__ == "__main__":
    reactor.seconds = time.monotonic
    react(lambda reactor: ensureDeferred(measure(reactor)))
