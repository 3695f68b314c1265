"""3 000 links in this process, docked to one simulator process: time, memory, CPU, and recovery."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater, react

from bench.bench_processes import state_directory
from bench.commit_throughput import open_disk_store
from pmslink.config.link_definition import parse_link
from pmslink.link.link_registry import LinkRegistry

LINK_COUNT = 3000
FIRST_PORT, CONTROL_PORT = 21_000, 20_999
IDLE_S = 60.0
"""Seconds of idling that are measured; each link is checked about twice in them."""
PMS_OUTAGE_S = 10.0
WAIT_TIMEOUT_S = 120.0

reactor: Any = global_reactor


def resident_kib() -> int:
    """KiB of memory that this process holds."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def cpu_seconds() -> float:
    """Seconds of CPU that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def pause(seconds: float) -> Any:
    return deferLater(reactor, seconds, lambda: None)


async def until(condition: Callable[[], bool], what: str) -> float:
    """Seconds until this holds."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > WAIT_TIMEOUT_S:
            raise SystemExit(f"not within {WAIT_TIMEOUT_S:g} s: {what}")
        await pause(0.02)
    return time.monotonic() - begun


def start_simulator() -> subprocess.Popen[bytes]:
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
    """Until the simulator takes connections on its last port, which it opens last but for control."""
    import socket

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", CONTROL_PORT)) == 0

    await until(answers, "the simulator listens")


async def measure(folder: Path) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    simulator = start_simulator()
    try:
        await wait_for_simulator()
        store = open_disk_store(reactor, folder)
        store.startService()
        links = LinkRegistry(reactor, store)
        empty = resident_kib()
        for number in range(LINK_COUNT):
            links.add(parse_link(f"hotel-{number}", {"host": "127.0.0.1", "port": FIRST_PORT + number}))

        def all_docked() -> bool:
            return all(link.session.in_sync for link in links)

        links.startService()
        docking = await until(all_docked, "all links dock")
        await pause(5)
        memory = (resident_kib() - empty) / LINK_COUNT
        before = cpu_seconds()
        await pause(IDLE_S)
        idle = (cpu_seconds() - before) / IDLE_S
        simulator.kill()
        simulator.wait()
        await pause(PMS_OUTAGE_S)
        simulator = start_simulator()
        await wait_for_simulator()
        back = await until(all_docked, "all links are back")
        rows = [
            ("all docked and in sync", f"{docking:.1f} s", "under 10 s"),
            ("memory of a link", f"{memory:.1f} KiB", "under 40 KiB"),
            ("CPU while idle, a check every 30 s", f"{idle:.1%} of a core", "under 8 %"),
            (f"all back after the PMS was away for {PMS_OUTAGE_S:g} s", f"{back:.1f} s", "under 15 s"),
        ]
        print(f"\n| {LINK_COUNT} links of one process | measured | target |\n|---|---|---|")
        for row in rows:
            print("| " + " | ".join(row) + " |")
        await links.stopService()
        await store.stopService()
    finally:
        simulator.kill()
        simulator.wait()


if __name__ == "__main__":
    reactor.seconds = time.monotonic
    with state_directory() as state:
        react(lambda _: ensureDeferred(measure(state)))
