"""The hours of the hotels: when something is due, by the wall clock, the link's state aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.config.extension_table import ExtensionTableError, load_extension_mapping
from pmslink.config.link_settings import LinkSettings
from pmslink.hotel.extensions import ExtensionMapping
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.store.core.journal import Journal
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.core.transaction import Entry
from pmslink.store.operations.hotel_updates import run_due
from pmslink.store.tables.hotel_states import HotelStore
from pmslink.store.tables.log_entries import HotelEventLogged, NextDueChanged
from pmslink.timestamps import to_ms

CHECK_INTERVAL_S = 1.0
"""Seconds between two looks at the wall clock, which may be set meanwhile."""

MAX_LOGGED_ROOMS = 1000
"""Rooms of a link without an extension that the log tells of."""

_log = Logger()


def build_policy(link: str, settings: LinkSettings) -> HotelPolicy:
    """The rules of a link's hotel. A table of extensions that cannot be read any more is told in the log."""
    try:
        extensions = load_extension_mapping(settings)
    except ExtensionTableError as problem:
        _log.error("{link}: no room has an extension: {problem}", link=link, problem=str(problem))
        extensions = ExtensionMapping("table")
    return HotelPolicy(
        timezone=settings.zone,
        wake_up_attempts=settings.wake_up_attempts,
        wake_up_interval_ms=round(settings.wake_up_interval * 1000),
        wake_up_late_ms=round(settings.wake_up_late * 1000),
        extensions_of_room=extensions.extensions_of_room,
        rooms_of_extension=extensions.rooms_of_extension,
    )


class HotelScheduler:
    """Lets time pass in the houses where something is due.

    It stands still in those whose links do not run: by which rules they live, nobody knows. Of rooms
    that something happened in and that no extension belongs to, the log tells once.
    """

    def __init__(
        self,
        clock: IReactorTime,
        journal: Journal,
        wall_clock: Callable[[], datetime],
        next_due_times: Mapping[str, int],
        hotels: HotelStore,
    ) -> None:
        self._journal: JournalPort = journal
        self._hotels = hotels
        self._wall_clock = wall_clock
        self._next_due_times = dict(next_due_times)
        self._running_links: set[str] = set()  # links that the journal has been asked about
        self._warned_rooms: dict[str, set[str]] = defaultdict(set)  # by link, rooms that the log has told of
        self._last_check_ms = 0
        self._check_loop = LoopingCall(self._check_due)
        self._check_loop.clock = clock
        journal.on_commit.append(self._on_commit)

    def start(self) -> None:
        self._check_loop.start(CHECK_INTERVAL_S).addErrback(
            lambda failure: _log.failure("nobody is woken any more: the hours are not watched", failure)
        )

    def stop(self) -> None:
        if self._check_loop.running:
            self._check_loop.stop()

    def on_policy_changed(self, link: str) -> None:
        """By other rules something may be due at another time, and rooms have other extensions."""
        self.clear_warnings(link)
        if link in self._next_due_times:
            self._journal.submit_nowait(run_due, link)

    def clear_warnings(self, link: str) -> None:
        """What the log has told of a link."""
        self._warned_rooms.pop(link, None)

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, NextDueChanged) and entry.next_at is None:
                self._next_due_times.pop(entry.link, None)
            elif isinstance(entry, NextDueChanged) and entry.next_at is not None:
                self._next_due_times[entry.link] = entry.next_at
            elif isinstance(entry, HotelEventLogged) and entry.lacks_extension:
                self._warn_unmapped_room(entry.link, entry.room)

    def _warn_unmapped_room(self, link: str, room: str | None) -> None:
        told = self._warned_rooms[link]
        if room is not None and room not in told and len(told) < MAX_LOGGED_ROOMS:
            told.add(room)
            _log.warn("{link}: room {room} has no extension", link=link, room=room)

    def _check_due(self) -> None:
        now = to_ms(self._wall_clock())
        set_back, self._last_check_ms = now < self._last_check_ms, now
        for link, next_at in self._next_due_times.items():
            due = next_at <= now or set_back
            if due and link not in self._running_links and self._hotels.has_policy(link):
                self._running_links.add(link)
                done = self._journal.submit(run_due, link, retry_until_stored=True)
                done.addErrback(self._on_run_failed, link).addBoth(self._on_run_done, link)

    def _on_run_done(self, _: None, link: str) -> None:
        self._running_links.discard(link)

    def _on_run_failed(self, failure: Failure, link: str) -> None:
        _log.failure("{link}: what is due in the hotel was not done", failure, link=link)
