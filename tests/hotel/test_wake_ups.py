"""Wake-ups: requests, cancellations, attempts, and the final result."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import pytest

from pmslink.hotel.events import Event, WakeUpFinished
from pmslink.hotel.phone_update_records import PhoneUpdate, wake_up_result_update
from pmslink.hotel.rooms import MAX_WAKE_UPS, WakeUpResult
from pmslink.hotel.wake_up_attempts import (
    UnknownWakeUpError,
    WakeUpNotDueError,
    answer_status,
    record_attempt_result,
)
from pmslink.hotel.wake_ups import TooManyWakeUpsError
from tests.hotel.hotel_driver import START_TIME, HotelDriver

WAKE_UP_AT_1230 = "WR|RN110|DA260101|TI123000|"
HALF_HOUR_S = 1800


@pytest.fixture
def hotel() -> HotelDriver:
    """A hotel at noon, with at most three attempts, one each three minutes."""
    return HotelDriver()


def times(hotel: HotelDriver, room: str = "110") -> list[str]:
    return [f"{wake_up.at:%d. %H:%M:%S}" for wake_up in hotel.room(room).wake_ups]


# Requests.


def test_a_requested_wake_up_emits_an_event_and_waits(hotel: HotelDriver) -> None:
    assert hotel.receive(WAKE_UP_AT_1230) == ["wake_up.set 110 12:30"]
    assert hotel.wait(HALF_HOUR_S - 0.001) == []


def test_a_room_can_have_several_wake_ups_sorted_by_time(hotel: HotelDriver) -> None:
    """Q18."""
    hotel.receive("WR|RN110|DA260102|TI070000|", "WR|RN110|DA260101|TI183000|", "WR|RN110|DA260102|TI065500|")
    assert times(hotel) == ["01. 18:30:00", "02. 06:55:00", "02. 07:00:00"]
    assert hotel.wait(19 * 3600) == [
        *("wake_up.due 110 18:30 1", "wake_up.due 110 18:30 2", "wake_up.due 110 18:30 3"),
        *("wake_up.done 110 18:30 unreported", "WA 110 18:30 unreported"),
        *("wake_up.due 110 06:55 1", "wake_up.due 110 06:55 2", "wake_up.due 110 07:00 1"),
    ]


def test_a_repeated_request_is_one_wake_up(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    assert hotel.receive(WAKE_UP_AT_1230, "WR|RN110|DA260101|TI1230|") == []
    assert hotel.receive("WR|RN110|DA260101|TI123001|") == ["wake_up.set 110 12:30"]


def test_a_request_can_lack_seconds(hotel: HotelDriver) -> None:
    """Q19; the result repeats DA and TI of the request."""
    assert hotel.receive("WR|RN110|DA260101|TI1230|") == ["wake_up.set 110 12:30"]
    wake_up = hotel.room().wake_ups[0]
    assert (wake_up.date, wake_up.time) == ("260101", "1230")
    assert hotel.wait(HALF_HOUR_S) == ["wake_up.due 110 12:30 1"]


@pytest.mark.parametrize("fields", ["", "DA|TI|", "DA260230|TI070000|", "DA260101|TI2561|", "DA260101|TI|"])
def test_a_request_without_a_valid_time_is_reported(hotel: HotelDriver, fields: str) -> None:
    """Case C4: a promise to a guest is never dropped in silence."""
    text = f"WR|RN110|{fields}"
    assert hotel.receive(text) == [f"wake_up.not_understood 110 {text}"]
    assert hotel.receive("WR|RN110|DA12012030|TI07:00|")[0].startswith("wake_up.not_understood 110 ")


def test_a_time_without_a_date_is_the_next_one(hotel: HotelDriver) -> None:
    """Case C4."""
    assert hotel.receive("WR|RN110|TI133000|", "WR|RN110|DA|TI070000|") == [
        "wake_up.set 110 13:30",
        "wake_up.set 110 07:00",
    ]
    assert times(hotel) == ["01. 13:30:00", "02. 07:00:00"]
    assert hotel.receive("WR|RN111|TI1200|")[1] == "wake_up.due 111 12:00 1"  # it has just passed


@pytest.mark.parametrize("midnight", ["240000", "2400"])
def test_twenty_four_hours_are_the_beginning_of_the_next_day(hotel: HotelDriver, midnight: str) -> None:
    """Case C3; the result repeats DA and TI of the request."""
    hotel.receive(f"WR|RN110|DA260102|TI{midnight}|")
    assert times(hotel) == ["03. 00:00:00"]
    assert hotel.room().wake_ups[0].time == midnight


def test_a_request_that_lies_ahead_is_never_a_repetition(hotel: HotelDriver) -> None:
    """Case C2: it was finished while the clock was ahead."""
    hotel.receive("WR|RN110|DA260102|TI070000|")
    hotel.jump_to(START_TIME + timedelta(days=2))
    assert times(hotel) == []
    hotel.jump_to(START_TIME)
    assert hotel.receive("WR|RN110|DA260102|TI070000|") == ["wake_up.set 110 07:00"]


def test_a_wake_up_of_a_room_without_a_phone_is_over_at_its_moment(hotel: HotelDriver) -> None:
    hotel.change_policy(extensions_of_room=lambda room: ())
    hotel.receive(WAKE_UP_AT_1230)
    assert hotel.wait(HALF_HOUR_S) == ["wake_up.done 110 12:30 no_phone", "WA 110 12:30 no_phone"]
    assert times(hotel) == []


@pytest.mark.parametrize("ago", [0, 1, 60, 600])
def test_a_request_for_a_time_just_passed_rings_at_once(hotel: HotelDriver, ago: int) -> None:
    """Q17: some PMSs send the request only then."""
    at = START_TIME - timedelta(seconds=ago)
    assert hotel.receive(f"WR|RN110|DA260101|TI{at:%H%M%S}|") == [
        f"wake_up.set 110 {at:%H:%M}",
        f"wake_up.due 110 {at:%H:%M} 1",
    ]


def test_a_request_within_the_minute_rings_at_its_time(hotel: HotelDriver) -> None:
    hotel.receive("WR|RN110|DA260101|TI120059|")
    assert hotel.wait(58.9) == []
    assert hotel.wait(0.1) == ["wake_up.due 110 12:00 1"]


def test_a_request_that_comes_too_late_is_missed_at_once(hotel: HotelDriver) -> None:
    assert hotel.receive("WR|RN110|DA260101|TI114959|") == [
        "wake_up.set 110 11:49",
        "wake_up.done 110 11:49 missed",
        "WA 110 11:49 missed",
    ]


def test_c4_a_request_for_days_ago_is_not_understood(hotel: HotelDriver) -> None:
    """The date of the PMS may be wrong: the guest was promised a call."""
    old = "WR|RN110|DA251231|TI115959|"
    assert hotel.receive(old) == [f"wake_up.not_understood 110 {old}"]
    assert hotel.receive("DS|", old, "DE|") == ["resync.started", "resync.ended True"]
    assert len(hotel.receive("WR|RN110|DA251231|TI120000|")) == 3


def test_a_repeated_request_for_a_finished_wake_up_is_ignored(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    hotel.report_wake_up("answered")
    assert hotel.receive(WAKE_UP_AT_1230) == []
    hotel.wait(24 * 3600)
    assert hotel.receive(WAKE_UP_AT_1230) == []


def test_finished_wake_ups_are_stored_longer_than_requests_are_accepted(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230, "WR|RN110|DA260102|TI122900|")
    hotel.wait(24 * 3600 + HALF_HOUR_S - 1)
    assert hotel.receive(WAKE_UP_AT_1230) == []
    hotel.receive("WR|RN110|DA260104|TI130000|")
    hotel.wait(3 * 24 * 3600)
    assert hotel.room().over == ("2026-01-04T13:00:00",)  # and older ones are deleted


def test_the_same_time_tomorrow_is_another_wake_up(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(3600)
    assert hotel.receive("WR|RN110|DA260102|TI123000|") == ["wake_up.set 110 12:30"]


def test_a_cancelled_wake_up_can_be_requested_again(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230, "WC|RN110|DA260101|TI123000|")
    assert hotel.receive(WAKE_UP_AT_1230) == ["wake_up.set 110 12:30"]


A_LOT = [f"WR|RN110|DA260102|TI{hour:02}{minute:02}00|" for hour, minute in product((7, 8), range(60))]


def test_a_room_has_at_most_a_hundred_wake_ups(hotel: HotelDriver) -> None:
    types = [line.split()[0] for line in hotel.receive(*A_LOT)]
    assert types == ["wake_up.set"] * MAX_WAKE_UPS + ["wake_up.not_understood"] * 20
    assert MAX_WAKE_UPS == 100
    assert hotel.receive("WR|RN111|DA260102|TI070000|") == ["wake_up.set 111 07:00"]


def test_a_hundred_finished_wake_ups_are_stored(hotel: HotelDriver) -> None:
    hotel.change_policy(wake_up_attempts=1, wake_up_interval_ms=1000)
    for hour, minute in product(range(13, 16), range(60)):
        hotel.receive(f"WR|RN110|DA260101|TI{hour}{minute:02}00|")
        hotel.wait(90)
    assert len(hotel.room().over) == 100


def test_a_request_of_a_phone_beyond_the_maximum_is_rejected(hotel: HotelDriver) -> None:
    """A request of the PMS is ignored, because no record rejects it; the guest's phone gets an error."""
    hotel.receive(*A_LOT)
    known, moment = hotel.room(), datetime(2026, 1, 2, 9)  # noqa: DTZ001
    with pytest.raises(TooManyWakeUpsError, match=r"^room 110 has the maximum number of wake-ups$"):
        hotel.apply_phone_update(PhoneUpdate("wake_up", "110", moment))
    assert (hotel.receive(), hotel.room()) == ([], known)
    assert (
        hotel.apply_phone_update(PhoneUpdate("wake_up", "110", known.wake_ups[0].at)) == []
    )  # an existing wake-up
    assert hotel.apply_phone_update(PhoneUpdate("wake_up", "111", moment)) == ["wake_up.set 111 09:00 by pbx"]


def test_a_phone_can_request_a_finished_wake_up_again(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    hotel.report_wake_up("answered")
    assert hotel.receive(WAKE_UP_AT_1230) == []
    moment = datetime(2026, 1, 1, 12, 30)  # noqa: DTZ001
    assert hotel.apply_phone_update(PhoneUpdate("wake_up", "110", moment)) == [
        "wake_up.set 110 12:30 by pbx",
        "wake_up.due 110 12:30 1",
    ]


# Cancellations.


def test_a_clear_cancels_the_wake_up_at_that_time(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230, "WR|RN110|DA260101|TI124500|")
    assert hotel.receive("WC|RN110|DA260101|TI1230|") == ["wake_up.cancelled 110 12:30"]
    assert times(hotel) == ["01. 12:45:00"]


@pytest.mark.parametrize("fields", ["DA|TI|", "", "DA|"])
def test_a_clear_without_a_time_cancels_all(hotel: HotelDriver, fields: str) -> None:
    """Q29."""
    hotel.receive(WAKE_UP_AT_1230, "WR|RN110|DA260101|TI124500|", "WR|RN111|DA260101|TI124500|")
    assert hotel.receive(f"WC|RN110|{fields}") == [
        "wake_up.cancelled 110 12:30",
        "wake_up.cancelled 110 12:45",
    ]
    assert times(hotel, "111") == ["01. 12:45:00"]


@pytest.mark.parametrize("fields", ["DA260101|TI|", "DAx|TI123000|"])
def test_a_clear_with_an_invalid_time_cancels_nothing_and_is_reported(
    hotel: HotelDriver, fields: str
) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    text = f"WC|RN110|{fields}"
    assert hotel.receive(text) == [f"wake_up.not_understood 110 {text}"]
    assert len(times(hotel)) == 1


def test_a_clear_with_another_time_cancels_nothing(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    assert hotel.receive("WC|RN110|DA260101|TI124500|") == []
    assert hotel.receive("WC|RN110|TI123000|") == ["wake_up.cancelled 110 12:30"]


def test_cancelling_a_ringing_wake_up_sends_no_result_to_the_pms(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    assert hotel.receive("WC|RN110|DA260101|TI123000|") == ["wake_up.cancelled 110 12:30"]
    assert hotel.wait(3600) == []


def test_clearing_an_unknown_wake_up_emits_nothing(hotel: HotelDriver) -> None:
    assert hotel.receive("WC|RN110|DA260101|TI123000|", "WC|RN110|DA|TI|") == []


# Attempts.


def test_an_answered_wake_up_is_finished(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    assert hotel.wait(HALF_HOUR_S) == ["wake_up.due 110 12:30 1"]
    assert hotel.report_wake_up("answered", attempt=1) == [
        "wake_up.done 110 12:30 answered",
        "WA 110 12:30 answered",
    ]
    assert hotel.wait(3600) == []


def test_attempts_repeat_after_the_interval_up_to_the_maximum(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    assert hotel.wait(HALF_HOUR_S) == ["wake_up.due 110 12:30 1"]
    assert hotel.report_wake_up("busy") == []
    assert hotel.wait(179) == []
    assert hotel.wait(1) == ["wake_up.due 110 12:30 2"]
    assert hotel.report_wake_up("no_answer") == []
    assert hotel.wait(180) == ["wake_up.due 110 12:30 3"]
    assert hotel.report_wake_up("busy") == ["wake_up.done 110 12:30 busy", "WA 110 12:30 busy"]
    assert hotel.emitted[0].payload["attempts"] == 3  # type: ignore[union-attr]


def test_each_attempt_reports_when_it_ends(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    untils = []
    for seconds in (HALF_HOUR_S, 180, 180):
        hotel.wait(seconds)
        untils += [one.payload["until"] for one in hotel.emitted if isinstance(one, Event)]
    assert untils == [f"2026-01-01T12:{minute}:00.000Z" for minute in (33, 36, 39)]


def test_the_policy_sets_the_number_and_interval_of_attempts(hotel: HotelDriver) -> None:
    hotel.change_policy(wake_up_attempts=2, wake_up_interval_ms=60_000)
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    assert hotel.wait(60) == ["wake_up.due 110 12:30 2"]
    assert hotel.wait(60) == ["wake_up.done 110 12:30 unreported", "WA 110 12:30 unreported"]


def test_a_lower_maximum_of_attempts_applies_at_once(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S + 180)
    hotel.change_policy(wake_up_attempts=1)
    assert hotel.report_wake_up("busy") == ["wake_up.done 110 12:30 busy", "WA 110 12:30 busy"]


def test_a_wake_up_without_any_report_ends_unreported(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    assert hotel.wait(3600)[-2:] == ["wake_up.done 110 12:30 unreported", "WA 110 12:30 unreported"]


def test_a_late_report_of_an_attempt_counts_only_if_answered(
    hotel: HotelDriver,
) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S + 180)
    assert hotel.report_wake_up("busy", attempt=1) == []
    assert hotel.room().wake_ups[0].result is None
    assert hotel.report_wake_up("answered", attempt=1) == [
        "wake_up.done 110 12:30 answered",
        "WA 110 12:30 answered",
    ]


def test_an_earlier_result_does_not_apply_to_an_unreported_attempt(hotel: HotelDriver) -> None:
    hotel.change_policy(wake_up_attempts=2)
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    hotel.report_wake_up("busy")
    assert hotel.wait(3600)[-1] == "WA 110 12:30 unreported"


def test_each_of_several_ringing_wake_ups_has_its_own_result(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230, "WR|RN110|DA260101|TI123100|")
    hotel.wait(HALF_HOUR_S + 60)
    assert hotel.report_wake_up("answered", id=2) == [
        "wake_up.done 110 12:31 answered",
        "WA 110 12:31 answered",
    ]
    assert hotel.report_wake_up("answered", id=1) == [
        "wake_up.done 110 12:30 answered",
        "WA 110 12:30 answered",
    ]


def test_recording_a_result_returns_the_changed_wake_up(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    busy = record_attempt_result(hotel.state, "110", 1, 1, "busy", hotel.context)
    assert (busy.result, busy.attempts, busy.again) == ("busy", 1, hotel.now_ms + 180_000)
    late = record_attempt_result(hotel.state, "110", 1, None, "answered", hotel.context)
    assert (late.result, late.again) == ("answered", None)


def test_a_result_before_the_first_attempt_is_rejected(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230)
    with pytest.raises(
        WakeUpNotDueError, match=r"^wake-up 1 is due at 2026-01-01T12:30:00; it has no attempt yet$"
    ):
        hotel.report_wake_up("answered")
    hotel.wait(HALF_HOUR_S)
    with pytest.raises(WakeUpNotDueError, match=r"^wake-up 1 has 1 attempts; there is no attempt 2$"):
        hotel.report_wake_up("answered", attempt=2)
    with pytest.raises(WakeUpNotDueError):
        hotel.report_wake_up("answered", attempt=0)


def test_a_result_of_a_finished_or_unknown_wake_up_is_rejected(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_AT_1230, "GI|RN111|G#1|GSN|")
    hotel.wait(HALF_HOUR_S)
    hotel.report_wake_up("answered")
    for room in ("110", "111", "999"):
        with pytest.raises(UnknownWakeUpError, match=rf"^room {room} has no wake-up 1, or it is finished$"):
            hotel.report_wake_up("answered", room=room)


@pytest.mark.parametrize(
    ("result", "status"),
    [("answered", "OK"), ("busy", "BY"), ("no_answer", "NR"), ("unreported", "NR"), ("missed", "NR")],
)
def test_each_result_maps_to_an_answer_status(result: WakeUpResult, status: str) -> None:
    assert answer_status(result) == status


def test_the_result_can_be_sent_for_any_room_name() -> None:
    """An unsendable result would block the wake-ups of all rooms."""
    for character in map(chr, (*range(0x180), 0x3000, 0xFFFD)):
        hotel = HotelDriver()
        hotel.receive(f"WR|RN1{character}0|DA251231|TI120000|")
        for awoken in hotel.emitted[2:]:
            assert isinstance(awoken, WakeUpFinished)
            assert wake_up_result_update(awoken).record.get("RN") == awoken.room


# Moves and check-outs.


def test_a_ringing_wake_up_continues_in_the_new_room(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#1|GSN|", WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    hotel.receive("GC|RN215|GSN|G#1|RO110|GSN|")
    assert hotel.wait(180) == ["wake_up.due 215 12:30 2"]
    # of the attempt in the old room
    assert hotel.report_wake_up("answered", attempt=1, room="110") == [
        "wake_up.done 215 12:30 answered",
        "WA 215 12:30 answered",
    ]


def test_a_check_out_cancels_wake_ups(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#1|GSN|", WAKE_UP_AT_1230, "GO|RN110|G#1|GSN|")
    assert hotel.wait(HALF_HOUR_S) == ["wake_up.cancelled 110 12:30", "guest.checked_out 110 #1 vacant"]
    assert hotel.wait(3600) == []


def test_finished_wake_ups_are_stored_in_the_new_room(hotel: HotelDriver) -> None:
    hotel.receive("GI|RN110|G#1|GSN|", WAKE_UP_AT_1230)
    hotel.wait(HALF_HOUR_S)
    hotel.report_wake_up("answered")
    hotel.receive("GC|RN215|GSN|G#1|RO110|GSN|")
    assert hotel.receive("WR|RN215|DA260101|TI123000|", WAKE_UP_AT_1230) == []
