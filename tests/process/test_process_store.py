"""What lasts, as a user meets it: over SIGKILL, beside a second service, and when the clock jumps."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.process.server_processes import (
    BIN_DIR,
    ServiceProcess,
    fake_wall_clock,
    free_ports,
    run_service,
    run_simulator,
    wait_until,
)


def post(pbx: ServiceProcess, room: str) -> Any:
    call = {"type": "call", "room": room, "dialled": "0049891234", "duration": 61, "amount": 250}
    return pbx.call("POST", "/api/v1/links/grand/postings", call)


def postings(pbx: ServiceProcess) -> list[Any]:
    """Oldest first."""
    return list(reversed(pbx.call("GET", "/api/v1/links/grand/postings?limit=1000")["postings"]))


def until_done(pbx: ServiceProcess) -> list[Any]:
    wait_until(lambda: {one["state"] for one in postings(pbx)} == {"done"}, "all are booked")
    return postings(pbx)


def test_what_was_accepted_while_the_pms_was_away_outlives_sigkill_and_is_booked(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with run_service(tmp_path, pms_port, api) as pbx:
        accepted = [post(pbx, f"{number}") for number in range(101, 111)]
        assert [one["state"] for one in accepted] == ["pending"] * 10
        pbx.kill()
        with (
            run_service(tmp_path, pms_port, api) as again,
            run_simulator(tmp_path, pms_port, control) as pms,
        ):
            again.wait_until_state("ESTABLISHED")
            booked = until_done(again)
            assert [one["id"] for one in booked] == [one["id"] for one in accepted]
            delivered = pms.call("GET", "/postings")["postings"]
            assert [one["number"] for one in delivered] == [str(number) for number in range(1, 11)]
            assert {one["deliveries"] for one in delivered} == {1}
            assert again.link()["resync"]["ended"], "an unclean stop wants a resync"


def test_a_second_service_refuses_to_start_and_names_the_first(tmp_path: Path) -> None:
    pms_port, api, other_api = free_ports(3)
    with run_service(tmp_path, pms_port, api) as pbx:
        ended = subprocess.run(
            [
                BIN_DIR / "twistd",
                "-n",
                "--pidfile=",
                "pmslink",
                "--api",
                f"tcp:{other_api}:interface=127.0.0.1",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 1
        (complaint,) = ended.stderr.splitlines()
        assert f"is in use by another pmslink, process {pbx.process.pid}" in complaint
        pbx.wait_until_state("EXPECTION", "refused")


@pytest.mark.debian
@pytest.mark.parametrize("jump", ["+400d", "-400d"])
def test_a_clock_that_jumps_changes_no_order_and_forgets_nothing(tmp_path: Path, jump: str) -> None:
    pms_port, control, api = free_ports(3)
    clock, faked = fake_wall_clock(tmp_path)
    with (
        run_simulator(tmp_path, pms_port, control) as pms,
        run_service(tmp_path, pms_port, api, environment=faked) as pbx,
    ):
        pbx.wait_until_state("ESTABLISHED")
        before = [post(pbx, "101") for _ in range(3)]
        clock.write_text(jump)
        wait_until(lambda: post(pbx, "102")["created"][:7] != before[0]["created"][:7], "the jump is seen")
        clock.write_text("+0")
        post(pbx, "103")
        ids = [one["id"] for one in until_done(pbx)]
        assert ids == sorted(ids)
        numbers = [one["number"] for one in pms.call("GET", "/postings")["postings"]]
        assert numbers == sorted(numbers, key=int)
        events = pbx.call("GET", "/api/v1/links/grand/events?limit=1000")["events"]
        assert [one["seq"] for one in events] == sorted(one["seq"] for one in events)
        answers = pbx.call("GET", "/api/v1/links/grand/records?type=PA&limit=1000")["records"]
        assert len(answers) == len(ids)
        assert pbx.link()["state"] == "ESTABLISHED"
