"""The interface: all its calls in one Klein application. `openapi.yaml` describes them to those who call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from klein import Klein
from twisted.internet.interfaces import IReactorTime

from pmslink.link.links import Links
from pmslink.store.store import Store
from pmslink.web.about import AboutCalls
from pmslink.web.answers import answer_failure
from pmslink.web.calls import Subject
from pmslink.web.links import LinkCalls, TestLink
from pmslink.web.lists import ListCalls
from pmslink.web.outbox import OutboxCalls
from pmslink.web.stream import Stream
from pmslink.web.timeline import TimelineCalls
from pmslink.web.waiting import Waiting


class Api:
    """Puts the subjects together, and runs what of them lasts longer than a call."""

    def __init__(
        self,
        links: Links,
        store: Store,
        clock: IReactorTime,
        wall: Callable[[], datetime],
        test_link: TestLink,
    ) -> None:
        self.stream = Stream(links, store, clock, wall)
        self.waiting = Waiting(store.journal, clock)
        self.app = Klein()
        self.app.url_map.merge_slashes = False  # "//" is an unknown path, not a redirect
        self.app.handle_errors(Exception)(answer_failure)
        subjects: tuple[Subject, ...] = (
            AboutCalls(links, store.journal, clock, wall, self.stream),
            LinkCalls(links, test_link, self.stream, self.waiting),
            ListCalls(links, store, self.waiting),
            TimelineCalls(links, store, wall),
            OutboxCalls(links, store, wall),
        )
        for subject in subjects:
            for method, path, handler in subject.routes():
                self.app.route(path, methods=[method], endpoint=f"{method} {path}")(handler)

    def start(self) -> None:
        self.stream.start()
        self.waiting.start()

    def stop(self) -> None:
        """End all connections that watch, and all calls that wait."""
        self.stream.stop()
        self.waiting.stop()
