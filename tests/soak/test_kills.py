"""A service that is killed at random times loses no posting, adds none, and repeats none without a reason.

Each campaign kills the service 204 times, in two parallel lanes, while clients post and the PMS answers,
delays, omits answers, drops the connection, ends the link and resyncs. A consumer of the link's events
receives each of them once, in order. Each run prints a seed that repeats its random choices; the timing of
processes cannot be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import add
from pathlib import Path
from random import Random

import pytest

from tests.process.server_processes import wait_until
from tests.soak.campaign_checks import CampaignResult, check_campaign
from tests.soak.campaign_scale import scaled
from tests.soak.docked_service import DockedService, is_store_intact, run_docked_service
from tests.soak.event_consumer import EventConsumer, check_events
from tests.soak.fault_injector import FaultInjector
from tests.soak.posting_clients import PostingClients
from tests.soak.random_seed import choose_seed

pytestmark = pytest.mark.soak

LANES = 2
"""Services that are killed in parallel."""
KILLS_PER_LANE = 102
FIRST_STARTS_PER_LANE = 8
"""Kills during the creation of a store."""
CLIENTS_PER_LANE = 3

Report = Callable[[str], None]


@pytest.mark.parametrize("unanswered", ["resend", "hold"])
def test_a_killed_service_loses_no_posting(tmp_path: Path, report: Report, unanswered: str) -> None:
    seed = choose_seed()

    def run_lane(lane: int) -> CampaignResult:
        folder, name = tmp_path / f"lane-{lane}", f"{seed}-{unanswered}-{lane}"
        with run_docked_service(folder, unanswered=unanswered) as docked:
            return kill_repeatedly(docked, name)

    started_at = time.monotonic()
    with ThreadPoolExecutor(LANES) as pool:
        total = reduce(add, pool.map(run_lane, range(LANES)))
    kills = LANES * scaled(KILLS_PER_LANE)
    report(f"{kills} kills in {time.monotonic() - started_at:.0f} s, seed {seed}; {total}")
    assert total.accepted_count > kills, "too few postings were accepted for a meaningful result"
    if unanswered == "hold":
        assert total.repeated_count == 0
        assert total.state_counts["unknown"] > 0, (
            "no posting had an unknown result, so the case was not tested"
        )
    else:
        assert total.repeated_count > 0, "no posting was repeated, so the case was not tested"


def kill_repeatedly(docked: DockedService, name: str) -> CampaignResult:
    rng = Random(name)
    clients, fault_injector = (
        PostingClients(docked.service_client, name, CLIENTS_PER_LANE, max_pause_s=0.05),
        FaultInjector(docked.pms_client, name),
    )
    consumer = EventConsumer(docked.service_client)
    for actor in (clients, fault_injector, consumer):
        actor.start()
    try:
        for _ in range(scaled(KILLS_PER_LANE)):
            run_and_kill(docked, rng)
    except BaseException:
        clients.abandon()
        consumer.stop()
        raise
    finally:
        fault_injector.stop()
    docked.start()
    clients.stop_when_accepted()
    result = check_campaign(docked, clients)
    check_events(docked, consumer)
    docked.stop()
    assert is_store_intact(docked.state_dir)
    return result


def run_and_kill(docked: DockedService, rng: Random) -> None:
    """Start the service and kill it: mostly while it works, sometimes while it starts.

    It holds postings for 2 s after it has docked. So it runs longer than that in half of the cases.
    """
    if rng.random() < 0.25:
        docked.spawn()
        time.sleep(rng.uniform(0.1, 1.0))
    else:
        docked.start()
        time.sleep(rng.uniform(0.1, 3.5))
        if rng.random() < 0.3:  # kill it while a posting has no answer
            docked.pms_client.call("POST", "/faults", {"pa_skip": 1})
            time.sleep(0.05)
    docked.kill()


def test_a_store_opens_after_a_kill_during_its_creation(tmp_path: Path, report: Report) -> None:
    seed = choose_seed()

    def run_lane(lane: int) -> None:
        rng = Random(f"{seed}-{lane}")
        with run_docked_service(tmp_path / f"lane-{lane}") as docked:
            for attempt in range(FIRST_STARTS_PER_LANE):
                docked.state_dir = docked.folder / f"state-{attempt}"
                kill_during_store_creation(docked, rng.uniform(0, 0.05))

    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(run_lane, range(LANES)))
    report(f"{LANES * FIRST_STARTS_PER_LANE} kills, seed {seed}; every store opened")


def kill_during_store_creation(docked: DockedService, delay: float) -> None:
    docked.spawn()
    while not docked.state_dir.is_dir() or not any(docked.state_dir.glob("store.sqlite3*")):
        assert docked.service is not None
        assert docked.service.process.poll() is None, docked.log_tail()
        time.sleep(0.001)
    time.sleep(delay)
    docked.kill()
    docked.start()
    wait_until(lambda: docked.link()["in_sync"], "the link docks")
    assert docked.postings() == []
    docked.stop()
    assert is_store_intact(docked.state_dir)
