"""A full disk stops the service from promising anything; with space it goes on by itself.

What the PMS says meanwhile stays unread. When that lasts, the connection is given up, so that the PMS
keeps what it has to say; only what was under way at that moment can be missed, and is asked for again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.process.server_processes import wait_until
from tests.soak.campaign_checks import CampaignResult, check_campaign
from tests.soak.docked_service import DockedService, is_store_intact, run_docked_service
from tests.soak.event_consumer import check_guests
from tests.soak.guest_arrivals import GuestArrivals, checked_in_names
from tests.soak.mounted_disk import Disk, tmpfs_disk
from tests.soak.posting_clients import PostingClients

pytestmark = [pytest.mark.soak, pytest.mark.debian]

Report = Callable[[str], None]
MEGABYTES = 24
LEFT = 256 << 10
"""Bytes that are left for the load to fill."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with tmpfs_disk(tmp_path, MEGABYTES) as small:
        yield small


@contextmanager
def working(tmp_path: Path, disk: Disk) -> Iterator[tuple[DockedService, PostingClients, GuestArrivals]]:
    """A service in sync whose state is on that disk, with postings and guests coming in."""
    with run_docked_service(tmp_path / "lane", disk.path / "state") as one:
        load, arrivals = (
            PostingClients(one.service_client, "disk full", clients=4, max_pause_s=0.02),
            GuestArrivals(one.pms_client, 0.02),
        )
        one.start()
        one.wait_until_state("ESTABLISHED")
        load.start()
        arrivals.start()
        try:
            yield one, load, arrivals
        except BaseException:
            load.abandon()
            raise
        finally:
            arrivals.stop()


def fill(one: DockedService, disk: Disk, load: PostingClients) -> None:
    """Leave no space; returns when the first posting is refused for it."""
    ballast = disk.path / "ballast"
    with ballast.open("wb") as file:
        while (room := disk.free_bytes() - LEFT) > 0:
            file.write(bytes(min(room, 1 << 20)))
            file.flush()
    wait_until(
        lambda: load.unavailable_errors, f"a posting is refused; {disk.free_bytes()} bytes are left", 60
    )
    assert [one for one in load.unavailable_errors if one["code"] != "store" or not one["message"]] == []
    wait_until(lambda: not store(one)["ok"], "the status tells of it", 2)
    assert "full" in store(one)["reason"]


def make_space(disk: Disk) -> None:
    (disk.path / "ballast").unlink()


def store(one: DockedService) -> Any:
    return one.service_client.get("/api/v1/status")["store"]


def recovered(one: DockedService, load: PostingClients, arrivals: GuestArrivals) -> CampaignResult:
    """The link is back and all that was promised is there."""
    one.wait_until_state("ESTABLISHED", seconds=30)
    wait_until(lambda: store(one)["ok"], "the status says that the store is well again", 10)
    before = len(load.accepted_postings)
    wait_until(lambda: len(load.accepted_postings) > before, "postings are accepted again", 10)
    arrivals.stop()
    load.stop_when_accepted()
    verdict = check_campaign(one, load)
    assert store(one) == {"ok": True, "reason": None}
    return verdict


def missed(one: DockedService, names: list[str]) -> list[int]:
    """Of which guests it was not told that they came; of the others once each, in order."""

    def up_to_the_last() -> list[str] | None:
        told = checked_in_names(one.service_client)
        return told if told[-1:] == names[-1:] else None

    told = wait_until(up_to_the_last, "the last guest is told of", 10)
    assert told == [name for name in names if name in set(told)]
    return [at for at, name in enumerate(names) if name not in set(told)]


def test_a_disk_that_is_full_for_a_moment_costs_nothing(tmp_path: Path, disk: Disk, report: Report) -> None:
    with working(tmp_path, disk) as (one, load, arrivals):
        fill(one, disk, load)
        time.sleep(3)
        make_space(disk)
        verdict = recovered(one, load, arrivals)
        assert missed(one, arrivals.guest_names) == []
        check_guests(one)
        states = [each["to"] for each in one.transitions()]
        assert "EXPECTION" not in states, "the link was given up for a moment's failure"
        one.stop()
        assert is_store_intact(one.state_dir)
    report(
        f"{len(load.unavailable_errors)} postings refused; {len(arrivals.guest_names)} guests, none missed; "
        f"{verdict}"
    )


def test_a_disk_that_stays_full_ends_the_link_until_there_is_space(
    tmp_path: Path, disk: Disk, report: Report
) -> None:
    with working(tmp_path, disk) as (one, load, arrivals):
        asked = one.link()["resync"]["asked"]
        before, began = len(arrivals.guest_names), time.monotonic()
        fill(one, disk, load)
        noticed = time.monotonic()
        one.wait_until_state("EXPECTION", "store", seconds=20)
        given_up = len(arrivals.guest_names)
        assert time.monotonic() - began >= 5
        assert time.monotonic() - noticed < 8
        rests_while_full(one, load)
        make_space(disk)
        verdict = recovered(one, load, arrivals)
        unheard = missed(one, arrivals.guest_names)
        assert all(before <= at <= given_up for at in unheard), f"{unheard}, not {before} to {given_up}"
        assert not unheard or one.link()["resync"]["asked"] != asked, "the PMS was not asked for them"
        check_guests(one)
        one.stop()
        assert is_store_intact(one.state_dir)
    report(
        f"{len(load.unavailable_errors)} postings refused; {len(arrivals.guest_names)} guests, "
        f"of which {len(unheard)} were "
        f"under way when the link was given up; {verdict}"
    )


def rests_while_full(one: DockedService, load: PostingClients) -> None:
    """Nothing is dialled and nothing accepted, for as long as a few redials would take."""
    refused, accepted = len(load.unavailable_errors), len(load.accepted_postings)
    connections = dialled(one)
    until_then = time.monotonic() + 4
    while time.monotonic() < until_then:
        link = one.link()
        assert (link["state"], link["cause"]["code"]) == ("EXPECTION", "store")
        assert link["retry"]["next_at"] is None
        assert link["reason"]
        time.sleep(0.2)
    assert dialled(one) == connections
    assert len(load.unavailable_errors) > refused
    assert len(load.accepted_postings) == accepted


def dialled(one: DockedService) -> int:
    """How many connections the PMS has accepted."""
    (hotel,) = one.pms_client.get("/")["properties"]
    return int(hotel["connections"])
