"""Long polls: requests that wait until an event of a link is published."""

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
"""Maximum time that a request may wait, in seconds."""
MAX_WAITING_CALLS = 200
"""Requests that may wait at the same time."""
MAX_WAITING_CALLS_PER_TOKEN = 100
"""Waiting requests with one token, so that one token cannot use all of them."""


class LongPoll:
    """The requests that wait, by link."""

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
        """Allow requests to wait."""
        self._is_stopped = False

    def stop(self) -> None:
        """Wake all requests; later requests return at once."""
        self._is_stopped = True
        self.wake_all()

    def wake_all(self) -> None:
        """Wake the requests of all links."""
        for link in tuple(self._waiting_by_link):
            self.wake(link)

    def wait(self, link: str, after: int, timeout_s: float, token_name: str | None = None) -> Deferred[None]:
        """Return a Deferred that fires once an event of the link after this number is published.

        It also fires at the timeout, when the link is removed, and when the service stops. `token_name` is
        the name of the caller's token. Raises ApiError 503 if too many requests wait.
        """
        if self._is_stopped or self._newest_seq_by_link.get(link, 0) > after:
            return succeed(None)
        if len(self) >= MAX_WAITING_CALLS:
            raise ApiError(
                503, "too_many_watchers", f"too many requests wait for events ({MAX_WAITING_CALLS})"
            )
        if token_name is not None and self._waiting_count_by_token[token_name] >= MAX_WAITING_CALLS_PER_TOKEN:
            message = f"too many requests with this token wait for events ({MAX_WAITING_CALLS_PER_TOKEN})"
            raise ApiError(503, "too_many_watchers", message)
        done: Deferred[None] = Deferred()
        timer = self._clock.callLater(timeout_s, done.callback, None)
        waiting = self._waiting_by_link.setdefault(link, set())
        waiting.add(done)
        self._waiting_count_by_token[token_name] += 1

        def clean_up(outcome: None) -> None:
            waiting.discard(done)
            self._waiting_count_by_token[token_name] -= 1
            if not waiting and self._waiting_by_link.get(link) is waiting:
                del self._waiting_by_link[link]
            if timer.active():
                timer.cancel()
            return outcome

        return done.addBoth(clean_up)

    def wake(self, link: str) -> None:
        """Wake the requests that wait for events of this link."""
        for done in tuple(self._waiting_by_link.get(link, ())):
            done.callback(None)

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        newest = {entry.link: entry.seq for entry in entries if is_event(entry)}
        self._newest_seq_by_link.update(newest)
        for link in newest.keys() & self._waiting_by_link.keys():
            self.wake(link)
