"""The interface: all its calls in one Klein application. `openapi.yaml` describes them to those who call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from klein import Klein
from twisted.internet.interfaces import IReactorTime

from pmslink.link.link_registry import Links
from pmslink.store.store_service import Store
from pmslink.web.api.history_endpoints import ListCalls
from pmslink.web.api.link_endpoints import LinkCalls, TestLink
from pmslink.web.api.posting_endpoints import OutboxCalls
from pmslink.web.api.room_endpoints import RoomCalls
from pmslink.web.api.service_endpoints import AboutCalls
from pmslink.web.api.session_endpoints import SessionCalls
from pmslink.web.api.timeline_endpoint import TimelineCalls
from pmslink.web.auth.access_control import Door
from pmslink.web.http.json_responses import answer_failure
from pmslink.web.http.routing import Subject
from pmslink.web.stream.broadcaster import Stream
from pmslink.web.stream.long_poll import Waiting
from pmslink.web.ui.static_files import PageCalls


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
