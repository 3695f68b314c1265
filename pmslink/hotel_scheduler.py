"""The hours of the hotels: when something is due, by the wall clock, the link's state aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.config.extension_table import ExtensionTableError, extensions_of
from pmslink.config.link_settings import LinkSettings
from pmslink.hotel.extensions import Extensions
from pmslink.hotel.hotel_policy import Rules
from pmslink.store.core.journal import Journal
from pmslink.store.core.journal_interface import Keeper
from pmslink.store.operations.hotel_updates import let_time_pass
from pmslink.store.tables.hotel_events import is_without_extension
from pmslink.store.tables.hotel_states import Houses
from pmslink.store.tables.log_entries import Entry, Planned
from pmslink.timestamps import to_ms

LOOK = 1.0
"""Seconds between two looks at the wall clock, which may be set meanwhile."""

MOST_TOLD = 1000
"""Rooms of a link without an extension that the log tells of."""

_log = Logger()


def rules_of(link: str, settings: LinkSettings) -> Rules:
    """The rules of a link's hotel. A table of extensions that cannot be read any more is told in the log."""
    try:
        extensions = extensions_of(settings)
    except ExtensionTableError as problem:
        _log.error("{link}: no room has an extension: {problem}", link=link, problem=str(problem))
        extensions = Extensions("table")
    return Rules(
        timezone=settings.zone,
        attempts=settings.wake_up_attempts,
        interval=round(settings.wake_up_interval * 1000),
        late=round(settings.wake_up_late * 1000),
        extensions=extensions.of,
        rooms=extensions.rooms,
    )


class Hours:
    """Lets time pass in the houses where something is due.

    It stands still in those whose links do not run: by which rules they live, nobody knows. Of rooms
    that something happened in and that no extension belongs to, the log tells once.
    """

    def __init__(
        self,
        clock: IReactorTime,
        journal: Journal,
        wall: Callable[[], datetime],
        plans: Mapping[str, int],
        houses: Houses,
    ) -> None:
        self._journal: Keeper = journal
        self._houses = houses
        self._wall = wall
        self._plans = dict(plans)
        self._looking: set[str] = set()  # links that the journal has been asked about
        self._without: dict[str, set[str]] = defaultdict(set)  # by link, rooms that the log has told of
        self._looked_at = 0
        self._looks = LoopingCall(self._look)
        self._looks.clock = clock
        journal.told.append(self._told)

    def start(self) -> None:
        self._looks.start(LOOK).addErrback(
            lambda failure: _log.failure("nobody is woken any more: the hours are not watched", failure)
        )

    def stop(self) -> None:
        if self._looks.running:
            self._looks.stop()

    def look(self, link: str) -> None:
        """By other rules something may be due at another time, and rooms have other extensions."""
        self.forget(link)
        if link in self._plans:
            self._journal.append(let_time_pass, link)

    def forget(self, link: str) -> None:
        """What the log has told of a link."""
        self._without.pop(link, None)

    def _told(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Planned) and entry.next_at is None:
                self._plans.pop(entry.link, None)
            elif isinstance(entry, Planned) and entry.next_at is not None:
                self._plans[entry.link] = entry.next_at
            elif is_without_extension(entry):
                self._tell_without(entry.link, entry.room)

    def _tell_without(self, link: str, room: str | None) -> None:
        told = self._without[link]
        if room is not None and room not in told and len(told) < MOST_TOLD:
            told.add(room)
            _log.warn("{link}: room {room} has no extension", link=link, room=room)

    def _look(self) -> None:
        now = to_ms(self._wall())
        set_back, self._looked_at = now < self._looked_at, now
        for link, next_at in self._plans.items():
            due = next_at <= now or set_back
            if due and link not in self._looking and self._houses.has_rules(link):
                self._looking.add(link)
                done = self._journal.write(let_time_pass, link, keep=True)
                done.addErrback(self._bug, link).addBoth(self._looked, link)

    def _looked(self, _: None, link: str) -> None:
        self._looking.discard(link)

    def _bug(self, failure: Failure, link: str) -> None:
        _log.failure("{link}: what is due in the hotel was not done", failure, link=link)
