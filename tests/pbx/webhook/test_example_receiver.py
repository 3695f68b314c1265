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

from tests.process.server_processes import free_ports, run_service, run_simulator, wait_until

ROOT = Path(__file__).parents[3]
PORT = "9000"
GUEST = {"room": "103", "name": "Zebedee"}


def written(kind: str) -> str:
    """Return the only code block of this kind in the document's section."""
    section = (ROOT / "docs/webhooks.md").read_text("utf-8").partition("\n## Example receiver\n")[2]
    (block,) = re.findall(f"^```{kind}\n(.*?)^```", section.partition("\n## ")[0], re.DOTALL | re.MULTILINE)
    return str(block)


def settings(port: int) -> dict[str, Any]:
    """Return the settings of the document, with a port that is free."""
    link = tomllib.loads(written("toml"))["links"]["grand"]
    return {
        "webhook_url": link["webhook_url"].replace(PORT, str(port)),
        "webhook_secret": link["webhook_secret"],
    }


@contextmanager
def receiver(folder: Path, port: int) -> Iterator[Path]:
    """While it runs; gives what it prints, which is added to what it printed before."""
    source = written("python")
    assert source.count(PORT) == 1
    (folder / "receiver.py").write_text(source.replace(PORT, str(port)))
    printed = folder / "printed"
    with printed.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "receiver.py"], cwd=folder, stdout=output, stderr=subprocess.DEVNULL
        )
    try:
        yield printed
    finally:
        process.kill()
        process.wait()


def heard(printed: Path) -> list[list[str]]:
    return [line.split() for line in printed.read_text().splitlines()]


def test_it_is_short() -> None:
    lines = [line for line in written("python").splitlines() if line and not line.startswith("import")]
    assert len(lines) <= 20


def test_it_prints_what_the_pms_tells(tmp_path: Path) -> None:
    pms_port, control, api, port = free_ports(4)
    with (
        run_simulator(tmp_path, pms_port, control) as pms,
        receiver(tmp_path, port) as printed,
        run_service(tmp_path, pms_port, api, **settings(port)) as pbx,
    ):
        pbx.wait_until_state("ESTABLISHED")
        pms.call("POST", "/guests", GUEST)
        wait_until(lambda: "guest.checked_in 103\n" in printed.read_text(), "the check-in arrives")
        wait_until(lambda: pbx.link()["webhook"]["state"] == "idle", "all is taken")
        events = pbx.call("GET", "/api/v1/links/grand/events?limit=1000")["events"]
        told = [[str(one[key]) for key in ("seq", "type", "room")] for one in events]
        assert heard(printed) == told[: len(heard(printed))]
        assert pbx.link()["webhook"]["last_error"] is None


def test_with_another_secret_it_takes_nothing_and_the_link_tells_why(tmp_path: Path) -> None:
    pms_port, control, api, port = free_ports(4)
    wrong = settings(port) | {"webhook_secret": "not the one it has"}
    with (
        run_simulator(tmp_path, pms_port, control),
        receiver(tmp_path, port) as printed,
        run_service(tmp_path, pms_port, api, **wrong) as pbx,
    ):
        wait_until(lambda: pbx.link()["webhook"]["state"] == "retrying", "it is refused")
        shown = pbx.link()["webhook"]
        assert shown["last_error"] == "it answered 401"
        assert shown["backlog"] > 0
        assert heard(printed) == []
        log = pbx.log.read_text()
        assert "grand: the webhook: it answered 401" in log
        assert wrong["webhook_secret"] not in log


def test_what_happens_while_it_is_away_comes_later_once_and_in_order(tmp_path: Path) -> None:
    pms_port, control, api, port = free_ports(4)
    with run_simulator(tmp_path, pms_port, control) as pms:
        with run_service(tmp_path, pms_port, api, **settings(port)) as pbx:
            pbx.wait_until_state("ESTABLISHED")
            pms.call("POST", "/guests", GUEST)
            wait_until(
                lambda: pbx.link()["webhook"]["last_error"] == "it refused the connection", "nobody is there"
            )
            pbx.kill()
        with (
            run_service(tmp_path, pms_port, api, **settings(port)) as again,
            receiver(tmp_path, port) as printed,
        ):
            wait_until(lambda: again.link()["webhook"]["state"] == "idle", "all is taken")
            numbers = [int(seq) for seq, _, _ in heard(printed)]
            assert numbers == sorted({*numbers})
            assert ["guest.checked_in", "103"] in [rest for _, *rest in heard(printed)]
