"""The history of a removed link is deleted in steps that are limited by time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmslink.store.operations import link_removal
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.link_removal import delete_history
from pmslink.store.operations.retention import PURGE_BATCH_ROWS
from pmslink.store.tables.link_rows import PostingsNotFinalError, RemoveLink
from tests.store.store_harness import LINK_NAME, StoreHarness, make_record
from tests.store.tables.test_link_rows import count, fill

REQUEST = RemoveLink(LINK_NAME, discard=True)


@pytest.fixture
def steps_of_three_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: Iterator[int] = iter(range(10_000))
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    monkeypatch.setattr(link_removal, "PURGE_STEP_S", 3)


def test_a_step_ends_after_its_time_and_the_next_ones_delete_the_rest(
    harness: StoreHarness, steps_of_three_batches: None
) -> None:
    harness.submit_all(append_records, *(make_record() for _ in range(4 * PURGE_BATCH_ROWS + 1)))
    assert not harness.submit(delete_history, REQUEST)
    assert harness.read(count, LINK_NAME)["records"] == PURGE_BATCH_ROWS + 1
    assert harness.submit(delete_history, REQUEST)
    assert harness.read(count, LINK_NAME)["records"] == 0


def test_only_the_history_of_this_link_is_deleted(harness: StoreHarness) -> None:
    fill(harness)
    while not harness.submit(delete_history, REQUEST):
        pass
    left = {name for name, rows in harness.read(count, LINK_NAME).items() if rows}
    assert left == {"links", "numbers", "rooms", "houses", "cursors", "audit"}
    assert set(harness.read(count, "annexe").values()) == {1}


def test_without_discard_the_history_of_a_link_with_open_postings_stays(harness: StoreHarness) -> None:
    fill(harness)
    before = harness.read(count, LINK_NAME)
    (outcome,) = harness.submit_all(delete_history, RemoveLink(LINK_NAME, discard=False))
    assert isinstance(outcome, PostingsNotFinalError)
    assert harness.read(count, LINK_NAME) == before
