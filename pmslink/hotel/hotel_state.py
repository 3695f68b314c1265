"""The house: all rooms of one hotel as they are now, and what has come of what was last said of them.

It is what the fold of `meanings` works on: `put` changes a room, `tell` says what has happened, and
`pop_events` gives both. Moments are milliseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from attrs import define, evolve, frozen

from pmslink.fias.record import Record
from pmslink.hotel.events import Author, Event, EventType, WakeUpFinished
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.rooms import PERSONAL_FIELDS, Guest, Room, WakeUp, is_room_name

MAX_ROOMS = 20_000
"""Rooms of one hotel; a PMS that names more is not believed."""
REPLAY_WINDOW_RECORDS = 1000
"""Records of which the house knows that it has heard them."""
MOVE_WINDOW_MS = 2_000
"""Milliseconds in which a check-out and a check-in of one guest are a move."""
TIMESTAMPED_RECORD_IDS = frozenset({"GI", "GO", "GC", "NS", "NE"})
"""Records whose date and time say when they were made: the same text again is the same record."""

_VALUE_BY_EVENT_TYPE: Mapping[EventType, Callable[[Room], object]] = {
    "room.class_of_service": lambda room: room.class_of_service,
    "room.do_not_disturb": lambda room: room.do_not_disturb,
    "room.message_light": lambda room: room.message_light,
}
"""Which event reports which attribute of a room."""


@frozen
class Context:
    """When something comes in, by which rules, and where new numbers come from."""

    now_ms: int
    policy: HotelPolicy
    next_id: Callable[[], int]
    session: int = 0
    """Since the PMS started the link last; the next one has another number."""


@frozen
class PendingCheckOut:
    """A guest has checked out, but perhaps only to check in to another room at once."""

    since: int
    share: str | None
    """GS: Y if others stay in the room, N if nobody does."""


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
    """Whether a DS came, and its DE not yet."""
    seen_guests: set[str] | None
    """Guests whom the resync in progress has mentioned; None outside a resync, and if a restart lost them."""
    new_guests: set[str]
    """Guests whom the resync in progress has put into a room where they were not before."""
    preserved_wake_ups: set[int]
    """Ids of the wake-ups of `new_guests`, and of those that were requested during the resync."""
    pending_check_outs: dict[str, dict[str, PendingCheckOut]]
    """By room and reservation number."""
    recent_moves: dict[str, tuple[str, int]]
    """The old room and the time of each move without a check-out, by reservation number."""
    room_by_guest: dict[str, str]
    """By reservation number."""
    rooms_with_wake_ups: set[str]
    changed_rooms: set[str]
    """The rooms that have changed since the owner emptied this set last; empty in a copy."""
    _replay_window: dict[bytes, int]  # by digest of a record, the session in which it came first
    _events: list[Event | WakeUpFinished]  # empty in a copy
    _departures: list[tuple[str, str | None]]  # empty in a copy

    def __init__(
        self,
        rooms: Mapping[str, Room],
        night_audit_stamp: str | None = None,
        resyncing: bool = False,
        pending_check_outs: Mapping[str, Mapping[str, PendingCheckOut]] | None = None,
    ) -> None:
        self.__attrs_init__(
            rooms=dict(rooms),
            night_audit_stamp=night_audit_stamp,
            resyncing=resyncing,
            seen_guests=None,
            new_guests=set(),
            preserved_wake_ups=set(),
            pending_check_outs={room: dict(guests) for room, guests in (pending_check_outs or {}).items()},
            recent_moves={},
            room_by_guest={
                guest.number: room.room for room in rooms.values() for guest in room.guests if guest.number
            },
            rooms_with_wake_ups={room.room for room in rooms.values() if room.wake_ups},
            changed_rooms=set(),
            replay_window={},
            events=[],
            departures=[],
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
            pending_check_outs={room: guests.copy() for room, guests in self.pending_check_outs.items()},
            recent_moves=self.recent_moves.copy(),
            room_by_guest=self.room_by_guest.copy(),
            rooms_with_wake_ups=self.rooms_with_wake_ups.copy(),
            changed_rooms=set(),
            replay_window=self._replay_window.copy(),
            events=[],
            departures=[],
        )
        return copied

    @property
    def next_due_at(self) -> int | None:
        """When `let_time_pass` is wanted next."""
        moments = [
            one.since + MOVE_WINDOW_MS
            for guests in self.pending_check_outs.values()
            for one in guests.values()
        ]
        moments += [
            wake_up.next_due_at for name in self.rooms_with_wake_ups for wake_up in self.rooms[name].wake_ups
        ]
        return min(moments, default=None)

    def pop_events(self) -> list[Event | WakeUpFinished]:
        """What has come, in order, of all that went in since this was asked last."""
        news, self._events = self._events, []
        return news

    def pop_departures(self) -> list[tuple[str, str | None]]:
        """The rooms whose last guests have left since this was asked last, and where each of them went."""
        left, self._departures = self._departures, []
        return left

    def is_replay(self, record: Record, session: int) -> bool:
        """Whether this very record has come in an earlier session; from now on it has come.

        PMSs repeat themselves after a reconnect. Within a session the same text may be meant anew: some tell
        no seconds.
        """
        if (
            record.id not in TIMESTAMPED_RECORD_IDS
            or "SF" in record
            or not (record.get("DA") and record.get("TI"))
        ):
            return False
        mark = blake2b(record.text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if self._replay_window.setdefault(mark, session) != session:
            return True
        if len(self._replay_window) > REPLAY_WINDOW_RECORDS:
            del self._replay_window[next(iter(self._replay_window))]
        return False

    # What the meanings do with it.

    def room_of(self, record: Record) -> Room | None:
        """The room that a record names, a new one if need be; None if it names none."""
        name = record.get("RN")
        if name is None or not is_room_name(name):
            return None
        return self.room_by_name(name)

    def room_by_name(self, room_name: str) -> Room | None:
        """The room of this name, a new one if need be; None if there are too many."""
        known = self.rooms.get(room_name)
        if known is None and len(self.rooms) < MAX_ROOMS:
            return Room(room_name)
        return known

    def set_room(self, room: Room, context: Context, by: Author = "pms", resync: bool = False) -> None:
        """The room is like this now; changes of its class of service and lights are told."""
        before = self.rooms.get(room.room)
        if before == room:
            return
        self.rooms[room.room] = evolve(room, changed=context.now_ms)
        self.changed_rooms.add(room.room)
        if room.wake_ups:
            self.rooms_with_wake_ups.add(room.room)
        else:
            self.rooms_with_wake_ups.discard(room.room)
        old = before or Room(room.room)
        for event_type, get_value in _VALUE_BY_EVENT_TYPE.items():
            value = get_value(room)
            if get_value(old) != value:
                self.emit(event_type, room.room, {"value": value, "by": by}, resync)

    def set_guest(self, guest: Guest, room: Room, context: Context, resync: bool) -> None:
        """Add a guest to a room, or replace the guest with the same number, and store the room."""
        is_new = room.guest(guest.number) is None
        if guest.number:
            self.room_by_guest[guest.number] = room.room
        self.mark_seen(guest, room.room, is_new)
        self.set_room(room.with_guest(guest), context, resync=resync)

    def emit(
        self,
        type: EventType,
        room: str | None = None,
        payload: Mapping[str, Any] | None = None,
        resync: bool = False,
    ) -> None:
        """Something has happened."""
        self._events.append(Event(type, room, payload or {}, resync))

    def emit_wake_up_finished(self, finished: WakeUpFinished) -> None:
        """The PMS is to hear how a wake-up ended."""
        self._events.append(finished)

    def add_departure(self, room: str, new_room: str | None = None) -> None:
        """Nobody is there any more of whom what was of the room is; the last may have moved."""
        self._departures.append((room, new_room))

    def mark_seen(self, guest: Guest, room: str, new: bool) -> None:
        """The PMS has mentioned a guest who stays, perhaps one who was not in this room before."""
        if self.seen_guests is not None:
            self.seen_guests.add(guest.number or _unnumbered_guest_key(room))
            if new:
                self.new_guests.add(guest.number or _unnumbered_guest_key(room))

    def preserve_wake_ups(self, *wake_ups: WakeUp) -> None:
        """These are of guests who are where the resync that runs says."""
        if self.seen_guests is not None:
            self.preserved_wake_ups.update(wake_up.id for wake_up in wake_ups)

    def has_only_new_guests(self, room: Room) -> bool:
        """Whether there are guests, but none whom what was of the room could belong to."""
        numbers = {guest.number or _unnumbered_guest_key(room.room) for guest in room.guests}
        return bool(numbers) and numbers <= self.new_guests

    def erase_guest_data(self, room_name: str, today: str) -> bool:
        """Forget who the guests of a room are, unless one is known to stay on; whether that was done."""
        room = self.rooms[room_name]
        if any((guest.departure or "") > today for guest in room.guests):
            return False
        nobody: dict[str, Any] = dict.fromkeys(PERSONAL_FIELDS)
        self.rooms[room_name] = evolve(room, guests=tuple(evolve(guest, **nobody) for guest in room.guests))
        self.changed_rooms.add(room_name)
        return True

    def mark_seen_vacant(self, room: str) -> None:
        """The PMS has mentioned a room in which nobody stays."""
        if self.seen_guests is not None:
            self.seen_guests.discard(_unnumbered_guest_key(room))
            self.seen_guests.add(f"vacant {room}")  # so that something has been mentioned

    def is_seen(self, guest: Guest, room: str) -> bool:
        """Whether the resync that runs has mentioned this guest."""
        return (
            self.seen_guests is not None and (guest.number or _unnumbered_guest_key(room)) in self.seen_guests
        )


def _unnumbered_guest_key(room: str) -> str:
    """What stands for a guest without a number; no number of FIAS begins like this."""
    return f"room {room}"
