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

from tests.process.server_processes import until
from tests.soak.campaign_checks import Verdict, judge
from tests.soak.docked_service import Lane, is_sound, lane
from tests.soak.event_consumer import judge_guests
from tests.soak.guest_arrivals import Arrivals, told_of
from tests.soak.mounted_disk import Disk, tmpfs
from tests.soak.posting_clients import Load

pytestmark = [pytest.mark.soak, pytest.mark.debian]

Report = Callable[[str], None]
MEGABYTES = 24
LEFT = 256 << 10
"""Bytes that are left for the load to fill."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with tmpfs(tmp_path, MEGABYTES) as small:
        yield small


@contextmanager
def working(tmp_path: Path, disk: Disk) -> Iterator[tuple[Lane, Load, Arrivals]]:
    """A service in sync whose state is on that disk, with postings and guests coming in."""
    with lane(tmp_path / "lane", disk.path / "state") as one:
        load, arrivals = Load(one.interface, "disk full", clients=4, pause=0.02), Arrivals(one.pms, 0.02)
        one.start()
        one.until_state("ESTABLISHED")
        load.start()
        arrivals.start()
        try:
            yield one, load, arrivals
        except BaseException:
            load.abandon()
            raise
        finally:
            arrivals.end()


def fill(one: Lane, disk: Disk, load: Load) -> None:
    """Leave no space; returns when the first posting is refused for it."""
    ballast = disk.path / "ballast"
    with ballast.open("wb") as file:
        while (room := disk.free() - LEFT) > 0:
            file.write(bytes(min(room, 1 << 20)))
            file.flush()
    until(lambda: load.refusals, f"a posting is refused; {disk.free()} bytes are left", 60)
    assert [one for one in load.refusals if one["code"] != "store" or not one["message"]] == []
    until(lambda: not store(one)["ok"], "the status tells of it", 2)
    assert "full" in store(one)["reason"]


def make_space(disk: Disk) -> None:
    (disk.path / "ballast").unlink()


def store(one: Lane) -> Any:
    return one.interface.get("/api/v1/status")["store"]


def recovered(one: Lane, load: Load, arrivals: Arrivals) -> Verdict:
    """The link is back and all that was promised is there."""
    one.until_state("ESTABLISHED", seconds=30)
    until(lambda: store(one)["ok"], "the status says that the store is well again", 10)
    before = len(load.promises)
    until(lambda: len(load.promises) > before, "postings are accepted again", 10)
    arrivals.end()
    load.finish()
    verdict = judge(one, load)
    assert store(one) == {"ok": True, "reason": None}
    return verdict


def missed(one: Lane, names: list[str]) -> list[int]:
    """Of which guests it was not told that they came; of the others once each, in order."""

    def up_to_the_last() -> list[str] | None:
        told = told_of(one.interface)
        return told if told[-1:] == names[-1:] else None

    told = until(up_to_the_last, "the last guest is told of", 10)
    assert told == [name for name in names if name in set(told)]
    return [at for at, name in enumerate(names) if name not in set(told)]


def test_a_disk_that_is_full_for_a_moment_costs_nothing(tmp_path: Path, disk: Disk, report: Report) -> None:
    with working(tmp_path, disk) as (one, load, arrivals):
        fill(one, disk, load)
        time.sleep(3)
        make_space(disk)
        verdict = recovered(one, load, arrivals)
        assert missed(one, arrivals.names) == []
        judge_guests(one)
        states = [each["to"] for each in one.transitions()]
        assert "EXPECTION" not in states, "the link was given up for a moment's failure"
        one.stop()
        assert is_sound(one.state)
    report(f"{len(load.refusals)} postings refused; {len(arrivals.names)} guests, none missed; {verdict}")


def test_a_disk_that_stays_full_ends_the_link_until_there_is_space(
    tmp_path: Path, disk: Disk, report: Report
) -> None:
    with working(tmp_path, disk) as (one, load, arrivals):
        asked = one.link()["resync"]["asked"]
        before, began = len(arrivals.names), time.monotonic()
        fill(one, disk, load)
        noticed = time.monotonic()
        one.until_state("EXPECTION", "store", seconds=20)
        given_up = len(arrivals.names)
        assert time.monotonic() - began >= 5
        assert time.monotonic() - noticed < 8
        rests_while_full(one, load)
        make_space(disk)
        verdict = recovered(one, load, arrivals)
        unheard = missed(one, arrivals.names)
        assert all(before <= at <= given_up for at in unheard), f"{unheard}, not {before} to {given_up}"
        assert not unheard or one.link()["resync"]["asked"] != asked, "the PMS was not asked for them"
        judge_guests(one)
        one.stop()
        assert is_sound(one.state)
    report(
        f"{len(load.refusals)} postings refused; {len(arrivals.names)} guests, of which {len(unheard)} were "
        f"under way when the link was given up; {verdict}"
    )


def rests_while_full(one: Lane, load: Load) -> None:
    """Nothing is dialled and nothing accepted, for as long as a few redials would take."""
    refused, accepted = len(load.refusals), len(load.promises)
    connections = dialled(one)
    until_then = time.monotonic() + 4
    while time.monotonic() < until_then:
        link = one.link()
        assert (link["state"], link["cause"]["code"]) == ("EXPECTION", "store")
        assert link["retry"]["next_at"] is None
        assert link["reason"]
        time.sleep(0.2)
    assert dialled(one) == connections
    assert len(load.refusals) > refused
    assert len(load.promises) == accepted


def dialled(one: Lane) -> int:
    """How many connections the PMS has accepted."""
    (hotel,) = one.pms.get("/")["properties"]
    return int(hotel["connections"])
