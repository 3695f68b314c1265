"""How many commits a posting waits for: one until it is sent, and one from its answer to the next posting."""

from __future__ import annotations

from collections.abc import Sequence

from pmslink.simulator.pms.fault_switches import Faults
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.outbox_rows import OutboxRowChanged
from tests.link.outbox_actions import OutboxActions
from tests.link.outbox_harness import OutboxSettings
from tests.memory_network import advance_clock


class DockedHotel(OutboxActions):
    """A link in sync, and the changes of rows that each commit has published."""

    def __init__(self) -> None:
        super().__init__(OutboxSettings())
        self.commits: list[list[str]] = []
        self.pms.set_faults(Faults.parse({"dr_ignored": True}))
        advance_clock(self.clock, 20)
        assert self.link.session.in_sync
        self.store.journal.on_commit.append(self._on_commit)

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        rows = [entry.row for entry in entries if isinstance(entry, OutboxRowChanged)]
        if rows:
            first_id = min(row.id for row in self.stored_rows())
            self.commits.append([f"{row.state} {'first' if row.id == first_id else 'next'}" for row in rows])


def test_a_posting_that_can_be_sent_at_once_is_accepted_and_claimed_in_one_commit() -> None:
    hotel = DockedHotel()
    hotel.post(0, key=False, euro=False)
    hotel.wait(0)
    assert hotel.commits == [["pending first", "sent first"], ["done first"]]


def test_the_answer_and_the_claim_of_the_next_posting_are_in_one_commit() -> None:
    hotel = DockedHotel()
    hotel.pms.set_faults(Faults.parse({"dr_ignored": True, "pa_delay": 1.0}))
    for _ in range(2):
        hotel.post(0, key=False, euro=False)
    hotel.wait(3)
    assert hotel.commits == [
        ["pending first", "sent first", "pending next"],
        ["done first", "sent next"],
        ["done next"],
    ]
