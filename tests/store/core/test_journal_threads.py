"""The journal with a file and real threads, as the service runs it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from twisted.internet import reactor
from twisted.internet.defer import gatherResults

from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.pool_thread import PoolThread
from pmslink.store.core.transaction import Entry, Transaction
from pmslink.store.operations.outbox_answers import PostingAnswer, store_answers
from pmslink.store.operations.outbox_delivery import ClaimNext, claim_next
from pmslink.store.operations.outbox_enqueue import enqueue
from pmslink.store.store_service import Store
from pmslink.store.tables.history_queries import events_after
from pmslink.store.tables.log_entries import LinkSnapshotLogged, append_link_snapshots
from pmslink.store.tables.outbox_rows import OutboxRow, newest_rows
from tests.memory_store import make_store
from tests.store.store_harness import LINK_NAME, START_MS, START_TIME, FaultyDatabase, make_new_row
from tests.time_limit import time_limit


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(database: FaultyDatabase) -> AsyncIterator[Store]:
    """A store with a thread that writes and one that reads, until it has stopped cleanly."""
    names = ("writing", "reading", "lists 1", "lists 2")
    writing, reading, *lists = (PoolThread(reactor, name) for name in names)
    store = make_store(reactor, now, database, writing=writing, reading=reading, lists=lists)
    store.startService()
    try:
        yield store
    finally:
        await store.stopService()


async def each(count: int, one: Callable[[int], Awaitable[Any]]) -> None:
    for number in range(count):
        await one(number)


@time_limit(30)
async def test_entries_written_in_threads_are_stored_after_the_stop(tmp_path: Path) -> None:
    database = FaultyDatabase(SqliteDatabase(tmp_path))
    published: list[Entry] = []
    async with running(database) as store:
        store.journal.on_commit.append(published.extend)
        accepted = await gatherResults([store.journal.submit(enqueue, make_new_row()) for _ in range(500)])
        assert [one.row.number for one in accepted if not isinstance(one, Exception)] == list(range(1, 501))
        assert len(await store.read(newest_rows, LINK_NAME, None, None, 1000)) == 500
        store.journal.submit_nowait(append_link_snapshots, LinkSnapshotLogged(START_TIME, "{}"))
    assert database.commit_count < 20
    assert len(published) == 501
    seqs = [entry.seq for entry in published]
    assert seqs == sorted(set(seqs))
    async with running(database) as store:
        assert not store.startup_snapshot.unclean_shutdown
        assert len(store.startup_snapshot.unresolved_rows) == 500
        assert [entry.seq for entry in store.startup_snapshot.last_published] == seqs


@time_limit(30)
async def test_writing_and_reading_have_threads_of_their_own(tmp_path: Path) -> None:
    thread_names: set[str] = set()

    def note_thread(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
        thread_names.add(threading.current_thread().name)
        return arguments

    def query(connection: Connection) -> str:
        return threading.current_thread().name

    async with running(FaultyDatabase(SqliteDatabase(tmp_path))) as store:
        for _ in range(10):
            await store.journal.submit(note_thread, None)
            assert "reading" in await store.read_live(query)
            assert "lists" in await store.read(query)
    (name,) = thread_names
    assert "writing" in name


@time_limit(30)
async def test_a_slow_query_does_not_block_commits(tmp_path: Path) -> None:
    go_on = threading.Event()

    def slow_query(connection: Connection) -> int:
        rows = newest_rows(connection, LINK_NAME, None, None, 10)
        go_on.wait(20)
        assert newest_rows(connection, LINK_NAME, None, None, 10) == rows  # it reads one consistent snapshot
        return len(rows)

    async with running(FaultyDatabase(SqliteDatabase(tmp_path))) as store:
        await store.journal.submit(enqueue, make_new_row())
        reading = store.read(slow_query)
        await store.journal.submit(enqueue, make_new_row())
        assert not reading.called
        go_on.set()
        assert await reading in (1, 2)
        assert len(await store.read(newest_rows, LINK_NAME, None, None, 10)) == 2


@time_limit(30)
async def test_a_posting_from_enqueueing_to_its_answer(tmp_path: Path) -> None:
    async with running(FaultyDatabase(SqliteDatabase(tmp_path))) as store:

        async def one(number: int) -> None:
            await store.journal.submit(enqueue, make_new_row())
            taken = await store.journal.submit(claim_next, ClaimNext(LINK_NAME, START_MS))
            assert isinstance(taken, OutboxRow)
            settled = await store.journal.submit(
                store_answers, PostingAnswer(LINK_NAME, START_MS, "OK", None, taken.number)
            )
            assert isinstance(settled, OutboxRow)
            assert (settled.id, settled.state) == (taken.id, "done")

        await each(20, one)
        states = {row.state for row in await store.read(newest_rows, LINK_NAME, None, None, 100)}
        assert states == {"done"}


@time_limit(30)
async def test_events_do_not_wait_for_lists(tmp_path: Path) -> None:
    """Case E6: lists that take long, and many that wait for them, hold up neither events nor webhooks."""
    go_on = threading.Event()

    def slow_list(connection: Connection) -> None:
        go_on.wait(20)

    async with running(FaultyDatabase(SqliteDatabase(tmp_path))) as store:
        lists = [store.read(slow_list) for _ in range(30)]
        assert await store.read_live(events_after, LINK_NAME, 0, 100) == []
        assert not any(one.called for one in lists)
        go_on.set()
        await gatherResults(lists)
