"""Which updates queued for the PMS are void, follow the guest, are sent again, or still apply."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from attrs import evolve, frozen

from pmslink.fias.record import Record
from pmslink.hotel import pending_updates
from pmslink.hotel.hotel_state import HotelState
from pmslink.hotel.phone_update_records import PhoneUpdate
from pmslink.hotel.room_window import Departure, Party, RoomWindow
from pmslink.hotel.rooms import Room, WakeUp

SEVEN, EIGHT = (datetime.fromisoformat(f"2026-01-02T{hour}:00") for hour in ("07", "08"))


@frozen
class Queued:
    record: str
    type: str = "call"
    room: str = "101"
    body: str = "{}"
    subject: str | None = None
    until: int | None = None
    attempts: int = 0


def wake_up_request(at: datetime) -> Queued:
    return Queued("WR", "wake_up", body=json.dumps({"at": at.isoformat()}), until=1000)


def wake_up_cancellation(at: datetime | None) -> Queued:
    body: dict[str, Any] = {} if at is None else {"at": at.isoformat()}
    return Queued("WC", "wake_up_cancel", body=json.dumps(body))


def do_not_disturb(on: bool) -> Queued:
    return Queued("RE", "dnd", body=json.dumps({"on": on}), subject="sign")


def state_with_wake_ups(*times: datetime) -> HotelState:
    wake_ups = tuple(WakeUp(number, at, "", "", 0) for number, at in enumerate(times, 1))
    return HotelState({"101": Room("101", wake_ups=wake_ups)})


def reapplied(update: Queued, *later: Queued, state: HotelState | None = None) -> list[PhoneUpdate]:
    phone_update = pending_updates.parse_applicable_update(update, now_ms=0)
    assert phone_update is not None
    return pending_updates.updates_to_reapply(update, phone_update, later, state or HotelState({}))


@pytest.mark.parametrize(
    ("record", "new_room", "follows"),
    [
        ("WR", "202", True),
        ("WC", "202", True),
        ("WA", "202", True),
        ("RE", "202", False),
        ("WR", None, False),
        ("RE", None, False),
    ],
)
def test_only_wake_ups_follow_a_guest_who_moves(record: str, new_room: str | None, follows: bool) -> None:
    assert pending_updates.follows_guest(record, new_room) is follows


@pytest.mark.parametrize(("record", "void"), [("WR", True), ("WC", True), ("RE", True), ("WA", False)])
def test_a_departure_voids_all_but_the_result_of_a_wake_up(record: str, void: bool) -> None:
    assert pending_updates.is_void_after_departure(record) is void


def test_the_new_room_replaces_the_old_one_and_no_other_field() -> None:
    moved = pending_updates.replace_room(Record("WR|RN101|DA260102|TI070000|"), "202")
    assert moved.text == "WR|RN202|DA260102|TI070000|"


@pytest.mark.parametrize(
    ("update", "waits"),
    [
        (Queued("RE"), True),
        (Queued("WR"), True),
        (Queued("RE", room="102"), False),
        (Queued("RE", attempts=1), False),
        (Queued("PS"), False),
    ],
)
def test_an_unsent_update_waits_for_the_pending_check_out_of_its_room(update: Queued, waits: bool) -> None:
    state = HotelState({}, windows={"101": RoomWindow(Party(("7",), (Departure("7", 0, "N"),)))})
    assert pending_updates.awaits_check_out(update, lambda: state) is waits


@pytest.mark.parametrize(("record", "resent"), [("RE", True), ("WR", True), ("WC", True), ("WA", False)])
def test_the_result_of_a_wake_up_is_not_resent(record: str, resent: bool) -> None:
    assert pending_updates.is_resent_when_unknown(Queued(record)) is resent


@pytest.mark.parametrize(
    ("until", "now_ms", "expired"), [(None, 1, False), (10, 9, False), (10, 10, False), (10, 11, True)]
)
def test_an_update_expires_after_the_time_of_its_wake_up(
    until: int | None, now_ms: int, expired: bool
) -> None:
    assert pending_updates.is_expired(Queued("WR", until=until), now_ms) is expired


@pytest.mark.parametrize(
    ("text", "supersedes"),
    [
        ("WR|RN101|", True),
        ("WC|RN101|", True),
        ("WR|RN102|", False),
        ("GO|RN101|", True),
        ("GO|RN101|GSN|", True),
        ("GO|RN101|GSY|", False),
        ("GO|RN102|GSN|", False),
        ("GC|RN202|RO101|", True),
        ("GC|RN202|GSY|RO101|", True),
        ("GC|RN202|RO101|GSY|", False),
        ("GC|RN101|", False),
    ],
)
def test_the_pms_supersedes_wake_ups_by_its_own_or_by_a_vacant_room(text: str, supersedes: bool) -> None:
    assert pending_updates.supersedes_wake_ups(Record(text), "101") is supersedes


@pytest.mark.parametrize(
    ("update", "now_ms", "expected"),
    [
        (do_not_disturb(True), 0, PhoneUpdate("dnd", "101", True)),
        (wake_up_request(SEVEN), 999, PhoneUpdate("wake_up", "101", SEVEN)),
        (wake_up_request(SEVEN), 1000, None),
        (Queued("PS"), 0, None),
        (Queued("RE", "voicemail", subject="voicemail"), 0, None),
    ],
)
def test_an_update_applies_unless_its_wake_up_is_past(
    update: Queued, now_ms: int, expected: PhoneUpdate | None
) -> None:
    assert pending_updates.parse_applicable_update(update, now_ms) == expected


def test_a_value_is_reapplied_unless_a_later_update_has_the_same_subject() -> None:
    on = PhoneUpdate("dnd", "101", True)
    assert reapplied(do_not_disturb(True)) == [on]
    assert reapplied(do_not_disturb(True), Queued("RE", "status", subject="status")) == [on]
    assert reapplied(do_not_disturb(True), do_not_disturb(False)) == []


def test_a_wake_up_is_reapplied_unless_a_later_request_is_for_the_same_time() -> None:
    at_seven = PhoneUpdate("wake_up", "101", SEVEN)
    assert reapplied(wake_up_request(SEVEN), do_not_disturb(True)) == [at_seven]
    assert reapplied(wake_up_request(SEVEN), wake_up_request(EIGHT)) == [at_seven]
    assert reapplied(wake_up_request(SEVEN), wake_up_cancellation(SEVEN)) == []
    assert reapplied(wake_up_request(SEVEN), wake_up_cancellation(None)) == []


def test_a_cancellation_of_all_wake_ups_spares_those_that_a_later_request_names() -> None:
    state = state_with_wake_ups(SEVEN, EIGHT)
    cancel_all = PhoneUpdate("wake_up_cancel", "101", None)
    assert reapplied(wake_up_cancellation(None), state=state) == [cancel_all]
    assert reapplied(wake_up_cancellation(None), wake_up_request(EIGHT), state=state) == [
        evolve(cancel_all, value=SEVEN)
    ]
    assert reapplied(wake_up_cancellation(None), wake_up_request(EIGHT)) == []
