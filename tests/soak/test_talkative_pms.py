"""A PMS that sends long records as fast as they are taken fills no disk and slows no other link (case E5)."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.process.server_processes import FAST_TIMINGS, ServiceProcess, free_ports, run_simulator, wait_until
from tests.soak.guest_arrivals import GuestArrivals, checked_in_names
from tests.soak.json_client import JsonClient
from tests.soak.mounted_disk import tmpfs_disk

pytestmark = [pytest.mark.soak, pytest.mark.debian]

Report = Callable[[str], None]
DISK_MEGABYTES = 40
SENT_BYTES = 4 * DISK_MEGABYTES << 20
"""Bytes that the talkative PMS sends during the test."""
MIN_FREE_BYTES = 8 << 20
"""The store with its write-ahead log takes the rest of the disk at most, with a budget of 5 MiB."""
MIN_FREE_BYTES_OF_ANY_BUDGET = 2 << 20
"""The same with a budget that is larger than the disk: a quarter of it, but for what is being written."""


class TalkativePms:
    """A PMS that docks, answers LS, and sends records of 16 KiB without a pause."""

    def __init__(self, port: int) -> None:
        self._server = socket.create_server(("127.0.0.1", port))
        self._stopping = Event()
        self._thread = Thread(target=self._serve, daemon=True)
        self.sent_bytes = 0
        self.connections = 0
        self._thread.start()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                try:
                    self._talk(connection)
                except OSError:
                    continue

    def _talk(self, connection: socket.socket) -> None:
        def send(text: str) -> None:
            connection.sendall(b"\x02" + text.encode() + b"\x03")

        send("LS|DA261130|TI120000|")
        received = b""
        while b"LA|" not in received:  # the end of the link description
            received += connection.recv(4096)
        send("LA|DA261130|TI120000|")
        connection.setblocking(True)
        number = 0
        while not self._stopping.is_set():
            number += 1
            text = f"XL|RN101|MT{number} {'x' * 16_000}|"
            send(text)
            self.sent_bytes += len(text)
            connection.setblocking(False)
            try:
                received = connection.recv(65536)
            except BlockingIOError:
                received = b""
            connection.setblocking(True)
            for _ in range(received.count(b"\x02LS|")):
                send("LA|DA261130|TI120000|")

    def stop(self) -> None:
        self._stopping.set()
        self._server.close()
        self._thread.join(30)


@contextmanager
def run_two_links(
    folder: Path, state_dir: Path, budget_mb: int
) -> Iterator[tuple[ServiceProcess, Any, TalkativePms]]:
    """Run a service with the link grand to a simulator, and the link noisy to a talkative PMS."""
    pms_port, control, api, noisy_port = free_ports(4)
    links: dict[str, dict[str, object]] = {
        "grand": {"port": pms_port, **FAST_TIMINGS},
        "noisy": {"port": noisy_port, "store_budget_mb": budget_mb},
    }
    config = folder / "hotel.toml"
    config.write_text(
        "".join(
            f"[links.{name}]\nhost = '127.0.0.1'\n"
            + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
            for name, settings in links.items()
        )
    )
    arguments = ["pmslink", "--config", str(config), "--state-dir", str(state_dir)]
    with run_simulator(folder, pms_port, control) as pms:
        noisy = TalkativePms(noisy_port)
        service = ServiceProcess([*arguments, "--api", f"tcp:{api}:interface=127.0.0.1"], api, folder)
        try:
            service.wait_until_state("ESTABLISHED")
            yield service, pms, noisy
            service.terminate()
        finally:
            noisy.stop()
            service.kill()


@pytest.mark.parametrize(
    ("budget_mb", "variant", "min_free_bytes"),
    [(5, "budget", MIN_FREE_BYTES), (200, "disk", MIN_FREE_BYTES_OF_ANY_BUDGET)],
    ids=["small-budget", "small-disk"],
)
def test_e5_a_talkative_pms_fills_no_disk_and_slows_no_other_link(
    budget_mb: int, variant: str, min_free_bytes: int, tmp_path: Path, report: Report
) -> None:
    with (
        tmpfs_disk(tmp_path, DISK_MEGABYTES) as disk,
        run_two_links(tmp_path, disk.path / "state", budget_mb) as (service, pms, noisy),
    ):
        arrivals = GuestArrivals(JsonClient(pms.port), 0.05)
        arrivals.start()
        free_bytes = [disk.free_bytes()]

        def has_sent_all() -> bool:
            free_bytes.append(disk.free_bytes())
            status = service.call("GET", "/api/v1/status")
            assert status is None or status["store"]["ok"], status
            return noisy.sent_bytes >= SENT_BYTES

        wait_until(has_sent_all, f"the PMS has sent {SENT_BYTES} bytes")
        before = len(arrivals.guest_names)
        wait_until(lambda: len(arrivals.guest_names) > before, "guests check in while the PMS goes on")
        arrivals.stop()
        names = arrivals.guest_names
        client = JsonClient(service.port)
        wait_until(lambda: checked_in_names(client)[-1:] == names[-1:], "the last guest has an event")
        assert checked_in_names(client) == names
        links = {link["name"]: link for link in service.call("GET", "/api/v1/links")["links"]}
        assert service.stored_states().count("EXPECTION") == 0
        assert links["noisy"]["state"] == "ESTABLISHED"
        assert noisy.connections == 1
        hints = {hint["code"]: hint["params"] for hint in links["noisy"]["hints"]}
        assert hints["records"]["variant"] == variant
        assert links["grand"]["hints"] == []
        assert min(free_bytes) > min_free_bytes
        assert service.log.read_text().count("their text is not stored") == 1
    report(
        f"{noisy.sent_bytes >> 20} MiB sent, {min(free_bytes) >> 20} of {DISK_MEGABYTES} MiB free at least, "
        f"{len(names)} check-ins at the other link"
    )
