"""A hotel that a test tells things: a house with a clock, and what comes of it in short words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from attrs import evolve

from pmslink.fias.record import Record
from pmslink.hotel import record_reducer, wake_up_attempts
from pmslink.hotel.events import Event, WakeUpFinished
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.phone_update_reducer import apply_phone_update
from pmslink.hotel.phone_updates import PhoneUpdate
from pmslink.hotel.rooms import Room, WakeUpResult
from pmslink.timestamps import to_ms

START_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When every test begins that does not say otherwise; the hotel is where UTC is the time."""

Emitted = list[Event | WakeUpFinished]


class HotelDriver:
    """What is done gives what comes of it, in words; `news` has it as it is.

    `left` are the rooms that were left by it, and where to. The PMS may repeat itself in a new `session`.
    """

    def __init__(self, at: datetime = START_TIME, **rules: Any) -> None:
        self.state = HotelState({})
        self.now_ms = to_ms(at)
        self.rules = HotelPolicy(**{"timezone": UTC, **rules})
        self.emitted: Emitted = []
        self.departures: list[tuple[str, str | None]] = []
        self.session = 0
        self._numbers = count(1)

    @property
    def context(self) -> Context:
        return Context(self.now_ms, self.rules, lambda: next(self._numbers), self.session)

    def room(self, name: str = "110") -> Room:
        return self.state.rooms[name]

    def guests(self, name: str = "110") -> list[str]:
        """The reservation numbers of a room's guests."""
        return [guest.number for guest in self.room(name).guests]

    def guests_by_room(self) -> dict[str, list[str]]:
        """The guests of every room that is known."""
        return {name: self.guests(name) for name in self.state.rooms}

    # What is done.

    def receive(self, *texts: str) -> list[str]:
        """The PMS says this, all in one moment."""
        for text in texts:
            record_reducer.apply_record(self.state, Record(text), self.context)
        return self._collect()

    def receive_in_new_session(self, *texts: str) -> list[str]:
        """The PMS has started the link anew, and repeats this."""
        self.session += 1
        return self.receive(*texts)

    def wait(self, seconds: float) -> list[str]:
        """Time passes, and is looked at whenever something is due."""
        end = self.now_ms + round(seconds * 1000)
        while (due := self.state.next_due_at) is not None and due <= end:
            assert self._advance_to(max(due, self.now_ms)) or self.state.next_due_at != due, (
                "what is due stays due"
            )
        self._advance_to(end)
        return self._collect()

    def jump_to(self, at: datetime) -> list[str]:
        """It is then, and nobody has looked before."""
        self._advance_to(to_ms(at))
        return self._collect()

    def _advance_to(self, ms: int) -> bool:
        passed, self.now_ms = ms > self.now_ms, ms
        record_reducer.advance(self.state, self.context)
        return passed

    def apply_phone_update(self, update: PhoneUpdate) -> list[str]:
        """A phone tells the PMS this."""
        apply_phone_update(self.state, update, self.context)
        return self._collect()

    def report_wake_up(
        self, result: WakeUpResult, attempt: int | None = None, room: str = "110", id: int = 1
    ) -> list[str]:
        """The PBX tells how an attempt to wake went."""
        wake_up_attempts.record_attempt_result(self.state, room, id, attempt, result, self.context)
        return self._collect()

    def change_rules(self, **changes: Any) -> None:
        """From now on the hotel wants it so."""
        self.rules = evolve(self.rules, **changes)

    def _collect(self) -> list[str]:
        self.emitted, self.departures = self.state.pop_events(), self.state.pop_departures()
        return describe_emitted(self.emitted)

    def reload(self) -> None:
        """The house is put together again of what lasts."""
        house = self.state
        self.state = HotelState(
            house.rooms, house.night_audit_stamp, house.resyncing, house.pending_check_outs
        )


def describe_emitted(emitted: Iterable[Event | WakeUpFinished]) -> list[str]:
    """Each of the news in a line."""
    return [" ".join(_describe(one)) for one in emitted]


def _describe(one: Event | WakeUpFinished) -> Iterable[str]:
    if isinstance(one, WakeUpFinished):
        yield from ("WA", one.room, f"{one.wake_up.at:%H:%M}", one.result)
        return
    told = one.payload
    yield one.type
    if one.room is not None:
        yield one.room
    if "guest" in told:
        yield f"#{told['guest']['number']}"
    if "from_room" in told:
        yield f"from {told['from_room']}"
    if told.get("vacant"):
        yield "vacant"
    if "wake_up" in told:
        yield told["wake_up"]["at"][11:16]
    for name in ("value", "attempt", "result", "complete"):
        if name in told:
            yield str(told[name])
    if told.get("by") == "pbx":
        yield "by pbx"
    if one.resync and not one.type.startswith("resync."):
        yield "(resync)"
