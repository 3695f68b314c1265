"""The telephones of a hotel at work: they do what ``habits`` decides, over pmslink's interface.

Two stories run side by side: one deed after the other, at a pace; and the events, of which those that
ring a phone are answered after a while. Whatever the interface cannot take at the moment is offered
again until it is answered, and then it is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pmslink.errors import PmslinkError
from pmslink.simulator.life.phone_activities import ApiCall, DelayedApiCall, PhoneActivity, RoomJson
from pmslink.typed_service import TypedService

CALLS_PER_MINUTE = 6.0
"""Deeds per minute, on the average."""
EVENTS_WAIT_S, EVENTS_PAGE_ENTRIES = 30, 1000
MAX_RING_AGE = timedelta(minutes=10)
"""A phone that should have rung so long ago does not ring any more."""
MAX_RETRY_DELAY_S = 60.0
"""Seconds between two attempts; the first is 1, and each is twice the one before."""
ROOMS_CACHE_S = 30.0
"""Seconds for which a list of rooms is good enough."""


class UnreachableError(PmslinkError):
    """The interface gave no answer; the text says why."""


class ApiClient(Protocol):
    """pmslink's JSON interface, over HTTP or not."""

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON of the answer; ``key`` is the Idempotency-Key. Raises UnreachableError."""


class Phones(TypedService):
    """The telephones of a link's hotel, while the service runs. ``now`` is the hotel's local time, aware."""

    _log = Logger()

    def __init__(
        self,
        client: ApiClient,
        link: str,
        clock: IReactorTime,
        now: Callable[[], datetime],
        rng: Random,
        pace: float = CALLS_PER_MINUTE,
        on_stopped: Callable[[], Deferred[Any]] = lambda: succeed(None),
    ) -> None:
        self.counts: Counter[str] = Counter()
        """What was answered with success, by the names of the deeds; and ``rejected`` for all the others."""
        self.last_seq = 0
        """The number of the last event that was dealt with."""
        self._client = client
        self._link = link
        self._clock = clock
        self._now = now
        self._rng = rng
        self._pace = pace
        self._on_stopped = on_stopped
        self._activity = PhoneActivity(link, rng)
        self._tasks: set[Deferred[None]] = set()
        self._rooms: Sequence[RoomJson] = ()
        self._rooms_fetched_at: float | None = None
        self._logged_warnings: set[str] = set()

    def startService(self) -> None:
        super().startService()
        self._start_task(self._make_calls())
        self._start_task(self._follow_events())

    def stopService(self) -> Deferred[Any]:
        """Hang up everywhere; fires when nothing is under way any more."""
        super().stopService()
        stories = list(self._tasks)
        for story in stories:
            story.cancel()
        return DeferredList(stories).addCallback(lambda _: self._on_stopped())

    # the stories

    async def _make_calls(self) -> None:
        while True:
            await self._pause(self._rng.expovariate(self._pace / 60))
            deed = self._activity.next_call(await self._current_rooms(), self._now())
            if deed is not None:
                await self._perform(deed)

    async def _follow_events(self) -> None:
        while True:
            asked = self._clock.seconds()
            query = f"after={self.last_seq}&wait={EVENTS_WAIT_S}&limit={EVENTS_PAGE_ENTRIES}"
            status, answer = await self._call_until_answered("GET", f"{self._activity.path}/events?{query}")
            events = _parse_list(status, answer, "events")
            for event in events:
                reply = self._activity.react_to_event(event)
                if reply is not None and self._is_recent(event):
                    self._start_task(self._answer_ring(reply))
            if events:
                self.last_seq = events[-1]["seq"]
            if not events and self._clock.seconds() - asked < 1:  # no answer worth waiting for
                await self._pause(1 if status == 200 else MAX_RETRY_DELAY_S)

    async def _answer_ring(self, delayed_call: DelayedApiCall) -> None:
        await self._pause(delayed_call.seconds)
        await self._perform(delayed_call.call)

    # what they are made of

    async def _perform(self, call: ApiCall) -> None:
        status, _ = await self._call_until_answered(call.method, call.path, call.body, call.key)
        self.counts[call.name if status < 300 else "rejected"] += 1

    async def _current_rooms(self) -> Sequence[RoomJson]:
        if self._rooms_fetched_at is None or self._clock.seconds() - self._rooms_fetched_at >= ROOMS_CACHE_S:
            status, answer = await self._call_until_answered("GET", f"{self._activity.path}/rooms")
            if status != 200:
                self._warn_once(f"the phones learn of no rooms of {self._link}", _error_text(status, answer))
            self._rooms = _parse_list(status, answer, "rooms")
            self._rooms_fetched_at = self._clock.seconds()
        return self._rooms

    def _is_recent(self, event: Mapping[str, Any]) -> bool:
        return self._now() - datetime.fromisoformat(event["at"]) < MAX_RING_AGE

    async def _call_until_answered(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """The answer, if it takes for ever. Cancelled when the service stops, or the phones may not call."""
        away = "the phones do not reach pmslink, and try on"
        pause = 1.0
        while True:
            try:
                status, answer = await self._client.call(method, path, body, key)
            except UnreachableError as problem:
                self._require_running()
                self._warn_once(away, str(problem))
            else:
                self._require_running()
                if away in self._logged_warnings:
                    self._logged_warnings.remove(away)
                    self._log.info("the phones reach pmslink again")
                if status in (401, 403):
                    self._warn_once("the phones may not call, and stay silent", _error_text(status, answer))
                    self._clock.callLater(0, self.stopService)
                    raise CancelledError
                if status < 500 and status != 429:
                    return status, answer
                self._warn_once(
                    "pmslink does not take a call, and is offered it again", _error_text(status, answer)
                )
            await self._pause(pause)
            pause = min(2 * pause, MAX_RETRY_DELAY_S)

    async def _pause(self, seconds: float) -> None:
        await deferLater(self._clock, seconds)
        self._require_running()

    def _require_running(self) -> None:
        if not self.running:
            raise CancelledError

    def _start_task(self, coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
        told = Deferred.fromCoroutine(coroutine)
        self._tasks.add(told)
        told.addErrback(lambda failure: failure.trap(CancelledError))
        told.addErrback(lambda failure: self._log.failure("the phones", failure))
        told.addBoth(lambda _: self._tasks.discard(told))

    def _warn_once(self, problem: str, reason: str) -> None:
        """Once; that pmslink is away, once each time."""
        if problem not in self._logged_warnings:
            self._logged_warnings.add(problem)
            self._log.warn("{what}: {why}", what=problem, why=reason)


def _parse_list(status: int, answer: Any, name: str) -> Sequence[Mapping[str, Any]]:
    listed = answer.get(name) if status == 200 and isinstance(answer, dict) else None
    return listed if isinstance(listed, list) else ()


def _error_text(status: int, answer: Any) -> str:
    match answer:
        case {"error": {"code": str(code), "message": str(message)}}:
            return f"{status} {code}: {message}"
    return str(status)
