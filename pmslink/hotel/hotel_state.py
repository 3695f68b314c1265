"""The state of one hotel, which `record_reducer` changes.

Handlers change rooms with `set_room` and report with `emit`; the owner of the state takes the events with
`pop_events` and the rooms from `changed_rooms`. Times are milliseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from attrs import define, evolve, frozen

from pmslink.fias.record import Record
from pmslink.hotel.departure_group import DepartureGroup
from pmslink.hotel.events import Author, Event, EventType, StayChange, WakeUpFinished
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.move_window import MOVE_WINDOW_MS, MoveWindow
from pmslink.hotel.rooms import PERSONAL_FIELDS, Guest, Room, WakeUp, room_key

MAX_ROOMS = 20_000
"""Maximum number of rooms of one hotel; records for further rooms are ignored."""
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


@frozen
class Vacated:
    """The guests who had a room's settings have left it, the last of them at `since`.

    `new_room` is the room to which the last one moved, None if that guest checked out. Times are
    milliseconds since 1970 in UTC.
    """

    room: str
    new_room: str | None
    since: int


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
    new_guests: set[str]
    """Guests that the resync in progress has added to a room."""
    preserved_wake_ups: set[int]
    """Ids of the wake-ups of `new_guests`, and of those that were requested during the resync."""
    departing: dict[str, DepartureGroup]
    """The guests who leave a room, by room; see `departures`."""
    window: MoveWindow
    """What the records of the last two seconds said about the room of each guest."""
    room_by_guest: dict[str, str]
    """The room of each guest, by reservation number."""
    rooms_with_wake_ups: set[str]
    changed_rooms: set[str]
    """The rooms that have changed since the owner last cleared this set; empty in a copy."""
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
        departing: Mapping[str, DepartureGroup] | None = None,
        window: MoveWindow | None = None,
    ) -> None:
        self.__attrs_init__(
            rooms=dict(rooms),
            night_audit_stamp=night_audit_stamp,
            resyncing=resyncing,
            seen_guests=None,
            new_guests=set(),
            preserved_wake_ups=set(),
            departing=dict(departing or {}),
            window=window or MoveWindow(),
            room_by_guest={
                guest.number: room.room for room in rooms.values() for guest in room.guests if guest.number
            },
            rooms_with_wake_ups={room.room for room in rooms.values() if room.wake_ups},
            changed_rooms=set(),
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
            new_guests=self.new_guests.copy(),
            preserved_wake_ups=self.preserved_wake_ups.copy(),
            departing=self.departing.copy(),
            window=self.window.copy(),
            room_by_guest=self.room_by_guest.copy(),
            rooms_with_wake_ups=self.rooms_with_wake_ups.copy(),
            changed_rooms=set(),
            replay_window=self._replay_window.copy(),
            events=[],
            departures=[],
            stay_changes=[],
            rooms_before={},
        )
        return copied

    @property
    def next_due_at(self) -> int | None:
        """When the next departure ends or wake-up attempt is due; None if nothing is pending."""
        due_times = [
            since + MOVE_WINDOW_MS
            for group in self.departing.values()
            for since in group.pending_since(self.resyncing)
        ]
        due_times += [
            wake_up.next_due_at for name in self.rooms_with_wake_ups for wake_up in self.due_wake_ups(name)
        ]
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
        group = self.departing.get(room_name)
        departure = None if group is None else group.find(number)
        return departure is not None and departure.new_room is None

    def staying_guests(self, room_name: str) -> list[Guest]:
        """Return the guests of a room who are not leaving."""
        room = self.rooms.get(room_name)
        guests = () if room is None else room.guests
        return [guest for guest in guests if not self.is_departing(room_name, guest.number)]

    def leaving_guests(self, room_name: str) -> set[str]:
        """Return the numbers of the guests of a room who are leaving, and may still move."""
        group = self.departing.get(room_name)
        return set() if group is None else {one.number for one in group.departures if one.is_open}

    def has_unknown_guests(self, room_name: str) -> bool:
        """Check whether the guests who leave a room leave others behind, although none is known."""
        group = self.departing.get(room_name)
        return group is not None and group.leaves_unknown_guests and not self.staying_guests(room_name)

    def departed_before(self, room_name: str, at_ms: int) -> set[str]:
        """Return the reservation numbers of the leaving guests of a room who had left at a time."""
        group = self.departing.get(room_name)
        departures = () if group is None else group.departures
        return {one.number for one in departures if one.is_open and one.since <= at_ms}

    def guests_near_departures(self) -> set[str]:
        """Return the numbers of the guests who leave a room, and of those in that room or the new one."""
        groups = self.departing.items()
        rooms = {name for name, _ in groups} | {
            one.new_room for _, group in groups for one in group.departures if one.new_room
        }
        present = {guest.number for name in rooms if name in self.rooms for guest in self.rooms[name].guests}
        return present | {one.number for _, group in groups for one in group.departures}

    def departing_wake_ups(self, room_name: str) -> tuple[int, ...]:
        """Return the ids of the wake-ups of a room that belong to departing guests only."""
        group = self.departing.get(room_name)
        return () if group is None or group.settings is None else group.settings.wake_up_ids

    def due_wake_ups(self, room_name: str) -> list[WakeUp]:
        """Return the wake-ups of a room that can fall due: not those of guests who may be moving."""
        departing = self.departing_wake_ups(room_name)
        return [one for one in self.rooms[room_name].wake_ups if one.id not in departing]

    def set_room(self, room: Room, context: Context, by: Author = "pms", resync: bool = False) -> None:
        """Store a room. `emit_room_changes` emits what has changed of its class of service and lights."""
        before = self.rooms.get(room.room)
        if before == room:
            return
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
        is_new = room.guest(guest.number) is None
        if guest.number:
            self.room_by_guest[guest.number] = room.room
        self.mark_seen(guest, room.room, is_new)
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

    def emit_wake_up_finished(self, finished: WakeUpFinished) -> None:
        """Emit the result of a wake-up, for the PMS."""
        self._events.append(finished)

    def add_departure(self, room: str, new_room: str | None, since: int) -> None:
        """Record that a room's guests have left; the owner of the state cancels or moves queued updates."""
        self._departures.append(Vacated(room, new_room, since))

    def add_stay_change(self, change: StayChange) -> None:
        """Record that a stay has begun, moved or ended, or that a room was reported vacant."""
        self._stay_changes.append(change)

    def mark_seen(self, guest: Guest, room: str, is_new: bool) -> None:
        """Record that the resync in progress mentions a guest; `is_new`: it adds the guest to the room."""
        if self.seen_guests is not None:
            self.seen_guests.add(guest.number or _unnumbered_guest_key(room))
            if is_new:
                self.new_guests.add(guest.number or _unnumbered_guest_key(room))

    def preserve_wake_ups(self, *wake_ups: WakeUp) -> None:
        """Exempt wake-ups from the reset of a room by the resync in progress."""
        if self.seen_guests is not None:
            self.preserved_wake_ups.update(wake_up.id for wake_up in wake_ups)

    def is_new_in_resync(self, guest: Guest, room_name: str) -> bool:
        """Check whether the resync in progress has added a guest to the room."""
        return (guest.number or _unnumbered_guest_key(room_name)) in self.new_guests

    def erase_guest_data(self, room_name: str, today: str) -> bool:
        """Erase the personal data of a room's guests, unless one departs after `today` (ISO 8601).

        Returns whether the data was erased.
        """
        room = self.rooms[room_name]
        if any((guest.departure or "") > today for guest in room.guests):
            return False
        erased: dict[str, Any] = {**dict.fromkeys(PERSONAL_FIELDS), "fields": {}}
        self.rooms[room_name] = evolve(room, guests=tuple(evolve(guest, **erased) for guest in room.guests))
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
