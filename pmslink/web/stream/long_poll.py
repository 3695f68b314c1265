"""Calls that wait until something happens to a link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from pmslink.store.core.journal import Journal
from pmslink.store.tables.log_entries import Entry
from pmslink.web.http.json_responses import ApiError
from pmslink.web.serializers.event_serializer import is_event

LONGEST = 60
"""Seconds that a call may wait."""
MOST_WAITING = 200
MOST_OF_A_TOKEN = 100
"""Calls that wait with one token, so that its holder cannot keep the others out."""


class Waiting:
    """Who waits for which link."""

    def __init__(self, journal: Journal, clock: IReactorTime) -> None:
        self._clock = clock
        self._newest: dict[str, int] = {}
        self._calls: dict[str, set[Deferred[None]]] = {}
        self._by_token: Counter[str | None] = Counter()
        self._ended = False
        journal.told.append(self._told)

    def __len__(self) -> int:
        return sum(map(len, self._calls.values()))

    def start(self) -> None:
        self._ended = False

    def stop(self) -> None:
        """End the waiting of all."""
        self._ended = True
        self.wake_all()

    def wake_all(self) -> None:
        """Let all look again, for some may have to leave."""
        for link in tuple(self._calls):
            self.wake(link)

    def wait(self, link: str, after: int, seconds: float, token: str | None = None) -> Deferred[None]:
        """Fires when something has happened to the link after this number, or the time is up.

        Also when the link is removed, or the service stops. `token` names the caller's. Raises ApiError 503
        when too many wait.
        """
        if self._ended or self._newest.get(link, 0) > after:
            return succeed(None)
        if len(self) >= MOST_WAITING:
            raise ApiError(503, "too_many_watchers", f"{MOST_WAITING} calls wait for events already")
        if token is not None and self._by_token[token] >= MOST_OF_A_TOKEN:
            raise ApiError(503, "too_many_watchers", f"{MOST_OF_A_TOKEN} calls wait with this token already")
        done: Deferred[None] = Deferred()
        timer = self._clock.callLater(seconds, done.callback, None)
        calls = self._calls.setdefault(link, set())
        calls.add(done)
        self._by_token[token] += 1

        def over(outcome: None) -> None:
            calls.discard(done)
            self._by_token[token] -= 1
            if not calls and self._calls.get(link) is calls:
                del self._calls[link]
            if timer.active():
                timer.cancel()
            return outcome

        return done.addBoth(over)

    def wake(self, link: str) -> None:
        """Let all look again who wait for this link."""
        for call in tuple(self._calls.get(link, ())):
            call.callback(None)

    def _told(self, entries: Sequence[Entry]) -> None:
        newest = {entry.link: entry.seq for entry in entries if is_event(entry)}
        self._newest.update(newest)
        for link in newest.keys() & self._calls.keys():
            self.wake(link)
