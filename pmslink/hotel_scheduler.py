"""Run due wake-ups and check-outs of all hotels by the wall clock, in any state of their links."""

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
from pmslink.fias.link_description import declared_fields, split_codes
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
"""Time between two checks of the wall clock. Polled, because the wall clock can be set."""

MAX_LOGGED_ROOMS = 1000
"""Maximum number of rooms without an extension that are logged for each link."""

_log = Logger()


def build_policy(link: str, settings: LinkSettings) -> HotelPolicy:
    """Build the policy of a link's hotel from the link's settings.

    If the extension table cannot be read, log an error and map no room.
    """
    try:
        extensions = load_extension_mapping(settings)
    except ExtensionTableError as problem:
        _log.error(
            "{link}: extension table not loaded; events list no extensions: {problem}",
            link=link,
            problem=str(problem),
        )
        extensions = ExtensionMapping("table")
    return HotelPolicy(
        timezone=settings.zone,
        wake_up_attempts=settings.wake_up_attempts,
        wake_up_interval_ms=round(settings.wake_up_interval * 1000),
        wake_up_late_ms=round(settings.wake_up_late * 1000),
        extensions_of_room=extensions.extensions_of_room,
        rooms_of_extension=extensions.rooms_of_extension,
        guest_fields=_declared_guest_fields(settings) if settings.describe else None,
    )


def _declared_guest_fields(settings: LinkSettings) -> frozenset[str]:
    """Return the codes of the fields that the link description declares for guests."""
    declared = declared_fields(settings.records)
    return frozenset(code for record_id in ("GI", "GC") for code in split_codes(declared.get(record_id, "")))


class HotelScheduler:
    """Submit `run_due` to the journal for each hotel with due wake-ups or check-outs.

    Skips hotels whose links do not run, because their policy is not set. Also logs, once for each room, that
    an event is about a room without an extension.
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
        self._running_links: set[str] = set()  # links whose `run_due` is in the journal
        self._warned_rooms: dict[str, set[str]] = defaultdict(set)  # by link, the rooms already logged
        self._last_check_ms = 0
        self._check_loop = LoopingCall(self._check_due)
        self._check_loop.clock = clock
        journal.on_commit.append(self._on_commit)

    def start(self) -> None:
        """Start checking the wall clock, every `CHECK_INTERVAL_S`."""
        self._check_loop.start(CHECK_INTERVAL_S).addErrback(
            lambda failure: _log.failure(
                "Wake-up scheduler stopped; no wake-up calls will be made until pmslink is restarted", failure
            )
        )

    def stop(self) -> None:
        """Stop checking the wall clock."""
        if self._check_loop.running:
            self._check_loop.stop()

    def on_policy_changed(self, link: str) -> None:
        """Run due actions under a link's new policy, and log its rooms without an extension again."""
        self.clear_warnings(link)
        if link in self._next_due_times:
            self._journal.submit_nowait(run_due, link)

    def clear_warnings(self, link: str) -> None:
        """Clear the set of a link's logged rooms, so that they are logged again."""
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
        warned = self._warned_rooms[link]
        if room is not None and room not in warned and len(warned) < MAX_LOGGED_ROOMS:
            warned.add(room)
            _log.warn("{link}: room {room} has no extension; its events list none", link=link, room=room)

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
        _log.failure("{link}: due wake-ups and check-outs failed; next attempt in 1 s", failure, link=link)
