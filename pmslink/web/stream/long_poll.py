"""Calls that wait until something happens to a link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from pmslink.store.core.journal import Journal
from pmslink.store.core.transaction import Entry
from pmslink.web.http.api_errors import ApiError
from pmslink.web.serializers.event_serializer import is_event

MAX_WAIT_S = 60
"""Seconds that a call may wait."""
MAX_WAITING_CALLS = 200
MAX_WAITING_CALLS_PER_TOKEN = 100
"""Calls that wait with one token, so that its holder cannot keep the others out."""


class LongPoll:
    """Who waits for which link."""

    def __init__(self, journal: Journal, clock: IReactorTime) -> None:
        self._clock = clock
        self._newest_seq_by_link: dict[str, int] = {}
        self._waiting_by_link: dict[str, set[Deferred[None]]] = {}
        self._waiting_count_by_token: Counter[str | None] = Counter()
        self._is_stopped = False
        journal.on_commit.append(self._on_commit)

    def __len__(self) -> int:
        return sum(map(len, self._waiting_by_link.values()))

    def start(self) -> None:
        self._is_stopped = False

    def stop(self) -> None:
        """End the waiting of all."""
        self._is_stopped = True
        self.wake_all()

    def wake_all(self) -> None:
        """Let all look again, for some may have to leave."""
        for link in tuple(self._waiting_by_link):
            self.wake(link)

    def wait(self, link: str, after: int, timeout_s: float, token_name: str | None = None) -> Deferred[None]:
        """Fires when something has happened to the link after this number, or the time is up.

        Also when the link is removed, or the service stops. `token` names the caller's. Raises ApiError 503
        when too many wait.
        """
        if self._is_stopped or self._newest_seq_by_link.get(link, 0) > after:
            return succeed(None)
        if len(self) >= MAX_WAITING_CALLS:
            raise ApiError(503, "too_many_watchers", f"{MAX_WAITING_CALLS} calls wait for events already")
        if token_name is not None and self._waiting_count_by_token[token_name] >= MAX_WAITING_CALLS_PER_TOKEN:
            raise ApiError(
                503, "too_many_watchers", f"{MAX_WAITING_CALLS_PER_TOKEN} calls wait with this token already"
            )
        done: Deferred[None] = Deferred()
        timer = self._clock.callLater(timeout_s, done.callback, None)
        calls = self._waiting_by_link.setdefault(link, set())
        calls.add(done)
        self._waiting_count_by_token[token_name] += 1

        def over(outcome: None) -> None:
            calls.discard(done)
            self._waiting_count_by_token[token_name] -= 1
            if not calls and self._waiting_by_link.get(link) is calls:
                del self._waiting_by_link[link]
            if timer.active():
                timer.cancel()
            return outcome

        return done.addBoth(over)

    def wake(self, link: str) -> None:
        """Let all look again who wait for this link."""
        for call in tuple(self._waiting_by_link.get(link, ())):
            call.callback(None)

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        newest = {entry.link: entry.seq for entry in entries if is_event(entry)}
        self._newest_seq_by_link.update(newest)
        for link in newest.keys() & self._waiting_by_link.keys():
            self.wake(link)
