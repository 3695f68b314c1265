"""A store of a year: the start, the lists of the API, and the purge, with all rows and with a tenth of them.

`--full` builds the store of docs/performance.md: 5 million postings, 3 million records, 1.5 million
transitions, 1 million events, 1 000 links. Without it, both stores are built in less than a minute.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall, deferLater, react

from bench.bench_processes import free_port, print_table, start_twistd, state_directory, write_config
from bench.year_store_rows import (
    FULL,
    GUEST_DAYS,
    HISTORY_DAYS,
    LARGE_LINK,
    SAMPLE,
    SMALL_LINK,
    Scale,
    build_store,
)
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.pool_thread import PoolThread
from pmslink.store.core.store_metadata import write_value
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.retention import Retention
from pmslink.store.store_service import Store, open_store
from pmslink.timestamps import utc_now

TARGET_START_S = 8.0
TARGET_LIST_MS = 50.0
TARGET_RATIO = 4.0
TARGET_COMMIT_MS = 100.0
READS = 25
"""Times that each list is read; the fastest counts, because the first ones fill the caches."""
PURGE_REST_S = 5.0
"""Time before a purge in which only other writes are measured."""
PROBE_INTERVAL_S = 0.02
"""Time between two writes that wait for the commits of a purge."""

LISTS = {
    "postings": "postings?limit=20",
    "postings, a state": "postings?limit=20&state=done",
    "postings, a state that none has": "postings?limit=20&state=sent",
    "records": "records?limit=20",
    "records sent": "records?limit=20&direction=out",
    "records of a type": "records?limit=20&type=WR",
    "records of a type that none has": "records?limit=20&type=ZZ",
    "transitions": "transitions?limit=20",
    "timeline of a day": "timeline",
    "events": "events?limit=20&after=0",
    "rooms": "rooms",
}
"""The lists, with as many entries in both stores."""


def measure_start(folder: Path) -> tuple[float, float]:
    """Return the seconds until the API of a service listens, and its CPU time until then."""
    started_at = time.monotonic()
    with _service(folder) as server:
        return time.monotonic() - started_at, server.cpu_seconds()


def _service(folder: Path) -> Any:
    port = free_port()
    return start_twistd("pmslink", "--config", write_config(folder, port, {}), port=port)


def measure_lists(folder: Path, link: str) -> dict[str, float]:
    """Return the shortest time of each list of a link, in milliseconds."""
    with _service(folder) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        return {
            name: min(_measure_get(connection, f"/api/v1/links/{link}/{path}") for _ in range(READS))
            for name, path in LISTS.items()
        }


def _measure_get(connection: HTTPConnection, path: str) -> float:
    started_at = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status} {body[:200]!r}")
    return 1000 * (time.perf_counter() - started_at)


class TimedThread(PoolThread):
    """A thread that notes how long each of its calls takes."""

    def __init__(self, reactor: Any, name: str) -> None:
        super().__init__(reactor, name)
        self.seconds: list[tuple[float, float]] = []
        """The time of each call, and its CPU time."""

    def run(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        def timed_call() -> Any:
            began, cpu_began = time.perf_counter(), time.thread_time()
            try:
                return call(*arguments)
            finally:
                self.seconds.append((time.perf_counter() - began, time.thread_time() - cpu_began))

        return super().run(timed_call)


def write_probe(transaction: Transaction, arguments: Sequence[None]) -> Sequence[None]:
    """Operation: write something, as any other write does."""
    write_value(transaction.connection, "probe", transaction.next_seq())
    return arguments


@frozen
class Commits:
    """What the writer's thread did for a while; times in milliseconds."""

    count: int
    longest: float
    most_cpu: float
    longest_wait: float
    """The longest time until a write of somebody else was committed."""


async def measure_purge(reactor: Any, folder: Path) -> tuple[Commits, Commits]:
    """Return the commits of a while without a purge, and those of a purge; others write meanwhile."""
    database = SqliteDatabase(folder)
    retention = Retention(timedelta(days=GUEST_DAYS), timedelta(days=HISTORY_DAYS))
    writing = TimedThread(reactor, "writing")
    reading, lists = PoolThread(reactor, "reading"), PoolThread(reactor, "lists")
    snapshot = open_store(database, utc_now(), 1000)
    store = Store(database, snapshot, reactor, utc_now, retention, writing, reading, [lists])
    store.startService()
    await store.journal.wait_idle()
    waits: list[float] = []

    def probe() -> None:
        began = time.perf_counter()
        store.journal.submit(write_probe, None).addCallback(
            lambda _: waits.append(time.perf_counter() - began)
        )

    def take() -> Commits:
        walls, cpus = zip(*writing.seconds, strict=True)
        taken = Commits(len(walls), 1000 * max(walls), 1000 * max(cpus), 1000 * max(waits))
        writing.seconds.clear()
        waits.clear()
        return taken

    writing.seconds.clear()
    loop = LoopingCall(probe)
    loop.start(PROBE_INTERVAL_S)
    await deferLater(reactor, PURGE_REST_S)
    rest = take()
    await Deferred.fromCoroutine(store.purge())
    loop.stop()
    await store.journal.wait_idle()
    purge = take()
    await store.stopService()
    return rest, purge


async def measure(reactor: Any, scale: Scale) -> None:
    """Build both stores, measure, and print the table."""
    with state_directory() as folder:
        folders = {"all": folder / "all", "tenth": folder / "tenth"}
        for name, rows in (("all", scale), ("tenth", scale.tenth())):
            (folders[name] / "state").mkdir(parents=True)
            began = time.monotonic()
            path = build_store(folders[name] / "state", rows, utc_now())
            size = path.stat().st_size / 1024**2
            print(f"{rows}: {size:,.0f} MB, built in {time.monotonic() - began:.0f} s", flush=True)
        await measure_stores(reactor, folders)


async def measure_stores(reactor: Any, folders: dict[str, Path]) -> None:
    """Measure a store with all rows and one with a tenth of them, and print the table."""
    starts = [measure_start(folder) for folder in folders.values()]
    rows = [
        _row(
            "start until the API listens", [1000 * seconds for seconds, _ in starts], f"{TARGET_START_S:g} s"
        )
    ]
    for link in (LARGE_LINK, SMALL_LINK):
        times = [measure_lists(folder, link) for folder in folders.values()]
        target = f"{TARGET_LIST_MS:g} ms, {TARGET_RATIO:g} ×"
        rows += [_row(f"{link}: {name}", [one[name] for one in times], target) for name in LISTS]
    measured = [await measure_purge(reactor, folder / "state") for folder in folders.values()]
    target = f"{TARGET_COMMIT_MS:g} ms"
    for number, when in ((0, "without a purge"), (1, "during a purge")):
        commits = [one[number] for one in measured]
        rows += [
            _row(f"longest commit {when}", [one.longest for one in commits], target),
            _row(f"most CPU of a commit {when}", [one.most_cpu for one in commits], target),
            _row(f"longest wait of another write {when}", [one.longest_wait for one in commits], target),
        ]
    print(f"CPU until the API listens: {starts[0][1]:.1f} s, {starts[1][1]:.1f} s")
    print(f"commits of the purges: {measured[0][1].count}, {measured[1][1].count}")
    print_table("a store of a year", ("all rows", "a tenth", "ratio", "target"), rows)


def _row(title: str, times_ms: Sequence[float], target: str) -> tuple[str, ...]:
    all_rows, tenth = times_ms
    return (title, f"{all_rows:,.1f} ms", f"{tenth:,.1f} ms", f"{all_rows / tenth:.1f}", f"under {target}")


def main(reactor: Any) -> Deferred[None]:
    """Measure with all rows that the command line asks for."""
    return ensureDeferred(measure(reactor, FULL if "--full" in sys.argv[1:] else SAMPLE))


if __name__ == "__main__":
    react(main)
