"""When the power goes, whatever was answered 202 is on the disk.

A kill leaves to the kernel what the service has written; a power cut takes it. So the file system is shut
down under load, with all that it has not yet been made to write, and mounted again as after a power cut.
The service is stopped before: ext4 lets a sync that is under way at that moment succeed without having
written, and after a real power cut nobody is left to be told so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.process.server_processes import until
from tests.soak.campaign_checks import judge
from tests.soak.docked_service import Lane, is_sound, lane
from tests.soak.mounted_disk import Disk, ext4
from tests.soak.posting_clients import Load
from tests.soak.random_seed import seed

pytestmark = [pytest.mark.soak, pytest.mark.debian]

CUTS = 12


def test_a_power_cut_takes_nothing_that_was_accepted(tmp_path: Path, report: Callable[[str], None]) -> None:
    chosen = seed()
    chance = Random(chosen)
    with (
        ext4(tmp_path, megabytes=64) as disk,
        lane(tmp_path / "lane", disk.path / "state") as one,
    ):
        load = Load(one.interface, chosen, clients=6, pause=0.02)
        load.start()
        try:
            for _ in range(CUTS):
                power_goes_and_comes_back(one, disk, load, chance)
        except BaseException:
            load.abandon()
            raise
        one.start()
        load.finish()
        verdict = judge(one, load)
        one.stop()
        assert is_sound(one.state)
    report(f"{CUTS} power cuts, seed {chosen}; {verdict}")


def power_goes_and_comes_back(one: Lane, disk: Disk, load: Load, chance: Random) -> None:
    before = load.ids()
    one.start()
    assert before <= {row["id"] for row in one.postings()}, "lost in the last power cut"
    time.sleep(chance.uniform(0.3, 1.5))
    one.freeze()
    disk.cut()
    one.bury()
    assert len(load.promises) > len(before), "nothing was accepted since the last power cut"
    disk.unmount()
    disk.mount()


def test_a_disk_that_fails_under_the_service_is_no_secret(tmp_path: Path) -> None:
    with ext4(tmp_path, megabytes=64) as disk, lane(tmp_path / "lane", disk.path / "state") as one:
        load = Load(one.interface, "no secret", clients=4, pause=0.02)
        one.start()
        load.start()
        try:
            until(lambda: len(load.promises) > 50, "postings are accepted")
            before = load.ids()
            disk.cut()
            until(lambda: load.refusals, "a posting is refused")
            accepted = len(load.promises)
            until(lambda: len(load.refusals) > 20, "postings are refused")
            assert len(load.promises) == accepted, "accepted without a disk"
            assert {error["code"] for error in load.refusals} == {"store"}
            status = one.interface.get("/api/v1/status")["store"]
            assert not status["ok"]
            assert status["reason"]
            one.until_state("EXPECTION", "store", seconds=15)
        finally:
            load.abandon()
        one.bury()
        disk.unmount()
        disk.mount()
        one.start()
        assert before <= {row["id"] for row in one.postings()}
        one.stop()
