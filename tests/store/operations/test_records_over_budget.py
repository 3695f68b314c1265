"""A record over the budget of its link gets no row, but takes effect like the others (case E5)."""

from __future__ import annotations

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
