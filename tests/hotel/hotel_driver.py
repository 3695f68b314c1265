"""A hotel that a test tells things: a house with a clock, and what comes of it in short words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from attrs import evolve

from pmslink.fias.record import Record
from pmslink.hotel import record_reducer, wake_ups
from pmslink.hotel.events import Awoken, Event
from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.hotel_state import House, Now
from pmslink.hotel.phone_updates import Change, apply
from pmslink.hotel.rooms import Result, Room
from pmslink.timestamps import to_ms

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When every test begins that does not say otherwise; the hotel is where UTC is the time."""

News = list[Event | Awoken]


class Hotel:
    """What is done gives what comes of it, in words; `news` has it as it is.

    `left` are the rooms that were left by it, and where to. The PMS may repeat itself in a new `session`.
    """

    def __init__(self, at: datetime = NOON, **rules: Any) -> None:
        self.house = House({})
        self.ms = to_ms(at)
        self.rules = Rules(**{"timezone": UTC, **rules})
        self.news: News = []
        self.left: list[tuple[str, str | None]] = []
        self.session = 0
        self._numbers = count(1)

    @property
    def now(self) -> Now:
        return Now(self.ms, self.rules, lambda: next(self._numbers), self.session)

    def room(self, name: str = "110") -> Room:
        return self.house.rooms[name]

    def guests(self, name: str = "110") -> list[str]:
        """The reservation numbers of a room's guests."""
        return [guest.number for guest in self.room(name).guests]

    def by_house(self) -> dict[str, list[str]]:
        """The guests of every room that is known."""
        return {name: self.guests(name) for name in self.house.rooms}

    # What is done.

    def hear(self, *texts: str) -> list[str]:
        """The PMS says this, all in one moment."""
        for text in texts:
            record_reducer.hear(self.house, Record(text), self.now)
        return self._came()

    def hear_again(self, *texts: str) -> list[str]:
        """The PMS has started the link anew, and repeats this."""
        self.session += 1
        return self.hear(*texts)

    def wait(self, seconds: float) -> list[str]:
        """Time passes, and is looked at whenever something is due."""
        end = self.ms + round(seconds * 1000)
        while (due := self.house.next_at) is not None and due <= end:
            assert self._look(max(due, self.ms)) or self.house.next_at != due, "what is due stays due"
        self._look(end)
        return self._came()

    def look_at(self, at: datetime) -> list[str]:
        """It is then, and nobody has looked before."""
        self._look(to_ms(at))
        return self._came()

    def _look(self, ms: int) -> bool:
        passed, self.ms = ms > self.ms, ms
        record_reducer.let_time_pass(self.house, self.now)
        return passed

    def phone(self, change: Change) -> list[str]:
        """A phone tells the PMS this."""
        apply(self.house, change, self.now)
        return self._came()

    def answer(self, result: Result, attempt: int | None = None, room: str = "110", id: int = 1) -> list[str]:
        """The PBX tells how an attempt to wake went."""
        wake_ups.answered(self.house, room, id, attempt, result, self.now)
        return self._came()

    def rule(self, **changes: Any) -> None:
        """From now on the hotel wants it so."""
        self.rules = evolve(self.rules, **changes)

    def _came(self) -> list[str]:
        self.news, self.left = self.house.take_news(), self.house.take_left()
        return words(self.news)

    def reloaded(self) -> None:
        """The house is put together again of what lasts."""
        house = self.house
        self.house = House(house.rooms, house.auditing, house.resyncing, house.leaving)


def words(news: Iterable[Event | Awoken]) -> list[str]:
    """Each of the news in a line."""
    return [" ".join(_words(one)) for one in news]


def _words(one: Event | Awoken) -> Iterable[str]:
    if isinstance(one, Awoken):
        yield from ("WA", one.room, f"{one.wake_up.at:%H:%M}", one.result)
        return
    told = one.told
    yield one.type
    if one.room is not None:
        yield one.room
    if "guest" in told:
        yield f"#{told['guest']['number']}"
    if "from_room" in told:
        yield f"from {told['from_room']}"
    if told.get("vacant"):
        yield "vacant"
    if "wake_up" in told:
        yield told["wake_up"]["at"][11:16]
    for name in ("value", "attempt", "result", "complete"):
        if name in told:
            yield str(told[name])
    if told.get("by") == "pbx":
        yield "by pbx"
    if one.resync and not one.type.startswith("resync."):
        yield "(resync)"
