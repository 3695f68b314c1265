"""A posting goes to the guest who was in its room, also after moves, departures and outages (cases B)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from pmslink.hotel.charge_destination import GUEST_LEFT_REASON, VACANT_THEN_REASON
from pmslink.hotel.events import StayChange
from pmslink.hotel.room_window import MOVE_WINDOW_MS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.hotel_updates import run_due
from pmslink.store.operations.operator_actions import OperatorAction, discard, resend
from pmslink.store.operations.outbox_answers import (
    MarkUnknown,
    PostingAnswer,
    mark_unknown,
    store_answers,
)
from pmslink.store.operations.outbox_delivery import ClaimNext, NotBefore, claim_next
from pmslink.store.operations.outbox_enqueue import enqueue
from pmslink.store.tables.outbox_queue import RETRY_LATER_MS
from pmslink.store.tables.outbox_rows import OutboxRow
from pmslink.store.tables.stays import apply_stay_changes
from pmslink.timestamps import to_ms
from tests.store.store_harness import LINK_NAME, START_MS, StoreHarness, make_new_row

ANNA, BERT, CARL = "1", "2", "3"


class Hotel:
    """A store whose guests come, move and leave at once."""

    def __init__(self, harness: StoreHarness) -> None:
        self.harness = harness
        self.now = START_MS

    def change(self, *changes: StayChange) -> None:
        def apply(transaction: Transaction, arguments: Sequence[StayChange]) -> Sequence[None]:
            apply_stay_changes(transaction, LINK_NAME, self.now, arguments)
            return [None] * len(arguments)

        self.now += 10_000
        self.harness.submit_all(apply, *changes)
        self.now += 10_000

    def check_in(self, room: str, number: str) -> None:
        self.change(StayChange("began", room, number))

    def check_out(self, room: str, number: str, vacant: bool = True) -> None:
        told = [StayChange("vacant", room)] if vacant else []
        self.change(StayChange("ended", room, number), *told)

    def move(self, from_room: str, room: str, number: str) -> None:
        self.change(StayChange("moved", room, number, from_room))

    def post(self, room: str = "101", started: int | None = None, **changes: Any) -> OutboxRow:
        text = f"PS|RN{room}|PTC|TA100|"
        return self.harness.enqueue(room=room, created=self.now, started=started, text=text, **changes)

    def claim(self, **changes: Any) -> OutboxRow | NotBefore | None:
        return self.harness.submit(claim_next, ClaimNext(LINK_NAME, self.now, **changes))

    def claim_row(self, **changes: Any) -> OutboxRow:
        claimed = self.claim(**changes)
        assert isinstance(claimed, OutboxRow)
        return claimed

    def answer(self, row: OutboxRow, status: str) -> OutboxRow | None:
        return self.harness.submit(
            store_answers, PostingAnswer(LINK_NAME, self.now, status, None, number=row.number)
        )

    def lose(self, resend: bool = False) -> None:
        self.harness.submit(mark_unknown, MarkUnknown(LINK_NAME, resend, 3))

    def row(self, row: OutboxRow) -> OutboxRow:
        return self.harness.row(row.id)

    def pass_window(self) -> None:
        """Let so much time pass that no guest is leaving any more."""
        self.harness.now += timedelta(milliseconds=MOVE_WINDOW_MS)
        self.now = max(self.now, to_ms(self.harness.now))
        self.harness.submit(run_due, LINK_NAME)

    def wait_for_retry(self) -> None:
        self.now += RETRY_LATER_MS


@pytest.fixture
def hotel(harness: StoreHarness) -> Hotel:
    return Hotel(harness)


def room_on_the_wire(row: OutboxRow) -> str:
    return row.text.split("|")[1].removeprefix("RN")


def assert_sent_to(row: OutboxRow, room: str) -> None:
    assert (row.state, row.room_sent, room_on_the_wire(row)) == ("sent", room, room)


def assert_refused(hotel: Hotel, row: OutboxRow, text: str = GUEST_LEFT_REASON) -> None:
    refused = hotel.row(row)
    assert (refused.state, refused.queued, refused.reason) == ("refused", 0, "guest_left")
    assert refused.text_answer == text
    event = hotel.harness.events()[-1]
    assert (event.type, json.loads(event.text)["posting"]["reason"]) == ("posting.refused", "guest_left")


# What a new posting remembers.


def test_a_posting_remembers_the_guests_of_its_room(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    hotel.check_in("101", BERT)
    hotel.check_in("102", CARL)
    row = hotel.post()
    assert (row.reservation, row.guests, row.room_sent) == (ANNA, json.dumps([ANNA, BERT]), None)


def test_a_posting_of_the_past_remembers_the_guest_of_that_moment(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    during = hotel.now
    hotel.check_out("101", ANNA)
    between = hotel.now
    hotel.check_in("101", BERT)
    assert hotel.post(started=during).reservation == ANNA
    row = hotel.post(started=between)
    assert (row.reservation, row.guests) == (None, "[]")
    assert hotel.post().reservation == BERT
    assert hotel.post(started=START_MS - 1).guests is None


def test_a_guest_without_a_number_has_no_reservation(hotel: Hotel) -> None:
    hotel.check_in("101", "")
    row = hotel.post()
    assert row.reservation is None
    assert row.guests not in (None, "[]")


def test_the_reservation_is_that_of_the_first_guest_who_has_one(hotel: Hotel) -> None:
    hotel.check_in("101", "")
    hotel.check_in("101", BERT)
    assert hotel.post().reservation == BERT


def test_a_repeated_request_does_not_look_at_the_guests_again(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post(key="k", asked="a")
    hotel.move("101", "102", ANNA)
    assert hotel.post(key="k", asked="a") == row


def test_other_records_remember_no_guests(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post(record="RE", digits=None)
    assert (row.reservation, row.guests) == (None, None)


# Where it goes.


def test_b1_a_charge_waits_for_its_retry_and_the_next_guest_does_not_pay(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post()
    hotel.answer(hotel.claim_row(), "RY")
    hotel.check_out("101", ANNA)
    hotel.check_in("101", BERT)
    hotel.wait_for_retry()
    assert hotel.claim() is None
    assert_refused(hotel, row)
    assert (hotel.row(row).attempts, hotel.row(row).answer) == (1, "RY")


def test_b1_had_nobody_come_it_would_be_sent(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    hotel.post()
    hotel.answer(hotel.claim_row(), "RY")
    hotel.check_out("101", ANNA)
    hotel.wait_for_retry()
    assert_sent_to(hotel.claim_row(), "101")


def test_b1_a_person_can_have_it_sent_to_its_own_room(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post()
    hotel.check_out("101", ANNA)
    hotel.check_in("101", BERT)
    assert hotel.claim() is None
    hotel.harness.submit(resend, OperatorAction(LINK_NAME, row.id, 4))
    queued = hotel.row(row)
    assert (queued.state, queued.reason, queued.text_answer) == ("pending", None, None)
    assert queued.reservation == ANNA
    assert_sent_to(hotel.claim_row(), "101")
    hotel.answer(row, "RY")  # the decision still holds after a delay
    hotel.wait_for_retry()
    assert_sent_to(hotel.claim_row(), "101")


def test_a_resent_charge_of_a_guest_who_has_moved_goes_to_its_own_room(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post()
    hotel.answer(hotel.claim_row(), "NG")
    hotel.move("101", "102", ANNA)
    hotel.harness.submit(resend, OperatorAction(LINK_NAME, row.id, 4))
    assert_sent_to(hotel.claim_row(), "101")


def test_a_charge_follows_its_guest_over_moves(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post()
    hotel.move("101", "102", ANNA)
    hotel.check_in("101", BERT)
    sent = hotel.claim_row()
    assert_sent_to(sent, "102")
    assert (sent.room, sent.number) == ("101", row.number)
    hotel.answer(sent, "RY")
    hotel.move("102", "103", ANNA)
    hotel.wait_for_retry()
    assert_sent_to(hotel.claim_row(), "103")


def test_a_guest_who_moves_away_and_back_pays_in_the_room(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    hotel.post()
    hotel.move("101", "102", ANNA)
    hotel.move("102", "101", ANNA)
    assert_sent_to(hotel.claim_row(), "101")


def test_of_a_couple_the_one_who_stays_pays(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    hotel.check_in("101", BERT)
    hotel.post()
    hotel.move("101", "102", ANNA)
    assert_sent_to(hotel.claim_row(), "101")


def test_of_a_couple_that_has_parted_the_one_who_checked_in_first_pays(hotel: Hotel) -> None:
    hotel.check_in("105", BERT)
    hotel.check_in("101", ANNA)
    hotel.move("105", "101", BERT)
    hotel.post()
    hotel.move("101", "102", ANNA)
    hotel.move("101", "103", BERT)
    hotel.check_in("101", CARL)
    assert_sent_to(hotel.claim_row(), "103")


def test_of_a_couple_the_one_who_is_still_in_the_hotel_pays(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    hotel.check_in("101", BERT)
    hotel.post()
    hotel.check_out("101", ANNA, vacant=False)
    hotel.move("101", "103", BERT)
    hotel.check_in("101", CARL)
    assert_sent_to(hotel.claim_row(), "103")


def test_a_guest_whose_check_out_is_taken_back_pays(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    hotel.post()
    hotel.check_out("101", ANNA)
    hotel.check_in("101", ANNA)
    assert_sent_to(hotel.claim_row(), "101")


def test_a_guest_who_comes_back_to_another_room_pays_there(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    hotel.post()
    hotel.check_out("101", ANNA)
    hotel.check_in("101", BERT)
    hotel.check_in("102", ANNA)
    assert_sent_to(hotel.claim_row(), "102")


def test_guests_without_numbers_are_told_apart_by_their_stays(hotel: Hotel) -> None:
    hotel.check_in("101", "")
    first, second = hotel.post(), hotel.post()
    hotel.move("101", "102", "")
    assert_sent_to(hotel.claim_row(), "102")
    hotel.answer(first, "OK")
    hotel.check_out("102", "")
    hotel.check_in("101", "")
    assert hotel.claim() is None
    assert_refused(hotel, second)


def test_a_charge_of_a_vacant_room_is_not_for_the_next_guest(hotel: Hotel) -> None:
    hotel.change(StayChange("vacant", "101"))
    row = hotel.post()
    hotel.check_in("101", BERT)
    assert hotel.claim() is None
    assert_refused(hotel, row, VACANT_THEN_REASON)


def test_a_charge_of_a_vacant_room_is_sent_while_it_is_vacant(hotel: Hotel) -> None:
    hotel.change(StayChange("vacant", None))
    hotel.post()
    assert_sent_to(hotel.claim_row(), "101")


def test_a_charge_of_unknown_guests_goes_to_the_room_as_it_is(hotel: Hotel) -> None:
    hotel.post()
    hotel.check_in("101", BERT)
    assert_sent_to(hotel.claim_row(), "101")


def test_a_late_charge_is_sent_all_the_same_if_the_settings_say_so(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    hotel.post()
    hotel.check_out("101", ANNA)
    hotel.check_in("101", BERT)
    assert_sent_to(hotel.claim_row(late_charge="send"), "101")


def test_a_late_charge_to_a_guest_who_has_moved_follows_whatever_the_settings_say(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    hotel.post()
    hotel.move("101", "102", ANNA)
    hotel.check_in("101", BERT)
    assert_sent_to(hotel.claim_row(late_charge="send"), "102")


def test_a_refused_charge_does_not_hold_up_the_next_row(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    late = [hotel.post() for _ in range(3)]
    hotel.check_out("101", ANNA)
    hotel.check_in("101", BERT)
    row = hotel.post()
    assert hotel.claim_row().id == row.id
    for one in late:
        assert hotel.row(one).reason == "guest_left"


def test_a_restart_forgets_nothing(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    first, second = hotel.post(), hotel.post()
    hotel.harness.crash()
    hotel.harness.start()
    hotel.move("101", "102", ANNA)
    hotel.harness.crash()
    hotel.harness.start()
    assert_sent_to(hotel.claim_row(), "102")
    hotel.answer(first, "OK")
    hotel.check_out("102", ANNA)
    hotel.check_in("101", BERT)
    hotel.harness.crash()
    hotel.harness.start()
    assert hotel.claim() is None
    assert_refused(hotel, second)


# Records of the PMS.


@pytest.mark.parametrize(
    ("texts", "room"),
    [
        (["GO|RN101|G#1|GSN|", "GI|RN102|G#1|GSN|"], "102"),
        (["GI|RN102|G#1|GSN|", "GO|RN101|G#1|GSN|"], "102"),
        (["GC|RN102|GSN|G#1|RO101|GSN|"], "102"),
        (["GI|RN102|G#1|GSN|"], "102"),
        (["GI|RN101|G#2|GSN|", "GI|RN102|G#1|GSN|"], "102"),
        (["GI|RN101|G#2|GSY|"], "101"),
        (["GO|RN101|G#1|GSN|", "GI|RN101|G#1|GSN|"], "101"),
    ],
)
def test_b1_a_charge_follows_its_guest_however_the_pms_reports_the_move(
    hotel: Hotel, texts: list[str], room: str
) -> None:
    hotel.harness.receive_records("GI|RN101|G#1|GSN|")
    hotel.post()
    hotel.harness.receive_records(*texts)
    assert_sent_to(hotel.claim_row(), room)


@pytest.mark.parametrize(
    "texts",
    [
        ["GO|RN101|G#1|GSN|", "GI|RN101|G#2|GSN|"],
        ["GI|RN101|G#2|GSN|"],
        ["DS|", "GI|RN101|G#2|GSN|SF|", "DE|"],
        ["GO|RN101|", "GI|RN101|G#2|GSN|"],
    ],
)
def test_b1_the_next_guest_does_not_pay_however_the_pms_reports_the_change(
    hotel: Hotel, texts: list[str]
) -> None:
    hotel.harness.receive_records("GI|RN101|G#1|GSN|")
    row = hotel.post()
    hotel.harness.receive_records(*texts)
    hotel.pass_window()
    assert hotel.claim() is None
    assert_refused(hotel, row)


def test_b1_while_its_guest_is_leaving_a_charge_waits_and_others_go_on(hotel: Hotel) -> None:
    hotel.harness.receive_records("GI|RN101|G#1|GSN|", "GI|RN102|G#2|GSN|")
    row, other = hotel.post("101"), hotel.post("102")
    hotel.harness.receive_records("GO|RN101|G#1|GSN|", "GI|RN101|G#3|GSN|")
    assert hotel.claim_row().id == other.id
    assert hotel.claim() == NotBefore(hotel.now + MOVE_WINDOW_MS)
    assert hotel.row(row).state == "pending"
    hotel.pass_window()
    assert hotel.claim() is None
    assert_refused(hotel, row)


def test_a_charge_waits_while_the_guest_in_its_room_is_leaving(hotel: Hotel) -> None:
    hotel.harness.receive_records("GI|RN101|G#1|GSN|")
    row = hotel.post()
    hotel.harness.receive_records("GO|RN101|G#1|GSN|")
    hotel.pass_window()
    hotel.harness.receive_records("GI|RN101|G#2|GSN|")
    hotel.pass_window()
    hotel.harness.receive_records("GO|RN101|G#2|GSN|")
    assert isinstance(hotel.claim(), NotBefore)
    hotel.pass_window()
    assert_sent_to(hotel.claim_row(), "101")
    assert hotel.row(row).reason is None


def test_a_wake_up_result_does_not_wait_for_a_guest_who_is_leaving(hotel: Hotel) -> None:
    hotel.harness.receive_records("GI|RN101|G#1|GSN|")
    result = hotel.post(record="WA", digits=None)
    hotel.harness.receive_records("GO|RN101|G#1|GSN|")
    assert hotel.claim_row().id == result.id


def test_a_call_after_the_guest_has_left_is_of_the_next_one(hotel: Hotel) -> None:
    hotel.harness.receive_records("GI|RN101|G#1|GSN|")
    hotel.harness.receive_records("GO|RN101|G#1|GSN|", "GI|RN101|G#2|GSN|")
    hotel.now += 1
    assert hotel.post().reservation == BERT
    assert hotel.post(started=START_MS - 1).guests is None


def test_a_room_that_a_move_has_emptied_is_vacant(hotel: Hotel) -> None:
    hotel.harness.receive_records("GI|RN101|G#1|GSN|", "GC|RN102|GSN|G#1|RO101|GSN|")
    hotel.now += 1000
    row = hotel.post("101")
    assert row.guests == "[]"
    hotel.harness.now += timedelta(seconds=2)
    hotel.harness.receive_records("GI|RN101|G#2|GSN|")
    assert hotel.claim() is None
    assert_refused(hotel, row, VACANT_THEN_REASON)


def test_a10_a_record_spells_the_room_as_the_pms_does(hotel: Hotel) -> None:
    hotel.harness.receive_records("GI|RN 101|G#1|GSN|", "GI|RN102  |G#2|GSN|")
    hotel.post("101")
    hotel.post("102")
    hotel.post("103")
    hotel.post("101", record="RE", digits=None)
    sent = [hotel.claim_row() for _ in range(4)]
    assert [row.text.split("|")[1] for row in sent] == ["RN 101", "RN102  ", "RN103", "RN 101"]
    assert [row.room_sent for row in sent] == ["101", "102", "103", "101"]


# Charges in doubt.


def test_a_charge_in_doubt_whose_guest_has_left_stays_in_doubt(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post()
    hotel.claim_row()
    hotel.lose(resend=True)
    assert (hotel.row(row).state, hotel.row(row).queued) == ("unknown", 1)
    hotel.check_out("101", ANNA)
    hotel.check_in("101", BERT)
    assert hotel.claim() is None
    rests = hotel.row(row)
    assert (rests.state, rests.queued, rests.reason) == ("unknown", 0, "unanswered")
    assert (rests.text_answer or "").startswith(GUEST_LEFT_REASON)
    assert hotel.harness.event_types()[-1] == "posting.unknown"


def test_a_charge_in_doubt_is_sent_again_to_the_new_room_of_its_guest(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post()
    hotel.claim_row()
    hotel.lose(resend=True)
    hotel.move("101", "102", ANNA)
    sent = hotel.claim_row()
    assert_sent_to(sent, "102")
    assert (sent.number, sent.reason) == (row.number, None)


def test_a_charge_rests_in_doubt_with_a_reason(hotel: Hotel) -> None:
    row = hotel.post()
    hotel.claim_row()
    hotel.lose()
    assert (hotel.row(row).state, hotel.row(row).reason) == ("unknown", "unanswered")
    assert hotel.claim() is None
    done = hotel.answer(row, "OK")
    assert done is not None
    assert (done.state, done.reason) == ("done", None)


def test_an_answer_of_an_earlier_attempt_settles_a_refused_late_charge(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post()
    hotel.answer(hotel.claim_row(), "RY")
    hotel.check_out("101", ANNA)
    hotel.check_in("101", BERT)
    hotel.wait_for_retry()
    assert hotel.claim() is None
    done = hotel.answer(row, "OK")
    assert done is not None
    assert (done.state, done.reason) == ("done", None)


@pytest.mark.parametrize("status", ["OK ", " OK", " OK  "])
def test_b6_blanks_around_ok_do_not_matter(hotel: Hotel, status: str) -> None:
    row = hotel.post()
    hotel.claim_row()
    settled = hotel.answer(row, status)
    assert settled is not None
    assert (settled.state, settled.answer) == ("done", "OK")


@pytest.mark.parametrize("status", ["RY ", " NA"])
def test_b6_blanks_around_other_answers_do_not_matter(hotel: Hotel, status: str) -> None:
    row = hotel.post()
    hotel.claim_row()
    settled = hotel.answer(row, status)
    assert settled is not None
    assert (settled.state, settled.answer) == ("pending", status.strip())


# Lanes and holds.


def test_b5_while_postings_are_held_other_records_go_on(hotel: Hotel) -> None:
    posting = hotel.post()
    update = hotel.post(record="RE", digits=None)
    assert hotel.claim_row(lane="no_postings").id == update.id
    assert hotel.claim(lane="no_postings") is None
    assert hotel.claim_row().id == posting.id


def test_a_wake_up_result_passes_everything(hotel: Hotel) -> None:
    hotel.post()
    hotel.post(record="RE", digits=None)
    result = hotel.post(record="WA", digits=None)
    assert hotel.claim(lane="wake_up_results") == hotel.row(result)
    assert hotel.claim(lane="wake_up_results") is None
    second = hotel.post(record="WA", digits=None)
    assert hotel.claim_row().id == second.id


def test_a_posting_of_before_the_link_was_in_sync_waits_for_what_the_pms_has_queued(hotel: Hotel) -> None:
    before = hotel.post()
    update = hotel.post(record="RE", digits=None)
    in_sync = hotel.harness.journal.next_seq()
    after = hotel.post()
    assert hotel.claim_row(sync_hold=in_sync).id == update.id
    assert hotel.claim(sync_hold=in_sync) is None
    assert [hotel.claim_row().id for _ in range(2)] == [before.id, after.id]
    later = hotel.post()
    assert hotel.claim_row(sync_hold=in_sync).id == later.id


def test_a_retry_time_of_another_lane_does_not_count(hotel: Hotel) -> None:
    hotel.post()
    hotel.answer(hotel.claim_row(), "RY")
    assert hotel.claim(lane="no_postings") is None
    assert hotel.claim() == NotBefore(hotel.now + RETRY_LATER_MS)


def test_more_late_charges_than_one_claim_examines_are_all_refused(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    new = make_new_row(created=hotel.now)
    hotel.harness.submit_all(enqueue, *[new] * 450)
    hotel.check_out("101", ANNA)
    hotel.check_in("101", BERT)
    last = hotel.post()
    claims = 0
    while not isinstance(claimed := hotel.claim(), OutboxRow):
        assert claimed == NotBefore(hotel.now)
        claims += 1
    assert (claimed.id, claims) == (last.id, 2)


def test_a_late_charge_may_be_discarded(hotel: Hotel) -> None:
    hotel.check_in("101", ANNA)
    row = hotel.post()
    hotel.check_out("101", ANNA)
    hotel.check_in("101", BERT)
    assert hotel.claim() is None
    hotel.harness.submit(discard, OperatorAction(LINK_NAME, row.id, 4))
    assert hotel.row(row).state == "discarded"
