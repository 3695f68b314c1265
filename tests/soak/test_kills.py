"""A service that is killed at any moment loses no posting, invents none, and repeats none without a reason.

Each series kills the service 204 times, in two lanes side by side, while clients post and the PMS
answers, delays, keeps silent, drops the connection, ends the link and resyncs. Somebody who follows the
link's events meanwhile gets each of them once, in order. The moments are random; the seed that each run
prints repeats them as far as processes can be repeated.
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
from tests.soak.docked_service import DockedService, is_store_intact, run_docked_service
from tests.soak.event_consumer import EventConsumer, check_events
from tests.soak.fault_injector import FaultInjector
from tests.soak.posting_clients import PostingClients
from tests.soak.random_seed import choose_seed

pytestmark = pytest.mark.soak

LANES = 2
KILLS = 102
"""In each lane."""
FIRST_STARTS = 8
"""In each lane: kills while a store is made."""
CLIENTS = 3

Report = Callable[[str], None]


@pytest.mark.parametrize("unanswered", ["resend", "hold"])
def test_a_killed_service_loses_no_posting(tmp_path: Path, report: Report, unanswered: str) -> None:
    chosen = choose_seed()

    def campaign(at: int) -> CampaignResult:
        folder, name = tmp_path / f"lane-{at}", f"{chosen}-{unanswered}-{at}"
        with run_docked_service(folder, unanswered=unanswered) as one:
            return killed_again_and_again(one, name)

    began = time.monotonic()
    with ThreadPoolExecutor(LANES) as pool:
        total = reduce(add, pool.map(campaign, range(LANES)))
    report(f"{LANES * KILLS} kills in {time.monotonic() - began:.0f} s, seed {chosen}; {total}")
    assert total.accepted_count > LANES * KILLS, "the clients hardly got anything accepted"
    if unanswered == "hold":
        assert total.repeated_count == 0
        assert total.state_counts["unknown"] > 0, "nothing was ever in doubt: this showed nothing"
    else:
        assert total.repeated_count > 0, "nothing was ever repeated: this showed nothing"


def killed_again_and_again(one: DockedService, name: str) -> CampaignResult:
    chance = Random(name)
    load, weather = (
        PostingClients(one.service_client, name, CLIENTS, max_pause_s=0.05),
        FaultInjector(one.pms_client, name),
    )
    consumer = EventConsumer(one.service_client)
    for actor in (load, weather, consumer):
        actor.start()
    try:
        for _ in range(KILLS):
            run_for_a_moment(one, chance)
    except BaseException:
        load.abandon()
        consumer.stop()
        raise
    finally:
        weather.stop()
    one.start()
    load.stop_when_accepted()
    verdict = check_campaign(one, load)
    check_events(one, consumer)
    one.stop()
    assert is_store_intact(one.state_dir)
    return verdict


def run_for_a_moment(one: DockedService, chance: Random) -> None:
    """Start, and kill: mostly while the service works, else while it starts."""
    if chance.random() < 0.25:
        one.spawn()
        time.sleep(chance.uniform(0.1, 1.0))
    else:
        one.start()
        time.sleep(chance.uniform(0.1, 1.5))
    one.kill()


def test_a_kill_while_the_store_is_made_leaves_one_that_opens(tmp_path: Path, report: Report) -> None:
    chosen = choose_seed()

    def campaign(at: int) -> None:
        chance = Random(f"{chosen}-{at}")
        with run_docked_service(tmp_path / f"lane-{at}") as one:
            for attempt in range(FIRST_STARTS):
                one.state_dir = one.folder / f"state-{attempt}"
                killed_at_first_sight_of_the_store(one, chance.uniform(0, 0.05))

    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(campaign, range(LANES)))
    report(f"{LANES * FIRST_STARTS} kills, seed {chosen}; every store opened")


def killed_at_first_sight_of_the_store(one: DockedService, delay: float) -> None:
    one.spawn()
    while not one.state_dir.is_dir() or not any(one.state_dir.glob("store.sqlite3*")):
        assert one.service is not None
        assert one.service.process.poll() is None, one.log_tail()
        time.sleep(0.001)
    time.sleep(delay)
    one.kill()
    one.start()
    wait_until(lambda: one.link()["in_sync"], "the link docks")
    assert one.postings() == []
    one.stop()
    assert is_store_intact(one.state_dir)
