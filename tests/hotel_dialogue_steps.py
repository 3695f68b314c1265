"""The steps of a dialogue that are about the hotel: what happens there, and what its phones parsers.

    clock 2026-03-29T00:59:00   before the start: what the wall clock says, in UTC
    event guest.moved 215 {"from_room": "110"}
                                this happens next, in this room, and tells at least that
    event wake_up.due 110 within 3 s
                                … but it may take so long
    no event                    nothing else has happened so far

    phone 110 status {"status": 3}
                                a phone tells this, as the PBX does by the interface: status, dnd,
                                make_up_room, voicemail, wake_up or wake_up_cancel; it is a row too
    phone 110 answered          what came of the last attempt to wake there: answered, busy or no_answer
    phone 110 busy to attempt 1 … of that attempt
    phone 110 … refused         … which cannot be

A dialogue that has a step about events has to expect them all.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred

from pmslink.hotel import phone_update_records
from pmslink.hotel.wake_up_attempts import UnknownWakeUpError, WakeUpNotDueError
from pmslink.store.operations.hotel_updates import WakeUpReport, store_wake_up_results
from pmslink.store.operations.outbox_enqueue import NewRow
from pmslink.timestamps import to_ms
from pmslink.validation.json_body import BodyError
from tests.scripted_pms import DialogueHarness


class HotelSteps:
    """The steps about the hotel, its events and its phones."""

    harness: DialogueHarness

    async def _set_clock(self, text: str) -> None:
        assert self.harness.link is None, "the clock can only be set before the start"
        self.harness.start_time = datetime.fromisoformat(text).replace(tzinfo=UTC)

    async def _expect_event(
        self, type: str, room: str | None, content: str | None, within: str | None
    ) -> None:
        events = self.harness.events
        seconds = None if within is None else float(within)
        assert await self.harness.until(lambda: bool(events), seconds), "no event"
        event = events.popleft()
        assert (event.type, event.room) == (type, room), f"the event is {event}"
        assert _contains(json.loads(event.text), json.loads(content or "{}")), f"its content is {event.text}"

    async def _expect_no_event(self) -> None:
        await self.harness.wait(0)
        assert not self.harness.events, f"events: {list(self.harness.events)}"

    async def _update_phone(self, room: str, field: str, body: str | None, rejected: str | None) -> None:
        problem: BodyError | None = None
        try:
            update = self._parse_update(room, field, json.loads(body or "{}"))
        except BodyError as caught:
            problem = caught
        assert bool(problem) == bool(rejected), (
            f"it was refused: {problem}" if problem else "it was not refused"
        )
        if problem is None:
            await self._enqueue(update)

    def _parse_update(
        self, room: str, field: str, body: dict[str, object]
    ) -> phone_update_records.OutboundUpdate:
        harness = self.harness
        assert harness.link is not None, "not started"
        rules = harness.store.hotels.policy_of("hotel")
        parsers: dict[str, Callable[[], phone_update_records.OutboundUpdate]] = {
            "status": lambda: phone_update_records.status_update(
                room, body, harness.settings.get("status_codes", {})
            ),
            "dnd": lambda: phone_update_records.dnd_update(room, body),
            "make_up_room": lambda: phone_update_records.make_up_room_update(room, body),
            "voicemail": lambda: phone_update_records.voicemail_update(room, body),
            "wake_up": lambda: phone_update_records.wake_up_update(room, body, harness.wall(), rules),
            "wake_up_cancel": lambda: phone_update_records.wake_up_cancel_update(room, body.get("at"), rules),  # type: ignore[arg-type]
        }
        return parsers[field]()

    async def _enqueue(self, update: phone_update_records.OutboundUpdate) -> None:
        offer = NewRow(
            "hotel",
            update.record.id,
            update.type,
            update.room,
            phone_update_records.serialize_update_body(update),
            update.record.text,
            to_ms(self.harness.wall()),
            subject=update.subject,
            until=update.until,
            phone_update=update.phone_update,
        )
        self.harness.enqueue(offer)
        await self.harness.wait(0)

    async def _report_wake_up(
        self, room: str, result: Any, attempt: str | None, rejected: str | None
    ) -> None:
        id = self.harness.rung_wake_ups.get(room)
        assert id is not None, "there was no attempt to wake in this room"
        reported = WakeUpReport("hotel", room, id, int(attempt) if attempt else None, result)
        problems: list[object] = []
        answers: list[object] = []
        written: Deferred[Any] = self.harness.store.journal.submit(store_wake_up_results, reported)
        written.addErrback(
            lambda failure: problems.append(failure.trap(WakeUpNotDueError, UnknownWakeUpError))
        )
        written.addCallback(answers.append)
        assert await self.harness.until(lambda: bool(answers), None), "no answer"
        assert bool(problems) == bool(rejected), "it was refused" if problems else "it was not refused"


def _contains(actual: Any, expected: Any) -> bool:
    """Return whether `actual` contains `expected`."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        return all(name in actual and _contains(actual[name], expected[name]) for name in expected)
    return bool(actual == expected)


HOTEL_STEPS: dict[str, Callable[..., Awaitable[None]]] = {
    r"clock (\S+)": HotelSteps._set_clock,
    r"event ([a-z_]+\.[a-z_]+)(?: (?!within )([^{]+?))?(?: (\{.*\}))?(?: within ([\d.]+) s)?": (
        HotelSteps._expect_event
    ),
    r"no event": HotelSteps._expect_no_event,
    r"phone (.+) (answered|busy|no_answer)(?: to attempt (\d+))?( refused)?": HotelSteps._report_wake_up,
    r"phone (.+?) (status|dnd|make_up_room|voicemail|wake_up|wake_up_cancel)(?: (\{.*\}))?( refused)?": (
        HotelSteps._update_phone
    ),
}
