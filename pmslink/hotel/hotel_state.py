"""The state of one hotel, which `record_reducer` changes.

Handlers change rooms with `set_room` and report with `emit`; the owner of the state takes the events with
`pop_events` and the rooms from `changed_rooms`. Times are milliseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from attrs import define, frozen

from pmslink.fias.record import Record
from pmslink.frozen_values import evolve
from pmslink.hotel.events import Author, Event, EventType, StayChange, Vacated, WakeUpFinished
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.manual_changes import ManualChanges
from pmslink.hotel.room_window import RoomWindow
from pmslink.hotel.rooms import PERSONAL_FIELDS, Guest, Room, WakeUp, room_key, serialize_guest

MAX_ROOMS = 20_000
"""Maximum number of rooms of one hotel; records for further rooms are ignored."""
MAX_GUESTS = 20_000
"""Maximum number of guests in one hotel; further check-ins are ignored."""
REPLAY_WINDOW_RECORDS = 1000
"""Number of records whose digests are stored to detect replays."""
TIMESTAMPED_RECORD_IDS = frozenset({"GI", "GO", "GC", "NS", "NE"})
"""Records whose DA and TI are their creation time: the same text in a later session is a replay."""

_VALUE_BY_EVENT_TYPE: Mapping[EventType, Callable[[Room], object]] = {
    "room.class_of_service": lambda room: room.class_of_service,
    "room.do_not_disturb": lambda room: room.do_not_disturb,
    "room.message_light": lambda room: room.message_light,
    "room.status": lambda room: room.status,
}
"""The attribute of a room whose change each event type reports."""


@frozen
class Context:
    """The inputs of a handler besides the record: the time, the hotel's policy, and a source of new ids."""

    now_ms: int
    policy: HotelPolicy
    next_id: Callable[[], int]
    session: int = 0
    """Number of the link's session; each link start begins a new session."""
    clock_settled: bool = True
    """Whether `now_ms` is certain. Shortly after a start, or after a jump of the clock, it may be wrong."""
    author: Author = "pms"
    """Who requests the changes, unless a handler says otherwise."""


@define(eq=False, init=False)
class HotelState:
    """The rooms of a hotel, guests who are checking out, and a resync in progress.

    A copy can be changed without changing this one. No field has a default: mypy and the generated
    initializer reject a copy that lacks one.
    """

    rooms: dict[str, Room]
    night_audit_stamp: str | None
    """Date and time of the NS of the night audit in progress, as DA and TI spell them."""
    resyncing: bool
    """Whether a resync is in progress: its DS was received, and its DE was not."""
    seen_guests: set[str] | None
    """Guests that the resync in progress has mentioned; None without a resync, or after a restart."""
    windows: dict[str, RoomWindow]
    """What the records of the last two seconds have said, by room."""
    room_by_guest: dict[str, str]
    """The room of each guest, by reservation number."""
    guest_count: int
    """Guests in all rooms."""
    rooms_with_wake_ups: set[str]
    last_record_time: datetime | None
    """When the PMS made the last guest record; see `record_times`."""
    manual: ManualChanges
    """What was done by hand while the PMS could not be reached."""
    changed_rooms: set[str]
    """The rooms that have changed since the owner last cleared this set; empty in a copy."""
    bound_problem: str | None
    """Why the last record was ignored, if the hotel had reached a bound; None in a copy."""
    _replay_window: dict[bytes, int]  # by digest of a record, the session that received it first
    _events: list[Event | WakeUpFinished]  # empty in a copy
    _departures: list[Vacated]  # empty in a copy
    _stay_changes: list[StayChange]  # empty in a copy
    _rooms_before: dict[str, tuple[Room, Author, bool]]  # rooms changed by this record; empty in a copy

    def __init__(
        self,
        rooms: Mapping[str, Room],
        night_audit_stamp: str | None = None,
        resyncing: bool = False,
        windows: Mapping[str, RoomWindow] | None = None,
        manual: ManualChanges | None = None,
    ) -> None:
        self.__attrs_init__(
            rooms=dict(rooms),
            night_audit_stamp=night_audit_stamp,
            resyncing=resyncing,
            seen_guests=None,
            windows=dict(windows or {}),
            room_by_guest={
                guest.number: room.room for room in rooms.values() for guest in room.guests if guest.number
            },
            guest_count=sum(len(room.guests) for room in rooms.values()),
            rooms_with_wake_ups={room.room for room in rooms.values() if room.wake_ups},
            last_record_time=None,
            manual=manual or ManualChanges(),
            changed_rooms=set(),
            bound_problem=None,
            replay_window={},
            events=[],
            departures=[],
            stay_changes=[],
            rooms_before={},
        )

    def copy(self) -> HotelState:
        """Copy the state, for changes that may be discarded. Events and changed rooms are not copied."""
        copied = HotelState.__new__(HotelState)
        copied.__attrs_init__(
            rooms=self.rooms.copy(),
            night_audit_stamp=self.night_audit_stamp,
            resyncing=self.resyncing,
            seen_guests=None if self.seen_guests is None else self.seen_guests.copy(),
            windows=self.windows.copy(),
            room_by_guest=self.room_by_guest.copy(),
            guest_count=self.guest_count,
            rooms_with_wake_ups=self.rooms_with_wake_ups.copy(),
            last_record_time=self.last_record_time,
            manual=self.manual.copy(),
            changed_rooms=set(),
            bound_problem=None,
            replay_window=self._replay_window.copy(),
            events=[],
            departures=[],
            stay_changes=[],
            rooms_before={},
        )
        return copied

    @property
    def next_due_at(self) -> int | None:
        """When the next departure, window or change by hand ends, or a wake-up attempt is due.

        None if nothing is pending.
        """
        window_ends = [window.due_at(self.resyncing) for window in self.windows.values()]
        due_times = [end for end in window_ends if end is not None]
        due_times += [
            wake_up.next_due_at for name in self.rooms_with_wake_ups for wake_up in self.due_wake_ups(name)
        ]
        due_times += self.manual.due_times
        return min(due_times, default=None)

    def pop_events(self) -> list[Event | WakeUpFinished]:
        """Remove and return the emitted events and results, in order."""
        events, self._events = self._events, []
        return events

    def pop_departures(self) -> list[Vacated]:
        """Remove and return the rooms that were vacated, in order."""
        departures, self._departures = self._departures, []
        return departures

    def pop_stay_changes(self) -> list[StayChange]:
        """Remove and return the changes of stays, in order."""
        stay_changes, self._stay_changes = self._stay_changes, []
        return stay_changes

    def is_replay(self, record: Record, session: int) -> bool:
        """Check whether an earlier session received the same record, and store its digest.

        PMSs repeat records after a reconnect. Within one session the same text can be a new record, because
        some PMSs send times without seconds.
        """
        if (
            record.id not in TIMESTAMPED_RECORD_IDS
            or "SF" in record
            or not (record.get("DA") and record.get("TI"))
        ):
            return False
        digest = blake2b(record.text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if self._replay_window.setdefault(digest, session) != session:
            return True
        if len(self._replay_window) > REPLAY_WINDOW_RECORDS:
            del self._replay_window[next(iter(self._replay_window))]
        return False

    def room_of(self, record: Record) -> Room | None:
        """Find the room that RN names, or create it; None if RN is no room name, or the hotel is full.

        The room remembers how the PMS spells its name.
        """
        spelling = record.get("RN")
        name = room_key(spelling)
        room = None if name is None else self.room_by_name(name)
        if name is not None and room is None:
            self.bound_problem = f"the hotel has {MAX_ROOMS} rooms already"
        is_usual = spelling is None or spelling == name or not spelling.isprintable()
        return None if room is None else evolve(room, spelling=None if is_usual else spelling)

    def room_by_name(self, room_name: str) -> Room | None:
        """Find a room, or create it; None if the hotel has `MAX_ROOMS` rooms already."""
        room = self.rooms.get(room_name)
        if room is None and len(self.rooms) < MAX_ROOMS:
            return Room(room_name)
        return room

    def find_guest(self, number: str, room_name: str) -> tuple[Room, Guest] | None:
        """Find a guest and the guest's room; without a number, the guest without a number in `room_name`."""
        room = self.rooms.get(self.room_by_guest.get(number, "") if number else room_name)
        guest = None if room is None else room.guest(number)
        return None if room is None or guest is None else (room, guest)

    def is_departing(self, room_name: str, number: str) -> bool:
        """Check whether a guest who is in the room's list is leaving."""
        return number in self.leaving_guests(room_name)

    def staying_guests(self, room_name: str) -> list[Guest]:
        """Return the guests of a room who are not leaving."""
        room, window = self.rooms.get(room_name), self.windows.get(room_name)
        guests = () if room is None else room.guests
        departures = () if window is None else window.departures
        departing = {one.number for one in departures if one.new_room is None}
        return [guest for guest in guests if guest.number not in departing]

    def has_guest_of_pms(self, room_name: str) -> bool:
        """Check whether somebody is in a room who is not there by hand."""
        room = self.rooms.get(room_name)
        guests = () if room is None else room.guests
        return any(not self.manual.is_by_hand(guest.number, room_name) for guest in guests)

    def leaving_guests(self, room_name: str) -> set[str]:
        """Return the numbers of the guests of a room who are leaving, and may still move."""
        window = self.windows.get(room_name)
        return set() if window is None else {one.number for one in window.departures if one.is_open}

    def departed_before(self, room_name: str, at_ms: int) -> set[str]:
        """Return the reservation numbers of the leaving guests of a room who had left at a time."""
        window = self.windows.get(room_name)
        departures = () if window is None else window.departures
        return {one.number for one in departures if one.is_open and one.since <= at_ms}

    def has_staying_party(self, room_name: str) -> bool:
        """Check whether one of those guests stays in a room who had its settings first in its window.

        Those who leave may be said to leave others behind, although none is known.
        """
        window = self.windows[room_name]
        if not window.party.has_left:
            return bool(window.party.guests)
        leaves_others = window.party.leaves_others and not window.is_separated
        return leaves_others and not self.staying_guests(room_name)

    def is_vacant(self, room_name: str) -> bool:
        """Check whether nobody is in a room, known or not."""
        return not self.rooms[room_name].guests and not (
            room_name in self.windows and self.has_staying_party(room_name)
        )

    def departing_wake_ups(self, room_name: str, with_unknown_guests: bool = False) -> set[int]:
        """Return the ids of the wake-ups of a room that belong to guests who are all leaving.

        `with_unknown_guests`: also if they are said to leave others behind, although none is known.
        """
        window = self.windows.get(room_name)
        if window is None:
            return set()
        parties = [party for party in window.former if not party.is_settled]
        is_leaving = window.party.has_left and not window.party.is_settled
        if is_leaving and (with_unknown_guests or not self.has_staying_party(room_name)):
            parties.append(window.party)
        unsettled = [party.settings for party in window.parties if party.settings and not party.is_settled]
        kept = {one for settings in unsettled for one in settings.wake_up_ids}
        all_others = {one.id for one in self.rooms[room_name].wake_ups} - kept
        ids: set[int] = set()
        for party in parties:
            ids |= all_others if party.settings is None else {*party.settings.wake_up_ids}
        return ids

    def due_wake_ups(self, room_name: str) -> list[WakeUp]:
        """Return the wake-ups of a room that can fall due: not those of guests who may be moving."""
        departing = self.departing_wake_ups(room_name)
        return [one for one in self.rooms[room_name].wake_ups if one.id not in departing]

    def set_room(self, room: Room, context: Context, by: Author | None = None, resync: bool = False) -> None:
        """Store a room. `emit_room_changes` emits what has changed of its class of service and lights.

        `by` is who has changed it, by default the author of the context.
        """
        by = by or context.author
        before = self.rooms.get(room.room)
        if before == room:
            return
        self.guest_count += len(room.guests) - (0 if before is None else len(before.guests))
        first_before, _, _ = self._rooms_before.get(room.room, (before or Room(room.room), by, resync))
        self._rooms_before[room.room] = (first_before, by, resync)
        self.rooms[room.room] = evolve(room, changed=context.now_ms)
        self.changed_rooms.add(room.room)
        if room.wake_ups:
            self.rooms_with_wake_ups.add(room.room)
        else:
            self.rooms_with_wake_ups.discard(room.room)

    def emit_room_changes(self) -> None:
        """Emit an event for each class of service, light and status that the last record has changed."""
        rooms_before, self._rooms_before = self._rooms_before, {}
        for name, (before, by, resync) in rooms_before.items():
            for event_type, get_value in _VALUE_BY_EVENT_TYPE.items():
                value = get_value(self.rooms[name])
                if get_value(before) != value:
                    self.emit(event_type, name, {"value": value, "by": by}, resync)

    def set_guest(self, guest: Guest, room: Room, context: Context, resync: bool) -> None:
        """Add a guest to a room, or replace the guest with the same number, and store the room."""
        if guest.number:
            self.room_by_guest[guest.number] = room.room
        self.mark_seen(guest, room.room)
        self.set_room(room.with_guest(guest), context, resync=resync)

    def emit(
        self,
        event_type: EventType,
        room: str | None = None,
        payload: Mapping[str, Any] | None = None,
        resync: bool = False,
    ) -> None:
        """Emit an event."""
        self._events.append(Event(event_type, room, payload or {}, resync))

    def emit_guest(
        self,
        event_type: EventType,
        room: str,
        guest: Guest,
        context: Context,
        resync: bool = False,
        **details: object,
    ) -> None:
        """Emit an event of a guest, which says if it was made by hand."""
        by = {} if context.author == "pms" else {"by": context.author}
        self.emit(event_type, room, {"guest": serialize_guest(guest), **details, **by}, resync)

    def emit_wake_up_finished(self, finished: WakeUpFinished) -> None:
        """Emit the result of a wake-up, for the PMS."""
        self._events.append(finished)

    def add_departure(self, vacated: Vacated) -> None:
        """Record that a room's guests have left; the owner of the state cancels or moves queued updates."""
        self._departures.append(vacated)

    def add_stay_change(self, change: StayChange) -> None:
        """Record that a stay has begun, moved or ended, or that a room was reported vacant."""
        self._stay_changes.append(change)

    def mark_seen(self, guest: Guest, room: str) -> None:
        """Record that the resync in progress mentions a guest."""
        if self.seen_guests is not None:
            self.seen_guests.add(guest.number or _unnumbered_guest_key(room))

    def erase_guest_data(self, room_name: str, today: str) -> bool:
        """Erase the personal data of a room's guests, unless one departs after `today` (ISO 8601).

        Returns whether the data was erased.
        """
        room = self.rooms[room_name]
        if any((guest.departure or "") > today for guest in room.guests):
            return False
        erased: dict[str, Any] = {**dict.fromkeys(PERSONAL_FIELDS), "fields": {}}
        self.rooms[room_name] = evolve(room, guests=tuple(evolve(guest, **erased) for guest in room.guests))
        self.manual.erase_guest_data(room_name, erased)
        self.changed_rooms.add(room_name)
        return True

    def mark_seen_vacant(self, room: str) -> None:
        """Record that the resync in progress reports a room as vacant."""
        if self.seen_guests is not None:
            self.seen_guests.discard(_unnumbered_guest_key(room))
            self.seen_guests.add(f"vacant {room}")  # DE checks guests out only if this set is not empty

    def is_seen(self, guest: Guest, room: str) -> bool:
        """Check whether the resync in progress has mentioned a guest."""
        return (
            self.seen_guests is not None and (guest.number or _unnumbered_guest_key(room)) in self.seen_guests
        )


def _unnumbered_guest_key(room: str) -> str:
    """Build a key for a guest without a reservation number; it differs from all such numbers."""
    return f"room {room}"
