"""Over the budget of a link, the records that the store reads again are still stored (case E5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from pmslink.config.link_settings import LinkSettings
from pmslink.link.record_storage import RecordStorage
from pmslink.store.core.schema import RECORDS
from pmslink.store.operations.hotel_updates import run_due
from pmslink.store.operations.outbox_answers import MarkUnknown, mark_unknown
from pmslink.store.operations.outbox_delivery import ClaimNext, claim_next
from tests.memory_store import MemoryDatabase
from tests.store.store_harness import (
    LINK_NAME,
    START_MS,
    START_TIME,
    FaultyDatabase,
    StoreHarness,
    make_record,
    make_row,
)

CHECK_IN = "GI|RN101|G#1|GSN|GNBauer|DA260101|TI120000|"
CHECK_OUT = "GO|RN101|G#1|GSN|DA260101|TI120500|"


@pytest.fixture
def harness() -> Iterator[StoreHarness]:
    harness = StoreHarness(FaultyDatabase(MemoryDatabase()))
    yield harness
    harness.stop()


def receive(harness: StoreHarness, *texts: str, session: int = 0) -> None:
    """Receive records of a link whose budget is used up."""
    storage = RecordStorage(harness.journal, lambda: LinkSettings(store_budget_mb=1, timezone="UTC"))
    storage.budget.begin_day(START_TIME)
    while storage.budget.take("x" * 16_000):
        pass
    for text in texts:
        storage.store(make_record(text, session=session))
    harness.advance()


def stored_texts(harness: StoreHarness) -> list[str]:
    query = select(RECORDS.c.text).order_by(RECORDS.c.seq)
    return harness.read(lambda connection: list(connection.execute(query).scalars()))


def test_e5_only_records_that_are_read_again_are_stored(harness: StoreHarness) -> None:
    wake_up = "WR|RN101|DA260101|TI0700|"
    receive(harness, "XL|RN101|MTHello|", CHECK_IN, wake_up, f"WR|RN101|GN{'x' * 600}|", CHECK_OUT)
    assert stored_texts(harness) == [CHECK_IN, wake_up, CHECK_OUT]


def test_e5_a_wake_up_that_the_pms_changed_is_not_sent_again(harness: StoreHarness) -> None:
    row = make_row(1, "sent", record="WR", queued=0, until=START_MS + 1000, number=None)
    harness.insert_rows(row._replace(sent_seq=harness.journal.next_seq()))
    receive(harness, "WC|RN101|DA260101|TI0700|")
    harness.submit(mark_unknown, MarkUnknown(LINK_NAME, True, 3))
    assert harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)) is None
    assert harness.row(1).state == "discarded"


def test_e5_a_replay_is_recognised_after_a_restart(harness: StoreHarness) -> None:
    receive(harness, CHECK_IN, CHECK_OUT, session=1)
    harness.now += timedelta(seconds=2)
    harness.submit(run_due, LINK_NAME)
    harness.stop()
    harness.start()
    receive(harness, CHECK_IN, session=2)
    assert harness.event_types().count("guest.checked_in") == 1
    assert harness.event_types().count("guest.checked_out") == 1
