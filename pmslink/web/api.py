"""The interface: all its calls in one Klein application. `openapi.yaml` describes them to those who call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from klein import Klein
from twisted.internet.interfaces import IReactorTime

from pmslink.link.link_registry import Links
from pmslink.store.store_service import Store
from pmslink.web.about import AboutCalls
from pmslink.web.answers import answer_failure
from pmslink.web.assets import PageCalls
from pmslink.web.calls import Subject
from pmslink.web.door import Door
from pmslink.web.links import LinkCalls, TestLink
from pmslink.web.lists import ListCalls
from pmslink.web.outbox import OutboxCalls
from pmslink.web.rooms import RoomCalls
from pmslink.web.session import SessionCalls
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
        door: Door,
    ) -> None:
        self._door = door
        self.stream = Stream(links, store, clock, wall, door.admits)
        door.on_leaving.append(self.stream.send_away)
        self.waiting = Waiting(store.journal, clock)
        door.on_leaving.append(self.waiting.wake_all)
        self.app = Klein()
        self.app.url_map.merge_slashes = False  # "//" is an unknown path, not a redirect
        self.app.handle_errors(Exception)(answer_failure)
        subjects: tuple[Subject, ...] = (
            PageCalls(),
            AboutCalls(links, store.journal, clock, wall, self.stream),
            LinkCalls(links, test_link, self.stream, self.waiting, clock),
            ListCalls(links, store, self.waiting, door),
            TimelineCalls(links, store, wall),
            OutboxCalls(links, store, wall),
            RoomCalls(links, store, wall),
            SessionCalls(door),
        )
        for subject in subjects:
            for method, path, answers in subject.routes():
                guarded = door.guarded(method, path, answers)
                self.app.route(path, methods=[method], endpoint=f"{method} {path}")(guarded)

    def start(self) -> None:
        self._door.tokens.start()
        self.stream.start()
        self.waiting.start()

    def stop(self) -> None:
        """End all connections that watch, and all calls that wait."""
        self._door.tokens.stop()
        self.stream.stop()
        self.waiting.stop()
