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
from statistics import median
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall, react

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
from pmslink.store.core.store_metadata import barrier
from pmslink.store.operations.retention import Retention
from pmslink.store.store_service import PoolThread, Store, open_store
from pmslink.timestamps import utc_now

TARGET_START_S = 8.0
TARGET_LIST_MS = 50.0
TARGET_RATIO = 4.0
TARGET_COMMIT_MS = 100.0
READS = 21
"""Times that each list is read; the first ones, which fill the caches, do not count."""
WARM_UP_READS = 3
PROBE_INTERVAL_S = 0.02
"""Time between two writes that wait for the commits of a purge."""

LISTS = {
    "postings": "postings",
    "postings, a state": "postings?state=refused",
    "postings, a state that none has": "postings?state=sent",
    "records": "records",
    "records sent": "records?direction=out",
    "records of a type": "records?type=WR",
    "records of a type that none has": "records?type=ZZ",
    "transitions": "transitions",
    "timeline of a day": "timeline",
    "events": "events?after=0",
    "rooms": "rooms",
}


def measure_start(folder: Path) -> tuple[float, float]:
    """Return the seconds until the API of a service listens, and its CPU time until then."""
    started_at = time.monotonic()
    with _service(folder) as server:
        return time.monotonic() - started_at, server.cpu_seconds()


def _service(folder: Path) -> Any:
    port = free_port()
    return start_twistd("pmslink", "--config", write_config(folder, port, {}), port=port)


def measure_lists(folder: Path, link: str) -> dict[str, float]:
    """Return the median time of each list of a link, in milliseconds."""
    with _service(folder) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        return {
            name: median(
                [_measure_get(connection, f"/api/v1/links/{link}/{path}") for _ in range(READS)][
                    WARM_UP_READS:
                ]
            )
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


async def measure_purge(reactor: Any, folder: Path) -> tuple[int, float, float, float]:
    """Purge the expired rows while others write.

    Return the number of commits, the longest of them and its CPU time, and the longest time for which another
    write waited, in milliseconds.
    """
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
        store.journal.submit(barrier, None).addCallback(lambda _: waits.append(time.perf_counter() - began))

    writing.seconds.clear()
    loop = LoopingCall(probe)
    loop.start(PROBE_INTERVAL_S)
    await Deferred.fromCoroutine(store.purge())
    loop.stop()
    calls = writing.seconds[:]
    await store.stopService()
    longest, cpu = max(calls)
    return len(calls), 1000 * longest, 1000 * max(cpu, 0), 1000 * max(waits)


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
    purges = [await measure_purge(reactor, folder / "state") for folder in folders.values()]
    target = f"{TARGET_COMMIT_MS:g} ms"
    rows.append(_row("longest commit of a purge", [purge[1] for purge in purges], target))
    rows.append(_row("longest wait of another write", [purge[3] for purge in purges], target))
    print(f"CPU until the API listens: {starts[0][1]:.1f} s, {starts[1][1]:.1f} s")
    print(f"commits of the purges: {purges[0][0]}, {purges[1][0]}")
    print(f"CPU of their longest commits: {purges[0][2]:.0f} ms, {purges[1][2]:.0f} ms")
    print_table("a store of a year", ("all rows", "a tenth", "ratio", "target"), rows)


def _row(title: str, times_ms: Sequence[float], target: str) -> tuple[str, ...]:
    all_rows, tenth = times_ms
    return (title, f"{all_rows:,.1f} ms", f"{tenth:,.1f} ms", f"{all_rows / tenth:.1f}", f"under {target}")


def main(reactor: Any) -> Deferred[None]:
    """Measure with all rows that the command line asks for."""
    return ensureDeferred(measure(reactor, FULL if "--full" in sys.argv[1:] else SAMPLE))


if __name__ == "__main__":
    react(main)
