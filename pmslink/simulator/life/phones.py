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

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pmslink.errors import PmslinkError
from pmslink.simulator.life.phone_activities import Deed, Habits, Reply, Room

PACE = 6.0
"""Deeds per minute, on the average."""
EVENTS_WAIT, EVENTS_LIMIT = 30, 1000
FORGOTTEN = timedelta(minutes=10)
"""A phone that should have rung so long ago does not ring any more."""
LONGEST_PAUSE = 60.0
"""Seconds between two attempts; the first is 1, and each is twice the one before."""
ROOMS_FRESH = 30.0
"""Seconds for which a list of rooms is good enough."""


class UnreachableError(PmslinkError):
    """The interface gave no answer; the text says why."""


class Interface(Protocol):
    """pmslink's JSON interface, over HTTP or not."""

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON of the answer; ``key`` is the Idempotency-Key. Raises UnreachableError."""


class Phones(Service):
    """The telephones of a link's hotel, while the service runs. ``now`` is the hotel's local time, aware."""

    _log = Logger()

    def __init__(
        self,
        interface: Interface,
        link: str,
        clock: IReactorTime,
        now: Callable[[], datetime],
        chance: Random,
        pace: float = PACE,
        at_end: Callable[[], Deferred[Any]] = lambda: succeed(None),
    ) -> None:
        self.counts: Counter[str] = Counter()
        """What was answered with success, by the names of the deeds; and ``rejected`` for all the others."""
        self.after = 0
        """The number of the last event that was dealt with."""
        self._interface = interface
        self._link = link
        self._clock = clock
        self._now = now
        self._chance = chance
        self._pace = pace
        self._at_end = at_end
        self._habits = Habits(link, chance)
        self._stories: set[Deferred[None]] = set()
        self._rooms: Sequence[Room] = ()
        self._rooms_at: float | None = None
        self._said: set[str] = set()

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        self._tell(self._live())
        self._tell(self._listen())

    def stopService(self) -> Deferred[Any]:
        """Hang up everywhere; fires when nothing is under way any more."""
        super().stopService()  # type: ignore[no-untyped-call]
        stories = list(self._stories)
        for story in stories:
            story.cancel()
        return DeferredList(stories).addCallback(lambda _: self._at_end())

    # the stories

    async def _live(self) -> None:
        while True:
            await self._pause(self._chance.expovariate(self._pace / 60))
            deed = self._habits.next_deed(await self._newest_rooms(), self._now())
            if deed is not None:
                await self._do(deed)

    async def _listen(self) -> None:
        while True:
            asked = self._clock.seconds()
            query = f"after={self.after}&wait={EVENTS_WAIT}&limit={EVENTS_LIMIT}"
            status, answer = await self._patiently("GET", f"{self._habits.path}/events?{query}")
            events = _listed(status, answer, "events")
            for event in events:
                reply = self._habits.reply(event)
                if reply is not None and self._is_news(event):
                    self._tell(self._ring(reply))
            if events:
                self.after = events[-1]["seq"]
            if not events and self._clock.seconds() - asked < 1:  # no answer worth waiting for
                await self._pause(1 if status == 200 else LONGEST_PAUSE)

    async def _ring(self, reply: Reply) -> None:
        await self._pause(reply.seconds)
        await self._do(reply.deed)

    # what they are made of

    async def _do(self, deed: Deed) -> None:
        status, _ = await self._patiently(deed.method, deed.path, deed.body, deed.key)
        self.counts[deed.what if status < 300 else "rejected"] += 1

    async def _newest_rooms(self) -> Sequence[Room]:
        if self._rooms_at is None or self._clock.seconds() - self._rooms_at >= ROOMS_FRESH:
            status, answer = await self._patiently("GET", f"{self._habits.path}/rooms")
            if status != 200:
                self._say(f"the phones learn of no rooms of {self._link}", _told(status, answer))
            self._rooms = _listed(status, answer, "rooms")
            self._rooms_at = self._clock.seconds()
        return self._rooms

    def _is_news(self, event: Mapping[str, Any]) -> bool:
        return self._now() - datetime.fromisoformat(event["at"]) < FORGOTTEN

    async def _patiently(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, Any]:
        """The answer, if it takes for ever. Cancelled when the service stops, or the phones may not call."""
        away = "the phones do not reach pmslink, and try on"
        pause = 1.0
        while True:
            try:
                status, answer = await self._interface.call(method, path, body, key)
            except UnreachableError as problem:
                self._require_running()
                self._say(away, str(problem))
            else:
                self._require_running()
                if away in self._said:
                    self._said.remove(away)
                    self._log.info("the phones reach pmslink again")
                if status in (401, 403):
                    self._say("the phones may not call, and stay silent", _told(status, answer))
                    self._clock.callLater(0, self.stopService)
                    raise CancelledError
                if status < 500 and status != 429:
                    return status, answer
                self._say("pmslink does not take a call, and is offered it again", _told(status, answer))
            await self._pause(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _pause(self, seconds: float) -> None:
        await deferLater(self._clock, seconds)
        self._require_running()

    def _require_running(self) -> None:
        if not self.running:
            raise CancelledError

    def _tell(self, story: Coroutine[Deferred[Any], Any, None]) -> None:
        told = Deferred.fromCoroutine(story)
        self._stories.add(told)
        told.addErrback(lambda failure: failure.trap(CancelledError))
        told.addErrback(lambda failure: self._log.failure("the phones", failure))
        told.addBoth(lambda _: self._stories.discard(told))

    def _say(self, what: str, why: str) -> None:
        """Once; that pmslink is away, once each time."""
        if what not in self._said:
            self._said.add(what)
            self._log.warn("{what}: {why}", what=what, why=why)


def _listed(status: int, answer: Any, name: str) -> Sequence[Mapping[str, Any]]:
    listed = answer.get(name) if status == 200 and isinstance(answer, dict) else None
    return listed if isinstance(listed, list) else ()


def _told(status: int, answer: Any) -> str:
    match answer:
        case {"error": {"code": str(code), "message": str(message)}}:
            return f"{status} {code}: {message}"
    return str(status)
