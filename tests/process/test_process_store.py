"""Tests of durability: after SIGKILL, with a second service, and when the clock jumps."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.process.server_processes import (
    BIN_DIR,
    WAIT_TIMEOUT_S,
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
    """Return the link's postings, oldest first."""
    return list(reversed(pbx.call("GET", "/api/v1/links/grand/postings?limit=1000")["postings"]))


def wait_until_done(pbx: ServiceProcess) -> list[Any]:
    wait_until(lambda: {posting["state"] for posting in postings(pbx)} == {"done"}, "all are booked")
    return postings(pbx)


def test_postings_accepted_during_a_pms_outage_survive_sigkill_and_are_booked(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with run_service(tmp_path, pms_port, api) as pbx:
        accepted = [post(pbx, f"{number}") for number in range(101, 111)]
        assert [posting["state"] for posting in accepted] == ["pending"] * 10
        pbx.kill()
        with (
            run_service(tmp_path, pms_port, api) as restarted,
            run_simulator(tmp_path, pms_port, control) as pms,
        ):
            restarted.wait_until_state("ESTABLISHED")
            booked = wait_until_done(restarted)
            assert [posting["id"] for posting in booked] == [posting["id"] for posting in accepted]
            delivered = pms.call("GET", "/postings")["postings"]
            assert [posting["number"] for posting in delivered] == [str(number) for number in range(1, 11)]
            assert {posting["deliveries"] for posting in delivered} == {1}
            assert restarted.link()["resync"]["ended"], "a resync follows an unclean stop"


def test_e8_a_restored_store_posts_nothing_twice_and_uses_no_number_again(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    store, copy = tmp_path / "pmslink-state" / "store.sqlite3", tmp_path / "copy.sqlite3"
    with run_simulator(tmp_path, pms_port, control) as pms:
        with run_service(tmp_path, pms_port, api) as pbx:
            pbx.wait_until_state("ESTABLISHED")
            post(pbx, "101")
            wait_until_done(pbx)
            pbx.call("POST", "/api/v1/links/grand/disconnect")
            pbx.wait_until_state("CLOSED", "user")
            accepted = post(pbx, "102")
            with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
            pbx.call("POST", "/api/v1/links/grand/enable")
            post(pbx, "103")
            wait_until_done(pbx)
        for suffix in ("-wal", "-shm"):
            store.with_name(store.name + suffix).unlink(missing_ok=True)
        copy.replace(store)
        with run_service(tmp_path, pms_port, api) as restored:
            line = "the store was restored from an older copy: 1 rows"
            wait_until(lambda: line in restored.log.read_text(), "the log says so")
            restored.call("POST", "/api/v1/links/grand/enable")
            restored.wait_until_state("ESTABLISHED")
            wait_until(lambda: restored.link()["resync"]["ended"], "the PMS has sent all rooms again")
            newest = post(restored, "104")
            wait_until(lambda: postings(restored)[-1]["state"] == "done", "the new posting is booked")
            rows = {row["room"]: row for row in postings(restored)}
            assert (rows["102"]["id"], rows["102"]["state"]) == (accepted["id"], "unknown")
            assert rows["102"]["reason"] == "restored"
            assert newest["number"] > 1000
        delivered = pms.call("GET", "/postings")["postings"]
        assert [posting["number"] for posting in delivered] == ["1", "2", "3", str(newest["number"])]
        assert {posting["deliveries"] for posting in delivered} == {1}


def test_a_second_service_refuses_to_start_and_names_the_first(tmp_path: Path) -> None:
    pms_port, api, other_api = free_ports(3)
    with run_service(tmp_path, pms_port, api) as pbx:
        ended = subprocess.run(
            [
                BIN_DIR / "twistd",
                "-n",
                "pmslink",
                "--api",
                f"tcp:{other_api}:interface=127.0.0.1",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=WAIT_TIMEOUT_S,
            check=False,
        )
        assert ended.returncode == 1
        (message,) = ended.stderr.splitlines()
        assert f"is in use by another pmslink, process {pbx.process.pid}" in message
        pbx.wait_until_state("EXPECTION", "refused")


@pytest.mark.debian
@pytest.mark.parametrize("jump", ["+400d", "-400d"])
def test_a_clock_that_jumps_changes_no_order_and_loses_nothing(tmp_path: Path, jump: str) -> None:
    pms_port, control, api = free_ports(3)
    clock, environment = fake_wall_clock(tmp_path)
    with (
        run_simulator(tmp_path, pms_port, control) as pms,
        run_service(tmp_path, pms_port, api, environment=environment) as pbx,
    ):
        pbx.wait_until_state("ESTABLISHED")
        wait_until(lambda: pbx.link()["held"] is None, "what the PMS had queued has come")
        before = [post(pbx, "101") for _ in range(3)]
        clock.write_text(jump)
        wait_until(lambda: post(pbx, "102")["created"][:7] != before[0]["created"][:7], "the jump is visible")
        clock.write_text("+0")
        post(pbx, "103")
        ids = [posting["id"] for posting in wait_until_done(pbx)]
        assert ids == sorted(ids)
        numbers = [posting["number"] for posting in pms.call("GET", "/postings")["postings"]]
        assert numbers == sorted(numbers, key=int)
        events = pbx.call("GET", "/api/v1/links/grand/events?limit=1000")["events"]
        assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
        answers = pbx.call("GET", "/api/v1/links/grand/records?type=PA&limit=1000")["records"]
        assert len(answers) == len(ids)
        assert pbx.link()["state"] == "ESTABLISHED"
