"""Tests of the hotel scheduler: due times by the wall clock, clock changes, store failures, restarts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.config.link_settings import LinkSettings
from pmslink.hotel.extensions import ExtensionMapping
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel_scheduler import CHECK_INTERVAL_S, MAX_LOGGED_ROOMS, HotelScheduler, build_policy
from pmslink.store.operations.hotel_updates import run_due
from pmslink.store.tables.link_rows import RemoveLink, remove_links
from pmslink.store.tables.log_entries import NextDueChanged
from pmslink.timestamps import to_ms
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import LINK_NAME, START_TIME, FaultyDatabase, StoreHarness

SEVEN = START_TIME + timedelta(hours=7)
MINUTE = timedelta(minutes=1)


class ScheduledHotel:
    """A hotel with a store, a scheduler, a wall clock and a monotonic clock."""

    def __init__(self) -> None:
        self.policy: HotelPolicy | None = HotelPolicy(timezone=ZoneInfo("UTC"))
        self.harness = StoreHarness(FaultyDatabase(MemoryDatabase()))
        self._begin()

    def _begin(self) -> None:
        harness = self.harness
        store = harness.store
        if self.policy is not None:
            store.hotels.set_policy(LINK_NAME, self.policy)
        self.scheduler = HotelScheduler(
            harness.clock, harness.journal, harness.wall, store.startup_snapshot.next_due_times, store.hotels
        )
        self.scheduler.start()

    def restart(self, after: timedelta = timedelta(0)) -> None:
        """Restart the service after it was stopped for this time."""
        self.scheduler.stop()
        self.harness.crash()
        self.harness.now += after
        self.harness.start()
        self._begin()

    def set_policy(self, policy: HotelPolicy) -> None:
        """Set the policy of the link, like a change of its settings or its start."""
        self.harness.store.hotels.set_policy(LINK_NAME, policy)
        self.scheduler.on_policy_changed(LINK_NAME)

    def end(self) -> None:
        self.scheduler.stop()
        self.harness.database.stop_failing()
        self.harness.crash()

    def receive(self, *texts: str) -> None:
        self.harness.receive_records(*texts)

    def set_wall_clock(self, at: datetime) -> None:
        """Set the wall clock, and let the scheduler check it."""
        self.harness.now = at
        for _ in range(3):
            self.harness.advance(CHECK_INTERVAL_S)

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.harness.now += timedelta(seconds=1)
            self.harness.advance(1)

    def commit_count(self) -> int:
        """Number of commits of the store."""
        return self.harness.database.commit_count

    @property
    def event_types(self) -> list[str]:
        return self.harness.event_types()


@pytest.fixture
def hotel() -> Iterator[ScheduledHotel]:
    scheduled = ScheduledHotel()
    yield scheduled
    scheduled.end()


@pytest.fixture
def with_wake_up(hotel: ScheduledHotel) -> ScheduledHotel:
    """Return a hotel with a wake-up of room 101 at seven."""
    hotel.receive("GI|RN101|G#7|", "WR|RN101|DA260101|TI0700|")
    hotel.harness.published.clear()
    return hotel


def test_a_wake_up_is_due_at_its_time_and_not_before(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_wall_clock(SEVEN - timedelta(milliseconds=1))
    assert with_wake_up.event_types == []
    with_wake_up.set_wall_clock(SEVEN)
    assert with_wake_up.event_types == ["wake_up.due"]


def test_a_wake_up_is_due_within_two_seconds(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_wall_clock(SEVEN - timedelta(seconds=5))
    with_wake_up.wait(4)
    assert with_wake_up.event_types == []
    with_wake_up.wait(3)
    assert with_wake_up.event_types == ["wake_up.due"]
    (due,) = with_wake_up.harness.events()
    assert timedelta(0) <= due.at - SEVEN <= timedelta(seconds=2)


def test_nothing_is_committed_while_nothing_is_due(with_wake_up: ScheduledHotel) -> None:
    before = with_wake_up.commit_count()
    with_wake_up.wait(30)
    assert with_wake_up.commit_count() == before


def test_attempts_follow_each_other_up_to_the_maximum(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_wall_clock(SEVEN)
    with_wake_up.wait(600)
    assert with_wake_up.event_types == ["wake_up.due"] * 3 + ["wake_up.done"]
    attempts = [json.loads(event.text).get("attempt") for event in with_wake_up.harness.events()]
    assert attempts == [1, 2, 3, None]


def test_a_check_out_completes_after_two_seconds(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.receive("GO|RN101|G#7|")
    with_wake_up.wait(1)
    assert with_wake_up.event_types == []
    with_wake_up.wait(2)
    assert with_wake_up.event_types == ["wake_up.cancelled", "guest.checked_out"]


def test_each_hotel_has_its_own_due_times(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.harness.receive_records("WR|RN7|DA260101|TI0800|", link="annexe")
    with_wake_up.set_wall_clock(SEVEN)
    assert with_wake_up.event_types == ["wake_up.due"]
    assert with_wake_up.harness.event_types("annexe") == ["wake_up.set"]


def test_nothing_is_due_for_a_removed_link(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.harness.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    before = with_wake_up.commit_count()
    with_wake_up.set_wall_clock(SEVEN)
    assert with_wake_up.commit_count() == before
    assert with_wake_up.event_types == []


# the wall clock


def test_a_clock_set_forward_past_a_wake_up_rings_at_once(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_wall_clock(SEVEN + 5 * MINUTE)
    assert with_wake_up.event_types == ["wake_up.due"]


def test_a_clock_set_forward_too_far_makes_a_wake_up_missed(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_wall_clock(SEVEN + 11 * MINUTE)
    assert with_wake_up.event_types == ["wake_up.done"]


def test_a_clock_set_back_before_a_wake_up_postpones_it(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_wall_clock(SEVEN - MINUTE)
    with_wake_up.set_wall_clock(SEVEN - 60 * MINUTE)
    with_wake_up.wait(120)
    assert with_wake_up.event_types == []
    with_wake_up.set_wall_clock(SEVEN)
    assert with_wake_up.event_types == ["wake_up.due"]


def test_a_clock_set_back_after_a_wake_up_does_not_ring_twice(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_wall_clock(SEVEN)
    with_wake_up.set_wall_clock(SEVEN - 60 * MINUTE)
    with_wake_up.set_wall_clock(SEVEN)
    assert with_wake_up.event_types == ["wake_up.due", "wake_up.done"]  # no result was reported in that time


def test_a_clock_set_back_completes_pending_check_outs(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.wait(1)
    with_wake_up.receive("GO|RN101|G#7|")
    with_wake_up.set_wall_clock(with_wake_up.harness.now - 60 * MINUTE)
    assert with_wake_up.event_types == ["wake_up.cancelled", "guest.checked_out"]


# the store


def test_a_wake_up_due_during_a_store_failure_rings_afterwards(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.harness.database.start_failing()
    with_wake_up.set_wall_clock(SEVEN)
    with_wake_up.wait(120)
    assert with_wake_up.event_types == []
    with_wake_up.harness.database.stop_failing()
    with_wake_up.wait(3)
    assert with_wake_up.event_types == ["wake_up.due"]


def test_a_wake_up_due_during_a_long_store_failure_is_missed(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.harness.database.start_failing()
    with_wake_up.set_wall_clock(SEVEN)
    with_wake_up.wait(601)
    with_wake_up.harness.database.stop_failing()
    with_wake_up.wait(3)
    assert with_wake_up.event_types == ["wake_up.done"]
    assert json.loads(with_wake_up.harness.events()[0].text)["result"] == "missed"


def test_during_a_store_failure_each_link_is_queued_once(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.harness.database.start_failing()
    with_wake_up.set_wall_clock(SEVEN)
    with_wake_up.wait(60)
    waiting = [
        submission for submission in with_wake_up.harness.journal._queue if submission.operation is run_due
    ]
    assert len(waiting) == 1


def test_a_failed_run_is_logged_and_the_scheduler_continues(
    with_wake_up: ScheduledHotel, monkeypatch: pytest.MonkeyPatch, leak_check: list[LogEvent]
) -> None:
    monkeypatch.setattr("pmslink.hotel.wake_up_attempts._start_attempt", None)
    with_wake_up.set_wall_clock(SEVEN)
    assert leak_check
    expected_log = "{link}: due wake-ups and check-outs failed; next attempt in 1 s"
    assert leak_check[0]["log_format"] == expected_log
    leak_check.clear()
    monkeypatch.undo()
    with_wake_up.set_wall_clock(SEVEN + timedelta(seconds=9))
    assert with_wake_up.event_types == ["wake_up.due"]


# settings


def test_a_new_time_zone_changes_the_due_time(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_policy(HotelPolicy(timezone=ZoneInfo("Europe/Vienna")))
    with_wake_up.harness.advance()
    (planned,) = (
        entry.next_at for entry in with_wake_up.harness.published if isinstance(entry, NextDueChanged)
    )
    assert planned == to_ms(SEVEN - timedelta(hours=1))
    with_wake_up.set_wall_clock(SEVEN - timedelta(hours=1))
    assert with_wake_up.event_types == ["wake_up.due"]


def test_a_wake_up_long_past_in_the_new_time_zone_is_missed(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_policy(HotelPolicy(timezone=ZoneInfo("Asia/Shanghai")))
    with_wake_up.harness.advance()
    assert with_wake_up.event_types == ["wake_up.done"]


def test_a_time_zone_further_west_postpones_a_wake_up(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_policy(HotelPolicy(timezone=ZoneInfo("America/New_York")))
    with_wake_up.set_wall_clock(SEVEN)
    assert with_wake_up.event_types == []
    with_wake_up.set_wall_clock(SEVEN + timedelta(hours=5))
    assert with_wake_up.event_types == ["wake_up.due"]


def test_a_new_policy_of_a_link_without_due_times_commits_nothing(hotel: ScheduledHotel) -> None:
    before = hotel.commit_count()
    hotel.scheduler.on_policy_changed(LINK_NAME)
    hotel.harness.advance()
    assert hotel.commit_count() == before


def test_the_policy_is_built_from_settings() -> None:
    settings = LinkSettings(
        timezone="Europe/Vienna",
        wake_up_attempts=2,
        wake_up_interval=90.5,
        wake_up_late=300,
        extensions="prefix",
        extension_prefix="7",
    )
    policy = build_policy(LINK_NAME, settings)
    assert (policy.timezone, policy.wake_up_attempts) == (ZoneInfo("Europe/Vienna"), 2)
    assert (policy.wake_up_interval_ms, policy.wake_up_late_ms) == (90_500, 300_000)
    assert (policy.extensions_of_room("101"), policy.rooms_of_extension("7101")) == (("7101",), ("101",))


def logged(call: Callable[[], object]) -> list[str]:
    """Return the log lines of a call."""
    lines: list[str] = []
    publisher: Any = globalLogPublisher  # its type does not accept a plain function as an observer

    def collect(event: LogEvent) -> None:
        lines.append(str(formatEvent(event)))

    publisher.addObserver(collect)
    try:
        call()
    finally:
        publisher.removeObserver(collect)
    return lines


def test_a_missing_extension_table_is_logged_and_no_room_has_an_extension(tmp_path: Path) -> None:
    settings = LinkSettings(extensions="table", extension_table=str(tmp_path / "gone.csv"))
    policies: list[HotelPolicy] = []
    (line,) = logged(lambda: policies.append(build_policy(LINK_NAME, settings)))
    assert line.startswith("grand: extension table not loaded; events list no extensions: ")
    assert "gone.csv: no such file" in line
    assert policies[0].extensions_of_room("101") == policies[0].rooms_of_extension("101") == ()


ONE_ROOM_WITH_EXTENSION = HotelPolicy(
    extensions_of_room=ExtensionMapping("table", table={"101": ["7101"]}).extensions_of_room
)


def test_a_room_without_an_extension_is_logged_once(hotel: ScheduledHotel) -> None:
    hotel.set_policy(ONE_ROOM_WITH_EXTENSION)
    lines = logged(
        lambda: hotel.receive("RE|RN102|MLY|", "RE|RN101|MLY|", "RE|RN102|MLN|", "NS|", "RE|RN103|MLY|")
    )
    assert lines == [f"grand: room {room} has no extension; its events list none" for room in ("102", "103")]
    assert logged(lambda: hotel.receive("RE|RN102|MLY|")) == []
    assert logged(lambda: hotel.receive("RE|RN101|MLN|")) == []


def test_a_room_without_an_extension_is_logged_again_after_a_new_policy(hotel: ScheduledHotel) -> None:
    hotel.set_policy(ONE_ROOM_WITH_EXTENSION)
    assert len(logged(lambda: hotel.receive("RE|RN102|MLY|"))) == 1
    hotel.set_policy(ONE_ROOM_WITH_EXTENSION)
    assert len(logged(lambda: hotel.receive("RE|RN102|MLN|"))) == 1


def test_each_link_has_its_own_rooms_without_extension(hotel: ScheduledHotel) -> None:
    hotel.set_policy(ONE_ROOM_WITH_EXTENSION)
    hotel.harness.store.hotels.set_policy("annexe", ONE_ROOM_WITH_EXTENSION)
    assert len(logged(lambda: hotel.receive("RE|RN102|MLY|"))) == 1
    assert logged(lambda: hotel.harness.receive_records("RE|RN102|MLY|", link="annexe")) == [
        "annexe: room 102 has no extension; its events list none"
    ]


def test_a_pms_with_unlimited_room_names_does_not_fill_the_log(hotel: ScheduledHotel) -> None:
    hotel.set_policy(ONE_ROOM_WITH_EXTENSION)
    rooms = [f"RE|RN{room}|MLY|" for room in range(1000, 1000 + MAX_LOGGED_ROOMS + 5)]
    assert len(logged(lambda: hotel.receive(*rooms))) == MAX_LOGGED_ROOMS


def test_a_scheduler_that_was_not_started_can_be_stopped(hotel: ScheduledHotel) -> None:
    harness = hotel.harness
    scheduler = HotelScheduler(harness.clock, harness.journal, harness.wall, {}, harness.store.hotels)
    scheduler.stop()


# restarts


def test_a_wake_up_is_due_after_a_restart(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.restart()
    with_wake_up.set_wall_clock(SEVEN)
    assert with_wake_up.event_types == ["wake_up.due"]


def test_a_wake_up_is_late_after_a_short_downtime(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.restart(after=timedelta(hours=7) + 9 * MINUTE)
    with_wake_up.wait(3)
    assert with_wake_up.event_types == ["wake_up.due"]


def test_a_wake_up_is_missed_after_a_long_downtime(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.restart(after=timedelta(hours=7) + 11 * MINUTE)
    with_wake_up.wait(3)
    assert with_wake_up.event_types == ["wake_up.done"]


def test_attempts_continue_after_a_restart(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_wall_clock(SEVEN)
    with_wake_up.restart(after=MINUTE)
    with_wake_up.wait(600)
    assert with_wake_up.event_types == ["wake_up.due"] * 3 + ["wake_up.done"]


def test_a_long_downtime_during_an_attempt_ends_unreported(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.set_wall_clock(SEVEN)
    with_wake_up.restart(after=timedelta(hours=1))
    with_wake_up.wait(3)
    assert with_wake_up.event_types == ["wake_up.due", "wake_up.done"]
    assert json.loads(with_wake_up.harness.events()[-1].text)["result"] == "unreported"


def test_a_pending_check_out_completes_after_a_restart(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.receive("GO|RN101|G#7|")
    with_wake_up.restart(after=MINUTE)
    with_wake_up.wait(2)
    assert with_wake_up.event_types == ["wake_up.cancelled", "guest.checked_out"]


# a link that does not run: its settings are invalid, or it was removed from the configuration


@pytest.fixture
def without_link(with_wake_up: ScheduledHotel) -> ScheduledHotel:
    """Return the hotel after a restart without its link."""
    with_wake_up.policy = None
    with_wake_up.restart()
    return with_wake_up


def test_nothing_is_due_for_a_link_that_does_not_run(without_link: ScheduledHotel) -> None:
    before = without_link.commit_count()
    without_link.set_wall_clock(SEVEN)
    without_link.set_wall_clock(SEVEN - 60 * MINUTE)  # a clock that is set back is no reason to run either
    without_link.set_wall_clock(SEVEN + 20 * MINUTE)
    assert without_link.commit_count() == before
    assert without_link.event_types == []
    room = without_link.harness.room()
    assert room is not None
    assert [wake_up.attempts for wake_up in room.wake_ups] == [0]


def test_a_wake_up_rings_at_local_time_when_the_link_runs_again(without_link: ScheduledHotel) -> None:
    without_link.set_wall_clock(SEVEN)
    without_link.set_policy(HotelPolicy(timezone=ZoneInfo("America/New_York")))
    without_link.wait(2)
    assert without_link.event_types == []
    without_link.set_wall_clock(SEVEN + timedelta(hours=5))
    assert without_link.event_types == ["wake_up.due"]


def test_a_wake_up_due_meanwhile_is_missed_when_the_link_runs_again(without_link: ScheduledHotel) -> None:
    without_link.set_wall_clock(SEVEN + 20 * MINUTE)
    without_link.set_policy(HotelPolicy(timezone=ZoneInfo("UTC")))
    without_link.wait(2)
    assert without_link.event_types == ["wake_up.done"]
    assert json.loads(without_link.harness.events()[0].text)["result"] == "missed"


def test_a_pending_check_out_completes_when_the_link_runs_again(with_wake_up: ScheduledHotel) -> None:
    with_wake_up.receive("GO|RN101|G#7|")
    with_wake_up.policy = None
    with_wake_up.restart(after=MINUTE)
    with_wake_up.wait(3)
    assert with_wake_up.event_types == []
    with_wake_up.set_policy(HotelPolicy(timezone=ZoneInfo("UTC")))
    with_wake_up.wait(2)
    assert with_wake_up.event_types == ["wake_up.cancelled", "guest.checked_out"]
