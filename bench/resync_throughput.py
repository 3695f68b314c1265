"""Resyncs as fast as TCP brings them: records safe on disk in a second, and how long the loop was held.

Of the service that is measured everything runs in this process: its store, its link, its interface.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field
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
from pmslink.link.link_registry import LinkRegistry
from pmslink.service import Options, makeService
from pmslink.store.core.transaction import Entry
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import RecordLogged
from pmslink.web.site import ApiSite

ROOMS = 1000
ROUNDS = 7
OBSERVATION_S = 0.5
"""Seconds for which the loop is watched after the last record: watchers are written to then."""
SUBSCRIBER_COUNTS = (0, 20)
REPEATED_RESYNCS = 20

reactor: Any = global_reactor
ServicePart = TypeVar("ServicePart")


@define
class LoopBlocking:
    """How long the reactor did not wait for anything: its longest turn, and how late a timer of 1 ms was."""

    longest_turn_s: float = 0.0
    max_lateness_s: float = 0.0
    _woken_at: float = field(factory=time.monotonic)

    def start(self) -> Callable[[], None]:
        """Begin; gives what ends it."""
        poller = reactor._poller
        reactor._poller = _ObservedPoller(poller, self)
        self._probe(None)

        def end() -> None:
            reactor._poller = poller
            self._timer.cancel()

        return end

    def on_wait(self) -> None:
        self.longest_turn_s = max(self.longest_turn_s, time.monotonic() - self._woken_at)

    def on_wake(self) -> None:
        self._woken_at = time.monotonic()

    def _probe(self, planned: float | None) -> None:
        now = time.monotonic()
        if planned is not None:
            self.max_lateness_s = max(self.max_lateness_s, now - planned)
        self._timer = reactor.callLater(0.001, self._probe, now + 0.001)

    _timer: Any = None


class _ObservedPoller:
    """A poll object that notes when it is asked to wait, and when it has."""

    def __init__(self, poller: Any, blocking: LoopBlocking) -> None:
        self._poller = poller
        self._blocking = blocking

    def poll(self, *arguments: Any) -> Any:
        self._blocking.on_wait()
        try:
            return self._poller.poll(*arguments)
        finally:
            self._blocking.on_wake()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)


class StoredRecords:
    """Counts the ends of resyncs that are safe on disk."""

    def __init__(self, store: Store) -> None:
        self.resync_count = self.record_count = 0
        store.journal.on_commit.append(self._on_commit)

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, RecordLogged) and entry.direction == "in":
                self.record_count += 1
                self.resync_count += entry.type == "DE"


def find_part(service: MultiService, kind: type[ServicePart]) -> ServicePart:
    """The part of the service that is of this kind."""
    return next(one for one in _all_parts(service) if isinstance(one, kind))


def _all_parts(service: Any) -> Iterator[object]:
    for one in service:
        yield one
        if IServiceCollection.providedBy(one):
            yield from _all_parts(one)
        yield getattr(getattr(one, "_factory", None), "wrappedFactory", None)


async def until(condition: Callable[[], bool], what: str) -> None:
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > WAIT_TIMEOUT_S:
            raise SystemExit(f"not within {WAIT_TIMEOUT_S:g} s: {what}")
        await deferLater(reactor, 0.002, lambda: None)


@contextmanager
def start_subscribers(port: int, number: int) -> Iterator[None]:
    """So many, in a process of their own."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.stream_subscribers", str(port), str(number)]
    ) as process:
        try:
            yield
        finally:
            process.kill()


async def measure_resync(service: MultiService, resyncs: int) -> tuple[float, float, float]:
    """Records a second, and the longest turn and lateness in milliseconds."""
    link = find_part(service, LinkRegistry).get(LINK)
    assert link is not None
    arrived, held = StoredRecords(find_part(service, Store)), LoopBlocking()
    end = held.start()
    begun = time.monotonic()
    link.request_resync()
    await until(lambda: arrived.resync_count == resyncs, "all records are safe")
    rate = arrived.record_count / (time.monotonic() - begun)
    await deferLater(reactor, OBSERVATION_S, lambda: None)
    end()
    return rate, 1000 * held.longest_turn_s, 1000 * held.max_lateness_s


async def measure_rounds(service: MultiService, resyncs: int, number: int, port: int) -> tuple[str, ...]:
    """The row of a table, for so many watchers."""
    stream = find_part(service, ApiSite).api.broadcaster
    with start_subscribers(port, number):
        await until(lambda: len(stream) == number, "all watch")
        done = [await measure_resync(service, resyncs) for _ in range(ROUNDS)]
    await until(lambda: not len(stream), "nobody watches")
    rates, turns, lates = zip(*done, strict=True)
    what = f"{resyncs} × {ROOMS} rooms, {number} watchers"
    return what, format_spread(rates), format_spread(turns, 0, " ms"), format_spread(lates, 0, " ms")


async def run_measurement(folder: Path, resyncs: int) -> list[tuple[str, ...]]:
    """A row for each number of watchers."""
    pms, api = free_port(), free_port()
    folder.mkdir()
    options = Options()  # type: ignore[no-untyped-call]
    options.parseOptions(["--config", str(write_config(folder, api, {LINK: pms}))])
    service = makeService(options)
    with start_module("bench.resync_pms", pms, ROOMS, resyncs, port=pms):
        service.startService()
        try:
            await wait_until_docked(service)
            return [await measure_rounds(service, resyncs, number, api) for number in SUBSCRIBER_COUNTS]
        finally:
            await service.stopService()


async def wait_until_docked(service: MultiService) -> None:
    """Until the first resync is over: the link asks for it by itself."""
    link = find_part(service, LinkRegistry).get(LINK)
    assert link is not None
    link.enable()
    await until(lambda: link.resync.progress.ended is not None, "the first resync is over")
    await find_part(service, Store).journal.wait_idle()


async def measure() -> None:
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
