"""Processes, state directories and tables that several benchmarks use."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import Request, urlopen

from attrs import frozen

DISK_DIR = "/var/tmp"
"""A directory on a disk; /tmp may be in memory."""
WAIT_TIMEOUT_S = 300.0
"""Time after which a condition that is not met ends the benchmark."""
POLL_INTERVAL_S = 0.05
STOP_TIMEOUT_S = 30
"""Time for a process to end before it is killed."""
OUTBOX_LIMIT = 10_000_000
"""A limit that no benchmark reaches."""
LINK = "grand"
POSTINGS_PATH = f"/api/v1/links/{LINK}/postings"
_BIN_DIR = Path(sys.executable).parent


@frozen
class ServerProcess:
    """A process that listens on a port of the loopback interface."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used."""
        ticks = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def state_directory() -> Iterator[Path]:
    """Create a directory on a disk, and delete it afterwards."""
    with tempfile.TemporaryDirectory(prefix="pmslink-bench-", dir=DISK_DIR) as name:
        yield Path(name)


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def write_config(folder: Path, api_port: int, pms_ports: Mapping[str, int], *link_lines: str) -> Path:
    """Write a configuration of disabled links; return its path.

    `pms_ports` gives the port of the PMS by link name. `link_lines` are added to each link.
    """
    lines = [f'state_dir = "{folder / "state"}"', "[api]", f'listen = "tcp:{api_port}:interface=127.0.0.1"']
    for name, port in pms_ports.items():
        lines += [f"[links.{name}]", 'host = "127.0.0.1"', f"port = {port}"]
        lines += ["enabled = false", f"outbox_limit = {OUTBOX_LIMIT}", *link_lines]
    file = folder / "pmslink.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


@contextmanager
def start_twistd(*arguments: object, port: int) -> Iterator[ServerProcess]:
    """Run a `twistd` process that listens on this port; terminate it at the end of the context."""
    with _start_process(_BIN_DIR / "twistd", "-n", "--pidfile=", *arguments, port=port) as server:
        yield server


@contextmanager
def start_module(name: str, *arguments: object, port: int) -> Iterator[ServerProcess]:
    """Run a module as a process that listens on this port; terminate it at the end of the context."""
    with _start_process(sys.executable, "-m", name, *arguments, port=port) as server:
        yield server


@contextmanager
def start_service(folder: Path, pms_port: int = 9) -> Iterator[ServerProcess]:
    """Run pmslink with one disabled link; the port of the process is that of the API."""
    port = free_port()
    config = write_config(folder, port, {LINK: pms_port})
    with start_twistd("pmslink", "--config", config, port=port) as server:
        yield server


@contextmanager
def _start_process(*command: object, port: int) -> Iterator[ServerProcess]:
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until_listening(port, process)
            yield ServerProcess(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the process listens on this port. Raises SystemExit if it ends, or after WAIT_TIMEOUT_S."""
    deadline = time.monotonic() + WAIT_TIMEOUT_S
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{process.args!r} does not listen on port {port}")
            time.sleep(POLL_INTERVAL_S)


def call(port: int, method: str, path: str, body: object = None) -> Any:
    """Call a JSON API, and return the parsed response."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    with urlopen(request, timeout=WAIT_TIMEOUT_S) as response:
        return json.load(response)


def fetch_seconds(url: str) -> float:
    """Return the seconds that a GET takes, with its whole response."""
    started_at = time.monotonic()
    with urlopen(url, timeout=WAIT_TIMEOUT_S) as response:
        response.read()
    return time.monotonic() - started_at


def run_load(*arguments: object) -> dict[str, Any]:
    """Run `bench.posting_load` as a process with these arguments, and return its results."""
    command = [sys.executable, "-m", "bench.posting_load", *map(str, arguments)]
    process = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=WAIT_TIMEOUT_S)
    results: dict[str, Any] = json.loads(process.stdout)
    return results


def format_spread(values: Sequence[float], digits: int = 0, unit: str = "") -> str:
    """Format the median of the rounds, and their range."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{middle}{unit} ({low}–{high})"


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n| {' | '.join((title, *columns))} |\n|{'---|' * (len(columns) + 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
