"""How changes by hand are stored."""

from __future__ import annotations

import json
from datetime import datetime

from pmslink.hotel.manual_changes import (
    ManualChange,
    ManualChanges,
    parse_manual_changes,
    serialize_manual_changes,
)
from pmslink.hotel.room_window import SaidSettings
from pmslink.hotel.rooms import Guest, WakeUp, manual_number


def test_changes_are_stored_as_they_are() -> None:
    wake_up = WakeUp(5, datetime.fromisoformat("2026-01-02T07:00"), "260102", "0700", 17)
    guest = Guest(manual_number(1), "Cole", fields={"A0": "x"})
    changes = [
        ManualChange(1, "check_in", "desk", 10, guest, "102"),
        ManualChange(2, "move", None, 11, Guest("1"), "101", "104", "kept", is_gone=True),
        ManualChange(
            *(3, "check_out", None, 12, Guest(), "103", None, "differs", 99),
            pms_guest=Guest("7", "Day"),
        ),
    ]
    manual = ManualChanges({one.id: one for one in changes}, {"102": SaidSettings(class_of_service=0)})
    manual.suspend("103", SaidSettings(2, True), [wake_up])
    stored = json.loads(json.dumps(serialize_manual_changes(manual)))
    parsed = parse_manual_changes(stored)
    assert (parsed.by_id, parsed.pms_settings, parsed.suspended) == (
        *(manual.by_id, manual.pms_settings),
        manual.suspended,
    )
