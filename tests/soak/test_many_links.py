"""Many links of one service, through storms of LE, a DNS outage, a full disk and a restart.

All links come back each time, no accepted posting is lost, and the memory does not grow. The scale is that of
CI; PMSLINK_SOAK_LINKS=10000 PMSLINK_SOAK_SECONDS=300 is the large one.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.request import urlopen

import pytest

from tests.process.server_processes import ServerProcess, run_simulator, wait_until
from tests.soak.json_client import CALL_TIMEOUT_S, JsonClient
from tests.soak.mounted_disk import Disk, tmpfs_disk
from tests.soak.name_server_outage import TEST_DOMAIN

pytestmark = [pytest.mark.soak, pytest.mark.debian]

Report = Callable[[str], None]
ROOT = Path(__file__).parents[2]
LINKS = int(os.environ.get("PMSLINK_SOAK_LINKS", "1000"))
DURATION_S = float(os.environ.get("PMSLINK_SOAK_SECONDS", "0"))
"""Seconds for which the faults are repeated; each comes at least once."""
FIRST_PORT = 10_000
LINKS_PER_SIMULATOR = 2500
ROOMS = 10
API_PORT = FIRST_PORT - 1
FIRST_CONTROL_PORT = FIRST_PORT - 20
DISK_MEGABYTES = 64 + LINKS // 10
FREE_BYTES = 256 << 10
SETTINGS = {"retry_initial": 0.5, "retry_max": 5, "start_timeout": 15, "unanswered": "resend"}
ENDED_SHARE = 10
"""One link of so many is ended by its PMS in a storm."""
DNS_OUTAGE_S = 12
FULL_DISK_S = 8
"""Longer than the grace time, after which all links close their connections."""
RECOVERY_LIMIT_S = 120.0
POSTING_PAUSE_S = 0.02
MEMORY_GROWTH = 1.3
"""By how much the memory at the end may exceed that after the first round."""


class ManyLinks:
    """A service with many links, its simulators, and a client that posts to all links in turn."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.folder = folder
        self.disk = disk
        self.api = JsonClient(API_PORT)
        self.dns_is_silent = folder / "dns-is-silent"
        self.accepted: dict[str, tuple[str, int]] = {}  # key: link and id
        self.rejected: Counter[int] = Counter()
        self.service: ServerProcess | None = None
        self._stopping = Event()
        self._poster = Thread(target=self._post, daemon=True)
        self._config = folder / "hotels.toml"
        lines = [f'state_dir = "{disk.path / "state"}"']
        for number in range(LINKS):
            lines += [f"[links.hotel-{number}]", f'host = "hotel-{number}{TEST_DOMAIN}"']
            lines += [f"port = {FIRST_PORT + number}", *(f"{k} = {v!r}" for k, v in SETTINGS.items())]
        self._config.write_text("\n".join(lines) + "\n")

    @property
    def simulators(self) -> dict[int, JsonClient]:
        """The control APIs by the first port of each simulator."""
        firsts = range(FIRST_PORT, FIRST_PORT + LINKS, LINKS_PER_SIMULATOR)
        return {first: JsonClient(FIRST_CONTROL_PORT + at) for at, first in enumerate(firsts)}

    def start(self) -> None:
        launcher = [sys.executable, "-m", "tests.soak.name_server_outage", str(self.dns_is_silent)]
        api = f"tcp:{API_PORT}:interface=127.0.0.1"
        self.service = ServerProcess(
            ["pmslink", "--config", str(self._config), "--api", api],
            API_PORT,
            self.folder,
            prefix=launcher,
            environment={"PYTHONPATH": str(ROOT)},
        )

    def stop(self) -> None:
        if self.service is not None:
            service, self.service = self.service, None
            service.prefix = []
            try:
                service.terminate()
            finally:
                service.kill()

    def start_posting(self) -> None:
        self._poster.start()

    def stop_posting(self) -> None:
        self._stopping.set()
        self._poster.join(60)

    def _post(self) -> None:
        """Post to a random link again and again; repeat each posting until it is accepted."""
        chance, number = random.Random(0), 0
        while not self._stopping.is_set():
            link, key = f"hotel-{chance.randrange(LINKS)}", f"call-{number}"
            number += 1
            body = {"type": "call", "room": "101", "dialled": "0301234", "duration": 60, "amount": number}
            while not self._stopping.is_set():
                path = f"/api/v1/links/{link}/postings"
                answer = self.api.call("POST", path, body, {"Idempotency-Key": key})
                if answer is not None and answer[0] in (200, 202):
                    self.accepted[key] = link, answer[1]["id"]
                    break
                self.rejected[0 if answer is None else answer[0]] += 1
                self._stopping.wait(0.2)
            self._stopping.wait(POSTING_PAUSE_S)

    def groups(self) -> dict[str, int]:
        answer = self.api.call("GET", "/api/v1/status")
        return {} if answer is None else answer[1]["groups"]

    def wait_until_in_sync(self, what: str) -> float:
        """Wait until every link is in sync; return the seconds that it took."""
        started_at = time.monotonic()

        def all_in_sync() -> bool:
            groups = self.groups()
            return groups.get("connected", 0) + groups.get("look", 0) == LINKS

        wait_until(all_in_sync, f"all links are in sync after {what}: {self.groups()}", RECOVERY_LIMIT_S)
        return time.monotonic() - started_at

    def end_some_links(self) -> None:
        """Let the PMSs of some links send LE, and wait until all of these links have closed."""
        closed_before, ended = self.closed_count(), range(0, LINKS, ENDED_SHARE)
        for number in ended:
            port = FIRST_PORT + number
            first = max(first for first in self.simulators if first <= port)
            answer = self.simulators[first].call("POST", f"/link/end?port={port}")
            assert answer is not None
            assert answer[0] == 200, answer
        wait_until(lambda: self.closed_count() >= closed_before + len(ended), "the links have closed")

    def closed_count(self) -> float:
        """Return how often links have become CLOSED since the start of the service."""
        with urlopen(f"http://127.0.0.1:{API_PORT}/metrics", timeout=CALL_TIMEOUT_S) as response:
            samples = response.read().decode().splitlines()
        changes = [sample for sample in samples if sample.startswith("pmslink_state_changes_total{")]
        return sum(float(sample.rpartition(" ")[2]) for sample in changes if 'to="CLOSED"' in sample)

    def resident_mib(self) -> float:
        assert self.service is not None
        status = Path(f"/proc/{self.service.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def unfinished_postings(self) -> list[Any]:
        """Return the accepted postings that are missing, or are still to be sent."""
        unfinished = []
        for link, id in self.accepted.values():
            answer = self.api.call("GET", f"/api/v1/links/{link}/postings/{id}")
            if answer is None or answer[0] != 200 or answer[1]["state"] in ("pending", "sent"):
                unfinished.append((link, id, answer))
        return unfinished


@pytest.fixture
def many(tmp_path: Path) -> Iterator[ManyLinks]:
    with tmpfs_disk(tmp_path, DISK_MEGABYTES) as disk, run_many_links(tmp_path, disk) as links:
        yield links


@contextmanager
def run_many_links(folder: Path, disk: Disk) -> Iterator[ManyLinks]:
    many = ManyLinks(folder, disk)
    with ExitStack() as simulators:
        for first, control in many.simulators.items():
            ports = min(LINKS_PER_SIMULATOR, FIRST_PORT + LINKS - first)
            simulators.enter_context(run_simulator(folder, first, control.port, ports=ports, rooms=ROOMS))
        try:
            yield many
        finally:
            many.stop_posting()
            if many.service is not None:
                many.service.kill()


def test_many_links_survive_storms_a_dns_outage_a_full_disk_and_a_restart(
    many: ManyLinks, report: Report
) -> None:
    many.start()
    seconds: dict[str, list[float]] = {"start": [many.wait_until_in_sync("the start")]}
    many.start_posting()
    memory_mib: list[float] = []
    ends_at = time.monotonic() + DURATION_S
    faults: dict[str, Callable[[ManyLinks], None]] = {
        "LE storm": ManyLinks.end_some_links,
        "DNS outage": silence_dns,
        "full disk": fill_disk,
    }
    while not memory_mib or time.monotonic() < ends_at:
        for name, cause in faults.items():
            cause(many)
            seconds.setdefault(name, []).append(many.wait_until_in_sync(name))
        memory_mib.append(many.resident_mib())
    many.stop()
    many.start()
    seconds["restart"] = [many.wait_until_in_sync("the restart")]
    many.stop_posting()
    wait_until(lambda: not many.unfinished_postings(), "every accepted posting has its fate", 120)
    many.stop()
    assert max(memory_mib) <= MEMORY_GROWTH * memory_mib[0]
    spent = ", ".join(f"{name} {max(values):.1f} s" for name, values in seconds.items())
    report(
        f"{LINKS} links, {len(memory_mib)} rounds, longest recoveries: {spent}; "
        f"{len(many.accepted)} postings accepted, none lost; {memory_mib[0]:.0f} to {memory_mib[-1]:.0f} MiB"
    )


def silence_dns(many: ManyLinks) -> None:
    """Let no name server answer, and the PMSs end some links, which are then looked up in vain."""
    many.dns_is_silent.touch()
    many.end_some_links()
    time.sleep(DNS_OUTAGE_S)
    in_sync = many.groups()
    assert in_sync["down"] >= LINKS // ENDED_SHARE, in_sync
    assert in_sync["connected"] + in_sync["look"] >= LINKS // 2, f"links in use were dropped: {in_sync}"
    many.dns_is_silent.unlink()


def fill_disk(many: ManyLinks) -> None:
    """Fill the disk until all links have closed their connections, and free it again."""
    ballast = many.disk.path / "ballast"
    with ballast.open("wb") as file:
        while (excess := many.disk.free_bytes() - FREE_BYTES) > 0:
            file.write(bytes(min(excess, 1 << 20)))
            file.flush()
    wait_until(lambda: not many.api.get("/api/v1/status")["store"]["ok"], "the status shows the failure", 60)
    time.sleep(FULL_DISK_S)
    wait_until(lambda: many.groups().get("down") == LINKS, "all links have closed their connections", 60)
    ballast.unlink()
