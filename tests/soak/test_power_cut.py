"""A power cut loses no posting that was accepted with a response 202.

After a kill, the kernel still writes what the service has written; after a power cut it does not. So the
file system is shut down under load, which discards all that was not synced, and is mounted again. The
service is suspended first: on ext4, a sync that is in progress at that moment reports success without
writing. After a real power cut no process would see that success.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.process.disk_faults import FAILING, faulty_syncs
from tests.process.server_processes import wait_until
from tests.soak.campaign_checks import check_campaign
from tests.soak.campaign_scale import scaled
from tests.soak.docked_service import DockedService, is_store_intact, run_docked_service
from tests.soak.mounted_disk import Disk, ext4_disk
from tests.soak.posting_clients import PostingClients
from tests.soak.random_seed import choose_seed

pytestmark = [pytest.mark.soak, pytest.mark.debian]

POWER_CUTS = 12
DISCONNECT_LIMIT_S = 15
"""Seconds after which the link must be closed because the disk fails; the grace time is 5."""


def test_a_power_cut_loses_no_accepted_posting(tmp_path: Path, report: Callable[[str], None]) -> None:
    seed = choose_seed()
    rng = Random(seed)
    with (
        ext4_disk(tmp_path, megabytes=64) as disk,
        run_docked_service(tmp_path / "lane", disk.path / "state") as docked,
    ):
        clients = PostingClients(docked.service_client, seed, clients=6, max_pause_s=0.02)
        clients.start()
        try:
            for _ in range(scaled(POWER_CUTS)):
                cut_and_restore_power(docked, disk, clients, rng)
        except BaseException:
            clients.abandon()
            raise
        docked.start()
        clients.stop_when_accepted()
        result = check_campaign(docked, clients)
        docked.stop()
        assert is_store_intact(docked.state_dir)
    report(f"{scaled(POWER_CUTS)} power cuts, seed {seed}; {result}")


def cut_and_restore_power(docked: DockedService, disk: Disk, clients: PostingClients, rng: Random) -> None:
    before = clients.ids()
    docked.start()
    assert before <= {row["id"] for row in docked.postings()}, "a posting was lost in the last power cut"
    if rng.random() < 0.5:  # what is accepted after syncs that failed is on the disk as well
        assert docked.service is not None
        with faulty_syncs(docked.service.process.pid, docked.folder, FAILING):
            time.sleep(rng.uniform(0.1, 0.8))
    wait_until(lambda: len(clients.accepted_postings) > len(before), "a posting is accepted")
    time.sleep(rng.uniform(0.3, 1.5))
    docked.suspend()
    disk.cut_power()
    docked.ensure_killed()
    disk.unmount()
    disk.mount()


def test_a_failing_disk_is_reported_and_nothing_is_accepted(tmp_path: Path) -> None:
    with (
        ext4_disk(tmp_path, megabytes=64) as disk,
        run_docked_service(tmp_path / "lane", disk.path / "state") as docked,
    ):
        clients = PostingClients(docked.service_client, "failing disk", clients=4, max_pause_s=0.02)
        docked.start()
        clients.start()
        try:
            wait_until(lambda: len(clients.accepted_postings) > 50, "postings are accepted")
            before = clients.ids()
            disk.cut_power()
            wait_until(lambda: clients.unavailable_errors, "a posting is refused")
            accepted = len(clients.accepted_postings)
            wait_until(lambda: len(clients.unavailable_errors) > 20, "postings are refused")
            assert len(clients.accepted_postings) == accepted, "a posting was accepted without a disk"
            assert {error["code"] for error in clients.unavailable_errors} == {"store"}
            status = docked.service_client.get("/api/v1/status")["store"]
            assert not status["ok"]
            assert status["reason"]
            docked.wait_until_state("EXPECTION", "store", seconds=DISCONNECT_LIMIT_S)
        finally:
            clients.abandon()
        docked.ensure_killed()
        disk.unmount()
        disk.mount()
        docked.start()
        assert before <= {row["id"] for row in docked.postings()}
        docked.stop()
