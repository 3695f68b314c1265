"""The cursors of webhooks, and how many events are undelivered."""

from __future__ import annotations

from pmslink.store.tables.log_entries import append_transitions
from pmslink.store.tables.webhook_cursors import Cursor, count_events_after, read_cursors, store_cursors
from tests.store.store_harness import LINK_NAME, StoreHarness
from tests.store.tables.test_history_queries import make_transition


def test_the_newest_cursor_of_each_link_is_stored_over_a_restart(harness: StoreHarness) -> None:
    harness.submit_all(store_cursors, Cursor(LINK_NAME, 7), Cursor("annexe", 5), Cursor(LINK_NAME, 9))
    harness.submit(store_cursors, Cursor("annexe", 6))
    assert harness.read(read_cursors) == {LINK_NAME: 9, "annexe": 6}
    harness.crash()
    harness.start()
    assert harness.store.startup_snapshot.cursors == {LINK_NAME: 9, "annexe": 6}


def test_a_cursor_without_a_number_is_deleted(harness: StoreHarness) -> None:
    harness.submit_all(store_cursors, Cursor(LINK_NAME, 7), Cursor("annexe", 5))
    harness.submit_all(store_cursors, Cursor(LINK_NAME, 8), Cursor(LINK_NAME, None))
    assert harness.read(read_cursors) == {"annexe": 5}


def test_events_and_transitions_after_a_number_are_counted(harness: StoreHarness) -> None:
    harness.receive_records("GI|RN101|", "RE|RN101|MLY|", "XL|RN101|MTHello|")
    harness.submit(append_transitions, make_transition(1))
    harness.receive_records("GI|RN101|", link="annexe")
    first, second = harness.events()
    last = harness.published_seqs()[-1]

    def count(after: int, until: int) -> int:
        return harness.read(count_events_after, LINK_NAME, after, until)

    assert count(0, last) == 3
    assert count(first.seq, last) == 2
    assert count(first.seq - 1, second.seq) == 2
    assert count(second.seq, second.seq) == 0
