"""What is kept of each link, and how one is forgotten."""

from __future__ import annotations

from typing import get_args

import pytest
from attrs import evolve
from sqlalchemy import Connection, func, select

from pmslink.store.core import schema
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.tables.link_rows import (
    PostingsNotFinalError,
    RemoveLink,
    StoredLink,
    read_links,
    remove_links,
    store_links,
)
from pmslink.store.tables.log_entries import SyncChanged, append_sync_changes, append_transitions
from pmslink.store.tables.outbox_rows import OPEN_STATES, RowState
from pmslink.store.tables.webhook_cursors import Cursor, store_cursors
from tests.store.store_harness import LINK_NAME, START_MS, START_TIME, StoreHarness, make_record, make_row
from tests.store.tables.test_history_queries import a_change

STATES: tuple[RowState, ...] = get_args(RowState)
GRAND = StoredLink(LINK_NAME, '{"host": "h"}', "enabled")
ANNEXE = StoredLink(
    "annexe",
    None,
    "disabled",
    START_MS,
    START_MS + 1,
    START_MS + 2,
    False,
    START_MS + 3,
    START_MS + 4,
    START_MS + 5,
    6,
)


def test_links_are_kept_as_they_are_now_in_the_order_in_which_they_came(harness: StoreHarness) -> None:
    harness.submit(store_links, GRAND)
    harness.submit(store_links, ANNEXE)
    assert harness.read(read_links) == [GRAND, ANNEXE]
    changed = evolve(GRAND, intent="expired", expiry_seen=START_MS, definition='{"host": "ü"}')
    harness.submit_all(store_links, GRAND, ANNEXE, changed)
    assert harness.read(read_links) == [changed, ANNEXE]


def count(connection: Connection, link: str) -> dict[str, int]:
    """How many rows of each table are of a link."""
    counted: dict[str, int] = {}
    for table in schema.METADATA.sorted_tables:
        if (of_link := table.c.get("name" if table is schema.LINKS else "link")) is not None:
            asked = select(func.count()).select_from(table).where(of_link == link)
            counted[table.name] = connection.execute(asked).scalar_one()
    return counted


def fill(playing: StoreHarness) -> None:
    for place, kept in enumerate((GRAND, ANNEXE)):
        playing.submit(store_links, kept)
        playing.submit(append_records, make_record("WR|RN101|DA260102|TI0700|", link=kept.name))
        playing.submit(append_transitions, a_change(place, link=kept.name))
        playing.submit(append_sync_changes, SyncChanged(place, kept.name, START_TIME, in_sync=True))
        playing.submit(store_cursors, Cursor(kept.name, 1))
        playing.enqueue(link=kept.name)


def test_of_a_link_that_is_removed_nothing_is_left(harness: StoreHarness) -> None:
    fill(harness)
    before = harness.read(count, "annexe")
    assert set(before.values()) == {1}
    harness.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    assert set(harness.read(count, LINK_NAME).values()) == {0}
    assert harness.read(count, "annexe") == before
    assert harness.read(read_links) == [ANNEXE]


@pytest.mark.parametrize("state", STATES)
def test_a_link_whose_postings_are_not_final_is_removed_only_on_demand(
    harness: StoreHarness, state: RowState
) -> None:
    harness.submit(store_links, GRAND)
    harness.insert_rows(make_row(1, state), make_row(2, "done"), make_row(3, link="annexe"))
    (outcome,) = harness.submit_all(remove_links, RemoveLink(LINK_NAME, discard=False))
    if state in OPEN_STATES:
        assert isinstance(outcome, PostingsNotFinalError)
        assert f"postings of {LINK_NAME} are not final" in str(outcome)
        assert harness.read(read_links) == [GRAND]
        harness.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    else:
        assert outcome is None
    assert set(harness.read(count, LINK_NAME).values()) == {0}


def test_a_link_that_nobody_knows_may_be_removed(harness: StoreHarness) -> None:
    assert harness.submit(remove_links, RemoveLink(LINK_NAME, discard=False)) is None


def test_a_link_that_comes_back_counts_from_the_beginning(harness: StoreHarness) -> None:
    fill(harness)
    harness.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    assert harness.enqueue().number == 1
