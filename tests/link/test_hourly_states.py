"""Tests of the worst state of each hour."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from pmslink.link.hourly_states import HOURS, HourlyStates, rank_hours
from pmslink.store.tables.availability import Segment
from pmslink.store.tables.log_entries import TransitionLogged

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    """Return the time this many hours after noon."""
    return NOON + timedelta(hours=hours)


def segment(
    begin: float, end: float, marker: str | None, in_sync: bool = False, cause: str = "lost"
) -> Segment:
    if marker is None:
        return Segment(at(begin), at(end), None, False)
    transition = TransitionLogged(1, "grand", at(begin), None, marker, "", json.dumps({"code": cause}))
    return Segment(at(begin), at(end), transition, in_sync)


def test_before_the_first_change_nothing_is_known() -> None:
    states = HourlyStates()
    assert states.text(at(0)) == "-" * 24
    states.change("connected", at(0))
    assert states.text(at(0.5)) == "-" * 23 + "g"
    assert states.text(at(2)) == "-" * 21 + "ggg"


def test_each_hour_shows_its_worst_state() -> None:
    states = HourlyStates()
    states.change("connected", at(0.2))
    states.change("down", at(1.3))
    states.change("look", at(1.31))
    states.change("off", at(3.5))
    assert states.text(at(4.1)) == "-" * 19 + "gbggo"
    states.change("connecting", at(4.5))
    states.change("connected", at(4.7))
    assert states.text(at(4.9)) == "-" * 19 + "gbggw"


def test_a_short_wait_shows_only_where_nothing_else_is_known() -> None:
    states = HourlyStates()
    states.change("connecting", at(0))
    assert states.text(at(0.01)) == "-" * 23 + "w"
    states.change("connected", at(0.01))
    assert states.text(at(0.02)) == "-" * 23 + "g"


def test_a_day_is_remembered() -> None:
    states = HourlyStates()
    states.change("down", at(0))
    states.change("connected", at(0.5))
    assert states.text(at(23.9)) == "b" + "g" * 23
    assert states.text(at(24)) == "g" * 24
    assert states.text(at(1000)) == "g" * 24


def test_a_clock_that_is_set_back_loses_no_more_than_the_later_hours() -> None:
    states = HourlyStates()
    states.change("down", at(5))
    states.change("connected", at(3.5))
    assert states.text(at(4)) == "-" * 22 + "gg"


def test_memory_is_bounded_while_nobody_reads_the_states() -> None:
    states = HourlyStates()
    states.restore(rank_hours([segment(-24, 0, "ESTABLISHED", True)]))
    for hour in range(1000):
        states.change("connected" if hour % 2 else "down", at(hour))
    assert len(states._ranks) <= HOURS


def test_thousands_of_states_are_at_most_one_for_each_hour() -> None:
    states = [segment(n / 200 - 24, (n + 1) / 200 - 24, "EXPECTION") for n in range(4800)]
    assert len(rank_hours(states)) <= HOURS + 1


@pytest.mark.parametrize(
    ("marker", "in_sync", "cause", "state"),
    [
        (None, False, "", "-"),
        ("DISABLED", False, "user", "o"),
        ("EXPIRED", False, "expired", "o"),
        ("CLOSED", False, "user", "o"),
        ("CLOSED", False, "pms_ended", "b"),
        ("CLOSED", False, "in_use", "b"),
        ("CLOSED", False, "settings", "w"),
        ("EXPECTION", False, "refused", "b"),
        ("WAIT_LS", False, "refused", "w"),
        ("ESTABLISHED", False, "started", "w"),
        ("ESTABLISHED", True, "started", "g"),
        ("WAIT_LE", False, "user", "w"),
    ],
)
def test_stored_states_are_restored(marker: str | None, in_sync: bool, cause: str, state: str) -> None:
    states = HourlyStates()
    states.change("connected", at(0))
    states.restore(rank_hours([segment(-2.5, -0.5, marker, in_sync, cause)]))
    assert states.text(at(0)) == "-" * 20 + state * 3 + "g"


def test_a_restored_state_does_not_hide_a_worse_one() -> None:
    states = HourlyStates()
    states.change("down", at(0.5))
    states.restore(rank_hours([segment(-0.5, 0.4, "ESTABLISHED", True)]))
    assert states.text(at(0.6)) == "-" * 22 + "gb"
