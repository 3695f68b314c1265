"""The steps of a dialogue that are about the hotel: what happens there, and what its phones tell.

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

from pmslink.hotel import phone_updates
from pmslink.hotel.wake_ups import NotDue, UnknownWakeUp
from pmslink.store.operations.hotel_updates import Reported, take_results
from pmslink.store.operations.outbox_enqueue import Offer
from pmslink.timestamps import to_ms
from pmslink.validation.json_body import BodyError
from tests.scripted_pms import Stage


class HotelSteps:
    """What such steps do."""

    stage: Stage

    async def _clock(self, text: str) -> None:
        assert self.stage.link is None, "it is too late for that"
        self.stage.begin = datetime.fromisoformat(text).replace(tzinfo=UTC)

    async def _event(self, type: str, room: str | None, told: str | None, within: str | None) -> None:
        events = self.stage.events
        seconds = None if within is None else float(within)
        assert await self.stage.until(lambda: bool(events), seconds), "nothing happened"
        event = events.popleft()
        assert (event.type, event.room) == (type, room), f"this happened: {event}"
        assert _tells(json.loads(event.text), json.loads(told or "{}")), f"it tells {event.text}"

    async def _no_event(self) -> None:
        await self.stage.wait(0)
        assert not self.stage.events, f"this happened: {list(self.stage.events)}"

    async def _phone(self, room: str, what: str, body: str | None, refused: str | None) -> None:
        problem: BodyError | None = None
        try:
            told = self._tell(room, what, json.loads(body or "{}"))
        except BodyError as caught:
            problem = caught
        assert bool(problem) == bool(refused), (
            f"it was refused: {problem}" if problem else "it was not refused"
        )
        if problem is None:
            await self._hand_over(told)

    def _tell(self, room: str, what: str, body: dict[str, object]) -> phone_updates.Told:
        stage = self.stage
        assert stage.link is not None, "not started"
        rules = stage.store.houses.rules_of("hotel")
        tell: dict[str, Callable[[], phone_updates.Told]] = {
            "status": lambda: phone_updates.told_status(room, body, stage.settings.get("status_codes", {})),
            "dnd": lambda: phone_updates.told_dnd(room, body),
            "make_up_room": lambda: phone_updates.told_make_up_room(room, body),
            "voicemail": lambda: phone_updates.told_voicemail(room, body),
            "wake_up": lambda: phone_updates.told_wake_up(room, body, stage.wall(), rules),
            "wake_up_cancel": lambda: phone_updates.told_wake_up_cancel(room, body.get("at"), rules),  # type: ignore[arg-type]
        }
        return tell[what]()

    async def _hand_over(self, told: phone_updates.Told) -> None:
        offer = Offer(
            "hotel",
            told.record.id,
            told.type,
            told.room,
            phone_updates.body_text(told),
            told.record.text,
            to_ms(self.stage.wall()),
            subject=told.subject,
            until=told.until,
            change=told.change,
        )
        self.stage.offer(offer)
        await self.stage.wait(0)

    async def _woken(self, room: str, result: Any, attempt: str | None, refused: str | None) -> None:
        id = self.stage.rung.get(room)
        assert id is not None, "there was no attempt to wake in this room"
        reported = Reported("hotel", room, id, int(attempt) if attempt else None, result)
        problems: list[object] = []
        answers: list[object] = []
        written: Deferred[Any] = self.stage.store.journal.write(take_results, reported)
        written.addErrback(lambda failure: problems.append(failure.trap(NotDue, UnknownWakeUp)))
        written.addCallback(answers.append)
        assert await self.stage.until(lambda: bool(answers), None), "no answer"
        assert bool(problems) == bool(refused), "it was refused" if problems else "it was not refused"


def _tells(told: Any, wanted: Any) -> bool:
    """Whether that much is told."""
    if isinstance(told, dict) and isinstance(wanted, dict):
        return all(name in told and _tells(told[name], wanted[name]) for name in wanted)
    return bool(told == wanted)


HOTEL_STEPS: dict[str, Callable[..., Awaitable[None]]] = {
    r"clock (\S+)": HotelSteps._clock,
    r"event ([a-z_]+\.[a-z_]+)(?: (?!within )([^{]+?))?(?: (\{.*\}))?(?: within ([\d.]+) s)?": (
        HotelSteps._event
    ),
    r"no event": HotelSteps._no_event,
    r"phone (.+) (answered|busy|no_answer)(?: to attempt (\d+))?( refused)?": HotelSteps._woken,
    r"phone (.+?) (status|dnd|make_up_room|voicemail|wake_up|wake_up_cancel)(?: (\{.*\}))?( refused)?": (
        HotelSteps._phone
    ),
}
