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

from tests.process.server_processes import until
from tests.soak.campaign_checks import Verdict, judge
from tests.soak.docked_service import Lane, is_sound, lane
from tests.soak.event_consumer import Consumer, judge_events
from tests.soak.fault_injector import Weather
from tests.soak.posting_clients import Load
from tests.soak.random_seed import seed

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
    chosen = seed()

    def campaign(at: int) -> Verdict:
        folder, name = tmp_path / f"lane-{at}", f"{chosen}-{unanswered}-{at}"
        with lane(folder, unanswered=unanswered) as one:
            return killed_again_and_again(one, name)

    began = time.monotonic()
    with ThreadPoolExecutor(LANES) as pool:
        total = reduce(add, pool.map(campaign, range(LANES)))
    report(f"{LANES * KILLS} kills in {time.monotonic() - began:.0f} s, seed {chosen}; {total}")
    assert total.accepted > LANES * KILLS, "the clients hardly got anything accepted"
    if unanswered == "hold":
        assert total.repeated == 0
        assert total.states["unknown"] > 0, "nothing was ever in doubt: this showed nothing"
    else:
        assert total.repeated > 0, "nothing was ever repeated: this showed nothing"


def killed_again_and_again(one: Lane, name: str) -> Verdict:
    chance = Random(name)
    load, weather = Load(one.interface, name, CLIENTS, pause=0.05), Weather(one.pms, name)
    consumer = Consumer(one.interface)
    for actor in (load, weather, consumer):
        actor.start()
    try:
        for _ in range(KILLS):
            run_for_a_moment(one, chance)
    except BaseException:
        load.abandon()
        consumer.end()
        raise
    finally:
        weather.end()
    one.start()
    load.finish()
    verdict = judge(one, load)
    judge_events(one, consumer)
    one.stop()
    assert is_sound(one.state)
    return verdict


def run_for_a_moment(one: Lane, chance: Random) -> None:
    """Start, and kill: mostly while the service works, else while it starts."""
    if chance.random() < 0.25:
        one.spawn()
        time.sleep(chance.uniform(0.1, 1.0))
    else:
        one.start()
        time.sleep(chance.uniform(0.1, 1.5))
    one.kill()


def test_a_kill_while_the_store_is_made_leaves_one_that_opens(tmp_path: Path, report: Report) -> None:
    chosen = seed()

    def campaign(at: int) -> None:
        chance = Random(f"{chosen}-{at}")
        with lane(tmp_path / f"lane-{at}") as one:
            for attempt in range(FIRST_STARTS):
                one.state = one.folder / f"state-{attempt}"
                killed_at_first_sight_of_the_store(one, chance.uniform(0, 0.05))

    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(campaign, range(LANES)))
    report(f"{LANES * FIRST_STARTS} kills, seed {chosen}; every store opened")


def killed_at_first_sight_of_the_store(one: Lane, delay: float) -> None:
    one.spawn()
    while not one.state.is_dir() or not any(one.state.glob("store.sqlite3*")):
        assert one.service is not None
        assert one.service.process.poll() is None, one.last_words()
        time.sleep(0.001)
    time.sleep(delay)
    one.kill()
    one.start()
    until(lambda: one.link()["in_sync"], "the link docks")
    assert one.postings() == []
    one.stop()
    assert is_sound(one.state)
