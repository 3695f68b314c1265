"""Reading back: rows, records, changes of marker, and what the world was told last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, get_args

import pytest
from attrs import fields_dict

from pmslink.hotel.events import Event
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.operations.operator_actions import Decide, discard
from pmslink.store.tables.history_queries import events_after, last_told, newest_records, newest_transitions
from pmslink.store.tables.hotel_events import happened
from pmslink.store.tables.log_entries import (
    Announced,
    Changed,
    Entry,
    Recorded,
    Transaction,
    keep_announcements,
    keep_transitions,
)
from pmslink.store.tables.outbox_rows import Moved, State, changed_rows, newest_rows, row_of, standing
from pmslink.timestamps import from_ms, perhaps_from_ms, perhaps_to_ms, to_ms
from tests.store.store_harness import LINK, NOW, START, Playing, a_record, a_row

STATES: tuple[State, ...] = get_args(State)


def tell(transaction: Transaction, links: Sequence[str]) -> Sequence[None]:
    """An operation: let something happen in the hotel of each link."""
    for link in links:
        happened(transaction, link, START, Event("room.message_light", "101", {"value": True, "by": "pms"}))
    return [None] * len(links)


def a_change(id: int, link: str = LINK, old: str | None = "CLOSED") -> Changed:
    return Changed(id, link, START, old, "WAIT_LS", "it was asked to", '{"code": "user"}')


@pytest.fixture
def past(playing: Playing) -> list[Entry]:
    """What was told of two links, oldest first."""
    playing.do(keep_records, a_record("GI|1|"))
    playing.do(tell, LINK)
    playing.do(keep_records, a_record("RE|2|", direction="out"))
    playing.do(keep_transitions, a_change(7))
    playing.do(keep_records, a_record("GI|3|", link="annexe"))
    playing.do(tell, "annexe")
    playing.do(keep_records, a_record("GO|4|"))
    playing.do(keep_transitions, a_change(8, link="annexe", old=None))
    playing.do(keep_transitions, a_change(9))
    playing.do(keep_records, a_record("GI|5|"))
    playing.do(tell, LINK)
    return list(playing.told)


def texts(records: list[Recorded]) -> str:
    return "".join(record.text[3] for record in records)


@pytest.mark.parametrize(
    ("direction", "type", "limit", "found"),
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
    playing: Playing, past: list[Entry], direction: str | None, type: str | None, limit: int, found: str
) -> None:
    assert texts(playing.read(newest_records, LINK, direction, type, None, limit)) == found


def test_records_before_one_are_the_next_page(playing: Playing, past: list[Entry]) -> None:
    pages, before = [], None
    while page := playing.read(newest_records, LINK, None, None, before, 3):
        pages.append(texts(page))
        before = page[-1].seq
    assert pages == ["542", "1"]
    assert texts(playing.read(newest_records, "annexe", None, None, None, 9)) == "3"


def as_told(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in fields_dict(type(entry))}


def test_a_record_is_read_as_it_was_told(playing: Playing) -> None:
    record = a_record("GI|GNMüller\x7f漢|", at=START + timedelta(milliseconds=123))
    playing.do(keep_records, record)
    (kept,) = playing.read(newest_records, LINK, None, None, None, 1)
    assert as_told(kept) == as_told(record)


def test_changes_of_marker_newest_first(playing: Playing, past: list[Entry]) -> None:
    def ids(link: str, before: int | None, limit: int = 9) -> list[int]:
        return [change.id for change in playing.read(newest_transitions, link, before, limit)]

    assert ids(LINK, None) == [9, 7]
    assert ids(LINK, None, 1) == [9]
    assert ids(LINK, 9) == [7]
    assert ids(LINK, 7) == []
    assert ids("annexe", None) == [8]
    (kept,) = playing.read(newest_transitions, "annexe", None, 1)
    assert as_told(kept) == as_told(past[7])


def test_events_are_what_happened_in_the_hotel_and_to_the_link_in_this_order(
    playing: Playing, past: list[Entry]
) -> None:
    expected = [past[1], past[3], past[8], past[10]]

    def after(number: int, limit: int = 9) -> list[dict[str, Any]]:
        return [as_told(entry) for entry in playing.read(events_after, LINK, number, limit)]

    assert after(0) == list(map(as_told, expected))
    assert after(0, limit=3) == list(map(as_told, expected[:3]))
    assert after(past[3].seq) == list(map(as_told, expected[2:]))
    assert after(past[3].seq - 1) == list(map(as_told, expected[1:]))
    assert after(past[10].seq) == []


def test_what_was_told_last_is_of_all_links_and_kinds_in_order(playing: Playing, past: list[Entry]) -> None:
    row = playing.accept()
    news = Announced(START, "{}")
    playing.do(keep_announcements, news)
    moved = playing.do(discard, Decide(LINK, row.id, 4))
    told = [entry for entry in past if not isinstance(entry, Recorded)]
    kept = playing.read(last_told, 100)
    assert [entry.seq for entry in kept] == [*(entry.seq for entry in told), news.seq, moved.changed]
    assert all(entry.told for entry in kept if not isinstance(entry, Moved))
    assert isinstance(kept[-1], Moved)
    assert kept[-1].row == moved  # as it is now; that it was made before is no longer told
    assert [entry.seq for entry in playing.read(last_told, 3)] == [entry.seq for entry in kept[-3:]]


# rows


def test_rows_of_a_link_newest_first(playing: Playing) -> None:
    playing.have(*(a_row(id, state) for id, state in enumerate(STATES * 2, start=1)))
    playing.have(a_row(99, link="annexe"))

    def ids(state: State | None, before: int | None, limit: int = 100) -> list[int]:
        return [row.id for row in playing.read(newest_rows, LINK, state, before, limit)]

    assert ids(None, None) == list(range(12, 0, -1))
    assert ids(None, 5) == [4, 3, 2, 1]
    assert ids(None, None, 2) == [12, 11]
    for place, state in enumerate(STATES, start=1):
        assert ids(state, None) == [place + 6, place]
        assert ids(state, place + 6) == [place]
        assert ids(state, None, 1) == [place + 6]


def test_one_row_is_found_by_its_link_and_id(playing: Playing) -> None:
    row = a_row(1, subject="RS", until=NOW, key="k", asked="a", held_since=NOW)
    playing.have(row)
    assert playing.read(row_of, LINK, 1) == row
    assert playing.read(row_of, "annexe", 1) is None
    assert playing.read(row_of, LINK, 2) is None


def test_what_stands_is_what_a_person_or_the_pms_may_still_settle(playing: Playing) -> None:
    playing.have(*(a_row(id, state, created=NOW + id) for id, state in enumerate(STATES, start=1)))
    playing.have(a_row(9, link="annexe"))
    found = playing.read(standing)
    assert found == [
        *((LINK, id, STATES[id - 1], NOW + id) for id in (1, 2, 3, 5)),
        ("annexe", 9, "pending", NOW),
    ]


def test_rows_by_their_last_change(playing: Playing) -> None:
    rows = [playing.accept() for _ in range(4)]
    playing.do(discard, Decide(LINK, rows[1].id, 4))
    found = playing.read(changed_rows, 3)
    assert [moved.row.id for moved in found] == [rows[index].id for index in (1, 3, 2)]
    assert all(moved.seq == moved.row.changed for moved in found)


# moments


def test_moments_are_whole_milliseconds() -> None:
    moment = START + timedelta(milliseconds=1, microseconds=999)
    assert to_ms(moment) == NOW + 1
    assert from_ms(NOW + 1) == START + timedelta(milliseconds=1)
    assert (perhaps_to_ms(None), perhaps_from_ms(None)) == (None, None)
    assert perhaps_from_ms(perhaps_to_ms(START)) == START
