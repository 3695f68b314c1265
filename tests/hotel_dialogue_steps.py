"""The steps of a dialogue about the hotel: its events, and the updates from its phones.

    clock 2026-03-29T00:59:00   before the start: set the wall clock, in UTC
    hotel clock                 before the start: the service does not trust the wall clock after a start or
                                a jump, as outside of tests
    clock +3600 s               set the wall clock forward; back with a minus
    event guest.moved 215 {"from_room": "110"}
                                the next event has this type and room, and at least this content
    event wake_up.due 110 within 3 s
                                the next event comes within this time
    no event                    there is no other event

    phone 110 status {"status": 3}
                                an update from a phone, with the body of the API: status, dnd,
                                make_up_room, voicemail, wake_up or wake_up_cancel; adds a row
    phone 110 answered          the result of the last wake-up attempt: answered, busy or no_answer
    phone 110 busy to attempt 1 the result of this attempt
    phone 110 … rejected        an update or a result that is not valid

    hand 102 check-in Cole      a person checks a guest in by hand, while the link is not in sync
    hand 102 check-out          the same for a check-out
    hand 102 move 104           the same for a move
    hand take 102               a person takes over what the PMS says of the guest of this change; also: keep
    by hand 102 check_in differs
                                the change by hand that began in this room, and its outcome
    by hand 0                   so many changes are open

A dialogue with an event step must expect all events.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pmslink.hotel import manual_acts, manual_decisions, phone_update_records
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.manual_acts import ManualGuest
from pmslink.hotel.manual_changes import ManualChange
from pmslink.hotel.wake_up_attempts import UnknownWakeUpError, WakeUpNotDueError
from pmslink.store.operations.hotel_updates import (
    ManualWork,
    WakeUpReport,
    do_manual_work,
    store_wake_up_results,
)
from pmslink.store.operations.outbox_enqueue import NewRow
from pmslink.timestamps import to_ms
from pmslink.validation.json_body import BodyError
from tests.scripted_pms import DialogueHarness


class HotelSteps:
    """The steps about events and phones."""

    harness: DialogueHarness

    async def _set_clock(self, text: str) -> None:
        assert self.harness.link is None, "the clock can only be set before the start"
        self.harness.start_time = datetime.fromisoformat(text).replace(tzinfo=UTC)

    async def _use_hotel_clock(self) -> None:
        assert self.harness.link is None, "the hotel clock can only be chosen before the start"
        self.harness.uses_hotel_clock = True
        self.harness.make_service()

    async def _shift_clock(self, seconds: str) -> None:
        self.harness.clock_offset += timedelta(seconds=float(seconds))

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
        await self.harness.settle()  # what the PMS sent before has arrived
        problem: BodyError | None = None
        try:
            update = self._parse_update(room, field, json.loads(body or "{}"))
        except BodyError as caught:
            problem = caught
        assert bool(problem) == bool(rejected), f"rejected: {problem}" if problem else "not rejected"
        if problem is None:
            await self._enqueue(update)

    def _parse_update(
        self, room: str, field: str, body: dict[str, object]
    ) -> phone_update_records.OutboundUpdate:
        harness = self.harness
        assert harness.link is not None, "not started"
        policy = harness.store.hotels.policy_of("hotel")
        parsers: dict[str, Callable[[], phone_update_records.OutboundUpdate]] = {
            "status": lambda: phone_update_records.status_update(
                room, body, harness.settings.get("status_codes", {})
            ),
            "dnd": lambda: phone_update_records.dnd_update(room, body),
            "make_up_room": lambda: phone_update_records.make_up_room_update(room, body),
            "voicemail": lambda: phone_update_records.voicemail_update(room, body),
            "wake_up": lambda: phone_update_records.wake_up_update(room, body, harness.now(), policy),
            "wake_up_cancel": lambda: phone_update_records.wake_up_cancel_update(
                room,
                body.get("at"),  # type: ignore[arg-type]
                policy,
            ),
        }
        return parsers[field]()

    async def _enqueue(self, update: phone_update_records.OutboundUpdate) -> None:
        new_row = NewRow(
            "hotel",
            update.record.id,
            update.type,
            update.room,
            phone_update_records.serialize_update_body(update),
            update.record.text,
            to_ms(self.harness.now()),
            subject=update.subject,
            until=update.until,
            phone_update=update.phone_update,
        )
        self.harness.enqueue(new_row)
        await self.harness.wait(0)

    async def _work_by_hand(self, room: str, act: str, argument: str | None) -> None:
        await self.harness.settle()
        link = self.harness.link
        assert link is not None, "not started"
        assert not link.session.in_sync, "the link is in sync"
        acts: dict[str, Callable[[HotelState, Context], Any]] = {
            "check-in": lambda state, context: [
                manual_acts.check_in(state, room, ManualGuest(argument or ""), "desk", context)
            ],
            "check-out": lambda state, context: manual_acts.check_out(state, room, "desk", context),
            "move": lambda state, context: manual_acts.move(state, room, argument or "", "desk", context),
        }
        await self._do_manual_work(acts[act])

    async def _decide(self, decision: str, room: str) -> None:
        change_id = (await self._change(room)).id
        decisions: dict[str, Callable[[HotelState, Context], Any]] = {
            "take": lambda state, context: [manual_decisions.take(state, change_id, context)],
            "keep": lambda state, _: [manual_decisions.keep(state, change_id)],
        }
        await self._do_manual_work(decisions[decision])

    async def _do_manual_work(self, work: Callable[[HotelState, Context], Any]) -> None:
        results: list[object] = []
        self.harness.store.journal.submit(do_manual_work, ManualWork("hotel", work)).addBoth(results.append)
        assert await self.harness.until(lambda: bool(results), None), "the work has no result"
        assert not isinstance(results[0], Failure), results[0]

    async def _change(self, room: str) -> ManualChange:
        await self.harness.wait(0)
        committed = self.harness.store.hotels._cache["hotel"].state.manual.by_id.values()
        changes = [change for change in committed if change.room == room]
        assert changes, f"no change by hand in room {room}"
        return changes[-1]

    async def _expect_change(self, room: str, what: str, outcome: str) -> None:
        change = await self._change(room)
        assert (change.what, change.outcome) == (what, outcome), f"it is {change.what} {change.outcome}"

    async def _expect_changes(self, count: str) -> None:
        await self.harness.wait(0)
        assert self.harness.link is not None
        assert self.harness.link.status().manual.open == int(count), self.harness.link.status().manual

    async def _report_wake_up(
        self, room: str, result: Any, attempt: str | None, rejected: str | None
    ) -> None:
        wake_up_id = self.harness.due_wake_up_ids.get(room)
        assert wake_up_id is not None, "this room had no wake-up attempt"
        report = WakeUpReport("hotel", room, wake_up_id, int(attempt) if attempt else None, result)
        problems: list[object] = []
        results: list[object] = []
        stored: Deferred[Any] = self.harness.store.journal.submit(store_wake_up_results, report)
        stored.addErrback(
            lambda failure: problems.append(failure.trap(WakeUpNotDueError, UnknownWakeUpError))
        )
        stored.addCallback(results.append)
        assert await self.harness.until(lambda: bool(results), None), "the report has no result"
        assert bool(problems) == bool(rejected), "rejected" if problems else "not rejected"


def _contains(actual: Any, expected: Any) -> bool:
    """Return whether `actual` contains `expected`."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        return all(name in actual and _contains(actual[name], expected[name]) for name in expected)
    return bool(actual == expected)


HOTEL_STEPS: dict[str, Callable[..., Awaitable[None]]] = {
    r"clock (\S+)": HotelSteps._set_clock,
    r"hotel clock": HotelSteps._use_hotel_clock,
    r"clock ([+-]\d+) s": HotelSteps._shift_clock,
    r"event ([a-z_]+\.[a-z_]+)(?: (?!within )([^{]+?))?(?: (\{.*\}))?(?: within ([\d.]+) s)?": (
        HotelSteps._expect_event
    ),
    r"no event": HotelSteps._expect_no_event,
    r"hand (take|keep) (.+)": HotelSteps._decide,
    r"hand (\S+) (check-in|check-out|move)(?: (.+))?": HotelSteps._work_by_hand,
    r"by hand (\d+)": HotelSteps._expect_changes,
    r"by hand (\S+) (check_in|check_out|move) (\w+)": HotelSteps._expect_change,
    r"phone (.+) (answered|busy|no_answer)(?: to attempt (\d+))?( rejected)?": HotelSteps._report_wake_up,
    r"phone (.+?) (status|dnd|make_up_room|voicemail|wake_up|wake_up_cancel)(?: (\{.*\}))?( rejected)?": (
        HotelSteps._update_phone
    ),
}
