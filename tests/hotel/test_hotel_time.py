"""Wake-ups in the hotel's local time: time zones, and clock changes for daylight saving."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pmslink.hotel.hotel_policy import HotelPolicy, identity
from pmslink.hotel.hotel_state import HotelState
from pmslink.hotel.phone_update_records import wake_up_update
from pmslink.hotel.rooms import parse_room, serialize_room
from pmslink.timestamps import from_ms, to_ms
from pmslink.validation.json_body import BodyError
from tests.hotel.hotel_driver import HotelDriver, describe_emitted

VIENNA = ZoneInfo("Europe/Vienna")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rings(hotel: HotelDriver) -> datetime:
    """Return when the only wake-up rings, in UTC."""
    (wake_up,) = hotel.room().wake_ups
    hotel.wait(wake_up.due / 1000 - hotel.now_ms / 1000 - 0.001)
    assert hotel.room().wake_ups[0].attempts == 0
    assert hotel.wait(0.001)[0].startswith("wake_up.due 110")
    return from_ms(hotel.now_ms)


@pytest.mark.parametrize(
    ("order", "moment"),
    [
        ("DA260328|TI070000", "2026-03-28T06:00"),
        ("DA260329|TI013000", "2026-03-29T00:30"),  # before the clock is set forward, from 2 to 3
        ("DA260329|TI023000", "2026-03-29T01:30"),  # 2:30 does not exist: half an hour after 2, which is 3:30
        ("DA260329|TI033000", "2026-03-29T01:30"),
        ("DA260329|TI070000", "2026-03-29T05:00"),
        ("DA261025|TI013000", "2026-10-24T23:30"),  # before it is set back, from 3 to 2
        ("DA261025|TI023000", "2026-10-25T00:30"),  # 2:30 occurs twice: the first is used
        ("DA261025|TI033000", "2026-10-25T02:30"),
        ("DA261025|TI070000", "2026-10-25T06:00"),
    ],
)
def test_a_wake_up_is_due_at_the_hotel_s_local_time(order: str, moment: str) -> None:
    hotel = HotelDriver(timezone=VIENNA)
    hotel.receive(f"WR|RN110|{order}|")
    assert rings(hotel) == at(moment)


def test_a_wake_up_in_a_repeated_hour_is_due_once() -> None:
    hotel = HotelDriver(at("2026-10-25T00:00"), timezone=VIENNA)
    hotel.receive("WR|RN110|DA261025|TI023000|")
    rings(hotel)
    hotel.report_wake_up("answered")
    assert hotel.wait(2 * 3600) == []
    assert hotel.receive("WR|RN110|DA261025|TI023000|") == []


# The hotel's time is ten to three for the second time. A request for at most ten minutes ago is due now.
ONCE_MORE = at("2026-10-25T01:50")


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        ("025500", "2026-10-25T01:55"),  # the first 2:55 is long over
        ("025000", "2026-10-25T01:50"),
        ("024000", "2026-10-25T01:40"),
        ("030000", "2026-10-25T02:00"),
    ],
)
def test_a_request_in_the_second_of_two_equal_hours_is_for_that_hour(time: str, moment: str) -> None:
    hotel = HotelDriver(ONCE_MORE, timezone=VIENNA)
    hotel.receive(f"WR|RN110|DA261025|TI{time}|")
    (wake_up,) = hotel.room().wake_ups
    assert from_ms(wake_up.due) == at(moment)
    rung = [f"wake_up.due 110 {time[:2]}:{time[2:4]} 1"]
    due = from_ms(wake_up.due) > ONCE_MORE
    assert (
        hotel.wait((at(moment) - ONCE_MORE).total_seconds()) if due else describe_emitted(hotel.emitted[1:])
    ) == rung
    hotel.report_wake_up("answered")
    assert hotel.receive(f"WR|RN110|DA261025|TI{time}|") == []


def test_a_restart_preserves_which_of_two_equal_hours_was_requested() -> None:
    hotel = HotelDriver(ONCE_MORE, timezone=VIENNA)
    hotel.receive("WR|RN110|DA261025|TI025500|")
    stored = parse_room("110", json.loads(json.dumps(serialize_room(hotel.room()))), 0)
    assert stored.wake_ups[0].at.fold == 1
    hotel.state = HotelState({"110": stored})
    assert hotel.wait(299) == []
    assert hotel.wait(1) == ["wake_up.due 110 02:55 1"]


def test_a_wake_up_after_both_of_two_equal_hours_is_missed() -> None:
    hotel = HotelDriver(ONCE_MORE, timezone=VIENNA)
    assert hotel.receive("WR|RN110|DA261025|TI023959|")[-1] == "WA 110 02:39 missed"


def test_a_request_in_the_first_of_two_equal_hours_is_for_that_hour() -> None:
    hotel = HotelDriver(at("2026-10-25T00:50"), timezone=VIENNA)
    hotel.receive("WR|RN110|DA261025|TI024000|")
    assert from_ms(hotel.room().wake_ups[0].due) == at("2026-10-25T00:40")


def test_a_phone_can_request_the_second_of_two_equal_hours() -> None:
    hotel = HotelDriver(ONCE_MORE, timezone=VIENNA)
    update = wake_up_update("110", {"at": "2026-10-25T02:55"}, ONCE_MORE, hotel.policy)
    assert update.until == to_ms(at("2026-10-25T01:55"))
    assert update.phone_update is not None
    hotel.apply_phone_update(update.phone_update)
    hotel.apply_phone_update(update.phone_update)
    assert from_ms(hotel.room().wake_ups[0].due) == at("2026-10-25T01:55")
    with pytest.raises(BodyError, match="in the future"):
        wake_up_update("110", {"at": "2026-10-25T02:48"}, ONCE_MORE, hotel.policy)


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_a_finished_wake_up_is_not_repeated_after_a_clock_change(day: str) -> None:
    hotel = HotelDriver(at(f"{day}T08:00"), timezone=VIENNA)
    order = f"WR|RN110|DA{day[2:4]}{day[5:7]}{day[8:]}|TI120000|"
    hotel.receive(order)
    rings(hotel)
    hotel.report_wake_up("answered")
    for _ in range(30):
        later = (hotel.policy.to_local(hotel.now_ms) + timedelta(hours=1)).strftime("DA%y%m%d|TI%H%M%S")
        hotel.receive(f"WR|RN110|{later}|")
        hotel.wait(3600)
        assert hotel.receive(order) == []


def test_a_new_time_zone_applies_to_waiting_wake_ups() -> None:
    hotel = HotelDriver(timezone=UTC)
    hotel.receive("WR|RN110|DA260102|TI070000|")
    hotel.change_policy(timezone=VIENNA)
    assert hotel.jump_to(at("2026-01-02T05:59:59")) == []
    assert hotel.state.next_due_at == hotel.now_ms + 1000
    assert hotel.wait(1) == ["wake_up.due 110 07:00 1"]


def test_a_new_time_zone_does_not_affect_a_ringing_wake_up() -> None:
    hotel = HotelDriver(timezone=UTC)
    hotel.receive("WR|RN110|DA260101|TI123000|")
    hotel.wait(1800)
    hotel.change_policy(timezone=VIENNA)
    assert hotel.wait(179.999) == []
    assert hotel.wait(0.001) == ["wake_up.due 110 12:30 2"]


def test_a_wake_up_that_is_long_past_in_the_new_time_zone_is_missed() -> None:
    hotel = HotelDriver(timezone=UTC)
    hotel.receive("WR|RN110|DA260101|TI123000|")
    hotel.change_policy(timezone=VIENNA)
    assert hotel.wait(0) == ["wake_up.done 110 12:30 missed", "WA 110 12:30 missed"]


def test_without_a_time_zone_that_of_the_system_applies() -> None:
    policy = HotelPolicy()
    local = datetime(2026, 1, 1, 12)  # noqa: DTZ001  # the hotel's
    assert from_ms(policy.to_utc_ms(local)) == local.astimezone()
    assert policy.to_local(policy.to_utc_ms(local)) == local


def test_the_local_time_is_naive() -> None:
    policy = HotelPolicy(timezone=VIENNA)
    assert policy.to_local(policy.to_utc_ms(datetime(2026, 7, 1, 9))) == datetime(2026, 7, 1, 9)  # noqa: DTZ001


def test_by_default_a_room_has_the_extension_of_the_same_name() -> None:
    assert HotelPolicy().extensions_of_room is identity
    assert identity("0330") == ("0330",)
