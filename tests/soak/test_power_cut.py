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

from tests.process.server_processes import wait_until
from tests.soak.campaign_checks import check_campaign
from tests.soak.docked_service import DockedService, is_store_intact, run_docked_service
from tests.soak.mounted_disk import Disk, ext4_disk
from tests.soak.posting_clients import PostingClients
from tests.soak.random_seed import choose_seed

pytestmark = [pytest.mark.soak, pytest.mark.debian]

CUTS = 12


def test_a_power_cut_takes_nothing_that_was_accepted(tmp_path: Path, report: Callable[[str], None]) -> None:
    chosen = choose_seed()
    chance = Random(chosen)
    with (
        ext4_disk(tmp_path, megabytes=64) as disk,
        run_docked_service(tmp_path / "lane", disk.path / "state") as one,
    ):
        load = PostingClients(one.service_client, chosen, clients=6, max_pause_s=0.02)
        load.start()
        try:
            for _ in range(CUTS):
                power_goes_and_comes_back(one, disk, load, chance)
        except BaseException:
            load.abandon()
            raise
        one.start()
        load.stop_when_accepted()
        verdict = check_campaign(one, load)
        one.stop()
        assert is_store_intact(one.state_dir)
    report(f"{CUTS} power cuts, seed {chosen}; {verdict}")


def power_goes_and_comes_back(one: DockedService, disk: Disk, load: PostingClients, chance: Random) -> None:
    before = load.ids()
    one.start()
    assert before <= {row["id"] for row in one.postings()}, "lost in the last power cut"
    time.sleep(chance.uniform(0.3, 1.5))
    one.suspend()
    disk.cut_power()
    one.ensure_killed()
    assert len(load.accepted_postings) > len(before), "nothing was accepted since the last power cut"
    disk.unmount()
    disk.mount()


def test_a_disk_that_fails_under_the_service_is_no_secret(tmp_path: Path) -> None:
    with (
        ext4_disk(tmp_path, megabytes=64) as disk,
        run_docked_service(tmp_path / "lane", disk.path / "state") as one,
    ):
        load = PostingClients(one.service_client, "no secret", clients=4, max_pause_s=0.02)
        one.start()
        load.start()
        try:
            wait_until(lambda: len(load.accepted_postings) > 50, "postings are accepted")
            before = load.ids()
            disk.cut_power()
            wait_until(lambda: load.unavailable_errors, "a posting is refused")
            accepted = len(load.accepted_postings)
            wait_until(lambda: len(load.unavailable_errors) > 20, "postings are refused")
            assert len(load.accepted_postings) == accepted, "accepted without a disk"
            assert {error["code"] for error in load.unavailable_errors} == {"store"}
            status = one.service_client.get("/api/v1/status")["store"]
            assert not status["ok"]
            assert status["reason"]
            one.wait_until_state("EXPECTION", "store", seconds=15)
        finally:
            load.abandon()
        one.ensure_killed()
        disk.unmount()
        disk.mount()
        one.start()
        assert before <= {row["id"] for row in one.postings()}
        one.stop()
