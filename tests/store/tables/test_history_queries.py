"""Queries: rows, records, transitions, and the last published entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, get_args

import pytest
from attrs import fields_dict

from pmslink.hotel.events import Event
from pmslink.store.core.transaction import Entry, Transaction
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.operator_actions import OperatorAction, discard
from pmslink.store.tables.history_queries import (
    events_after,
    last_published,
    newest_records,
    newest_transitions,
)
from pmslink.store.tables.hotel_events import append_event
from pmslink.store.tables.log_entries import (
    LinkSnapshotLogged,
    RecordLogged,
    TransitionLogged,
    append_link_snapshots,
    append_transitions,
)
from pmslink.store.tables.outbox_rows import (
    OutboxRowChanged,
    RowState,
    UnresolvedRow,
    last_changed_rows,
    newest_rows,
    row_of_link,
    unresolved_rows,
)
from pmslink.timestamps import from_ms, optional_from_ms, optional_to_ms, to_ms
from tests.store.store_harness import LINK_NAME, START_MS, START_TIME, StoreHarness, make_record, make_row

STATES: tuple[RowState, ...] = get_args(RowState)


def append_light_events(transaction: Transaction, links: Sequence[str]) -> Sequence[None]:
    """Operation: append a message light event to the hotel of each link."""
    for link in links:
        append_event(
            transaction, link, START_TIME, Event("room.message_light", "101", {"value": True, "by": "pms"})
        )
    return [None] * len(links)


def make_transition(id: int, link: str = LINK_NAME, old: str | None = "CLOSED") -> TransitionLogged:
    return TransitionLogged(id, link, START_TIME, old, "WAIT_LS", "a user enabled it", '{"code": "user"}')


@pytest.fixture
def published_history(harness: StoreHarness) -> list[Entry]:
    """Publish entries of two links; return them, oldest first."""
    harness.submit(append_records, make_record("GI|1|"))
    harness.submit(append_light_events, LINK_NAME)
    harness.submit(append_records, make_record("RE|2|", direction="out"))
    harness.submit(append_transitions, make_transition(7))
    harness.submit(append_records, make_record("GI|3|", link="annexe"))
    harness.submit(append_light_events, "annexe")
    harness.submit(append_records, make_record("GO|4|"))
    harness.submit(append_transitions, make_transition(8, link="annexe", old=None))
    harness.submit(append_transitions, make_transition(9))
    harness.submit(append_records, make_record("GI|5|"))
    harness.submit(append_light_events, LINK_NAME)
    return list(harness.published)


def texts(records: list[RecordLogged]) -> str:
    return "".join(record.text[3] for record in records)


@pytest.mark.parametrize(
    ("direction", "type", "limit", "matching"),
    [
        (None, None, 9, "5421"),
        ("in", None, 9, "541"),
        ("out", None, 9, "2"),
        (None, "GI", 9, "51"),
        ("in", "RE", 9, ""),
        ("out", "RE", 9, "2"),
        (None, None, 2, "54"),
        ("in", "GI", 1, "5"),
    ],
)
def test_records_of_a_link_newest_first(
    harness: StoreHarness,
    published_history: list[Entry],
    direction: str | None,
    type: str | None,
    limit: int,
    matching: str,
) -> None:
    assert texts(harness.read(newest_records, LINK_NAME, direction, type, None, limit)) == matching


def test_records_before_the_last_one_are_the_next_page(
    harness: StoreHarness, published_history: list[Entry]
) -> None:
    pages, before = [], None
    while page := harness.read(newest_records, LINK_NAME, None, None, before, 3):
        pages.append(texts(page))
        before = page[-1].seq
    assert pages == ["542", "1"]
    assert texts(harness.read(newest_records, "annexe", None, None, None, 9)) == "3"


def entry_values(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in fields_dict(type(entry))}


def test_a_record_is_read_as_it_was_published(harness: StoreHarness) -> None:
    record = make_record("GI|GNMüller\x7f漢|", at=START_TIME + timedelta(milliseconds=123))
    harness.submit(append_records, record)
    (stored,) = harness.read(newest_records, LINK_NAME, None, None, None, 1)
    assert entry_values(stored) == entry_values(record)


def test_transitions_newest_first(harness: StoreHarness, published_history: list[Entry]) -> None:
    def ids(link: str, before: int | None, limit: int = 9) -> list[int]:
        return [change.id for change in harness.read(newest_transitions, link, before, limit)]

    assert ids(LINK_NAME, None) == [9, 7]
    assert ids(LINK_NAME, None, 1) == [9]
    assert ids(LINK_NAME, 9) == [7]
    assert ids(LINK_NAME, 7) == []
    assert ids("annexe", None) == [8]
    (stored,) = harness.read(newest_transitions, "annexe", None, 1)
    assert entry_values(stored) == entry_values(published_history[7])


def test_events_are_hotel_events_and_transitions_in_order(
    harness: StoreHarness, published_history: list[Entry]
) -> None:
    expected = [published_history[1], published_history[3], published_history[8], published_history[10]]

    def after(number: int, limit: int = 9) -> list[dict[str, Any]]:
        return [entry_values(entry) for entry in harness.read(events_after, LINK_NAME, number, limit)]

    assert after(0) == list(map(entry_values, expected))
    assert after(0, limit=3) == list(map(entry_values, expected[:3]))
    assert after(published_history[3].seq) == list(map(entry_values, expected[2:]))
    assert after(published_history[3].seq - 1) == list(map(entry_values, expected[1:]))
    assert after(published_history[10].seq) == []


def test_the_last_published_entries_are_of_all_links_and_kinds_in_order(
    harness: StoreHarness, published_history: list[Entry]
) -> None:
    row = harness.enqueue()
    snapshot = LinkSnapshotLogged(START_TIME, "{}")
    harness.submit(append_link_snapshots, snapshot)
    discarded = harness.submit(discard, OperatorAction(LINK_NAME, row.id, 4))
    published_entries = [entry for entry in published_history if not isinstance(entry, RecordLogged)]
    stored = harness.read(last_published, 100)
    assert [entry.seq for entry in stored] == [
        *(entry.seq for entry in published_entries),
        snapshot.seq,
        discarded.changed,
    ]
    assert all(entry.published for entry in stored if not isinstance(entry, OutboxRowChanged))
    assert isinstance(stored[-1], OutboxRowChanged)
    assert stored[-1].row == discarded  # the present row; its earlier changes are not in the list
    assert [entry.seq for entry in harness.read(last_published, 3)] == [entry.seq for entry in stored[-3:]]


# rows


def test_rows_of_a_link_newest_first(harness: StoreHarness) -> None:
    harness.insert_rows(*(make_row(id, state) for id, state in enumerate(STATES * 2, start=1)))
    harness.insert_rows(make_row(99, link="annexe"))

    def ids(state: RowState | None, before: int | None, limit: int = 100) -> list[int]:
        return [row.id for row in harness.read(newest_rows, LINK_NAME, state, before, limit)]

    assert ids(None, None) == list(range(12, 0, -1))
    assert ids(None, 5) == [4, 3, 2, 1]
    assert ids(None, None, 2) == [12, 11]
    for place, state in enumerate(STATES, start=1):
        assert ids(state, None) == [place + 6, place]
        assert ids(state, place + 6) == [place]
        assert ids(state, None, 1) == [place + 6]


def test_a_row_is_read_by_its_link_and_id(harness: StoreHarness) -> None:
    row = make_row(1, subject="RS", until=START_MS, key="k", asked="a", held_since=START_MS)
    harness.insert_rows(row)
    assert harness.read(row_of_link, LINK_NAME, 1) == row
    assert harness.read(row_of_link, "annexe", 1) is None
    assert harness.read(row_of_link, LINK_NAME, 2) is None


def test_unresolved_rows_are_those_that_the_pms_or_an_operator_may_still_change(
    harness: StoreHarness,
) -> None:
    harness.insert_rows(
        *(make_row(id, state, created=START_MS + id) for id, state in enumerate(STATES, start=1))
    )
    harness.insert_rows(make_row(9, link="annexe"))
    matching = harness.read(unresolved_rows)
    assert matching == [
        *(
            UnresolvedRow(LINK_NAME, id, "PS", STATES[id - 1], int(id == 1), START_MS + id)
            for id in (1, 2, 3, 5)
        ),
        UnresolvedRow("annexe", 9, "PS", "pending", 1, START_MS),
    ]


def test_rows_by_their_last_change(harness: StoreHarness) -> None:
    rows = [harness.enqueue() for _ in range(4)]
    harness.submit(discard, OperatorAction(LINK_NAME, rows[1].id, 4))
    matching = harness.read(last_changed_rows, 3)
    assert [discarded.row.id for discarded in matching] == [rows[index].id for index in (1, 3, 2)]
    assert all(discarded.seq == discarded.row.changed for discarded in matching)


# Timestamps.


def test_timestamps_are_whole_milliseconds() -> None:
    moment = START_TIME + timedelta(milliseconds=1, microseconds=999)
    assert to_ms(moment) == START_MS + 1
    assert from_ms(START_MS + 1) == START_TIME + timedelta(milliseconds=1)
    assert (optional_to_ms(None), optional_from_ms(None)) == (None, None)
    assert optional_from_ms(optional_to_ms(START_TIME)) == START_TIME
