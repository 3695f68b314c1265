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
    PATIENCE,
    free_port,
    module,
    show,
    spread,
    state_directory,
    write_config,
)
from pmslink.link.link_registry import Links
from pmslink.service import Options, makeService
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import Entry, Recorded
from pmslink.web.site import ApiSite

ROOMS = 1000
ROUNDS = 7
AFTER = 0.5
"""Seconds for which the loop is watched after the last record: watchers are written to then."""
WATCHERS = (0, 20)
REPEATED = 20

reactor: Any = global_reactor
Part = TypeVar("Part")


@define
class Held:
    """How long the reactor did not wait for anything: its longest turn, and how late a timer of 1 ms was."""

    turn: float = 0.0
    late: float = 0.0
    _woken: float = field(factory=time.monotonic)

    def watch(self) -> Callable[[], None]:
        """Begin; gives what ends it."""
        poller = reactor._poller
        reactor._poller = _Watched(poller, self)
        self._probe(None)

        def end() -> None:
            reactor._poller = poller
            self._timer.cancel()

        return end

    def waits(self) -> None:
        self.turn = max(self.turn, time.monotonic() - self._woken)

    def woken(self) -> None:
        self._woken = time.monotonic()

    def _probe(self, planned: float | None) -> None:
        now = time.monotonic()
        if planned is not None:
            self.late = max(self.late, now - planned)
        self._timer = reactor.callLater(0.001, self._probe, now + 0.001)

    _timer: Any = None


class _Watched:
    """A poll object that notes when it is asked to wait, and when it has."""

    def __init__(self, poller: Any, held: Held) -> None:
        self._poller = poller
        self._held = held

    def poll(self, *arguments: Any) -> Any:
        self._held.waits()
        try:
            return self._poller.poll(*arguments)
        finally:
            self._held.woken()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)


class Arrived:
    """Counts the ends of resyncs that are safe on disk."""

    def __init__(self, store: Store) -> None:
        self.ends = self.records = 0
        store.journal.told.append(self._told)

    def _told(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Recorded) and entry.direction == "in":
                self.records += 1
                self.ends += entry.type == "DE"


def part(service: MultiService, kind: type[Part]) -> Part:
    """The part of the service that is of this kind."""
    return next(one for one in _all(service) if isinstance(one, kind))


def _all(service: Any) -> Iterator[object]:
    for one in service:
        yield one
        if IServiceCollection.providedBy(one):
            yield from _all(one)
        yield getattr(getattr(one, "_factory", None), "wrappedFactory", None)


async def until(wanted: Callable[[], bool], what: str) -> None:
    begun = time.monotonic()
    while not wanted():
        if time.monotonic() - begun > PATIENCE:
            raise SystemExit(f"not within {PATIENCE:g} s: {what}")
        await deferLater(reactor, 0.002, lambda: None)


@contextmanager
def watchers(port: int, number: int) -> Iterator[None]:
    """So many, in a process of their own."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.stream_subscribers", str(port), str(number)]
    ) as process:
        try:
            yield
        finally:
            process.kill()


async def one_resync(service: MultiService, resyncs: int) -> tuple[float, float, float]:
    """Records a second, and the longest turn and lateness in milliseconds."""
    link = part(service, Links).get(LINK)
    assert link is not None
    arrived, held = Arrived(part(service, Store)), Held()
    end = held.watch()
    begun = time.monotonic()
    link.request_resync()
    await until(lambda: arrived.ends == resyncs, "all records are safe")
    rate = arrived.records / (time.monotonic() - begun)
    await deferLater(reactor, AFTER, lambda: None)
    end()
    return rate, 1000 * held.turn, 1000 * held.late


async def rounds(service: MultiService, resyncs: int, number: int, port: int) -> tuple[str, ...]:
    """The row of a table, for so many watchers."""
    stream = part(service, ApiSite).api.stream
    with watchers(port, number):
        await until(lambda: len(stream) == number, "all watch")
        done = [await one_resync(service, resyncs) for _ in range(ROUNDS)]
    await until(lambda: not len(stream), "nobody watches")
    rates, turns, lates = zip(*done, strict=True)
    what = f"{resyncs} × {ROOMS} rooms, {number} watchers"
    return what, spread(rates), spread(turns, 0, " ms"), spread(lates, 0, " ms")


async def measured(folder: Path, resyncs: int) -> list[tuple[str, ...]]:
    """A row for each number of watchers."""
    pms, api = free_port(), free_port()
    folder.mkdir()
    options = Options()  # type: ignore[no-untyped-call]
    options.parseOptions(["--config", str(write_config(folder, api, {LINK: pms}))])
    service = makeService(options)
    with module("bench.resync_pms", pms, ROOMS, resyncs, port=pms):
        service.startService()
        try:
            await docked(service)
            return [await rounds(service, resyncs, number, api) for number in WATCHERS]
        finally:
            await service.stopService()


async def docked(service: MultiService) -> None:
    """Until the first resync is over: the link asks for it by itself."""
    link = part(service, Links).get(LINK)
    assert link is not None
    link.enable()
    await until(lambda: link.resync.progress.ended is not None, "the first resync is over")
    await part(service, Store).journal.idle()


async def measure() -> None:
    with state_directory() as folder:
        rows = [row for resyncs in (1, REPEATED) for row in await measured(folder / str(resyncs), resyncs)]
    rows.append(("target", "over 20,000", "under 50 ms", "under 50 ms"))
    show("resyncs", ("records/s on disk", "longest turn", "1 ms timer late"), rows)


if __name__ == "__main__":
    react(lambda _: ensureDeferred(measure()))
