"""The exact shape of every event of the hotel."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

import pytest

from pmslink.hotel.events import Event, EventType, WakeUpFinished
from pmslink.hotel.phone_update_records import PhoneUpdate
from pmslink.hotel.rooms import WakeUp
from tests.hotel.hotel_driver import HotelDriver

ANN: dict[str, Any] = {
    "number": "6001",
    "name": "Clark",
    "first_name": "Ann",
    "title": None,
    "language": "EA",
    "vip": None,
    "group": None,
    "arrival": "2026-01-01",
    "departure": None,
    "sharer": False,
    "no_post": None,
    "fields": {},
}
CHECKED_IN = "GI|RN110|G#6001|GSN|GNClark|GFAnn|GLEA|GA260101|"
WAKE_UP_REQUEST = "WR|RN110|DA260101|TI1200|"
ALARM = {"id": 1, "at": "2026-01-01T12:00:00"}


@pytest.fixture
def hotel() -> HotelDriver:
    return HotelDriver()


def test_a_check_in(hotel: HotelDriver) -> None:
    hotel.receive(CHECKED_IN)
    assert hotel.emitted == [Event("guest.checked_in", "110", {"guest": ANN})]


def test_a_check_in_of_a_resync(hotel: HotelDriver) -> None:
    hotel.receive(CHECKED_IN + "SF|")
    assert hotel.emitted == [Event("guest.checked_in", "110", {"guest": ANN}, resync=True)]


def test_a_check_out(hotel: HotelDriver) -> None:
    hotel.receive(CHECKED_IN, "GO|RN110|G#6001|GSN|")
    hotel.wait(2)
    assert hotel.emitted == [Event("guest.checked_out", "110", {"guest": ANN, "vacant": True})]


def test_a_change(hotel: HotelDriver) -> None:
    hotel.receive(CHECKED_IN)
    hotel.receive("GC|RN110|G#6001|GNDay|")
    assert hotel.emitted == [Event("guest.changed", "110", {"guest": ANN | {"name": "Day"}})]


def test_a_move(hotel: HotelDriver) -> None:
    hotel.receive(CHECKED_IN)
    hotel.receive("GC|RN215|GSN|G#6001|RO110|GSN|")
    payload = {"guest": ANN, "from_room": "110", "vacant": True}
    assert hotel.emitted == [Event("guest.moved", "215", payload)]


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        ("CS2", "class_of_service", 2),
        ("DNY", "do_not_disturb", True),
        ("MLY", "message_light", True),
    ],
)
def test_equipment(hotel: HotelDriver, field: str, name: str, value: object) -> None:
    hotel.receive(f"RE|RN110|{field}|")
    assert hotel.emitted == [Event(f"room.{name}", "110", {"value": value, "by": "pms"})]  # type: ignore[arg-type]


def test_a_sign_from_the_phone(hotel: HotelDriver) -> None:
    hotel.apply_phone_update(PhoneUpdate("dnd", "110", True))
    assert hotel.emitted == [Event("room.do_not_disturb", "110", {"value": True, "by": "pbx"})]


def test_a_wake_up_that_is_set_and_due(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_REQUEST)
    assert hotel.emitted == [
        Event("wake_up.set", "110", {"wake_up": ALARM, "by": "pms"}),
        Event(
            "wake_up.due",
            "110",
            {"wake_up": ALARM, "attempt": 1, "attempts": 3, "until": "2026-01-01T12:03:00.000Z"},
        ),
    ]


def test_a_wake_up_that_is_cancelled(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_REQUEST)
    hotel.receive("WC|RN110|DA|TI|")
    assert hotel.emitted == [Event("wake_up.cancelled", "110", {"wake_up": ALARM, "by": "pms"})]


def test_a_wake_up_that_is_finished(hotel: HotelDriver) -> None:
    hotel.receive(WAKE_UP_REQUEST)
    hotel.report_wake_up("answered")
    at = datetime(2026, 1, 1, 12)  # noqa: DTZ001
    now = hotel.now_ms
    wake_up = WakeUp(1, at, "260101", "1200", now, 1, now + 180_000, "answered", requested=now)
    assert hotel.emitted == [
        Event("wake_up.done", "110", {"wake_up": ALARM, "result": "answered", "attempts": 1}),
        WakeUpFinished("110", wake_up, "answered"),
    ]


def test_night_audits_and_resyncs(hotel: HotelDriver) -> None:
    hotel.receive("NS|", "NE|", "DS|", "DE|")
    assert hotel.emitted == [
        Event("night_audit.started"),
        Event("night_audit.ended"),
        Event("resync.started", resync=True),
        Event("resync.ended", payload={"complete": True}, resync=True),
    ]


def test_the_hotel_emits_no_other_event_type() -> None:
    hotel = HotelDriver()
    emitted_types: set[Any] = set()

    def receive(*texts: str) -> None:
        hotel.receive(*texts)
        emitted_types.update(event.type for event in hotel.emitted if isinstance(event, Event))

    receive(CHECKED_IN, "RE|RN110|CS2|DNY|MLY|", WAKE_UP_REQUEST, "WC|RN110|DA|TI|", "GC|RN110|G#6001|GNDay|")
    receive("GC|RN215|G#6001|RO110|", "GO|RN215|", "NS|", "NE|", "DS|", "DE|", "WR|RN1|DA260101|TI1100|")
    receive("RE|RN110|RS3|", "WR|RN110|DAx|TI070000|")
    hotel.wait(2)
    emitted_types.update(event.type for event in hotel.emitted if isinstance(event, Event))
    others = {name for name in get_args(EventType) if name.startswith(("posting.", "link."))}
    assert emitted_types == set(get_args(EventType)) - others
