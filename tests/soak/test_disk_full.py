"""On a full disk the service accepts no posting; when there is space again, it continues by itself.

Meanwhile the service reads no records. After a grace time it closes the connection, so that the PMS stores
its records. Only records in transit at that moment can be lost; a resync requests them again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.process.server_processes import wait_until
from tests.soak.campaign_checks import CampaignResult, check_campaign
from tests.soak.campaign_scale import scaled
from tests.soak.docked_service import DockedService, is_store_intact, run_docked_service
from tests.soak.event_consumer import check_guests
from tests.soak.guest_arrivals import GuestArrivals, checked_in_names
from tests.soak.mounted_disk import Disk, tmpfs_disk
from tests.soak.posting_clients import PostingClients

pytestmark = [pytest.mark.soak, pytest.mark.debian]

Report = Callable[[str], None]
DISK_MEGABYTES = 24
FREE_BYTES = 256 << 10
"""Bytes that stay free; the clients fill them."""
SHORT_OUTAGE_S = 3
"""Seconds that the disk stays full in a short outage; the next attempt to write follows before GRACE_S."""
GRACE_S = 5
"""Seconds of a failing store after which the service closes the connection to the PMS."""
STATUS_LIMIT_S = 2
"""Seconds after the first rejected posting in which the status must show the failure."""
DOCKING_LIMIT_S = 30
"""Seconds in which the link must be established again when the disk has space."""
RECOVERY_LIMIT_S = 10
"""Seconds in which the service must work again: it tries to write every second."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with tmpfs_disk(tmp_path, DISK_MEGABYTES) as small_disk:
        yield small_disk


@contextmanager
def run_under_load(
    tmp_path: Path, disk: Disk
) -> Iterator[tuple[DockedService, PostingClients, GuestArrivals]]:
    """Run a service in sync whose state is on the disk, while clients post and guests check in."""
    with run_docked_service(tmp_path / "lane", disk.path / "state") as docked:
        clients, arrivals = (
            PostingClients(docked.service_client, "disk full", clients=4, max_pause_s=0.02),
            GuestArrivals(docked.pms_client, 0.02),
        )
        docked.start()
        docked.wait_until_state("ESTABLISHED")
        clients.start()
        arrivals.start()
        try:
            yield docked, clients, arrivals
        except BaseException:
            clients.abandon()
            raise
        finally:
            arrivals.stop()


def fill_disk(docked: DockedService, disk: Disk, clients: PostingClients) -> None:
    """Fill the disk, and wait until the first posting is rejected for it."""
    ballast = disk.path / "ballast"
    clients.unavailable_errors.clear()
    with ballast.open("wb", buffering=0) as file, suppress(OSError):  # the service may take the rest
        while (excess := disk.free_bytes() - FREE_BYTES) > 0:
            file.write(bytes(min(excess, 1 << 20)))
    wait_until(
        lambda: clients.unavailable_errors, f"a posting is rejected; {disk.free_bytes()} bytes are free"
    )
    assert [
        error for error in clients.unavailable_errors if error["code"] != "store" or not error["message"]
    ] == []
    wait_until(lambda: not store_status(docked)["ok"], "the status shows the failure", STATUS_LIMIT_S)
    assert "full" in store_status(docked)["reason"]


def free_disk(disk: Disk) -> None:
    (disk.path / "ballast").unlink()


def store_status(docked: DockedService) -> Any:
    return docked.service_client.get("/api/v1/status")["store"]


def check_recovery(docked: DockedService, clients: PostingClients, arrivals: GuestArrivals) -> CampaignResult:
    """Wait until the link is in sync and postings are accepted, and check the campaign."""
    docked.wait_until_state("ESTABLISHED", seconds=DOCKING_LIMIT_S)
    wait_until(
        lambda: store_status(docked)["ok"], "the status shows that the store recovered", RECOVERY_LIMIT_S
    )
    before = len(clients.accepted_postings)
    wait_until(
        lambda: len(clients.accepted_postings) > before, "postings are accepted again", RECOVERY_LIMIT_S
    )
    arrivals.stop()
    clients.stop_when_accepted()
    result = check_campaign(docked, clients)
    assert store_status(docked) == {"ok": True, "reason": None}
    return result


def missing_guests(docked: DockedService, names: list[str]) -> list[int]:
    """Return the indexes of the guests without a check-in event. Assert that the others are in order."""

    def names_up_to_last() -> list[str] | None:
        reported = checked_in_names(docked.service_client)
        return reported if reported[-1:] == names[-1:] else None

    reported = wait_until(names_up_to_last, "the last guest has an event", RECOVERY_LIMIT_S)
    assert reported == [name for name in names if name in set(reported)]
    return [index for index, name in enumerate(names) if name not in set(reported)]


def test_a_disk_that_is_full_for_less_than_the_grace_time_loses_nothing(
    tmp_path: Path, disk: Disk, report: Report
) -> None:
    with run_under_load(tmp_path, disk) as (docked, clients, arrivals):
        for _ in range(scaled(1)):
            fill_disk(docked, disk, clients)
            time.sleep(SHORT_OUTAGE_S)
            free_disk(disk)
            wait_until(lambda: store_status(docked)["ok"], "the store recovers", RECOVERY_LIMIT_S)
        result = check_recovery(docked, clients, arrivals)
        assert missing_guests(docked, arrivals.guest_names) == []
        check_guests(docked)
        states = [transition["to"] for transition in docked.transitions()]
        assert "EXPECTION" not in states, "the link was disconnected before the grace time"
        docked.stop()
        assert is_store_intact(docked.state_dir)
    report(
        f"{scaled(1)} times full, {len(clients.unavailable_errors)} postings rejected at last; "
        f"{len(arrivals.guest_names)} guests, none missing; {result}"
    )


def test_a_disk_that_stays_full_disconnects_the_link_until_there_is_space(
    tmp_path: Path, disk: Disk, report: Report
) -> None:
    with run_under_load(tmp_path, disk) as (docked, clients, arrivals):
        last_resync = docked.link()["resync"]["asked"]
        guests_before, started_at = len(arrivals.guest_names), time.monotonic()
        fill_disk(docked, disk, clients)
        full_at = time.monotonic()
        docked.wait_until_state("EXPECTION", "store")
        guests_after = len(arrivals.guest_names)
        assert time.monotonic() - started_at >= GRACE_S
        assert time.monotonic() - full_at < GRACE_S + 3
        check_inactive_while_full(docked, clients)
        free_disk(disk)
        result = check_recovery(docked, clients, arrivals)
        missing = missing_guests(docked, arrivals.guest_names)
        assert all(guests_before <= index <= guests_after for index in missing), (
            f"{missing}, not {guests_before} to {guests_after}"
        )
        assert not missing or docked.link()["resync"]["asked"] != last_resync, "no resync requested them"
        check_guests(docked)
        docked.stop()
        assert is_store_intact(docked.state_dir)
    report(
        f"{len(clients.unavailable_errors)} postings rejected; {len(arrivals.guest_names)} guests, "
        f"{len(missing)} of them in transit when the link was disconnected; {result}"
    )


def check_inactive_while_full(docked: DockedService, clients: PostingClients) -> None:
    """Assert that the service neither dials nor accepts, for as long as a few redials would take."""
    rejected, accepted = len(clients.unavailable_errors), len(clients.accepted_postings)
    connections = connection_count(docked)
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        link = docked.link()
        assert (link["state"], link["cause"]["code"]) == ("EXPECTION", "store")
        assert link["retry"]["next_at"] is None
        assert link["reason"]
        time.sleep(0.2)
    assert connection_count(docked) == connections
    assert len(clients.unavailable_errors) > rejected
    assert len(clients.accepted_postings) == accepted


def connection_count(docked: DockedService) -> int:
    """Return the number of connections that the PMS has accepted."""
    (hotel,) = docked.pms_client.get("/")["properties"]
    return int(hotel["connections"])
