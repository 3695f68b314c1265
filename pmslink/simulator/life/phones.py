"""The phones of a hotel as a service: make the calls of `phone_activities` on pmslink's API.

Two tasks run concurrently: one makes calls at a pace, the other follows the events and answers ringing
phones. A call that fails or is answered with 429 or 5xx is retried.
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
"""Calls per minute, on average."""
EVENTS_WAIT_S, EVENTS_PAGE_ENTRIES = 30, 1000
MAX_RING_AGE = timedelta(minutes=10)
"""Maximum age of an event whose phone rings."""
MIN_RETRY_DELAY_S, MAX_RETRY_DELAY_S = 1.0, 60.0
"""Delay before the first retry, and the longest; each delay is twice the previous one."""
ROOMS_CACHE_S = 30.0
"""Time for which a list of rooms is cached."""

_UNREACHABLE_WARNING = "The phones cannot reach pmslink; their calls are retried"


class UnreachableError(PmslinkError):
    """Report that pmslink's API gave no response; the text gives the reason."""


class ApiClient(Protocol):
    """A client of pmslink's JSON API."""

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """Make a call; ``key`` is the Idempotency-Key. Raises UnreachableError.

        Returns the status and the parsed JSON of the response.
        """


class Phones(TypedService):
    """The phones of a link's hotel. ``now`` returns the hotel's local time, aware."""

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
        """Number of successful calls by name; ``rejected`` counts all others."""
        self.last_seq = 0
        """The number of the last event that was handled."""
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
        """Start both tasks."""
        super().startService()
        self._start_task(self._make_calls())
        self._start_task(self._follow_events())

    def stopService(self) -> Deferred[Any]:
        """Cancel all tasks; fires when they have ended."""
        super().stopService()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        return DeferredList(tasks).addCallback(lambda _: self._on_stopped())

    async def _make_calls(self) -> None:
        while True:
            await self._pause(self._rng.expovariate(self._pace / 60))
            call = self._activity.next_call(await self._current_rooms(), self._now())
            if call is not None:
                await self._perform(call)

    async def _follow_events(self) -> None:
        while True:
            started_at = self._clock.seconds()
            query = f"after={self.last_seq}&wait={EVENTS_WAIT_S}&limit={EVENTS_PAGE_ENTRIES}"
            status, body = await self._call_until_answered("GET", f"{self._activity.path}/events?{query}")
            events = _parse_list(status, body, "events")
            for event in events:
                delayed_call = self._activity.react_to_event(event)
                if delayed_call is not None and self._is_recent(event):
                    self._start_task(self._answer_ring(delayed_call))
            if events:
                self.last_seq = events[-1]["seq"]
            # avoid a busy loop if the long poll returns at once without events
            if not events and self._clock.seconds() - started_at < MIN_RETRY_DELAY_S:
                await self._pause(MIN_RETRY_DELAY_S if status == 200 else MAX_RETRY_DELAY_S)

    async def _answer_ring(self, delayed_call: DelayedApiCall) -> None:
        await self._pause(delayed_call.seconds)
        await self._perform(delayed_call.call)

    async def _perform(self, call: ApiCall) -> None:
        status, _ = await self._call_until_answered(call.method, call.path, call.body, call.key)
        self.counts[call.name if status < 300 else "rejected"] += 1

    async def _current_rooms(self) -> Sequence[RoomJson]:
        if self._rooms_fetched_at is None or self._clock.seconds() - self._rooms_fetched_at >= ROOMS_CACHE_S:
            status, body = await self._call_until_answered("GET", f"{self._activity.path}/rooms")
            if status != 200:
                self._warn_once(
                    f"{self._link}: the phones cannot get the list of rooms", _error_text(status, body)
                )
            self._rooms = _parse_list(status, body, "rooms")
            self._rooms_fetched_at = self._clock.seconds()
        return self._rooms

    def _is_recent(self, event: Mapping[str, Any]) -> bool:
        return self._now() - datetime.fromisoformat(event["at"]) < MAX_RING_AGE

    async def _call_until_answered(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """Make a call, and retry it until pmslink accepts or rejects it; return the status and the JSON.

        Raises CancelledError when the service stops, and when pmslink does not permit the call.
        """
        delay = MIN_RETRY_DELAY_S
        while True:
            try:
                status, response = await self._client.call(method, path, body, key)
            except UnreachableError as problem:
                self._require_running()
                self._warn_once(_UNREACHABLE_WARNING, str(problem))
            else:
                self._require_running()
                if _UNREACHABLE_WARNING in self._logged_warnings:
                    self._logged_warnings.remove(_UNREACHABLE_WARNING)
                    self._log.info("The phones reach pmslink again")
                if status in (401, 403):
                    self._warn_once(
                        "pmslink rejects the credentials of the phones; they stop",
                        _error_text(status, response),
                    )
                    self._clock.callLater(0, self.stopService)
                    raise CancelledError
                if status < 500 and status != 429:
                    return status, response
                self._warn_once(
                    "pmslink cannot process a call of the phones; it is retried",
                    _error_text(status, response),
                )
            await self._pause(delay)
            delay = min(2 * delay, MAX_RETRY_DELAY_S)

    async def _pause(self, seconds: float) -> None:
        await deferLater(self._clock, seconds)
        self._require_running()

    def _require_running(self) -> None:
        if not self.running:
            raise CancelledError

    def _start_task(self, coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
        task = Deferred.fromCoroutine(coroutine)
        self._tasks.add(task)
        task.addErrback(lambda failure: failure.trap(CancelledError))
        task.addErrback(lambda failure: self._log.failure("A task of the phones failed and ended", failure))
        task.addBoth(lambda _: self._tasks.discard(task))

    def _warn_once(self, problem: str, reason: str) -> None:
        """Log a warning, unless `_logged_warnings` contains it."""
        if problem not in self._logged_warnings:
            self._logged_warnings.add(problem)
            self._log.warn("{problem}: {reason}", problem=problem, reason=reason)


def _parse_list(status: int, body: Any, name: str) -> Sequence[Mapping[str, Any]]:
    entries = body.get(name) if status == 200 and isinstance(body, dict) else None
    return entries if isinstance(entries, list) else ()


def _error_text(status: int, body: Any) -> str:
    match body:
        case {"error": {"code": str(code), "message": str(message)}}:
            return f"{status} {code}: {message}"
    return str(status)
