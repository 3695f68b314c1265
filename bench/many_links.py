"""3 000 links in one process, docked to one simulator process: time, memory, CPU, and recovery."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater, react

from bench.bench_processes import print_table, state_directory
from bench.commit_throughput import open_disk_store
from pmslink.config.link_definition import parse_link
from pmslink.file_descriptors import raise_descriptor_limit
from pmslink.link.link_registry import LinkRegistry

LINK_COUNT = 3000
FIRST_PORT, CONTROL_PORT = 21_000, 20_999
IDLE_S = 60.0
"""Measured time without changes; each link sends about two link checks in it."""
SETTLE_S = 5.0
"""Time between docking and the measurement of memory."""
PMS_OUTAGE_S = 10.0
WAIT_TIMEOUT_S = 120.0

reactor: Any = global_reactor


def resident_kib() -> int:
    """Return the resident memory of this process in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def cpu_seconds() -> float:
    """Return the CPU time that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def pause(seconds: float) -> Any:
    """Return a Deferred that fires after this time."""
    return deferLater(reactor, seconds, lambda: None)


async def wait_until(condition: Callable[[], bool], description: str) -> float:
    """Wait until the condition is true, and return the time taken. Raises SystemExit after WAIT_TIMEOUT_S."""
    started_at = time.monotonic()
    while not condition():
        if time.monotonic() - started_at > WAIT_TIMEOUT_S:
            raise SystemExit(f"not within {WAIT_TIMEOUT_S:g} s: {description}")
        await pause(0.02)
    return time.monotonic() - started_at


def start_simulator() -> subprocess.Popen[bytes]:
    """Start the simulator process with one port for each link."""
    return subprocess.Popen(
        [
            Path(sys.executable).parent / "twistd", "-n", "--pidfile=", "pmssim", "--rooms", "10",
            "--listen", f"tcp:{FIRST_PORT}:interface=127.0.0.1", "--ports", str(LINK_COUNT),
            "--control", f"tcp:{CONTROL_PORT}:interface=127.0.0.1",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


async def wait_for_simulator() -> None:
    """Wait until the simulator listens; it opens the port of the control API after those of the links."""

    def is_listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", CONTROL_PORT)) == 0

    await wait_until(is_listening, "the simulator listens")


async def measure(folder: Path) -> None:
    """Dock all links, measure, and print the table."""
    raise_descriptor_limit()
    simulator = start_simulator()
    try:
        await wait_for_simulator()
        store = open_disk_store(reactor, folder)
        store.startService()
        links = LinkRegistry(reactor, store)
        memory_before_kib = resident_kib()
        for number in range(LINK_COUNT):
            links.add(parse_link(f"hotel-{number}", {"host": "127.0.0.1", "port": FIRST_PORT + number}))
        links.startService()
        docking_s = await wait_until_in_sync(links)
        await pause(SETTLE_S)
        link_kib = (resident_kib() - memory_before_kib) / LINK_COUNT
        cpu_before_s = cpu_seconds()
        await pause(IDLE_S)
        idle_ratio = (cpu_seconds() - cpu_before_s) / IDLE_S
        simulator.kill()
        simulator.wait()
        await pause(PMS_OUTAGE_S)
        simulator = start_simulator()
        await wait_for_simulator()
        recovery_s = await wait_until_in_sync(links)
        print_table(
            f"{LINK_COUNT} links of one process",
            ("measured", "target"),
            [
                ("all docked and in sync", f"{docking_s:.1f} s", "under 10 s"),
                ("memory of a link", f"{link_kib:.1f} KiB", "under 40 KiB"),
                ("CPU while idle, a link check every 30 s", f"{idle_ratio:.1%} of a core", "under 8 %"),
                (
                    f"all in sync after a PMS outage of {PMS_OUTAGE_S:g} s",
                    f"{recovery_s:.1f} s",
                    "under 15 s",
                ),
            ],
        )
        await links.stopService()
        await store.stopService()
    finally:
        simulator.kill()
        simulator.wait()


async def wait_until_in_sync(links: LinkRegistry) -> float:
    """Wait until all links are in sync, and return the time taken."""
    return await wait_until(lambda: all(link.session.in_sync for link in links), "all links are in sync")


if __name__ == "__main__":
    reactor.seconds = time.monotonic
    with state_directory() as state:
        react(lambda _: ensureDeferred(measure(state)))
