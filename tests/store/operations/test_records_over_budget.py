"""Bounds on what one record of a PMS stores: its row, by the budget of its link, and its events (case E5)."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func, select

from pmslink.store.core.schema import RECORD_PROBLEMS, RECORDS
from pmslink.store.operations.hotel_updates import append_records
from tests.store.store_harness import LINK_NAME, StoreHarness, make_record


def count_rows(connection: Connection) -> tuple[int, int]:
    counts = [connection.execute(select(func.count()).select_from(one)) for one in (RECORDS, RECORD_PROBLEMS)]
    records, problems = (count.scalar_one() for count in counts)
    return records, problems


def test_e5_a_record_without_text_takes_effect_and_is_published(harness: StoreHarness) -> None:
    harness.published.clear()
    records = [
        make_record("GI|RN101|G#1|GNAnna|", is_text_stored=False),
        make_record("GI|G#2|", is_text_stored=False, problem="RN (room) is missing"),
    ]
    harness.submit_all(append_records, *records)
    room = harness.room("101")
    assert room is not None
    assert [guest.name for guest in room.guests] == ["Anna"]
    assert harness.event_types(LINK_NAME) == ["guest.checked_in"]
    assert [entry for entry in harness.published if entry in records] == records
    assert harness.read(count_rows) == (0, 0)


@pytest.mark.parametrize("text", ["x", "ü", '"', "\\", "\x07"])
def test_e5_the_events_of_a_record_are_short_whatever_it_contains(harness: StoreHarness, text: str) -> None:
    codes = [first + second for first in "ABCGN" for second in "0123456789"] + ["GN", "GF", "GT", "GL", "GG"]
    for record_id, first in (("GI", "a"), ("GC", "b"), ("GO", "c")):
        fields = "".join(f"{code}{first}{text * 300}|" for code in codes)
        harness.receive_records(f"{record_id}|RN101|G#1|{fields}")
    harness.receive_records(f"WR|RN101|DA{text * 300}|TI{text * 300}|", f"XL|RN101|MT{text * 16_000}|")
    events = harness.events()
    assert {"guest.checked_in", "guest.changed", "wake_up.not_understood"} <= {*harness.event_types()}
    assert max(len(event.text.encode()) for event in events) < 24 * 1024
