"""A disk whose syncs fail or hang for a while, at random times, also while the service is killed.

A posting that was refused with 503 is not in the store, one that was accepted is there once, and each event
is received once, in order: the checks are those of the campaign with kills.
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

from tests.process.disk_faults import FAILING, count_faults, faulty_syncs, slow
from tests.process.server_processes import wait_until
from tests.soak.campaign_checks import CampaignResult, check_campaign
from tests.soak.campaign_scale import scaled
from tests.soak.docked_service import DockedService, is_store_intact, run_docked_service
from tests.soak.event_consumer import EventConsumer, check_events
from tests.soak.fault_injector import FaultInjector
from tests.soak.posting_clients import PostingClients
from tests.soak.random_seed import choose_seed

pytestmark = [pytest.mark.soak, pytest.mark.debian]

LANES = 2
FAULTS_PER_LANE = 5
CLIENTS_PER_LANE = 3
KILL_PROBABILITY = 0.5
"""Probability that the service is killed while its disk is faulty."""
MAX_SYNC_MS = 1500
GRACE_S = 5
"""Seconds of a failing store after which the service closes the connection to the PMS."""


def test_a_disk_that_fails_to_sync_loses_and_doubles_nothing(
    tmp_path: Path, report: Callable[[str], None]
) -> None:
    seed = choose_seed()

    def run_lane(lane: int) -> CampaignResult:
        with run_docked_service(tmp_path / f"lane-{lane}") as docked:
            return fail_repeatedly(docked, f"{seed}-{lane}")

    started_at = time.monotonic()
    with ThreadPoolExecutor(LANES) as pool:
        total = reduce(add, pool.map(run_lane, range(LANES)))
    count = LANES * scaled(FAULTS_PER_LANE)
    report(f"{count} faults in {time.monotonic() - started_at:.0f} s, seed {seed}; {total}")
    assert total.accepted_count > count


def fail_repeatedly(docked: DockedService, name: str) -> CampaignResult:
    rng = Random(name)
    clients = PostingClients(docked.service_client, name, CLIENTS_PER_LANE, max_pause_s=0.2)
    consumer = EventConsumer(docked.service_client)
    fault_injector = FaultInjector(docked.pms_client, name)
    docked.start()
    for actor in (clients, consumer, fault_injector):
        actor.start()
    try:
        faults = [run_with_faulty_disk(docked, clients, rng) for _ in range(scaled(FAULTS_PER_LANE))]
    except BaseException:
        clients.abandon()
        consumer.stop()
        raise
    finally:
        fault_injector.stop()
    assert sum(faults) >= len(faults), "the disk was not used while it was faulty"
    clients.stop_when_accepted()
    result = check_campaign(docked, clients)
    check_events(docked, consumer)
    docked.stop()
    assert is_store_intact(docked.state_dir)
    return result


def run_with_faulty_disk(docked: DockedService, clients: PostingClients, rng: Random) -> int:
    """Let the disk fail or hang for a while, sometimes until a kill. Return how many syncs it hit."""
    time.sleep(rng.uniform(0.1, 2.5))
    fault = FAILING if rng.random() < 0.6 else slow(rng.randint(20, MAX_SYNC_MS))
    assert docked.service is not None
    with faulty_syncs(docked.service.process.pid, docked.folder, fault):
        time.sleep(rng.choice([rng.uniform(0.05, 1), rng.uniform(1, GRACE_S + 2)]))
        is_killed = rng.random() < KILL_PROBABILITY
        if is_killed:
            docked.kill()
    if is_killed:
        docked.start()
    accepted = len(clients.accepted_postings)
    wait_until(lambda: len(clients.accepted_postings) > accepted, "postings are accepted again")
    return count_faults(docked.folder)
