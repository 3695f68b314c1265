"""From the PMS's record to the changed page: 500 links, 20 watchers of the stream, one of them a browser.

Of the service that is measured everything runs in this process; the PMS, the browser and the other
watchers have their own. The PMS ends one link after another (LE): its trace says when, and the browser
when the marker in the page was another.
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
from bench.resync_throughput import LoopBlocking, find_part, start_subscribers, until
from pmslink.link.link_registry import LinkRegistry
from pmslink.service import Options, makeService
from pmslink.web.site import ApiSite

LINK_COUNT = 500
SUBSCRIBER_COUNT = 20
FIRST_PORT = 22_000
ENDED_LINKS = 100
PAUSE_S = 0.1
"""Seconds between two ends of links."""

reactor: Any = global_reactor


@contextmanager
def start_observer(url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.page_observer", url, str(LINK_COUNT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def next_line(process: subprocess.Popen[str]) -> Deferred[str]:
    """The next line of the browser's process."""
    assert process.stdout is not None
    line: Deferred[str] = deferToThread(process.stdout.readline)
    return line


async def measure_latencies(control: int, observer: subprocess.Popen[str]) -> list[float]:
    """Milliseconds from the LE of a PMS to CLOSED in the page, for one link after another."""
    ports = {
        f"hotel-{number}": FIRST_PORT + number for number in range(0, LINK_COUNT, LINK_COUNT // ENDED_LINKS)
    }
    for port in ports.values():
        await deferToThread(call, control, "POST", f"/link/end?port={port}")
        await deferLater(reactor, PAUSE_S, lambda: None)
    await deferLater(reactor, 2, lambda: None)
    assert observer.stdin is not None
    print(file=observer.stdin, flush=True)
    seen: dict[str, float] = {}
    for name, marker, at in json.loads(await next_line(observer)):
        if marker == "CLOSED":
            seen.setdefault(name, at)
    return [seen[name] - await deferToThread(ended_at, control, port) for name, port in ports.items()]


def ended_at(control: int, port: int) -> float:
    """When this PMS sent LE, in milliseconds since 1970."""
    records = call(control, "GET", f"/records?port={port}&limit=1000")["records"]
    end = next(one for one in records if one["direction"] == "out" and one["type"] == "LE")
    return datetime.fromisoformat(end["at"]).timestamp() * 1000


async def run_measurement(folder: Path) -> tuple[list[float], LoopBlocking]:
    api, control = free_port(), free_port()
    config = write_config(
        folder, api, {f"hotel-{number}": FIRST_PORT + number for number in range(LINK_COUNT)}
    )
    options = Options()  # type: ignore[no-untyped-call]
    options.parseOptions(["--config", str(config)])
    service = makeService(options)
    listen = f"tcp:{FIRST_PORT}:interface=127.0.0.1"
    simulator = ("--listen", listen, "--control", f"tcp:{control}:interface=127.0.0.1", "--ports", LINK_COUNT)
    with start_twistd("pmssim", "--rooms", 5, *simulator, port=control):
        service.startService()
        try:
            links, stream = find_part(service, LinkRegistry), find_part(service, ApiSite).api.broadcaster
            for link in links:
                link.enable()
            await until(lambda: all(link.session.in_sync for link in links), "all links dock")
            with (
                start_subscribers(api, SUBSCRIBER_COUNT - 1),
                start_observer(f"http://127.0.0.1:{api}/") as looker,
            ):
                assert (await next_line(looker)).strip() == "ready"
                await until(lambda: len(stream) == SUBSCRIBER_COUNT, "all watch")
                await deferLater(reactor, 3, lambda: None)
                held = LoopBlocking()
                end = held.start()
                found = await measure_latencies(control, looker)
                end()
            await until(lambda: not len(stream), "nobody watches")
        finally:
            await service.stopService()
    return found, held


async def measure() -> None:
    with state_directory() as folder:
        found, held = await run_measurement(folder)
    late = quantiles(found, n=100)
    print_table(
        f"{LINK_COUNT} links, {SUBSCRIBER_COUNT} watchers, {len(found)} changes",
        ("measured", "target"),
        [
            ("from LE to the page, median", f"{median(found):.0f} ms", "–"),
            ("95th percentile", f"{late[94]:.0f} ms", "under 250 ms"),
            ("longest", f"{max(found):.0f} ms", "–"),
            ("longest turn of the loop", f"{1000 * held.longest_turn_s:.0f} ms", "under 50 ms"),
        ],
    )


if __name__ == "__main__":
    react(lambda _: ensureDeferred(measure()))
