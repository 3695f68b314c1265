"""A budget bounds what one PMS makes us store; over it records take effect without their text (case E5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from twisted.logger import capturedLogs

from pmslink.config.link_settings import LinkSettings
from pmslink.link.link_hints import Hint
from pmslink.link.record_budget import MAX_RESERVE_TEXT_BYTES, ROW_BYTES, RecordBudget
from pmslink.store.core.journal_interface import NullJournal
from tests.link.link_harness import LinkHarness

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MEGABYTE = 1 << 20
LONG = "x" * 16_000


class BudgetHarness:
    def __init__(self, **settings: object) -> None:
        self.settings = LinkSettings(**{"store_budget_mb": 1, "timezone": "UTC", **settings})  # type: ignore[arg-type]
        self.calls: list[tuple[int, bool] | None] = []
        self.is_space_low = False
        self.budget = RecordBudget(lambda: self.settings, lambda: self.is_space_low)
        self.budget.on_exceeded = lambda megabytes, by_disk: self.calls.append((megabytes, by_disk))
        self.budget.on_renewed = lambda: self.calls.append(None)
        self.budget.begin_day(NOON)

    def use_up(self) -> int:
        """Take long records until one is over the budget, and return how many are stored."""
        count = 0
        while self.budget.take(LONG):
            count += 1
        return count


def test_e5_the_budget_counts_text_and_rows() -> None:
    assert BudgetHarness().use_up() == MEGABYTE // (len(LONG) + ROW_BYTES)
    rows = 0
    harness = BudgetHarness()
    while harness.budget.take(""):
        rows += 1
    assert rows == MEGABYTE // ROW_BYTES
    assert BudgetHarness(store_budget_mb=2).use_up() == 2 * MEGABYTE // (len(LONG) + ROW_BYTES)


def test_e5_text_is_counted_as_it_is_stored() -> None:
    budget = BudgetHarness().budget
    assert budget.take("ü" * (MEGABYTE // 2 - ROW_BYTES))
    assert not budget.take("x" * (ROW_BYTES + 1))


def test_e5_over_the_budget_no_text_is_stored_until_the_hotels_day_ends() -> None:
    harness = BudgetHarness(timezone="Asia/Tokyo")
    harness.use_up()
    assert harness.calls == [(1, False)]
    assert not harness.budget.take("short")
    harness.budget.begin_day(NOON + timedelta(hours=2, minutes=59))
    assert not harness.budget.take("short")
    assert harness.calls == [(1, False)] * 3
    harness.budget.begin_day(NOON + timedelta(hours=3))
    assert harness.calls == [(1, False)] * 3 + [None]
    assert harness.budget.take("short")
    assert harness.use_up() > 60


def test_e5_a_day_without_excess_ends_silently() -> None:
    harness = BudgetHarness()
    harness.budget.begin_day(NOON + timedelta(days=1))
    assert harness.calls == []


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_e5_a_day_with_a_change_of_the_clocks_is_one_day(day: str) -> None:
    harness = BudgetHarness(timezone="Europe/Vienna")
    begin = datetime.fromisoformat(f"{day}T00:30+02:00" if day > "2026-06" else f"{day}T00:30+01:00")
    harness.budget.begin_day(begin)
    harness.use_up()
    harness.budget.begin_day(begin + timedelta(hours=20))
    assert not harness.budget.take("short")
    harness.budget.begin_day(begin + timedelta(hours=25))
    assert harness.budget.take("short")


def test_e5_a_higher_budget_applies_at_once() -> None:
    harness = BudgetHarness()
    harness.use_up()
    harness.settings = evolve(harness.settings, store_budget_mb=2)
    assert harness.budget.take("short")


def test_e5_on_a_disk_that_is_nearly_full_a_link_keeps_one_megabyte_a_day() -> None:
    harness = BudgetHarness(store_budget_mb=200)
    harness.is_space_low = True
    assert harness.use_up() == MEGABYTE // (len(LONG) + ROW_BYTES)
    assert harness.calls == [(1, True)]
    assert not harness.budget.take("short")
    harness.is_space_low = False  # a disk at the limit must not switch the hint on and off
    assert not harness.budget.take(LONG)
    harness.budget.begin_day(NOON + timedelta(days=1))
    assert harness.calls == [(1, True)] * 3 + [None]
    assert harness.budget.take(LONG)


def test_e5_short_records_that_are_read_again_have_a_reserve_of_the_same_size() -> None:
    harness = BudgetHarness()
    harness.use_up()
    assert not harness.budget.take("x" * (MAX_RESERVE_TEXT_BYTES + 1), is_read_again=True)
    text = "x" * MAX_RESERVE_TEXT_BYTES
    count = 0
    while harness.budget.take(text, is_read_again=True):
        count += 1
    assert count == MEGABYTE // (len(text) + ROW_BYTES)
    assert None not in harness.calls, "the hint stays: other records are not stored"
    harness.budget.begin_day(NOON + timedelta(days=1))
    harness.use_up()
    assert harness.budget.take(text, is_read_again=True)


def test_e5_the_link_names_a_disk_that_is_nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NullJournal, "is_space_low", lambda self: True)
    harness = LinkHarness(alive_by="nothing")
    harness.link.start()
    harness.dock()
    for _ in range(70):
        harness.send(f"XL|RN101|MT{LONG}|")
    assert harness.link.status().hints == (Hint("records", {"variant": "disk", "megabytes": 1}),)
    assert "The disk is nearly full" in harness.link.status().advice


def test_e5_the_link_says_that_text_is_not_stored() -> None:
    harness = LinkHarness(store_budget_mb=1, timezone="UTC", alive_by="nothing")
    harness.link.start()
    harness.dock()
    with capturedLogs() as logs:
        for _ in range(70):
            harness.send(f"XL|RN101|MT{LONG}|")
        harness.send("LS|", "LA|")  # the PMS starts anew
        harness.send("XL|RN101|MTshort|")
    params = {"variant": "budget", "setting": "store_budget_mb", "megabytes": 1}
    assert harness.link.status().hints == (Hint("records", params),)
    assert harness.link.status().attention == 2
    assert "more than 1 MiB of records today" in harness.link.status().advice
    (line,) = [event for event in logs if event.get("limit") == "store_budget_mb"]
    assert line["megabytes"] == 1
    harness.run(86_400)
    harness.send("XL|RN101|MTshort|")
    assert harness.link.status().hints == ()


def test_e5_a_changed_budget_removes_the_hint() -> None:
    harness = LinkHarness(store_budget_mb=1)
    harness.link.start()
    harness.dock()
    for _ in range(70):
        harness.send(f"XL|RN101|MT{LONG}|")
    assert harness.link.status().hints
    harness.link.apply_config(harness.make_config(store_budget_mb=5))
    assert harness.link.status().hints == ()
    harness.send("XL|RN101|MTshort|")
    assert harness.link.status().hints == ()
