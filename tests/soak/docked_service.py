"""One service with one link, and the simulator that it docks to: started, killed, and started again."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.process.server_processes import (
    BIN_DIR,
    FAST_TIMINGS,
    WAIT_TIMEOUT_S,
    ServerProcess,
    free_ports,
    run_simulator,
    wait_until,
)
from tests.soak.json_client import JsonClient
from tests.soak.posting_clients import POSTINGS_PATH

LINK_PATH = "/api/v1/links/grand"
SOAK_SETTINGS = {
    **FAST_TIMINGS,
    "listen_time": 1,
    "sync_timeout": 3,
    "end_timeout": 0.5,
    "answer_timeout": 1,
    "retry_initial": 0.1,
    "retry_max": 0.5,
    "unanswered": "resend",
    "send_limit": 3,
}


class DockedService:
    """The two processes; ``state`` is the service's state directory."""

    def __init__(
        self, folder: Path, state_dir: Path, pms: ServerProcess, ports: tuple[int, int], **settings: object
    ):
        self.folder = folder
        self.state_dir = state_dir
        self.pms_client = JsonClient(pms.port)
        self.service_client = JsonClient(ports[1])
        self.settings: dict[str, Any] = {**SOAK_SETTINGS, **settings}
        self._config = folder / "hotel.toml"
        written = {"host": "127.0.0.1", "port": ports[0], **self.settings}
        lines = [f"{key} = {json.dumps(value)}" for key, value in written.items()]
        self._config.write_text("\n".join(["[links.grand]", *lines, ""]))
        self.service: ServerProcess | None = None

    @property
    def arguments(self) -> list[str]:
        """The service's, for twistd."""
        api = f"tcp:{self.service_client.port}:interface=127.0.0.1"
        return ["pmslink", "--config", str(self._config), "--state-dir", str(self.state_dir), "--api", api]

    def spawn(self) -> ServerProcess:
        """Start the process, and wait for nothing."""
        assert self.service is None
        self.service = ServerProcess(self.arguments, self.service_client.port, self.folder)
        return self.service

    def start(self) -> None:
        """Start the service and wait until it answers."""
        service = self.spawn()

        def answers() -> bool:
            assert service.process.poll() is None, f"the service ended by itself: {self.log_tail()}"
            return self.service_client.call("GET", "/healthz") is not None

        wait_until(answers, "the service answers")

    def kill(self) -> None:
        """SIGKILL; that the service has ended before by itself is an error."""
        assert self.service is not None
        assert self.service.process.poll() is None, f"the service ended by itself: {self.log_tail()}"
        self.ensure_killed()

    def ensure_killed(self) -> None:
        """SIGKILL, if it still runs."""
        if self.service is not None:
            self.service.kill()
            self.service = None

    def suspend(self) -> None:
        """SIGSTOP: from now on the service says nothing more."""
        assert self.service is not None
        process = self.service.process
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: _process_state(process.pid) == "T", "the service stands still", 10)

    def stop(self) -> None:
        """SIGTERM; the log must tell of no error since the first start."""
        if self.service is not None:
            service, self.service = self.service, None
            try:
                service.terminate()
            finally:
                service.kill()

    def log_tail(self) -> str:
        """The end of the service's log."""
        assert self.service is not None
        return self.service.log.read_text()[-3000:]

    # what the service says

    def link(self) -> Any:
        return self.service_client.get(LINK_PATH)

    def wait_until_state(self, state_dir: str, cause: str | None = None, seconds: float = 60) -> Any:
        """Wait until the link is in this state, for this cause; in sync where that belongs to it."""

        def reached() -> Any:
            link = self.link()
            in_it = link["state"] == state_dir and cause in (None, link["cause"]["code"])
            return link if in_it and link["in_sync"] == (state_dir == "ESTABLISHED") else None

        return wait_until(reached, f"{state_dir} for {cause}; it is {self.link()}", seconds)

    def transitions(self) -> list[Any]:
        """Oldest first."""
        return self.service_client.get_all_pages(f"{LINK_PATH}/transitions", "transitions")

    def postings(self) -> list[Any]:
        """All of them, oldest first."""
        return self.service_client.get_all_pages(POSTINGS_PATH, "postings")

    def clear_faults(self) -> None:
        """Let the PMS behave again."""
        assert self.pms_client.call("DELETE", "/faults") is not None

    def wait_until_settled(self, seconds: float) -> list[Any]:
        """Wait until no posting is on its way any more; returns all of them."""
        deadline = time.monotonic() + seconds
        while True:
            postings = self.postings()
            moving = [one for one in postings if self._is_moving(one)]
            if not moving:
                return postings
            waiting = f"{len(moving)} postings still wait, the first is {moving[0]}"
            assert time.monotonic() < deadline, f"after {seconds:g} s {waiting}; {self.link()}"
            time.sleep(0.5)

    @property
    def max_attempts(self) -> int:
        """How often a posting without an answer is sent in all."""
        return int(self.settings["send_limit"]) if self.settings["unanswered"] == "resend" else 1

    def _is_moving(self, posting: dict[str, Any]) -> bool:
        if posting["state"] == "unknown":  # such a one is sent again, or rests
            return bool(posting["attempts"] < self.max_attempts)
        return posting["state"] in ("pending", "sent")


@contextmanager
def run_docked_service(
    folder: Path, state_dir: Path | None = None, **settings: object
) -> Iterator[DockedService]:
    """A lane whose simulator runs and whose service does not; at the end neither does."""
    folder.mkdir(exist_ok=True)
    pms_port, control, api = free_ports(3)
    with run_simulator(folder, pms_port, control) as pms:
        made = DockedService(folder, state_dir or folder / "state", pms, (pms_port, api), **settings)
        try:
            yield made
        finally:
            made.ensure_killed()


def _process_state(pid: int) -> str:
    """The state of a process as Linux shows it, such as T (stopped)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def run_store_command(name: str, state_dir: Path) -> subprocess.CompletedProcess[str]:
    """What `pmslink store NAME` says of a state directory."""
    command = [str(BIN_DIR / "pmslink"), "store", name, "--state-dir", str(state_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_TIMEOUT_S)


def is_store_intact(state_dir: Path) -> bool:
    """What `pmslink store check` finds."""
    done = run_store_command("check", state_dir)
    print(done.stdout, done.stderr, sep="")
    return done.returncode == 0
