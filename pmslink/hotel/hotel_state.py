"""The house: all rooms of one hotel as they are now, and what has come of what was last said of them.

It is what the fold of `meanings` works on: `put` changes a room, `tell` says what has happened, and
`take_news` gives both. Moments are milliseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from attrs import evolve, frozen

from pmslink.fias.record import Record
from pmslink.hotel.events import Author, Awoken, Event, EventType
from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.rooms import PERSONAL, Guest, Room, WakeUp, is_room

MOST_ROOMS = 20_000
"""Rooms of one hotel; a PMS that names more is not believed."""
REMEMBERED = 1000
"""Records of which the house knows that it has heard them."""
TOGETHER = 2_000
"""Milliseconds in which a check-out and a check-in of one guest are a move."""
STAMPED = frozenset({"GI", "GO", "GC", "NS", "NE"})
"""Records whose date and time say when they were made: the same text again is the same record."""


@frozen
class Now:
    """When something comes in, by which rules, and where new numbers come from."""

    at: int
    rules: Rules
    number: Callable[[], int]
    session: int = 0
    """Since the PMS started the link last; the next one has another number."""


@frozen
class Leaving:
    """A guest has checked out, but perhaps only to check in to another room at once."""

    since: int
    share: str | None
    """GS: Y if others stay in the room, N if nobody does."""


class House:
    """The rooms as they are now. A copy can be changed without changing this one."""

    def __init__(
        self,
        rooms: Mapping[str, Room],
        auditing: str | None = None,
        resyncing: bool = False,
        leaving: Mapping[str, Mapping[str, Leaving]] | None = None,
    ) -> None:
        self.rooms = dict(rooms)
        self.auditing = auditing
        """Date and time of the NS of the audit that runs."""
        self.resyncing = resyncing
        """Between DS and DE."""
        self.seen: set[str] | None = None
        """Whom the resync that runs has mentioned; None if nobody knows any more."""
        self.newcomers: set[str] = set()
        """Whom it has put where they were not before."""
        self.spared: set[int] = set()
        """The wake-ups that they have brought, and that were ordered meanwhile, by their ids."""
        self.leaving = {room: dict(guests) for room, guests in (leaving or {}).items()}
        """By room and reservation number."""
        self.moved: dict[str, tuple[str, int]] = {}
        """Who checked in to another room just now: which room was left, and when."""
        self.whereabouts = {
            guest.number: room.room for room in rooms.values() for guest in room.guests if guest.number
        }
        self.waking = {room.room for room in rooms.values() if room.wake_ups}
        """The rooms that have wake-ups."""
        self._remembered: dict[bytes, int] = {}  # the session in which each came
        self.touched: set[str] = set()
        """The rooms that are not as they were when this was emptied last."""
        self._news: list[Event | Awoken] = []
        self._left: list[tuple[str, str | None]] = []

    def copy(self) -> House:
        """Another house, of which the same is known."""
        copied = House.__new__(House)
        copied.rooms = self.rooms.copy()
        copied.auditing = self.auditing
        copied.resyncing = self.resyncing
        copied.seen = None if self.seen is None else self.seen.copy()
        copied.newcomers = self.newcomers.copy()
        copied.spared = self.spared.copy()
        copied.leaving = {room: guests.copy() for room, guests in self.leaving.items()}
        copied.moved = self.moved.copy()
        copied.whereabouts = self.whereabouts.copy()
        copied.waking = self.waking.copy()
        copied._remembered = self._remembered.copy()
        copied.touched = set()
        copied._news = []
        copied._left = []
        return copied

    @property
    def next_at(self) -> int | None:
        """When `let_time_pass` is wanted next."""
        moments = [one.since + TOGETHER for guests in self.leaving.values() for one in guests.values()]
        moments += [wake_up.next_at for name in self.waking for wake_up in self.rooms[name].wake_ups]
        return min(moments, default=None)

    def take_news(self) -> list[Event | Awoken]:
        """What has come, in order, of all that went in since this was asked last."""
        news, self._news = self._news, []
        return news

    def take_left(self) -> list[tuple[str, str | None]]:
        """The rooms whose last guests have left since this was asked last, and where each of them went."""
        left, self._left = self._left, []
        return left

    def heard_before(self, record: Record, session: int) -> bool:
        """Whether this very record has come in an earlier session; from now on it has come.

        PMSs repeat themselves after a reconnect. Within a session the same text may be meant anew: some tell
        no seconds.
        """
        if record.id not in STAMPED or "SF" in record or not (record.get("DA") and record.get("TI")):
            return False
        mark = blake2b(record.text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if self._remembered.setdefault(mark, session) != session:
            return True
        if len(self._remembered) > REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        return False

    # What the meanings do with it.

    def named(self, record: Record) -> Room | None:
        """The room that a record names, a new one if need be; None if it names none."""
        name = record.get("RN")
        if name is None or not is_room(name):
            return None
        return self.room(name)

    def room(self, name: str) -> Room | None:
        """The room of this name, a new one if need be; None if there are too many."""
        known = self.rooms.get(name)
        if known is None and len(self.rooms) < MOST_ROOMS:
            return Room(name)
        return known

    def put(self, room: Room, now: Now, by: Author = "pms", resync: bool = False) -> None:
        """The room is like this now; changes of its class of service and lights are told."""
        before = self.rooms.get(room.room)
        if before == room:
            return
        self.rooms[room.room] = evolve(room, changed=now.at)
        self.touched.add(room.room)
        if room.wake_ups:
            self.waking.add(room.room)
        else:
            self.waking.discard(room.room)
        old = before or Room(room.room)
        for name in ("class_of_service", "do_not_disturb", "message_light"):
            value = getattr(room, name)
            if getattr(old, name) != value:
                self.tell(f"room.{name}", room.room, {"value": value, "by": by}, resync)  # type: ignore[arg-type]

    def tell(
        self,
        type: EventType,
        room: str | None = None,
        told: Mapping[str, Any] | None = None,
        resync: bool = False,
    ) -> None:
        """Something has happened."""
        self._news.append(Event(type, room, told or {}, resync))

    def awoken(self, awoken: Awoken) -> None:
        """The PMS is to hear how a wake-up ended."""
        self._news.append(awoken)

    def left(self, room: str, new_room: str | None = None) -> None:
        """Nobody is there any more of whom what was of the room is; the last may have moved."""
        self._left.append((room, new_room))

    def saw(self, guest: Guest, room: str, new: bool) -> None:
        """The PMS has mentioned a guest who stays, perhaps one who was not in this room before."""
        if self.seen is not None:
            self.seen.add(guest.number or _in_room(room))
            if new:
                self.newcomers.add(guest.number or _in_room(room))

    def spare(self, *wake_ups: WakeUp) -> None:
        """These are of guests who are where the resync that runs says."""
        if self.seen is not None:
            self.spared.update(wake_up.id for wake_up in wake_ups)

    def only_newcomers(self, room: Room) -> bool:
        """Whether there are guests, but none whom what was of the room could belong to."""
        numbers = {guest.number or _in_room(room.room) for guest in room.guests}
        return bool(numbers) and numbers <= self.newcomers

    def forget_guests(self, name: str, today: str) -> bool:
        """Forget who the guests of a room are, unless one is known to stay on; whether that was done."""
        room = self.rooms[name]
        if any((guest.departure or "") > today for guest in room.guests):
            return False
        nobody: dict[str, Any] = dict.fromkeys(PERSONAL)
        self.rooms[name] = evolve(room, guests=tuple(evolve(guest, **nobody) for guest in room.guests))
        self.touched.add(name)
        return True

    def saw_vacant(self, room: str) -> None:
        """The PMS has mentioned a room in which nobody stays."""
        if self.seen is not None:
            self.seen.discard(_in_room(room))
            self.seen.add(f"vacant {room}")  # so that something has been mentioned

    def was_seen(self, guest: Guest, room: str) -> bool:
        """Whether the resync that runs has mentioned this guest."""
        return self.seen is not None and (guest.number or _in_room(room)) in self.seen


def _in_room(room: str) -> str:
    """What stands for a guest without a number; no number of FIAS begins like this."""
    return f"room {room}"
