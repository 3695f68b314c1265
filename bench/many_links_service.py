"""A service with many links, measured from inside: docking, idling, an outage of all PMSs, large responses.

python -m bench.many_links_service LINKS

`bench.many_links` runs this once for each number of links, each in a process of its own. It prints its
figures as JSON, and each of them on the standard error as soon as it is known.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from attrs import asdict, define, field
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater, react
from twisted.internet.threads import deferToThread

from bench.bench_processes import fetch_seconds, free_port, start_twistd, state_directory
from bench.loop_blocking import LoopBlocking
from bench.resync_throughput import find_part, start_subscribers, wait_until
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.state_history import Transition
from pmslink.service import Options, makeService
from pmslink.web.site import ApiSite

FIRST_PORT = 10_000
FIRST_CONTROL_PORT = FIRST_PORT - 10
LINKS_PER_SIMULATOR = 2500
ROOMS = 10
SETTLE_S = 12.0
"""Seconds after docking, and after the first resyncs, in which the last writes are stored."""
IDLE_S = 30.0
OUTAGE_S = 15.0
REQUESTS = 10
SUBSCRIBERS = 100
MAX_STREAMED_LINKS = 1000
"""With more links, streams are not measured: 100 of them receive a gigabyte."""
PMS_CAUSES = {"lost", "refused", "displaced"}
"""Causes of a state that a killed PMS brings about."""
PAGE_QUERIES = ("limit=100", "limit=100&order=attention", "limit=100&group=connected", "limit=100&q=hotel-9")

reactor: Any = global_reactor


@define
class Figures:
    """What is measured; times in seconds, memory in KiB."""

    start_s: float = 0.0
    resyncs_s: float = 0.0
    cpu_per_docking_s: float = 0.0
    docking_requests_s: list[float] = field(factory=list)
    link_kib: float = 0.0
    idle_ratio: float = 0.0
    recovery_s: float = 0.0
    cpu_per_recovery_s: float = 0.0
    recovery_requests_s: list[float] = field(factory=list)
    own_drops: dict[str, int] = field(factory=dict)
    """Links that the service itself dropped, by cause."""
    page_s: dict[str, float] = field(factory=dict)
    """The fastest response for each query of the list of links."""
    idle_turn_s: float = 0.0
    """The longest turn of the event loop in as much time without a request."""
    metrics_s: float = 0.0
    metrics_turn_s: float = 0.0
    subscribers_s: float = 0.0
    subscribers_turn_s: float = 0.0


class LinkDrops:
    """Count the links that become abnormal for another reason than a PMS that went away."""

    def __init__(self, links: LinkRegistry) -> None:
        self.by_cause: Counter[str] = Counter()
        links.subscribe(self._on_change)

    def _on_change(self, link: Link, transition: Transition | None) -> None:
        if transition is not None and transition.new == "EXPECTION":
            code = transition.cause.code
            if code not in PMS_CAUSES:
                self.by_cause[code] += 1


def write_links(folder: Path, api_port: int, count: int) -> Path:
    """Write a configuration of so many enabled links."""
    lines = [f'state_dir = "{folder / "state"}"', "[api]", f'listen = "tcp:{api_port}:interface=127.0.0.1"']
    for number in range(count):
        lines += [f"[links.hotel-{number}]", 'host = "127.0.0.1"', f"port = {FIRST_PORT + number}"]
    file = folder / "pmslink.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


@contextmanager
def start_simulators(count: int) -> Iterator[None]:
    """Run simulators with one port for each link, at most LINKS_PER_SIMULATOR in one process."""
    with ExitStack() as processes:
        for first in range(0, count, LINKS_PER_SIMULATOR):
            # not a free port of the ephemeral range, which the dials of the links use up
            control_port = FIRST_CONTROL_PORT + first // LINKS_PER_SIMULATOR
            listen = f"tcp:{FIRST_PORT + first}:interface=127.0.0.1"
            control = f"tcp:{control_port}:interface=127.0.0.1"
            ports = min(LINKS_PER_SIMULATOR, count - first)
            simulator = ("--listen", listen, "--control", control, "--ports", ports, "--rooms", ROOMS)
            processes.enter_context(start_twistd("pmssim", *simulator, port=control_port))
        yield


class RepeatedRequests:
    """Request a URL all the time from another process."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "bench.cheap_requests", url]
        self._client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    async def end(self) -> list[float]:
        """Return the seconds of each request. The last one still needs the reactor of this process."""
        output, _ = await deferToThread(self._client.communicate)
        seconds: list[float] = json.loads(output)
        return seconds


def cpu_seconds() -> float:
    """Return the CPU time that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_kib() -> int:
    """Return the resident memory of this process in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


class Measurement:
    """The measurement of one service."""

    def __init__(self, folder: Path, count: int) -> None:
        self.count = count
        self.figures = Figures()
        api_port = free_port()
        self.api_port, self.url = api_port, f"http://127.0.0.1:{api_port}"
        options = Options()  # type: ignore[no-untyped-call]
        options.parseOptions(["--config", str(write_links(folder, api_port, count))])
        self.service = makeService(options)
        self.links = find_part(self.service, LinkRegistry)
        self.drops = LinkDrops(self.links)

    async def run(self) -> None:
        """Measure everything, one after the other."""
        try:
            with ExitStack() as simulators:
                await deferToThread(simulators.enter_context, start_simulators(self.count))
                for measure in (
                    self._measure_start,
                    self._measure_idling,
                    self._measure_pages,
                    self._measure_metrics,
                    self._measure_subscribers,
                ):
                    await measure()
                    self._print_progress()
            await self._measure_recovery()
        finally:
            await self.service.stopService()
        self.figures.own_drops = dict(self.drops.by_cause)

    def _print_progress(self) -> None:
        known = {name: value for name, value in asdict(self.figures).items() if isinstance(value, float)}
        print(self.count, known, dict(self.drops.by_cause), file=sys.stderr, flush=True)

    async def _measure_start(self) -> None:
        figures, memory_before_kib, cpu_before_s = self.figures, resident_kib(), cpu_seconds()
        started_at = time.monotonic()
        self.service.startService()
        requests = RepeatedRequests(f"{self.url}/api/v1/links/hotel-0")
        await self._wait_until_in_sync()
        figures.start_s = time.monotonic() - started_at
        await wait_until(
            lambda: all(link.resync.progress.ended is not None for link in self.links),
            "all first resyncs have ended",
        )
        figures.resyncs_s = time.monotonic() - started_at
        await pause(SETTLE_S)
        figures.docking_requests_s = await requests.end()
        figures.cpu_per_docking_s = (cpu_seconds() - cpu_before_s) / self.count
        figures.link_kib = (resident_kib() - memory_before_kib) / self.count

    async def _measure_idling(self) -> None:
        cpu_before_s = cpu_seconds()
        await pause(IDLE_S)
        self.figures.idle_ratio = (cpu_seconds() - cpu_before_s) / IDLE_S

    async def _measure_pages(self) -> None:
        for query in PAGE_QUERIES:
            url = f"{self.url}/api/v1/links?{query}"
            seconds = [await deferToThread(fetch_seconds, url) for _ in range(REQUESTS)]
            self.figures.page_s[query] = min(seconds)

    async def _measure_metrics(self) -> None:
        idle = LoopBlocking()
        stop_observing = idle.start()
        await pause(2)
        stop_observing()
        self.figures.idle_turn_s = idle.longest_turn_s
        blocking = LoopBlocking()
        stop_observing = blocking.start()
        self.figures.metrics_s = await deferToThread(fetch_seconds, f"{self.url}/metrics")
        stop_observing()
        self.figures.metrics_turn_s = blocking.longest_turn_s

    async def _measure_subscribers(self) -> None:
        if self.count > MAX_STREAMED_LINKS:
            return
        stream = find_part(self.service, ApiSite).api.broadcaster
        blocking = LoopBlocking()
        stop_observing = blocking.start()
        started_at = time.monotonic()
        with start_subscribers(self.api_port, SUBSCRIBERS):
            await wait_until(lambda: len(stream) == SUBSCRIBERS, "all subscribers are connected")
            await wait_until(lambda: not stream.is_writing, "all subscribers have the links")
            self.figures.subscribers_s = time.monotonic() - started_at
            stop_observing()
        self.figures.subscribers_turn_s = blocking.longest_turn_s
        await wait_until(lambda: not len(stream), "all subscribers are disconnected")

    async def _measure_recovery(self) -> None:
        await pause(OUTAGE_S)
        with ExitStack() as simulators:
            cpu_before_s = cpu_seconds()
            await deferToThread(simulators.enter_context, start_simulators(self.count))
            started_at = time.monotonic()
            requests = RepeatedRequests(f"{self.url}/api/v1/links/hotel-0")
            await self._wait_until_in_sync()
            self.figures.recovery_s = time.monotonic() - started_at
            await pause(SETTLE_S)
            self.figures.recovery_requests_s = await requests.end()
            self.figures.cpu_per_recovery_s = (cpu_seconds() - cpu_before_s) / self.count

    async def _wait_until_in_sync(self) -> None:
        await wait_until(lambda: all(link.session.in_sync for link in self.links), "all links are in sync")


def pause(seconds: float) -> Any:
    """Return a Deferred that fires after this time."""
    return deferLater(reactor, seconds, lambda: None)


async def measure(count: int) -> None:
    """Measure a service with so many links, and print its figures."""
    with state_directory() as folder:
        measurement = Measurement(folder, count)
        await measurement.run()
    print(json.dumps(asdict(measurement.figures)))


if __name__ == "__main__":
    link_count = int(sys.argv[1])
    react(lambda _: ensureDeferred(measure(link_count)))
