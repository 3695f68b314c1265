"""Postings to PMSs that answer late, or answer link checks with LS: each posting is on the wire once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pmslink.config.link_definition import parse_link
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import HotelEventLogged
from tests.link.outbox_actions import OutboxActions
from tests.link.outbox_harness import PA_FIELDS_WITH_ID, OutboxSettings
from tests.memory_network import advance_clock


class LateHotel(OutboxActions):
    """A link with these settings, in sync for a while, and a PMS with these faults."""

    def __init__(self, settings: dict[str, Any], **faults: Any) -> None:
        self._settings = settings
        self.unknown_events = 0
        super().__init__(OutboxSettings(answer_timeout=settings.get("answer_timeout", 30.0)))
        self.store.journal.on_commit.append(self._count_events)
        self.pms.set_faults(Faults.parse({**faults, "dr_ignored": True}))
        advance_clock(self.clock, 20)
        assert self.link.session.in_sync

    def _link_config(self) -> Any:
        fixed = {"host": "192.0.2.1", "port": 5010, "timezone": "UTC", "records": {"PA": PA_FIELDS_WITH_ID}}
        return parse_link("hotel", {**fixed, **self._settings})

    def _count_events(self, entries: Sequence[Entry]) -> None:
        self.unknown_events += sum(
            isinstance(entry, HotelEventLogged) and entry.type == "posting.unknown" for entry in entries
        )

    def states(self) -> list[str]:
        return [row.state for row in self.stored_rows()]

    def post_calls(self, count: int) -> None:
        for _ in range(count):
            self.post(0, key=False, euro=False)
        self.wait(0)

    def assert_each_was_sent_once(self) -> None:
        assert [row.attempts for row in self.stored_rows()] == [1] * len(self.new_rows)
        assert set(self.pms.received_counts.values()) == {1}


@pytest.mark.parametrize("unanswered", ["hold", "resend"])
def test_b2_one_posting_at_a_time_is_in_doubt_and_late_answers_complete_all(unanswered: str) -> None:
    settings = {"answer_timeout": 2, "alive_interval": 5, "alive_timeout": 2, "unanswered": unanswered}
    hotel = LateHotel(settings, pa_delay=5.0)
    hotel.post_calls(3)
    holds = set()
    for _ in range(160):
        hotel.wait(0.1)
        hotel.check()
        assert hotel.states().count("unknown") <= 1
        assert hotel.states().count("sent") + hotel.states().count("unknown") <= 1
        hold = hotel.link.outbox.hold()
        if "unknown" in hotel.states():
            assert hold is not None
            assert hold.by == "unanswered"
            holds.add((hold.since, hold.until))
    assert hotel.states() == ["done"] * 3
    assert hotel.unknown_events == 3
    assert [(until - since).total_seconds() for since, until in holds if until] == [30.0] * 3
    assert hotel.link.outbox.hold() is None
    hotel.assert_each_was_sent_once()


@pytest.mark.parametrize("unanswered", ["hold", "resend"])
def test_b3_a_pms_that_answers_link_checks_with_ls_gets_each_posting_once(unanswered: str) -> None:
    hotel = LateHotel({"sync_on": "declared", "unanswered": unanswered}, never_la=True, pa_delay=4.0)
    hotel.post_calls(12)
    hotel.wait(12 * 4 + 60)
    hotel.check()
    assert hotel.states() == ["done"] * 12
    hotel.assert_each_was_sent_once()


def test_c1_the_result_of_a_wake_up_passes_postings_that_are_never_answered() -> None:
    hotel = LateHotel({"answer_timeout": 3}, pa_never=True)
    hotel.post_calls(4)
    for seconds in (1, 3, 20, 31, 40, 1):  # while a posting is open, and while the others are held
        hotel.wait(seconds)
        before = len(hotel.new_rows)
        hotel.add_wake_up("WA", 1, ahead=float(before))
        hotel.wait(1)  # a link check may be open
        assert hotel.stored_rows()[-1].state in ("sent", "done")
    hotel.wait(40)
    assert [row.state for row in hotel.stored_rows() if row.record == "WA"] == ["done"] * 6
    hotel.check()


def test_without_link_checks_a_record_is_done_when_its_connection_has_stood_for_30_seconds() -> None:
    hotel = LateHotel({"alive_by": "nothing"}, ls_unanswered=True)
    hotel.update_room(0, "RS", 3)
    hotel.wait(20)
    hotel.update_room(1, "RS", 4)
    hotel.wait(9.9)
    assert hotel.states() == ["sent", "sent"]
    hotel.wait(0.2)
    assert hotel.states() == ["done", "sent"]
    hotel.trigger_pms("drop")
    hotel.wait(0)
    assert hotel.states() == ["done", "unknown"]
    hotel.wait(35)
    assert hotel.states() == ["done", "done"]
    assert [row.attempts for row in hotel.stored_rows()] == [1, 2]
    assert not hotel.link.trace.record_counts["out", "LS"]


@pytest.mark.parametrize(("profile", "interval_s"), [("opera", 300.0), ("suite8", 300.0), ("generic", 3.0)])
def test_link_checks_that_ask_for_a_proof_keep_their_distance(profile: str, interval_s: float) -> None:
    hotel = LateHotel({"profile": profile})
    start = hotel.link.trace.record_counts["out", "LS"]
    for _ in range(100):
        hotel.update_room(0, "RS", 3)
        hotel.wait(interval_s / 10)
    hotel.wait(interval_s)
    sent = hotel.link.trace.record_counts["out", "LS"] - start
    own_checks = 11 * interval_s / hotel.link.settings().alive_interval
    assert 10 <= sent <= 12 + own_checks
    assert hotel.states()[-1] == "done"
    hotel.check()
