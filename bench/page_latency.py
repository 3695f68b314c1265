"""Latency from a record of the PMS to the changed page: 200 links, 20 subscribers, one of them a browser.

pmslink runs in this process; the simulator, the browser and the other subscribers are separate processes.
The simulator ends one link after another (LE). Its trace gives the time of LE, the browser the time at which
the page has the new marker.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater, react
from twisted.internet.threads import deferToThread

from bench.bench_processes import call, free_port, print_table, start_twistd, state_directory, write_config
from bench.loop_blocking import LoopBlocking
from bench.resync_throughput import find_part, start_subscribers, wait_until
from pmslink.link import controls
from pmslink.link.link_registry import LinkRegistry
from pmslink.service import Options, makeService
from pmslink.web.site import ApiSite

LINK_COUNT = 200
"""As many as the page shows with all their rows in the document."""
SUBSCRIBER_COUNT = 20
FIRST_PORT = 22_000
ENDED_LINKS = 100
PAUSE_S = 0.1
"""Time between the ends of two links."""
SETTLE_S = 3.0
"""Time between the last subscription and the first end of a link."""
COLLECT_S = 2.0
"""Time between the last end of a link and the collection of the changes."""

reactor: Any = global_reactor


@contextmanager
def start_observer(url: str) -> Iterator[subprocess.Popen[str]]:
    """Run `bench.page_observer` as a process; terminate it at the end of the context."""
    command = [sys.executable, "-m", "bench.page_observer", url, str(LINK_COUNT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def next_line(process: subprocess.Popen[str]) -> Deferred[str]:
    """Return the next line that the browser's process prints."""
    assert process.stdout is not None
    line: Deferred[str] = deferToThread(process.stdout.readline)
    return line


async def measure_latencies(control_port: int, observer: subprocess.Popen[str]) -> list[float]:
    """Measure the milliseconds from the LE of the PMS to CLOSED in the page, for one link after another."""
    ports = {
        f"hotel-{number}": FIRST_PORT + number for number in range(0, LINK_COUNT, LINK_COUNT // ENDED_LINKS)
    }
    for port in ports.values():
        await deferToThread(call, control_port, "POST", f"/link/end?port={port}")
        await deferLater(reactor, PAUSE_S, lambda: None)
    await deferLater(reactor, COLLECT_S, lambda: None)
    assert observer.stdin is not None
    print(file=observer.stdin, flush=True)
    closed_at: dict[str, float] = {}
    for name, marker, at in json.loads(await next_line(observer)):
        if marker == "CLOSED":
            closed_at.setdefault(name, at)
    return [
        closed_at[name] - await deferToThread(fetch_end_time, control_port, port)
        for name, port in ports.items()
    ]


def fetch_end_time(control_port: int, port: int) -> float:
    """Return when the property sent LE, in milliseconds since 1970."""
    records = call(control_port, "GET", f"/records?port={port}&limit=1000")["records"]
    end = next(record for record in records if record["direction"] == "out" and record["type"] == "LE")
    return datetime.fromisoformat(end["at"]).timestamp() * 1000


async def run_measurement(folder: Path) -> tuple[list[float], LoopBlocking]:
    """Start all processes and measure; return the latencies, and the blocking of pmslink's event loop."""
    api_port, control_port = free_port(), free_port()
    config = write_config(
        folder, api_port, {f"hotel-{number}": FIRST_PORT + number for number in range(LINK_COUNT)}
    )
    options = Options()  # type: ignore[no-untyped-call]
    options.parseOptions(["--config", str(config)])
    service = makeService(options)
    listen = f"tcp:{FIRST_PORT}:interface=127.0.0.1"
    control = f"tcp:{control_port}:interface=127.0.0.1"
    simulator = ("--listen", listen, "--control", control, "--ports", LINK_COUNT, "--rooms", 5)
    with start_twistd("pmssim", *simulator, port=control_port):
        service.startService()
        try:
            links, stream = find_part(service, LinkRegistry), find_part(service, ApiSite).api.broadcaster
            for link in links:
                controls.enable(link)
            await wait_until(lambda: all(link.session.in_sync for link in links), "all links are in sync")
            with (
                start_subscribers(api_port, SUBSCRIBER_COUNT - 1),
                start_observer(f"http://127.0.0.1:{api_port}/") as observer,
            ):
                assert (await next_line(observer)).strip() == "ready"
                await wait_until(lambda: len(stream) == SUBSCRIBER_COUNT, "all subscribers are connected")
                await deferLater(reactor, SETTLE_S, lambda: None)
                blocking = LoopBlocking()
                stop_observing = blocking.start()
                latencies = await measure_latencies(control_port, observer)
                stop_observing()
            await wait_until(lambda: not len(stream), "all subscribers are disconnected")
        finally:
            await service.stopService()
    return latencies, blocking


async def measure() -> None:
    """Run the measurement and print the table."""
    with state_directory() as folder:
        latencies, blocking = await run_measurement(folder)
    print_table(
        f"{LINK_COUNT} links, {SUBSCRIBER_COUNT} subscribers, {len(latencies)} changes",
        ("measured", "target"),
        [
            ("from LE to the page, median", f"{median(latencies):.0f} ms", "–"),
            ("95th percentile", f"{quantiles(latencies, n=100)[94]:.0f} ms", "under 250 ms"),
            ("longest", f"{max(latencies):.0f} ms", "–"),
            ("longest turn of the event loop", f"{1000 * blocking.longest_turn_s:.0f} ms", "under 50 ms"),
        ],
    )


if __name__ == "__main__":
    react(lambda _: ensureDeferred(measure()))
