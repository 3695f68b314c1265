"""What several measurements need: processes of their own, state on a real disk, and how figures are shown."""

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
"""A directory that is kept in memory nowhere, unlike /tmp."""
WAIT_TIMEOUT_S = 300.0
"""Seconds after which what should have happened ends the measurement."""
LINK = "grand"
POSTINGS_PATH = f"/api/v1/links/{LINK}/postings"
_BIN_DIR = Path(sys.executable).parent


@frozen
class ServerProcess:
    """A process that listens on a port."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Seconds of CPU that it has used."""
        used = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()[11:13]
        return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def state_directory() -> Iterator[Path]:
    """A directory on a disk, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pmslink-bench-", dir=DISK_DIR) as name:
        yield Path(name)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def write_config(folder: Path, api: int, links: Mapping[str, int], *more: str) -> Path:
    """A configuration of links that are disabled, by name with the port of their PMS; each with `more`."""
    lines = [f'state_dir = "{folder / "state"}"', "[api]", f'listen = "tcp:{api}:interface=127.0.0.1"']
    for name, port in links.items():
        lines += [f"[links.{name}]", 'host = "127.0.0.1"', f"port = {port}"]
        lines += ["enabled = false", "outbox_limit = 10000000", *more]
    file = folder / "pmslink.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


@contextmanager
def start_twistd(*arguments: object, port: int) -> Iterator[ServerProcess]:
    """A process of `twistd`, which listens on this port, until it is left."""
    with _start_process(_BIN_DIR / "twistd", "-n", "--pidfile=", *arguments, port=port) as served:
        yield served


@contextmanager
def start_module(name: str, *arguments: object, port: int) -> Iterator[ServerProcess]:
    """A module of the benchmarks as a process, which listens on this port, until it is left."""
    with _start_process(sys.executable, "-m", name, *arguments, port=port) as served:
        yield served


@contextmanager
def start_service(folder: Path, pms: int = 9) -> Iterator[ServerProcess]:
    """The service with one link, which is disabled; the port is the interface's."""
    api = free_port()
    with start_twistd("pmslink", "--config", write_config(folder, api, {LINK: pms}), port=api) as served:
        yield served


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
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that will listen on this port."""
    deadline = time.monotonic() + WAIT_TIMEOUT_S
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{process.args!r} does not listen on port {port}")
            time.sleep(0.05)


def call(port: int, method: str, path: str, body: object = None) -> Any:
    """The JSON that an interface answers."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    with urlopen(request, timeout=WAIT_TIMEOUT_S) as answer:
        return json.load(answer)


def run_load(*arguments: object) -> dict[str, Any]:
    """What callers in a process of their own have measured; see `bench.posting_load`."""
    command = [sys.executable, "-m", "bench.posting_load", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=WAIT_TIMEOUT_S)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def format_spread(figures: Sequence[float], digits: int = 0, unit: str = "") -> str:
    """The median of the rounds, and the range they were in."""
    low, middle, high = (f"{one:,.{digits}f}" for one in (min(figures), median(figures), max(figures)))
    return f"{middle}{unit} ({low}–{high})"


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    print(f"\n| {' | '.join((title, *columns))} |\n|{'---|' * (len(columns) + 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
