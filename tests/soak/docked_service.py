"""A service with one link, and the simulator that it docks to: start, kill, suspend and stop."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
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

REST_TIME = timedelta(seconds=20)
"""Longer than postings are held after the link has become in sync."""
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
    """The processes of a service and of the PMS simulator that it docks to."""

    def __init__(
        self, folder: Path, state_dir: Path, pms: ServerProcess, ports: tuple[int, int], **settings: object
    ):
        self.folder = folder
        self.state_dir = state_dir
        self.pms_client = JsonClient(pms.port)
        self.service_client = JsonClient(ports[1])
        self.settings: dict[str, Any] = {**SOAK_SETTINGS, **settings}
        self._config = folder / "hotel.toml"
        link_settings = {"host": "127.0.0.1", "port": ports[0], **self.settings}
        lines = [f"{key} = {json.dumps(value)}" for key, value in link_settings.items()]
        self._config.write_text("\n".join(["[links.grand]", *lines, ""]))
        self.service: ServerProcess | None = None

    @property
    def arguments(self) -> list[str]:
        """The arguments of twistd for the service."""
        api = f"tcp:{self.service_client.port}:interface=127.0.0.1"
        return ["pmslink", "--config", str(self._config), "--state-dir", str(self.state_dir), "--api", api]

    def spawn(self) -> ServerProcess:
        """Start the service without waiting for it."""
        assert self.service is None
        self.service = ServerProcess(self.arguments, self.service_client.port, self.folder)
        return self.service

    def start(self) -> None:
        """Start the service and wait until its API answers."""
        service = self.spawn()

        def answers() -> bool:
            assert service.process.poll() is None, f"the service ended unexpectedly: {self.log_tail()}"
            return self.service_client.call("GET", "/healthz") is not None

        wait_until(answers, "the service answers")

    def kill(self) -> None:
        """Send SIGKILL. Assert that the service has not ended by itself before."""
        assert self.service is not None
        assert self.service.process.poll() is None, f"the service ended unexpectedly: {self.log_tail()}"
        self.ensure_killed()

    def ensure_killed(self) -> None:
        """Send SIGKILL if the service runs."""
        if self.service is not None:
            self.service.kill()
            self.service = None

    def suspend(self) -> None:
        """Send SIGSTOP and wait until the service is suspended."""
        assert self.service is not None
        process = self.service.process
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: _process_state(process.pid) == "T", "the service is suspended")

    def stop(self) -> None:
        """Send SIGTERM. Assert that the log has no traceback since the first start."""
        if self.service is not None:
            service, self.service = self.service, None
            try:
                service.terminate()
            finally:
                service.kill()

    def log_tail(self) -> str:
        """Return the end of the service's log."""
        assert self.service is not None
        return self.service.log.read_text()[-3000:]

    def link(self) -> Any:
        return self.service_client.get(LINK_PATH)

    def wait_until_state(self, state: str, cause: str | None = None, seconds: float = WAIT_TIMEOUT_S) -> Any:
        """Wait until the link is in this state, with this cause; ESTABLISHED links must also be in sync."""

        def reached() -> Any:
            link = self.link()
            matches = link["state"] == state and cause in (None, link["cause"]["code"])
            return link if matches and link["in_sync"] == (state == "ESTABLISHED") else None

        return wait_until(reached, f"{state} for {cause}; it is {self.link()}", seconds)

    def transitions(self) -> list[Any]:
        """Return the link's transitions, oldest first."""
        return self.service_client.get_all_pages(f"{LINK_PATH}/transitions", "transitions")

    def postings(self) -> list[Any]:
        """Return all postings, oldest first."""
        return self.service_client.get_all_pages(POSTINGS_PATH, "postings")

    def clear_faults(self) -> None:
        """Switch all faults of the PMS off."""
        assert self.pms_client.call("DELETE", "/faults") is not None

    def wait_until_settled(self, seconds: float) -> list[Any]:
        """Wait until every posting is in a final state, and return all postings.

        A busy machine may need long for many postings: `seconds` is the time without one less.
        """
        fewest = None
        while True:
            postings = self.postings()
            is_at_rest = self._is_at_rest()
            unsettled = [posting for posting in postings if not self._is_settled(posting, is_at_rest)]
            if not unsettled:
                return postings
            if fewest is None or len(unsettled) < fewest:
                fewest, deadline = len(unsettled), time.monotonic() + seconds
            problem = f"{len(unsettled)} postings are not settled, the first is {unsettled[0]}"
            assert time.monotonic() < deadline, f"after {seconds:g} s {problem}; {self.link()}"
            time.sleep(0.5)

    @property
    def max_attempts(self) -> int:
        """The number of times that a posting without an answer is sent."""
        return int(self.settings["send_limit"]) if self.settings["unanswered"] == "resend" else 1

    def _is_settled(self, posting: dict[str, Any], is_at_rest: bool) -> bool:
        if (
            posting["state"] == "unknown"
        ):  # resent until the limit, unless the PMS was alive and did not answer
            return bool(is_at_rest or posting["attempts"] >= self.max_attempts)
        return posting["state"] not in ("pending", "sent")

    def _is_at_rest(self) -> bool:
        """Check whether the link has been in sync for so long that every posting it resends is resent."""
        link = self.link()
        since = datetime.fromisoformat(link["since"])
        is_settled = link["in_sync"] and link["held"] is None
        return bool(is_settled and datetime.now(UTC) - since > REST_TIME)


@contextmanager
def run_docked_service(
    folder: Path, state_dir: Path | None = None, **settings: object
) -> Iterator[DockedService]:
    """Run a simulator, and yield a service that is not started yet. Kill both at the end."""
    folder.mkdir(exist_ok=True)
    pms_port, control, api = free_ports(3)
    with run_simulator(folder, pms_port, control) as pms:
        docked = DockedService(folder, state_dir or folder / "state", pms, (pms_port, api), **settings)
        try:
            yield docked
        finally:
            docked.ensure_killed()


def _process_state(pid: int) -> str:
    """Return the state of a process as a letter of Linux; T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def run_store_command(name: str, state_dir: Path) -> subprocess.CompletedProcess[str]:
    """Run `pmslink store NAME` on a state directory."""
    command = [str(BIN_DIR / "pmslink"), "store", name, "--state-dir", str(state_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_TIMEOUT_S)


def is_store_intact(state_dir: Path) -> bool:
    """Return whether `pmslink store check` finds no damage, and print what it finds."""
    check = run_store_command("check", state_dir)
    print(check.stdout, check.stderr, sep="")
    return check.returncode == 0
