"""The same in a file and with real threads, as the service runs it."""

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
from pmslink.store.operations.outbox_delivery import Answer, Take, settle, take
from pmslink.store.operations.outbox_enqueue import accept
from pmslink.store.store_service import PoolThread, Store
from pmslink.store.tables.log_entries import Announced, Entry, Transaction, keep_announcements
from pmslink.store.tables.outbox_rows import Row, newest_rows
from tests.memory_store import make_store
from tests.store.store_harness import LINK, NOW, START, Watched, offer
from tests.time_limit import within


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(database: Watched) -> AsyncIterator[Store]:
    """A store with a thread that writes and one that reads, until it has stopped in good order."""
    threads = [PoolThread(reactor, name) for name in ("writing", "reading")]
    store = make_store(reactor, now, database, writing=threads[0], reading=threads[1])
    store.startService()
    try:
        yield store
    finally:
        await store.stopService()


async def each(count: int, one: Callable[[int], Awaitable[Any]]) -> None:
    for number in range(count):
        await one(number)


@within(30)
async def test_what_is_kept_in_threads_is_there_after_the_stop(tmp_path: Path) -> None:
    database = Watched(SqliteDatabase(tmp_path))
    told: list[Entry] = []
    async with running(database) as store:
        store.journal.told.append(told.extend)
        accepted = await gatherResults([store.journal.write(accept, offer()) for _ in range(500)])
        assert [one.row.number for one in accepted if not isinstance(one, Exception)] == list(range(1, 501))
        assert len(await store.read(newest_rows, LINK, None, None, 1000)) == 500
        store.journal.append(keep_announcements, Announced(START, "{}"))
    assert database.commits < 20
    assert len(told) == 501
    seqs = [entry.seq for entry in told]
    assert seqs == sorted(set(seqs))
    async with running(database) as store:
        assert not store.opened.unclean
        assert len(store.opened.standing) == 500
        assert [entry.seq for entry in store.opened.last_told] == seqs


@within(30)
async def test_the_writer_and_the_reader_have_a_thread_each(tmp_path: Path) -> None:
    seen: set[str] = set()

    def look(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
        seen.add(threading.current_thread().name)
        return arguments

    def query(connection: Connection) -> str:
        return threading.current_thread().name

    async with running(Watched(SqliteDatabase(tmp_path))) as store:
        for _ in range(10):
            await store.journal.write(look, None)
            assert "reading" in await store.read(query)
    (name,) = seen
    assert "writing" in name


@within(30)
async def test_a_query_that_lasts_holds_up_no_commit(tmp_path: Path) -> None:
    go_on = threading.Event()

    def lasts(connection: Connection) -> int:
        rows = newest_rows(connection, LINK, None, None, 10)
        go_on.wait(20)
        assert newest_rows(connection, LINK, None, None, 10) == rows  # it sees one moment
        return len(rows)

    async with running(Watched(SqliteDatabase(tmp_path))) as store:
        await store.journal.write(accept, offer())
        reading = store.read(lasts)
        await store.journal.write(accept, offer())
        assert not reading.called
        go_on.set()
        assert await reading in (1, 2)
        assert len(await store.read(newest_rows, LINK, None, None, 10)) == 2


@within(30)
async def test_a_way_from_acceptance_to_the_answer(tmp_path: Path) -> None:
    async with running(Watched(SqliteDatabase(tmp_path))) as store:

        async def one(number: int) -> None:
            await store.journal.write(accept, offer())
            taken = await store.journal.write(take, Take(LINK, NOW))
            assert isinstance(taken, Row)
            settled = await store.journal.write(settle, Answer(LINK, NOW, "OK", None, taken.number))
            assert isinstance(settled, Row)
            assert (settled.id, settled.state) == (taken.id, "done")

        await each(20, one)
        states = {row.state for row in await store.read(newest_rows, LINK, None, None, 100)}
        assert states == {"done"}
