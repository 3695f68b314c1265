"""Case E1: the syncs of a running service fail for seconds. It refuses only what is not in the store.

They need root and strace.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pmslink.hotel_clock import SETTLING_TIME_S
from tests.process.disk_faults import FAILING, count_faults, faulty_syncs
from tests.process.server_processes import (
    ServerProcess,
    ServiceProcess,
    free_ports,
    run_service,
    run_simulator,
    wait_until,
)
from tests.soak.json_client import JsonClient

pytestmark = pytest.mark.debian

LINK = "/api/v1/links/grand"
CALL = {"type": "call", "room": "101", "dialled": "0049891234", "duration": 61, "amount": 250}
GUEST = "Lovelace"
Answer = tuple[int, Any] | None


class FaultyHotel:
    """A hotel whose disk fails while a posting, a check-in and a wake-up come."""

    def __init__(self, folder: Path, pbx: ServiceProcess, pms: ServerProcess) -> None:
        self._folder = folder
        self._pbx = pbx
        self._pms = JsonClient(pms.port)
        self._client = JsonClient(pbx.port)

    def prepare(self) -> datetime:
        """Dock, and set a wake-up that is due in a few seconds. Return when."""
        self._pbx.wait_until_state("ESTABLISHED")
        wait_until(
            lambda: self._client.get("/api/v1/status")["uptime"] > SETTLING_TIME_S + 1,
            "the clock is certain after the start",
        )
        due = (datetime.now(UTC) + timedelta(seconds=4)).replace(microsecond=0)
        wake_up = {"at": f"{due:%Y-%m-%dT%H:%M:%S}"}
        answer = self._client.call("PUT", f"{LINK}/rooms/101/wake-up", wake_up)
        assert answer is not None
        assert answer[0] in (200, 202), answer
        return due

    def post(self, key: str) -> Answer:
        return self._client.call("POST", f"{LINK}/postings", CALL, {"Idempotency-Key": key})

    def fail(self, due: datetime, pool: ThreadPoolExecutor, kill: bool) -> dict[str, Future[Answer]]:
        """Let the disk fail until after the wake-up is due. Return the answers to the postings meanwhile."""
        answers = {}
        with faulty_syncs(self._pbx.process.pid, self._folder, FAILING):
            answers["first"] = pool.submit(self.post, "first")
            self._pms.call("POST", "/guests", {"room": "102", "name": GUEST})
            wait_until(lambda: not self._client.get("/api/v1/status")["store"]["ok"], "the store fails")
            answers["second"] = pool.submit(self.post, "second")
            wait_until(lambda: datetime.now(UTC) > due + timedelta(seconds=2), "the wake-up is due")
            if kill:
                self._pbx.kill()
        assert count_faults(self._folder) > 1
        return answers


def stored_postings(client: JsonClient) -> list[Any]:
    return [row for row in client.get_all_pages(f"{LINK}/postings", "postings") if row["type"] == "call"]


def check_once(hotel: FaultyHotel, client: JsonClient, answers: dict[str, Answer]) -> None:
    """Check that a refused posting is not stored, and all else once."""
    statuses = [None if answer is None else answer[0] for answer in answers.values()]
    assert set(statuses) <= {202, 503, None}  # None: the service was killed before it could answer
    accepted, stored = statuses.count(202), len(stored_postings(client))
    assert accepted <= stored <= accepted + statuses.count(None), statuses
    for key in answers:
        hotel.post(key)
    assert len(stored_postings(client)) == len(answers)
    wait_until(lambda: len(events(client)) == 2, "the guest has checked in, and the wake-up is due")
    time.sleep(2)  # for what would come twice
    assert sorted(events(client)) == ["guest.checked_in", "wake_up.due"]
    records = client.get(f"{LINK}/records?type=GI&limit=1000")["records"]
    live = [record for record in records if GUEST in record["text"] and "|SF" not in record["text"]]
    assert len(live) <= 1  # a resync repeats what was on its way when the link stopped reading


def events(client: JsonClient) -> list[str]:
    """Return the types of the events of the wake-up and of the guest."""
    return [
        event["type"]
        for event in client.get(f"{LINK}/events?limit=1000")["events"]
        if event["type"] == "wake_up.due"
        or (event["type"] == "guest.checked_in" and event["guest"]["name"] == GUEST)
    ]


def test_e1_a_disk_that_fails_for_seconds_doubles_nothing_and_refuses_only_what_is_not_stored(
    tmp_path: Path,
) -> None:
    pms_port, control, api = free_ports(3)
    with (
        run_simulator(tmp_path, pms_port, control) as pms,
        run_service(tmp_path, pms_port, api, timezone="UTC") as pbx,
        ThreadPoolExecutor(2) as pool,
    ):
        hotel, client = FaultyHotel(tmp_path, pbx, pms), JsonClient(api)
        answers = hotel.fail(hotel.prepare(), pool, kill=False)
        wait_until(lambda: client.get("/api/v1/status")["store"]["ok"], "the store works again")
        check_once(hotel, client, {key: answer.result() for key, answer in answers.items()})
        pbx.wait_until_state("ESTABLISHED")


def test_e1_a_service_that_is_killed_while_its_disk_fails_doubles_nothing(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with run_simulator(tmp_path, pms_port, control) as pms, ThreadPoolExecutor(2) as pool:
        with run_service(tmp_path, pms_port, api, timezone="UTC") as pbx:
            hotel = FaultyHotel(tmp_path, pbx, pms)
            answers = hotel.fail(hotel.prepare(), pool, kill=True)
        with run_service(tmp_path, pms_port, api, timezone="UTC") as restarted:
            restarted.wait_until_state("ESTABLISHED")
            client = JsonClient(api)
            check_once(hotel, client, {key: answer.result() for key, answer in answers.items()})
