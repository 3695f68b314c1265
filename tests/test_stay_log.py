"""Tests of the history of a simulated hotel, and of the refusals that it justifies."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.posting_judge import check_refusal
from tests.stay_log import StayLog

BEGIN = datetime(2026, 10, 21, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


@pytest.fixture
def log() -> StayLog:
    """Anna leaves room 101 after 100 s, and Bert comes; the link is down from 200 s to 300 s."""
    stays: dict[str, list[tuple[datetime, str | None]]] = {
        "Anna": [(at(0), "101"), (at(100), None)],
        "Bert": [(at(100), "101"), (at(250), "102")],
        "Carl": [(at(250), "101")],
    }
    link = [(at(0), True), (at(200), False), (at(300), True)]
    return StayLog(lambda: at(400), stays, link)


def test_guests_and_changes_of_a_room(log: StayLog) -> None:
    assert log.guests_between("101", at(50), at(50)) == {"Anna"}
    assert log.guests_between("101", at(50), at(150)) == {"Anna", "Bert"}
    assert log.changes_between("101", at(50), at(300)) == [at(100), at(100), at(250), at(250)]
    assert log.changes_between("102", at(50), at(300)) == [at(250)]
    assert (log.has_left("Anna", at(99)), log.has_left("Anna", at(100))) == (False, True)


def test_the_link_is_alive_between_its_interruptions(log: StayLog) -> None:
    assert log.is_alive_between(at(10), at(190))
    assert not log.is_alive_between(at(10), at(210))
    assert not log.is_alive_between(at(210), at(290))
    assert log.outage_start(at(250)) == at(200)
    assert log.outage_start(at(350)) is None


def refuse(log: StayLog, seconds: float) -> None:
    hotel: Any = SimpleNamespace(stay_log=log)
    row: Any = SimpleNamespace(number=1, room="101", body=json.dumps({"started": at(seconds).isoformat()}))
    check_refusal(hotel, row, at(400))


@pytest.mark.parametrize("seconds", [50, 99, 101])
def test_a_posting_can_be_refused_that_began_while_a_guest_was_there_who_has_left(
    log: StayLog, seconds: float
) -> None:
    refuse(log, seconds)


@pytest.mark.parametrize("seconds", [103, 150, 260])
def test_a_posting_of_a_guest_who_is_in_the_hotel_must_not_be_refused(log: StayLog, seconds: float) -> None:
    with pytest.raises(AssertionError, match=r"is refused, and .*Bert.* in the hotel"):
        refuse(log, seconds)
