"""Resyncs as fast as TCP delivers them: records per second on disk, and the blocking of the event loop.

pmslink runs in this process, with its store, its link and its API.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from twisted.application.service import IServiceCollection, MultiService
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater, react

from bench.bench_processes import (
    LINK,
    WAIT_TIMEOUT_S,
    format_spread,
    free_port,
    print_table,
    start_module,
    state_directory,
    write_config,
)
from bench.loop_blocking import LoopBlocking
from pmslink.link import controls
from pmslink.link.link_registry import LinkRegistry
from pmslink.service import Options, makeService
from pmslink.store.core.transaction import Entry
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import RecordLogged
from pmslink.web.site import ApiSite

ROOMS = 1000
ROUNDS = 7
OBSERVATION_S = 0.5
"""Time for which the loop is observed after the last record, because subscribers receive their data then."""
SUBSCRIBER_COUNTS = (0, 20)
REPEATED_RESYNCS = 20
POLL_INTERVAL_S = 0.002

reactor: Any = global_reactor
ServicePart = TypeVar("ServicePart")


class StoredRecords:
    """Counts the received records and the completed resyncs that are on disk."""

    def __init__(self, store: Store) -> None:
        self.resync_count = self.record_count = 0
        store.journal.on_commit.append(self._on_commit)

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, RecordLogged) and entry.direction == "in":
                self.record_count += 1
                self.resync_count += entry.type == "DE"


def find_part(service: MultiService, kind: type[ServicePart]) -> ServicePart:
    """Return the child service, or the factory of a listener, that is of this class."""
    return next(part for part in _all_parts(service) if isinstance(part, kind))


def _all_parts(service: Any) -> Iterator[object]:
    for child in service:
        yield child
        if IServiceCollection.providedBy(child):
            yield from _all_parts(child)
        yield getattr(child, "_factory", None)


async def wait_until(condition: Callable[[], bool], description: str) -> None:
    """Wait until the condition is true. Raises SystemExit after WAIT_TIMEOUT_S."""
    started_at = time.monotonic()
    while not condition():
        if time.monotonic() - started_at > WAIT_TIMEOUT_S:
            raise SystemExit(f"not within {WAIT_TIMEOUT_S:g} s: {description}")
        await deferLater(reactor, POLL_INTERVAL_S, lambda: None)


@contextmanager
def start_subscribers(port: int, count: int) -> Iterator[None]:
    """Run `bench.stream_subscribers` as a process; kill it at the end of the context."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.stream_subscribers", str(port), str(count)]
    ) as process:
        try:
            yield
        finally:
            process.kill()


async def measure_resync(service: MultiService, resyncs: int) -> tuple[float, float, float]:
    """Measure records per second, and the longest turn and the lateness in milliseconds."""
    link = find_part(service, LinkRegistry).get(LINK)
    assert link is not None
    stored, blocking = StoredRecords(find_part(service, Store)), LoopBlocking()
    stop_observing = blocking.start()
    started_at = time.monotonic()
    controls.request_resync(link)
    await wait_until(lambda: stored.resync_count == resyncs, "all records are on disk")
    rate = stored.record_count / (time.monotonic() - started_at)
    await deferLater(reactor, OBSERVATION_S, lambda: None)
    stop_observing()
    return rate, 1000 * blocking.longest_turn_s, 1000 * blocking.max_lateness_s


async def measure_rounds(
    service: MultiService, resyncs: int, subscriber_count: int, api_port: int
) -> tuple[str, ...]:
    """Run all rounds with this many subscribers, and return the row of the table."""
    stream = find_part(service, ApiSite).api.broadcaster
    with start_subscribers(api_port, subscriber_count):
        await wait_until(lambda: len(stream) == subscriber_count, "all subscribers are connected")
        rounds = [await measure_resync(service, resyncs) for _ in range(ROUNDS)]
    await wait_until(lambda: not len(stream), "all subscribers are disconnected")
    rates, turns, latenesses = zip(*rounds, strict=True)
    title = f"{resyncs} × {ROOMS} rooms, {subscriber_count} subscribers"
    return title, format_spread(rates), format_spread(turns, 0, " ms"), format_spread(latenesses, 0, " ms")


async def run_measurement(folder: Path, resyncs: int) -> list[tuple[str, ...]]:
    """Start the processes and measure; return a row for each number of subscribers."""
    pms_port, api_port = free_port(), free_port()
    folder.mkdir()
    options = Options()  # type: ignore[no-untyped-call]
    options.parseOptions(["--config", str(write_config(folder, api_port, {LINK: pms_port}))])
    service = makeService(options)
    with start_module("bench.resync_pms", pms_port, ROOMS, resyncs, port=pms_port):
        service.startService()
        try:
            await wait_until_docked(service)
            return [await measure_rounds(service, resyncs, count, api_port) for count in SUBSCRIBER_COUNTS]
        finally:
            await service.stopService()


async def wait_until_docked(service: MultiService) -> None:
    """Enable the link, and wait until the resync that it requests at its start is on disk."""
    link = find_part(service, LinkRegistry).get(LINK)
    assert link is not None
    controls.enable(link)
    await wait_until(lambda: link.resync.progress.ended is not None, "the first resync has ended")
    await find_part(service, Store).journal.wait_idle()


async def measure() -> None:
    """Run all measurements and print the table."""
    with state_directory() as folder:
        rows = [
            row
            for resyncs in (1, REPEATED_RESYNCS)
            for row in await run_measurement(folder / str(resyncs), resyncs)
        ]
    rows.append(("target", "over 20,000", "under 50 ms", "under 50 ms"))
    print_table("resyncs", ("records/s on disk", "longest turn", "1 ms timer late"), rows)


if __name__ == "__main__":
    react(lambda _: ensureDeferred(measure()))
