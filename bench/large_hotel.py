"""How long the service answers others later while a large hotel is resynced, and while its rooms are read.

Usage: python -m bench.large_hotel [GUESTS ...]
"""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError

from bench.bench_processes import (
    LINK,
    call,
    free_port,
    print_table,
    start_twistd,
    state_directory,
    write_config,
)
from pmslink.hotel.hotel_state import MAX_GUESTS

ROOMS_PATH = f"/api/v1/links/{LINK}/rooms"
READERS = 3
"""Clients that read all rooms at the same time."""


class LargePms:
    """A PMS that starts the link, and sends all guests in a resync."""

    def __init__(self, guests: int) -> None:
        self._guest_records = [
            f"GI|RN{number}|G#{number}|GNSmith {number}|GFAnn|GLEA|GA261119|GD261125|GSN|SF|"
            for number in range(1, guests + 1)
        ]
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.has_sent = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        self._send(connection, "LS|DA261120|TI070000|")
        received = b""
        while b"\x02LA|" not in received:
            received += connection.recv(65536)
        self._send(connection, "LA|DA261120|TI070000|", "DS|DA261120|TI070001|")
        self._send(connection, *self._guest_records, "DE|DA261120|TI070002|")
        self.has_sent.set()
        with suppress(ConnectionError):
            while connection.recv(65536):
                pass

    def _send(self, connection: socket.socket, *records: str) -> None:
        connection.sendall(b"".join(b"\x02" + record.encode() + b"\x03" for record in records))


@contextmanager
def observe_health(port: int) -> Iterator[list[float]]:
    """Call /healthz every few milliseconds; the list gets the seconds of each call."""
    latencies: list[float] = []
    stopped = threading.Event()

    def observe() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while not stopped.is_set():
            before = time.monotonic()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            latencies.append(time.monotonic() - before)
            time.sleep(0.005)

    thread = threading.Thread(target=observe)
    thread.start()
    try:
        yield latencies
    finally:
        stopped.set()
        thread.join()


def start_reader(port: int) -> subprocess.Popen[bytes]:
    """Start a process that reads all rooms: a thread of this one would delay those that observe."""
    program = f"from urllib.request import urlopen; urlopen('http://127.0.0.1:{port}{ROOMS_PATH}').read()"
    return subprocess.Popen([sys.executable, "-c", program])


def wait_until(condition: Callable[[], object]) -> None:
    """Poll a condition."""
    while not condition():
        time.sleep(0.1)


def measure(guests: int) -> list[str]:
    """Return the row of the table for a hotel with this many guests."""
    pms, port = LargePms(guests), free_port()
    with state_directory() as folder:
        config = write_config(folder, port, {LINK: pms.port})
        with start_twistd("pmslink", "--config", config, port=port) as service:
            started = time.monotonic()
            with observe_health(port) as during_resync:
                call(port, "POST", f"/api/v1/links/{LINK}/enable")
                wait_until(pms.has_sent.is_set)
                wait_until(lambda: call(port, "GET", f"/api/v1/links/{LINK}")["resync"]["ended"])
                wait_until(lambda: is_stored(port, min(guests, MAX_GUESTS)))
            resync_s = time.monotonic() - started
            cpu_s = service.cpu_seconds()
            with observe_health(port) as during_reads:
                started = time.monotonic()
                for reader in [start_reader(port) for _ in range(READERS)]:
                    reader.wait()
                read_s = time.monotonic() - started
            rooms = len(call(port, "GET", ROOMS_PATH)["rooms"])
            not_understood = call(port, "GET", f"/api/v1/links/{LINK}")["not_understood"]["records"]
            status = Path(f"/proc/{service.pid}/status").read_text()
            memory_mb = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    return [
        f"{guests:,}",
        f"{rooms:,}",
        f"{not_understood:,}",
        f"{resync_s:.1f} s ({cpu_s:.1f} s CPU)",
        _format_latencies(during_resync),
        f"{read_s:.1f} s",
        _format_latencies(during_reads),
        f"{memory_mb} MB",
    ]


def is_stored(port: int, room: int) -> bool:
    """Return whether the service knows a room."""
    try:
        return bool(call(port, "GET", f"/api/v1/links/{LINK}/rooms/{room}"))
    except HTTPError:
        return False


def _format_latencies(latencies: list[float]) -> str:
    ordered = sorted(latencies)
    return f"{1000 * ordered[len(ordered) // 2]:.0f} / {1000 * ordered[-1]:.0f} ms"


def main() -> None:
    """Measure, and print a table."""
    sizes = list(map(int, sys.argv[1:])) or [1000, 20_000, 62_000]
    columns = (
        "rooms",
        "ignored",
        "resync",
        "/healthz: median, max",
        f"{READERS} reads",
        "/healthz",
        "memory",
    )
    print_table("guests", columns, [measure(guests) for guests in sizes])


if __name__ == "__main__":
    main()
