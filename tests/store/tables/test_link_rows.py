"""The rows of links, and the removal of a link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import pytest
from attrs import evolve
from sqlalchemy import Connection, func, select

from pmslink.hotel.events import StayChange
from pmslink.store.core import schema
from pmslink.store.core.prepared_statements import insert_many
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.tables.audit_log import AuditEntry, append_audit_entries
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
from pmslink.store.tables.stays import apply_stay_changes
from pmslink.store.tables.webhook_cursors import Cursor, store_cursors
from tests.store.store_harness import LINK_NAME, START_MS, START_TIME, StoreHarness, make_record, make_row
from tests.store.tables.test_history_queries import make_transition

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
    "enabled",
    "front-desk",
    START_MS + 7,
)


def test_links_are_stored_in_the_order_in_which_they_were_added(harness: StoreHarness) -> None:
    harness.submit(store_links, GRAND)
    harness.submit(store_links, ANNEXE)
    assert harness.read(read_links) == [GRAND, ANNEXE]
    changed = evolve(GRAND, intent="expired", expiry_seen=START_MS, definition='{"host": "ü"}')
    harness.submit_all(store_links, GRAND, ANNEXE, changed)
    assert harness.read(read_links) == [changed, ANNEXE]


def count(connection: Connection, link: str) -> dict[str, int]:
    """Count the rows of a link in each table."""
    counted: dict[str, int] = {}
    for table in schema.METADATA.sorted_tables:
        if (of_link := table.c.get("name" if table is schema.LINKS else "link")) is not None:
            asked = select(func.count()).select_from(table).where(of_link == link)
            counted[table.name] = connection.execute(asked).scalar_one()
    return counted


def store_stay_and_problem(transaction: Transaction, links: Sequence[str]) -> Sequence[None]:
    """Operation: store a vacant room and a record that was not understood."""
    for link in links:
        apply_stay_changes(transaction, link, START_MS, [StayChange("vacant", "101")])
        problem = (transaction.next_seq(), link, START_MS, "GI without RN")
        insert_many(transaction.connection, schema.RECORD_PROBLEMS, [problem])
    return [None] * len(links)


def insert_notices(transaction: Transaction, links: Sequence[str | None]) -> Sequence[None]:
    """Operation: insert an open notice about each link."""
    rows = [(transaction.next_seq(), link, "down", "", START_MS, 1, None, "{}", None, None) for link in links]
    insert_many(transaction.connection, schema.NOTICES, rows)
    return [None] * len(links)


def fill(harness: StoreHarness) -> None:
    for transition_id, stored_link in enumerate((GRAND, ANNEXE)):
        harness.submit(store_links, stored_link)
        harness.submit(append_records, make_record("WR|RN101|DA260102|TI0700|", link=stored_link.name))
        harness.submit(append_transitions, make_transition(transition_id, link=stored_link.name))
        harness.submit(
            append_sync_changes, SyncChanged(transition_id, stored_link.name, START_TIME, in_sync=True)
        )
        harness.submit(store_stay_and_problem, stored_link.name)
        harness.submit(store_cursors, Cursor(stored_link.name, 1))
        harness.submit(insert_notices, stored_link.name)
        harness.submit(append_audit_entries, AuditEntry(START_MS, "a", "control", "b", stored_link.name))
        harness.enqueue(link=stored_link.name)


def test_removing_a_link_deletes_all_its_data_but_the_audit_trail(harness: StoreHarness) -> None:
    fill(harness)
    before = harness.read(count, "annexe")
    assert set(before.values()) == {1}
    harness.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    assert {table for table, rows in harness.read(count, LINK_NAME).items() if rows} == {"audit"}
    assert harness.read(count, "annexe") == before
    assert harness.read(read_links) == [ANNEXE]


@pytest.mark.parametrize("state", STATES)
def test_a_link_with_open_postings_is_removed_only_with_discard(
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


def test_removing_an_unknown_link_succeeds(harness: StoreHarness) -> None:
    assert harness.submit(remove_links, RemoveLink(LINK_NAME, discard=False)) is None


def test_a_link_that_is_added_again_numbers_its_postings_from_the_beginning(harness: StoreHarness) -> None:
    fill(harness)
    harness.submit(remove_links, RemoveLink(LINK_NAME, discard=True))
    assert harness.enqueue().number == 1
