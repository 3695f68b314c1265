"""Drive a hotel state in tests: records, time and phones in; events as short lines out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from attrs import evolve

from pmslink.fias.record import Record
from pmslink.hotel import manual_acts, manual_decisions, record_reducer, wake_up_attempts
from pmslink.hotel.events import Event, StayChange, WakeUpFinished
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.manual_acts import ManualGuest
from pmslink.hotel.manual_changes import parse_manual_changes, serialize_manual_changes
from pmslink.hotel.phone_update_records import PhoneUpdate
from pmslink.hotel.phone_update_reducer import apply_phone_update
from pmslink.hotel.room_window import parse_window, serialize_window
from pmslink.hotel.rooms import Room, WakeUpResult
from pmslink.timestamps import to_ms

START_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When a test begins by default; the default time zone of the hotel is UTC."""

Emitted = list[Event | WakeUpFinished]


class HotelDriver:
    """A hotel state with a clock. Each action returns the lines of the events that it emits.

    `emitted` holds the events themselves, `departures` the vacated rooms, each with the new room or None.
    """

    def __init__(self, at: datetime = START_TIME, **policy: Any) -> None:
        self.state = HotelState({})
        self.now_ms = to_ms(at)
        self.policy = HotelPolicy(**{"timezone": UTC, **policy})
        self.emitted: Emitted = []
        self.departures: list[tuple[str, str | None]] = []
        self.stay_changes: list[StayChange] = []
        self.session = 0
        self.clock_settled = True
        self._numbers = count(1)

    @property
    def context(self) -> Context:
        next_id = self._numbers.__next__
        return Context(self.now_ms, self.policy, next_id, self.session, self.clock_settled)

    def room(self, name: str = "110") -> Room:
        return self.state.rooms[name]

    def guests(self, name: str = "110") -> list[str]:
        """The reservation numbers of a room's guests."""
        return [guest.number for guest in self.room(name).guests]

    def guests_by_room(self) -> dict[str, list[str]]:
        """The reservation numbers of the guests of every room."""
        return {name: self.guests(name) for name in self.state.rooms}

    def receive(self, *texts: str) -> list[str]:
        """Apply records of the PMS, all at the same time."""
        for text in texts:
            record_reducer.apply_record(self.state, Record(text), self.context)
        return self._collect()

    def receive_in_new_session(self, *texts: str) -> list[str]:
        """Begin a new session of the link, and apply records of the PMS."""
        self.session += 1
        return self.receive(*texts)

    def wait(self, seconds: float) -> list[str]:
        """Advance the clock, and the state at each due time."""
        end = self.now_ms + round(seconds * 1000)
        while (due := self.state.next_due_at) is not None and due <= end:
            assert self._advance_to(max(due, self.now_ms)) or self.state.next_due_at != due, (
                "advancing does not change the due time"
            )
        self._advance_to(end)
        return self._collect()

    def jump_to(self, at: datetime) -> list[str]:
        """Set the clock, and advance the state once."""
        self._advance_to(to_ms(at))
        return self._collect()

    def _advance_to(self, ms: int) -> bool:
        has_passed, self.now_ms = ms > self.now_ms, ms
        record_reducer.advance(self.state, self.context)
        return has_passed

    def apply_phone_update(self, update: PhoneUpdate) -> list[str]:
        """Apply an update of a phone."""
        apply_phone_update(self.state, update, self.context)
        return self._collect()

    def check_in_by_hand(self, room: str, name: str, by: str | None = "desk", **data: Any) -> list[str]:
        """Check a guest in by hand."""
        manual_acts.check_in(self.state, room, ManualGuest(name, **data), by, self.context)
        return self._collect()

    def check_out_by_hand(self, room: str) -> list[str]:
        """Check the guests of a room out by hand."""
        manual_acts.check_out(self.state, room, "desk", self.context)
        return self._collect()

    def move_by_hand(self, room: str, new_room: str) -> list[str]:
        """Move the guests of a room by hand."""
        manual_acts.move(self.state, room, new_room, "desk", self.context)
        return self._collect()

    def take(self, change_id: int) -> list[str]:
        """Take over what the PMS says."""
        manual_decisions.take(self.state, change_id, self.context)
        return self._collect()

    def keep(self, change_id: int) -> list[str]:
        """Keep a change by hand."""
        manual_decisions.keep(self.state, change_id)
        return self._collect()

    @property
    def by_hand(self) -> list[str]:
        """What was done by hand, and what has become of it."""
        return [f"{one.what} {' '.join(one.rooms)} {one.outcome}" for one in self.state.manual.by_id.values()]

    def id_of(self, what: str, room: str) -> int:
        """The id of the change by hand of this kind in a room."""
        return next(
            one.id for one in self.state.manual.by_id.values() if (one.what, one.room) == (what, room)
        )

    def report_wake_up(
        self, result: WakeUpResult, attempt: int | None = None, room: str = "110", id: int = 1
    ) -> list[str]:
        """Report the result of an attempt."""
        wake_up_attempts.record_attempt_result(self.state, room, id, attempt, result, self.context)
        return self._collect()

    def change_policy(self, **changes: Any) -> None:
        """Change the hotel's policy."""
        self.policy = evolve(self.policy, **changes)

    def _collect(self) -> list[str]:
        self.emitted = self.state.pop_events()
        self.departures = [(vacated.room, vacated.new_room) for vacated in self.state.pop_departures()]
        self.stay_changes = self.state.pop_stay_changes()
        return describe_emitted(self.emitted)

    def reload(self) -> None:
        """Restore the state from its stored form, as after a restart."""
        old = self.state
        stored = {name: json.dumps(serialize_window(window)) for name, window in old.windows.items()}
        windows = {name: parse_window(json.loads(text)) for name, text in stored.items()}
        manual = parse_manual_changes(json.loads(json.dumps(serialize_manual_changes(old.manual))))
        self.state = HotelState(old.rooms, old.night_audit_stamp, old.resyncing, windows, manual)


def describe_emitted(emitted: Iterable[Event | WakeUpFinished]) -> list[str]:
    """Describe each event in a line."""
    return [" ".join(_describe(one)) for one in emitted]


def _describe(one: Event | WakeUpFinished) -> Iterable[str]:
    if isinstance(one, WakeUpFinished):
        yield from ("WA", one.room, f"{one.wake_up.at:%H:%M}", one.result)
        return
    payload = one.payload
    yield one.type
    if one.room is not None:
        yield one.room
    if "guest" in payload:
        yield f"#{payload['guest']['number']}"
    if "from_room" in payload:
        yield f"from {payload['from_room']}"
    if payload.get("vacant"):
        yield "vacant"
    if "text" in payload:
        yield payload["text"]
    if "wake_up" in payload:
        yield payload["wake_up"]["at"][11:16]
    for name in ("value", "attempt", "result", "complete"):
        if name in payload:
            yield str(payload[name])
    if payload.get("by") in ("pbx", "local"):
        yield f"by {payload['by']}"
    if one.resync and not one.type.startswith("resync."):
        yield "(resync)"
