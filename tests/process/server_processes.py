"""The service and the simulator as processes: start them, call their HTTP APIs, stop them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import glob
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

BIN_DIR = Path(sys.executable).parent
WAIT_TIMEOUT_S = 120.0
"""Seconds that a test waits for a condition. The limit is high, so that only a hung process reaches it."""
STOP_TIMEOUT_S = 120.0
"""Seconds that a process may take to stop after SIGTERM."""
CALL_TIMEOUT_S = 5
"""Seconds that one HTTP call may take; a call that takes longer counts as no answer."""

FAST_TIMINGS = {
    "alive_interval": 1,
    "alive_timeout": 3,
    "start_timeout": 3,
    "retry_initial": 0.5,
    "retry_max": 1,
}


_worker_number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_candidate_ports = (20_000 + 4_000 * _worker_number + number % 4_000 for number in count(97 * os.getpid()))
"""Ports below the kernel's ephemeral range. Each worker has a range of its own, and each run of the tests
starts at another port of it."""


def free_ports(number: int) -> list[int]:
    """Return consecutive loopback ports that are not in use."""
    ports: list[int] = []
    while len(ports) < number:
        port = next(_candidate_ports)
        follows = not ports or port == ports[-1] + 1
        ports = [*ports, port] if follows and _is_free(port) else []
    return ports


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], Any], description: str, seconds: float = WAIT_TIMEOUT_S) -> Any:
    """Poll the condition until it is true, and return its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"did not happen within {seconds:g} s: {description}"
        time.sleep(0.05)
    return value


def fake_wall_clock(folder: Path) -> tuple[Path, dict[str, str]]:
    """Return a file with the offset of a fake wall clock, and the environment of a process that reads it."""
    file = folder / "wall-clock"
    file.write_text("+0")
    return file, {
        "LD_PRELOAD": glob("/usr/lib/*/faketime/libfaketime.so.1")[0],
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # otherwise threads block each other for seconds
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_TIMESTAMP_FILE": str(file),
    }


class ServerProcess:
    """A `twistd` process; `call` calls its API from inside its network namespace."""

    def __init__(
        self,
        arguments: Sequence[str],
        port: int,
        folder: Path,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.prefix = list(prefix)
        self.port = port
        self.log = folder / f"{arguments[0]}-{port}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, str(BIN_DIR / "twistd"), "-n", *arguments],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON of the response, also of an error; None while the port is closed."""
        if self.prefix:
            return self._call_in_namespace(method, path, body)
        request = Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urlopen(request, timeout=CALL_TIMEOUT_S) as response:
                return json.loads(response.read() or b"null")
        except HTTPError as error:
            return json.loads(error.read())
        except (URLError, ConnectionError, TimeoutError):
            assert self.process.poll() is None, self.log.read_text()
            return None

    def _call_in_namespace(self, method: str, path: str, body: object) -> Any:
        curl = subprocess.run(
            [
                *self.prefix,
                "curl",
                "-s",
                "-m",
                str(CALL_TIMEOUT_S),
                "-X",
                method,
                "-H",
                "Content-Type: application/json",
            ]
            + (["-d", json.dumps(body)] if body is not None else [])
            + [f"http://127.0.0.1:{self.port}{path}"],
            capture_output=True,
            check=False,
        )
        assert self.process.poll() is None, self.log.read_text()
        return json.loads(curl.stdout) if curl.returncode == 0 else None

    def kill(self) -> None:
        """Send SIGKILL and wait until the process has ended."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        """Send SIGTERM and wait until the process has ended. Assert that its log has no traceback."""
        self.process.terminate()
        self.process.wait(STOP_TIMEOUT_S)
        assert "Traceback" not in self.log.read_text(), self.log.read_text()


class ServiceProcess(ServerProcess):
    """A service process with one link, `grand`."""

    def link(self) -> Any:
        return self.call("GET", "/api/v1/links/grand") or {}

    def wait_until_state(self, state: str, cause: str | None = None, seconds: float = WAIT_TIMEOUT_S) -> Any:
        """Wait until the link is in this state, with this cause; ESTABLISHED links must also be in sync."""

        def reached() -> Any:
            link = self.link()
            matches = link.get("state") == state and (cause is None or link["cause"]["code"] == cause)
            return link if matches and link["in_sync"] == (state == "ESTABLISHED") else None

        return wait_until(reached, f"{state} for {cause}; it is {self.link()}", seconds)

    def transitions(self) -> list[Any]:
        """Return the link's transitions, oldest first."""
        answer = self.call("GET", "/api/v1/links/grand/transitions?limit=1000")
        return list(reversed(answer["transitions"]))

    def stored_states(self) -> list[str]:
        """Return the states that the link has entered, oldest first; a change is stored a moment after it."""
        return [transition["to"] for transition in self.transitions()]


@contextmanager
def run_simulator(
    folder: Path,
    port: int,
    control: int,
    host: str = "127.0.0.1",
    prefix: Sequence[str] = (),
    ports: int = 1,
    rooms: int | None = None,
) -> Iterator[ServerProcess]:
    """Run a PMS simulator with `ports` hotels on consecutive ports; it answers on its control port."""
    listen = f"tcp:{port}:interface={host}"
    arguments = ["pmssim", "--listen", listen, "--control", f"tcp:{control}:interface=127.0.0.1"]
    arguments += ["--ports", str(ports)] if rooms is None else ["--ports", str(ports), "--rooms", str(rooms)]
    server = ServerProcess(arguments, control, folder, prefix)
    try:
        wait_until(lambda: server.call("GET", "/"), "the simulator answers")
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


@contextmanager
def run_service(
    folder: Path,
    pms_port: int,
    port: int,
    host: str = "127.0.0.1",
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    **settings: object,
) -> Iterator[ServiceProcess]:
    """Run the service with one link to this PMS. Assert that it stops without a traceback."""
    link_settings = {"host": host, "port": pms_port, **FAST_TIMINGS, **settings}
    lines = [f"{key} = {json.dumps(value)}" for key, value in link_settings.items()]
    with _run_service(folder, "\n".join(["[links.grand]", *lines, ""]), port, prefix, environment) as server:
        yield server


@contextmanager
def run_empty_service(folder: Path, port: int) -> Iterator[ServiceProcess]:
    """Run the service without any link. Assert that it stops without a traceback."""
    with _run_service(folder, "", port) as server:
        yield server


@contextmanager
def _run_service(
    folder: Path,
    config_text: str,
    port: int,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[ServiceProcess]:
    config = folder / "hotel.toml"
    config.write_text(config_text)
    server = ServiceProcess(
        ["pmslink", "--config", str(config), "--api", f"tcp:{port}:interface=127.0.0.1"],
        port,
        folder,
        prefix,
        environment,
    )
    try:
        wait_until(lambda: server.call("GET", "/healthz"), "the service answers")
        yield server
        if server.process.poll() is None:  # not killed by the test
            server.terminate()
    finally:
        if server.process.poll() is None:
            server.kill()
