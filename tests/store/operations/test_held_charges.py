"""Postings of guests who were checked in, moved or checked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from pmslink.hotel import manual_acts, manual_decisions
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.manual_acts import ManualGuest
from pmslink.hotel.manual_changes import ManualChange, ManualCounts
from pmslink.store.operations import retention
from pmslink.store.operations.held_charges import AWAITS_GUEST, LOCAL_GUEST_REASON
from pmslink.store.operations.hotel_updates import ManualWork, do_manual_work, run_due
from pmslink.store.operations.outbox_delivery import (
    MAX_EXAMINED_ROWS,
    ClaimNext,
    NotBefore,
    claim_next,
)
from pmslink.store.operations.outbox_enqueue import enqueue
from pmslink.store.operations.retention import Purge, PurgeStep, purge
from pmslink.store.tables.hotel_states import manual_changes_of, manual_counts
from pmslink.store.tables.log_entries import ManualChangesCounted
from pmslink.store.tables.outbox_rows import OutboxRow
from pmslink.timestamps import to_ms
from tests.store.store_harness import LINK_NAME, RETENTION, START_TIME, StoreHarness, make_new_row

Work = Callable[[HotelState, Context], Sequence[ManualChange]]
ADAMS = "GI|RN101|G#1|GSN|GNAdams|SF|"


class Hotel:
    """A store whose hotel has Adams in 101, and works by hand."""

    def __init__(self, harness: StoreHarness) -> None:
        self.harness = harness
        self.receive("GI|RN101|G#1|GSN|GNAdams|")

    def receive(self, *texts: str) -> None:
        self.harness.receive_records(*texts)
        self.pass_time()

    def pass_time(self) -> None:
        """Let so much time pass that no guest is leaving any more."""
        self.harness.now += timedelta(seconds=3)
        self.harness.submit(run_due, LINK_NAME)

    def work(self, work: Work) -> None:
        self.harness.submit(do_manual_work, ManualWork(LINK_NAME, work))
        self.pass_time()

    def check_in(self, room: str, name: str = "Cole") -> None:
        guest = ManualGuest(name)
        self.work(lambda state, context: [manual_acts.check_in(state, room, guest, "desk", context)])

    def check_out(self, room: str) -> None:
        self.work(lambda state, context: manual_acts.check_out(state, room, "desk", context))

    def move(self, room: str, to: str) -> None:
        self.work(lambda state, context: manual_acts.move(state, room, to, "desk", context))

    def keep_first(self) -> None:
        change = self.harness.read(manual_changes_of, LINK_NAME).open[0]
        self.work(lambda state, _: [manual_decisions.keep(state, change.id)])

    def post(self, room: str, started: int | None = None) -> OutboxRow:
        created = to_ms(self.harness.now)
        return self.harness.enqueue(room=room, created=created, started=started, text=f"PS|RN{room}|")

    def claim(self, late_charge: str = "hold") -> OutboxRow | NotBefore | None:
        request = ClaimNext(LINK_NAME, to_ms(self.harness.now), late_charge=late_charge)  # type: ignore[arg-type]
        return self.harness.submit(claim_next, request)

    def claim_row(self) -> OutboxRow:
        claimed = self.claim()
        assert isinstance(claimed, OutboxRow)
        return claimed

    def row(self, row: OutboxRow) -> OutboxRow:
        return self.harness.row(row.id)


@pytest.fixture
def hotel(harness: StoreHarness) -> Hotel:
    return Hotel(harness)


def test_it_waits_until_the_stay_is_confirmed_and_gets_its_reservation(hotel: Hotel) -> None:
    hotel.check_in("102")
    posting = hotel.post("102")
    assert (posting.state, posting.queued, posting.reservation) == ("pending", AWAITS_GUEST, None)
    assert hotel.claim() is None
    hotel.receive("GI|RN102|G#2|GSN|GNCole|")
    assert (hotel.row(posting).queued, hotel.row(posting).reservation) == (1, "2")
    assert hotel.claim_row().room_sent == "102"
    assert hotel.post("102").reservation == "2"


def test_it_follows_a_guest_who_is_moved_by_hand_before_that(hotel: Hotel) -> None:
    hotel.check_in("102")
    posting = hotel.post("102")
    hotel.move("102", "105")
    assert hotel.claim() is None
    hotel.receive("GI|RN105|G#2|GSN|GNCole|")
    assert (hotel.claim_row().room_sent, hotel.row(posting).reservation) == ("105", "2")


def test_a_pms_that_identifies_guests_by_room_confirms_it_too(hotel: Hotel) -> None:
    hotel.check_in("102")
    posting = hotel.post("102")
    hotel.receive("GI|RN102|GNCole|")
    assert (hotel.claim_row().room_sent, hotel.row(posting).reservation) == ("102", None)
    hotel.receive("GO|RN102|")
    late = hotel.post("102", started=posting.created)
    assert (hotel.row(late).queued, hotel.row(late).guests) == (1, posting_guests(hotel, posting))


def posting_guests(hotel: Hotel, posting: OutboxRow) -> str | None:
    return hotel.row(posting).guests


@pytest.mark.parametrize("late_charge", ["hold", "send"])
def test_it_never_goes_to_another_guest(hotel: Hotel, late_charge: str) -> None:
    hotel.check_in("102")
    posting = hotel.post("102")
    hotel.pass_time()
    hotel.receive("GI|RN102|G#2|GSN|GNDay|")
    assert hotel.claim(late_charge) is None
    late = hotel.post("102", started=posting.created)  # the PBX reports it only now
    assert hotel.claim(late_charge) is None
    for row in (hotel.row(posting), hotel.row(late)):
        assert (row.state, row.reason, row.text_answer) == ("refused", "local_guest", LOCAL_GUEST_REASON)
    assert hotel.harness.event_types().count("posting.refused") == 2


def test_it_waits_for_a_person_if_the_pms_does_not_name_its_guest(hotel: Hotel) -> None:
    hotel.check_in("102")
    before = hotel.post("102")
    hotel.receive("GI|RN102|G#2|GSN|")
    after = hotel.post("102")
    assert hotel.claim() is None
    assert [hotel.row(one).queued for one in (before, after)] == [AWAITS_GUEST] * 2
    hotel.receive("GC|RN102|G#2|GNCole|")
    assert [hotel.claim_row().id, hotel.claim_row().id] == [before.id, after.id]
    assert {hotel.row(one).reservation for one in (before, after)} == {"2"}


def test_it_is_not_refused_if_a_resync_names_a_sharer_first(hotel: Hotel) -> None:
    hotel.check_in("102")
    posting = hotel.post("102")
    hotel.receive("DS|", "GI|RN102|G#3|GSY|GNDay|SF|")
    assert hotel.claim() is None
    hotel.receive("GI|RN102|G#2|GSY|GNCole|SF|", "DE|")
    assert (hotel.claim_row().id, hotel.row(posting).reservation) == (posting.id, "2")


def test_it_does_not_go_to_the_guest_after_one_whose_name_was_erased(
    hotel: Hotel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PURGE_STEP_S", 600.0)
    hotel.check_in("102")
    posting = hotel.post("102")
    hotel.harness.now += RETENTION.guest + timedelta(days=1)
    now = hotel.harness.now
    hotel.harness.submit(purge, PurgeStep(Purge(now - RETENTION.guest, START_TIME, now)))
    hotel.receive("GI|RN102|G#2|GSN|GNDay|")
    assert hotel.claim() is None
    assert (hotel.row(posting).state, hotel.row(posting).reason) == ("refused", "local_guest")


def test_it_is_refused_if_the_guest_leaves_unknown_to_the_pms(hotel: Hotel) -> None:
    hotel.check_in("102")
    posting = hotel.post("102")
    hotel.check_out("102")
    assert hotel.claim() is None
    assert (hotel.row(posting).state, hotel.row(posting).reason) == ("refused", "local_guest")


def test_others_pass_however_many_wait(hotel: Hotel) -> None:
    hotel.check_in("102")
    new_row = make_new_row(room="102", created=to_ms(hotel.harness.now))
    hotel.harness.submit_all(enqueue, *[new_row] * (MAX_EXAMINED_ROWS + 1))
    assert hotel.post("101").number == hotel.claim_row().number


def test_one_accepted_before_the_check_in_by_hand_leaves_the_queue_when_it_is_claimed(
    hotel: Hotel,
) -> None:
    posting = hotel.post("101")
    hotel.check_out("101")
    assert hotel.claim() is None
    assert hotel.row(posting).queued == AWAITS_GUEST


def test_a_guest_who_was_moved_is_charged_where_the_pms_has_the_guest(hotel: Hotel) -> None:
    hotel.move("101", "104")
    posting = hotel.post("104")
    assert (posting.queued, posting.reservation) == (AWAITS_GUEST, "1")
    hotel.receive("DS|", ADAMS, "DE|")
    claimed = hotel.claim_row()
    assert (claimed.id, claimed.room_sent, claimed.text) == (posting.id, "101", "PS|RN101|")


def test_a_guest_who_was_checked_out_is_charged_although_another_is_there_by_hand(hotel: Hotel) -> None:
    posting = hotel.post("101")
    hotel.check_out("101")
    hotel.check_in("101", "Day")
    of_day = hotel.post("101")
    assert hotel.claim() is None
    hotel.receive("DS|", ADAMS, "DE|")
    assert (hotel.claim_row().id, hotel.row(of_day).queued) == (posting.id, AWAITS_GUEST)


@pytest.mark.parametrize("is_kept", [False, True], ids=["differs", "kept"])
@pytest.mark.parametrize("act", ["move", "check_out"])
@pytest.mark.parametrize(
    ("record", "queued"),
    [
        ("GI|RN101|G#6|GSN|GNBaker|", 0),
        ("GC|RN101|GSN|G#6|RO109|GNBaker|", 0),
        ("GI|RN101|G#6|GSY|GNBaker|", AWAITS_GUEST),
        ("GI|RN101|G#6|GNBaker|", AWAITS_GUEST),
    ],
)
@pytest.mark.parametrize("by_hand", [None, "Baker"], ids=["vacant", "confirmed"])
def test_nobody_pays_for_the_former_guest_of_the_room(
    hotel: Hotel, act: str, record: str, queued: int, is_kept: bool, by_hand: str | None
) -> None:
    """The PMS has another guest where it had the one who was moved or checked out by hand."""
    before = hotel.post("101")
    if act == "move":
        hotel.move("101", "102")
    else:
        hotel.check_out("101")
    if by_hand is not None:
        hotel.check_in("101", by_hand)
    hotel.receive("DS|", ADAMS, "DE|")
    if is_kept:
        hotel.keep_first()
    hotel.receive(record)
    after = [hotel.post("102")] if act == "move" else []
    assert hotel.claim() is None
    for row in map(hotel.row, [before, *after]):
        assert row.queued == queued
        if not queued:
            assert (row.state, row.reason) == (
                *("refused",),
                "local_guest" if act == "move" else "guest_left",
            )
    if queued:
        hotel.receive("GO|RN101|G#6|GSY|")
        assert hotel.claim_row().room_sent == "101"


@pytest.mark.parametrize("by_hand", [None, "Baker"], ids=["vacant", "confirmed"])
@pytest.mark.parametrize("act", ["move", "check_out"])
def test_nobody_without_a_number_pays_for_the_former_guest_of_the_room(
    harness: StoreHarness, act: str, by_hand: str | None
) -> None:
    hotel = Hotel(harness)
    hotel.receive("GI|RN106|GNFox|")
    posting = hotel.post("106")
    if act == "move":
        hotel.move("106", "108")
    else:
        hotel.check_out("106")
    if by_hand is not None:
        hotel.check_in("106", by_hand)
    hotel.receive("DS|", ADAMS, "GI|RN106|GNFox|SF|", "DE|")
    hotel.keep_first()
    hotel.receive("GI|RN106|GNBaker|")
    assert hotel.claim() is None
    assert hotel.row(posting).state == "refused"


def test_a_guest_without_a_number_is_charged_where_the_pms_has_the_guest(harness: StoreHarness) -> None:
    hotel = Hotel(harness)
    hotel.receive("GI|RN106|GNFox|", "GI|RN107|GNHill|")
    before = hotel.post("107")
    hotel.move("106", "108")
    hotel.check_out("107")
    moved = hotel.post("108")
    assert hotel.claim() is None
    assert (hotel.row(before).queued, hotel.row(moved).queued) == (AWAITS_GUEST, AWAITS_GUEST)
    hotel.receive("DS|", ADAMS, "GI|RN106|GNFox|SF|", "GI|RN107|GNHill|SF|", "DE|")
    assert [hotel.claim_row().room_sent, hotel.claim_row().room_sent] == ["107", "106"]


def test_a_guest_whom_the_pms_has_nowhere_is_not_charged(hotel: Hotel) -> None:
    hotel.receive("GI|RN103|G#3|GNBauer|")
    hotel.move("101", "104")
    posting = hotel.post("104")
    hotel.receive("DS|", "GI|RN103|G#3|GNBauer|SF|", "DE|")
    assert hotel.claim() is None
    assert (hotel.row(posting).state, hotel.row(posting).reason) == ("refused", "local_guest")


def test_a_restart_loses_nothing(hotel: Hotel) -> None:
    hotel.check_in("102")
    posting = hotel.post("102")
    hotel.harness.crash()
    hotel.harness.start()
    assert hotel.harness.store.startup_snapshot.manual_counts == {LINK_NAME: ManualCounts(1, 1, 0)}
    assert hotel.harness.store.startup_snapshot.unresolved_rows[0].queued == AWAITS_GUEST
    hotel.receive("GI|RN102|G#2|GSN|GNCole|")
    assert hotel.harness.read(manual_counts) == {LINK_NAME: ManualCounts()}
    assert hotel.claim_row().id == posting.id


def test_the_links_are_told_of_the_counts(hotel: Hotel) -> None:
    hotel.check_in("102")
    hotel.receive("DS|", ADAMS, "DE|")
    counts = [one.counts for one in hotel.harness.published if isinstance(one, ManualChangesCounted)]
    assert counts == [ManualCounts(1, 1, 0), ManualCounts(1, 0, 1, 1)]


def test_names_in_changes_are_deleted_after_the_retention_time(
    hotel: Hotel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PURGE_STEP_S", 600.0)
    hotel.check_out("101")
    hotel.harness.now += RETENTION.guest + timedelta(days=1)
    now = hotel.harness.now
    hotel.harness.submit(purge, PurgeStep(Purge(now - RETENTION.guest, START_TIME, now)))
    (change,) = hotel.harness.read(manual_changes_of, LINK_NAME).open
    assert (change.guest.number, change.guest.name) == ("1", None)
