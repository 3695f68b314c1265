"""Do-not-disturb and make-up-room are two signs, although one RS of FIAS removes both (case A8)."""

from __future__ import annotations

import pytest

from pmslink.hotel.phone_update_records import OutboundUpdate, dnd_update, make_up_room_update
from pmslink.store.operations.outbox_answers import ConfirmDelivered, confirm_delivered
from pmslink.store.operations.outbox_delivery import ClaimNext, claim_next
from pmslink.store.operations.outbox_enqueue import Enqueued, enqueue
from pmslink.store.tables.outbox_rows import OutboxRow
from tests.store.operations.test_hotel_updates import from_phone
from tests.store.store_harness import LINK_NAME, START_MS, StoreHarness

DND_ON, DND_OFF = dnd_update("101", {"on": True}), dnd_update("101", {"on": False})
MAKE_UP_ON, MAKE_UP_OFF = make_up_room_update("101", {"on": True}), make_up_room_update("101", {"on": False})


def switch(harness: StoreHarness, update: OutboundUpdate) -> OutboxRow:
    enqueued = harness.submit(enqueue, from_phone(update))
    assert isinstance(enqueued, Enqueued)
    return enqueued.row


def deliver(harness: StoreHarness) -> list[str]:
    """Send all rows, confirm them, and return the texts of their records."""
    texts = []
    while isinstance(row := harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS)), OutboxRow):
        texts.append(row.text)
        harness.submit(confirm_delivered, ConfirmDelivered(LINK_NAME, START_MS, (row.id,)))
    return texts


def signs(harness: StoreHarness) -> tuple[bool, bool]:
    room = harness.room()
    assert room is not None
    return room.do_not_disturb, room.make_up_room


@pytest.mark.parametrize(
    ("first", "other", "texts", "is_on", "sign"),
    [
        (DND_ON, MAKE_UP_OFF, ["RE|RN101|RS8|"], (True, False), "make-up-room"),
        (MAKE_UP_ON, DND_OFF, ["RE|RN101|RS9|"], (False, True), "do-not-disturb"),
    ],
)
def test_a8_a_sign_that_is_not_on_is_switched_off_without_a_record(
    harness: StoreHarness,
    first: OutboundUpdate,
    other: OutboundUpdate,
    texts: list[str],
    is_on: tuple[bool, bool],
    sign: str,
) -> None:
    switch(harness, first)
    row = switch(harness, other)
    assert (row.state, row.queued, row.attempts) == ("done", 0, 0)
    assert row.text_answer == f"{sign} is not on in room 101: nothing is sent"
    assert harness.row(row.id) == row
    assert deliver(harness) == texts
    assert signs(harness) == is_on


def test_a8_a_sign_in_a_room_that_was_never_mentioned_is_not_on(harness: StoreHarness) -> None:
    assert switch(harness, DND_OFF).state == "done"
    assert deliver(harness) == []
    assert harness.room() is None


@pytest.mark.parametrize(
    ("off", "text", "is_on"),
    [(DND_OFF, "RE|RN101|RS9|", (False, True)), (MAKE_UP_OFF, "RE|RN101|RS8|", (True, False))],
)
@pytest.mark.parametrize("is_delivered_before", [True, False])
def test_a8_if_both_are_on_and_one_goes_off_the_other_is_sent(
    harness: StoreHarness,
    off: OutboundUpdate,
    text: str,
    is_on: tuple[bool, bool],
    is_delivered_before: bool,
) -> None:
    switch(harness, DND_ON)
    switch(harness, MAKE_UP_ON)
    before = deliver(harness) if is_delivered_before else []
    assert switch(harness, off).text == text
    assert before + deliver(harness) == ["RE|RN101|RS8|", "RE|RN101|RS9|", text]
    assert signs(harness) == is_on


def test_the_only_sign_that_is_on_goes_off_with_both(harness: StoreHarness) -> None:
    switch(harness, DND_ON)
    switch(harness, DND_OFF)
    assert deliver(harness) == ["RE|RN101|RS8|", "RE|RN101|RS10|"]
    assert switch(harness, DND_OFF).state == "done"


def test_the_other_sign_is_not_sent_if_the_pms_has_removed_it_meanwhile(harness: StoreHarness) -> None:
    switch(harness, DND_ON)
    switch(harness, MAKE_UP_ON)
    deliver(harness)
    switch(harness, MAKE_UP_OFF)
    harness.receive_records("RE|RN101|DNN|")
    assert deliver(harness) == ["RE|RN101|RS10|"]


def test_a_sign_of_a_vacated_room_is_not_on(harness: StoreHarness) -> None:
    harness.receive_records("GI|RN101|G#1|GSN|")
    switch(harness, DND_ON)
    harness.receive_records("GO|RN101|", "GI|RN101|G#2|GSN|")
    assert switch(harness, DND_OFF).state == "done"
