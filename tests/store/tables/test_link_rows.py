"""What is kept of each link, and how one is forgotten."""

from __future__ import annotations

from typing import get_args

import pytest
from attrs import evolve
from sqlalchemy import Connection, func, select

from pmslink.store.core import schema
from pmslink.store.operations.hotel_updates import keep_records
from pmslink.store.tables.link_rows import KeptLink, NotFinal, Remove, keep_links, kept_links, remove_links
from pmslink.store.tables.log_entries import Synced, keep_syncs, keep_transitions
from pmslink.store.tables.outbox_rows import OPEN, State
from pmslink.store.tables.webhook_cursors import Cursor, keep_cursors
from tests.store.store_harness import LINK, NOW, START, Playing, a_record, a_row
from tests.store.tables.test_history_queries import a_change

STATES: tuple[State, ...] = get_args(State)
GRAND = KeptLink(LINK, '{"host": "h"}', "enabled")
ANNEXE = KeptLink("annexe", None, "disabled", NOW, NOW + 1, NOW + 2, False, NOW + 3, NOW + 4, NOW + 5, 6)


def test_links_are_kept_as_they_are_now_in_the_order_in_which_they_came(playing: Playing) -> None:
    playing.do(keep_links, GRAND)
    playing.do(keep_links, ANNEXE)
    assert playing.read(kept_links) == [GRAND, ANNEXE]
    changed = evolve(GRAND, intent="expired", expiry_seen=NOW, definition='{"host": "ü"}')
    playing.do_all(keep_links, GRAND, ANNEXE, changed)
    assert playing.read(kept_links) == [changed, ANNEXE]


def count(connection: Connection, link: str) -> dict[str, int]:
    """How many rows of each table are of a link."""
    counted: dict[str, int] = {}
    for table in schema.METADATA.sorted_tables:
        if (of_link := table.c.get("name" if table is schema.LINKS else "link")) is not None:
            asked = select(func.count()).select_from(table).where(of_link == link)
            counted[table.name] = connection.execute(asked).scalar_one()
    return counted


def fill(playing: Playing) -> None:
    for place, kept in enumerate((GRAND, ANNEXE)):
        playing.do(keep_links, kept)
        playing.do(keep_records, a_record("WR|RN101|DA260102|TI0700|", link=kept.name))
        playing.do(keep_transitions, a_change(place, link=kept.name))
        playing.do(keep_syncs, Synced(place, kept.name, START, in_sync=True))
        playing.do(keep_cursors, Cursor(kept.name, 1))
        playing.accept(link=kept.name)


def test_of_a_link_that_is_removed_nothing_is_left(playing: Playing) -> None:
    fill(playing)
    before = playing.read(count, "annexe")
    assert set(before.values()) == {1}
    playing.do(remove_links, Remove(LINK, discard=True))
    assert set(playing.read(count, LINK).values()) == {0}
    assert playing.read(count, "annexe") == before
    assert playing.read(kept_links) == [ANNEXE]


@pytest.mark.parametrize("state", STATES)
def test_a_link_whose_postings_are_not_final_is_removed_only_on_demand(
    playing: Playing, state: State
) -> None:
    playing.do(keep_links, GRAND)
    playing.have(a_row(1, state), a_row(2, "done"), a_row(3, link="annexe"))
    (outcome,) = playing.do_all(remove_links, Remove(LINK, discard=False))
    if state in OPEN:
        assert isinstance(outcome, NotFinal)
        assert f"postings of {LINK} are not final" in str(outcome)
        assert playing.read(kept_links) == [GRAND]
        playing.do(remove_links, Remove(LINK, discard=True))
    else:
        assert outcome is None
    assert set(playing.read(count, LINK).values()) == {0}


def test_a_link_that_nobody_knows_may_be_removed(playing: Playing) -> None:
    assert playing.do(remove_links, Remove(LINK, discard=False)) is None


def test_a_link_that_comes_back_counts_from_the_beginning(playing: Playing) -> None:
    fill(playing)
    playing.do(remove_links, Remove(LINK, discard=True))
    assert playing.accept().number == 1
