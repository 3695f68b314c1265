"""Run the example receiver of docs/webhooks.md as printed there, with the service and a simulated PMS."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.process.server_processes import free_ports, run_service, run_simulator, wait_until

ROOT = Path(__file__).parents[3]
PORT = "9000"
GUEST = {"room": "103", "name": "Zebedee"}


def code_block(kind: str) -> str:
    """Return the one code block of this kind in the section of the example receiver."""
    section = (ROOT / "docs/webhooks.md").read_text("utf-8").partition("\n## Example receiver\n")[2]
    (block,) = re.findall(f"^```{kind}\n(.*?)^```", section.partition("\n## ")[0], re.DOTALL | re.MULTILINE)
    return str(block)


def webhook_settings(port: int) -> dict[str, Any]:
    """Return the webhook settings of the document with this port."""
    link = tomllib.loads(code_block("toml"))["links"]["grand"]
    return {
        "webhook_url": link["webhook_url"].replace(PORT, str(port)),
        "webhook_secret": link["webhook_secret"],
    }


@contextmanager
def run_receiver(folder: Path, port: int) -> Iterator[Path]:
    """Run the example receiver. Yield the file that its output is appended to."""
    source = code_block("python")
    assert source.count(PORT) == 1
    (folder / "receiver.py").write_text(source.replace(PORT, str(port)))
    output_file = folder / "printed"
    with output_file.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "receiver.py"], cwd=folder, stdout=output, stderr=subprocess.DEVNULL
        )
    try:
        yield output_file
    finally:
        process.kill()
        process.wait()


def printed_lines(output_file: Path) -> list[list[str]]:
    return [line.split() for line in output_file.read_text().splitlines()]


def test_the_example_is_short() -> None:
    lines = [line for line in code_block("python").splitlines() if line and not line.startswith("import")]
    assert len(lines) <= 20


@pytest.mark.parametrize("batch", [1, 100])
def test_the_example_prints_the_events_of_the_pms(tmp_path: Path, batch: int) -> None:
    pms_port, control, api, port = free_ports(4)
    with (
        run_simulator(tmp_path, pms_port, control) as pms,
        run_receiver(tmp_path, port) as output_file,
        run_service(tmp_path, pms_port, api, **webhook_settings(port), webhook_batch=batch) as pbx,
    ):
        pbx.wait_until_state("ESTABLISHED")
        pms.call("POST", "/guests", GUEST)
        wait_until(lambda: "guest.checked_in 103\n" in output_file.read_text(), "the check-in arrives")
        wait_until(lambda: pbx.link()["webhook"]["state"] == "idle", "all events are accepted")
        events = pbx.call("GET", "/api/v1/links/grand/events?limit=1000")["events"]
        expected = [[str(event[key]) for key in ("seq", "type", "room")] for event in events]
        assert printed_lines(output_file) == expected[: len(printed_lines(output_file))]
        assert pbx.link()["webhook"]["last_error"] is None


def test_a_receiver_with_another_secret_rejects_events_and_the_link_shows_why(tmp_path: Path) -> None:
    pms_port, control, api, port = free_ports(4)
    wrong = webhook_settings(port) | {"webhook_secret": "not the one it has"}
    with (
        run_simulator(tmp_path, pms_port, control),
        run_receiver(tmp_path, port) as output_file,
        run_service(tmp_path, pms_port, api, **wrong) as pbx,
    ):
        wait_until(lambda: pbx.link()["webhook"]["state"] == "retrying", "the event is rejected")
        status = pbx.link()["webhook"]
        assert status["last_error"] == "it answered 401"
        assert status["backlog"] > 0
        assert printed_lines(output_file) == []
        log = pbx.log.read_text()
        assert "grand: webhook delivery failed and is retried: it answered 401" in log
        assert wrong["webhook_secret"] not in log


def test_events_during_an_outage_of_the_receiver_arrive_later_once_and_in_order(tmp_path: Path) -> None:
    pms_port, control, api, port = free_ports(4)
    with run_simulator(tmp_path, pms_port, control) as pms:
        with run_service(tmp_path, pms_port, api, **webhook_settings(port)) as pbx:
            pbx.wait_until_state("ESTABLISHED")
            pms.call("POST", "/guests", GUEST)
            wait_until(
                lambda: pbx.link()["webhook"]["last_error"] == "it refused the connection",
                "no receiver listens",
            )
            pbx.kill()
        with (
            run_service(tmp_path, pms_port, api, **webhook_settings(port)) as restarted,
            run_receiver(tmp_path, port) as output_file,
        ):
            wait_until(lambda: restarted.link()["webhook"]["state"] == "idle", "all events are accepted")
            numbers = [int(seq) for seq, _, _ in printed_lines(output_file)]
            assert numbers == sorted({*numbers})
            assert ["guest.checked_in", "103"] in [rest for _, *rest in printed_lines(output_file)]
