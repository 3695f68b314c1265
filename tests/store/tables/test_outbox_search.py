"""Tests of the search of the outbox: states, times, text, and the bound of what one search reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmslink.store.tables import outbox_search
from pmslink.store.tables.outbox_rows import OutboxRow
from pmslink.store.tables.outbox_search import FoundRows, RowSearch, find_rows
from tests.store.store_harness import LINK_NAME, START_MS, StoreHarness, make_row

HOUR_MS = 3_600_000


def _row(id: int, **changes: Any) -> OutboxRow:
    created = START_MS + id * HOUR_MS
    return make_row(id, **{"created": created, "body": "{}", "number": id, "room": "101", **changes})


def _call(id: int, dialled: str, **changes: Any) -> OutboxRow:
    return _row(
        id, type="call", body=json.dumps({"dialled": dialled, "amount": 214, "duration": 60}), **changes
    )


def _find(
    harness: StoreHarness, before: int | None = None, limit: int = 100, **search: Any
) -> tuple[list[int], int | None]:
    found: FoundRows = harness.read(find_rows, LINK_NAME, RowSearch(**search), before, limit)
    return [row.id for row in found.rows], found.next_before


def test_pages_of_all_rows_and_of_some_states(harness: StoreHarness) -> None:
    states = ("pending", "unknown", "refused", "done")
    harness.insert_rows(*(_row(id, state=states[id % 4]) for id in range(1, 13)), _row(99, link="annexe"))
    assert _find(harness) == ([*range(12, 0, -1)], None)
    assert _find(harness, limit=5) == ([12, 11, 10, 9, 8], 8)
    assert _find(harness, before=8, limit=7) == ([7, 6, 5, 4, 3, 2, 1], None)
    to_decide = ("unknown", "refused")
    assert _find(harness, states=to_decide) == ([10, 9, 6, 5, 2, 1], None)
    assert _find(harness, states=to_decide, limit=3) == ([10, 9, 6], 6)
    assert _find(harness, states=to_decide, before=6, limit=3) == ([5, 2, 1], None)


@pytest.mark.parametrize("searched_rows", [1, outbox_search.MAX_SEARCHED_ROWS])
def test_rows_of_a_time(harness: StoreHarness, monkeypatch: pytest.MonkeyPatch, searched_rows: int) -> None:
    monkeypatch.setattr(outbox_search, "MAX_SEARCHED_ROWS", searched_rows)
    monkeypatch.setattr(outbox_search, "_CLOCK_TOLERANCE_MS", HOUR_MS)
    harness.insert_rows(*(_row(id) for id in range(1, 20)))
    since, until = START_MS + 5 * HOUR_MS, START_MS + 9 * HOUR_MS
    assert _find(harness, since_ms=since, until_ms=until) == ([8, 7, 6, 5], None)
    assert _find(harness, since_ms=since + 1, until_ms=until + 1) == ([9, 8, 7, 6], None)
    assert _find(harness, since_ms=since, until_ms=until, limit=3) == ([8, 7, 6], 6)
    assert _find(harness, since_ms=since, until_ms=until, before=6) == ([5], None)
    assert _find(harness, until_ms=START_MS) == ([], None)
    assert _find(harness, since_ms=START_MS + 99 * HOUR_MS) == ([], None)
    assert _find(harness, since_ms=until, until_ms=since) == ([], None)


def test_a_row_from_before_the_clock_was_set_back_is_not_of_the_time_after_it(harness: StoreHarness) -> None:
    harness.insert_rows(_row(1), _row(2, created=START_MS + 50 * HOUR_MS), _row(3), _row(4))
    assert _find(harness, since_ms=START_MS + 3 * HOUR_MS, until_ms=START_MS + 9 * HOUR_MS) == ([4, 3], None)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("214", [7, 6, 4, 1]),
        ("21", [7, 6, 5, 4, 1]),
        ("7", [7]),
        ("P#7", [7]),
        ("#7", [7]),
        ("suite a", [3]),
        ("44 (20) 214", [1]),
        ("442021", [1]),
        ("%", []),
        ("_", []),
        ("nobody", []),
    ],
)
def test_text_finds_rooms_numbers_and_digits(harness: StoreHarness, text: str, ids: list[int]) -> None:
    harness.insert_rows(
        _call(1, "4420214"),
        _call(2, "999"),  # its amount is 214
        _row(3, room="Suite A/1"),
        _row(4, room="214"),
        _row(5, room="2100"),
        _row(6, room_sent="214"),
        _call(7, "00214"),
    )
    assert _find(harness, text=text) == (ids, None)


def test_digits_are_not_searched_for_a_caller_who_does_not_see_them(harness: StoreHarness) -> None:
    harness.insert_rows(_call(1, "4420214"), _row(2, room="214"))
    assert _find(harness, text="214", sees_digits=False) == ([2], None)
    assert _find(harness, text="44202", sees_digits=False) == ([], None)


def test_one_search_for_text_reads_a_bounded_number_of_rows(
    harness: StoreHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_search, "MAX_SEARCHED_ROWS", 4)
    rooms = {2: "214", 11: "214"}
    harness.insert_rows(*(_row(id, room=rooms.get(id, "101")) for id in range(1, 13)))
    assert _find(harness, text="214") == ([11], 9)
    assert _find(harness, before=9, text="214") == ([], 5)
    assert _find(harness, before=5, text="214") == ([2], None)  # these four are the last ones
    assert _find(harness, text="101", limit=2) == ([12, 10], 10)
    assert _find(harness, before=9, text="214", since_ms=START_MS + 99 * HOUR_MS) == ([], None)
