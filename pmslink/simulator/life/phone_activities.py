"""What is done at the telephones of a hotel: calls, minibar and maid codes, signs, wake-ups.

Only decided here: which call of pmslink's interface is next, or follows on an event. The rooms are as
that interface shows them, and the random numbers say the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal
from urllib.parse import quote, urlencode

from attrs import frozen

from pmslink.simulator.life.guest_activities import wake_up_moment

Room = Mapping[str, Any]
"""A room as the interface shows it."""


@frozen
class Deed:
    """One call of the interface. ``what`` names it in counts; it may be repeated, and means the same then."""

    what: str
    method: Literal["POST", "PUT", "DELETE"]
    path: str
    body: Mapping[str, Any] | None = None
    key: str | None = None


@frozen
class Reply:
    """What a phone that rings comes to, after so many seconds."""

    seconds: float
    deed: Deed


class Habits:
    """The telephones of one link's hotel."""

    def __init__(self, link: str, chance: Random) -> None:
        self.path = f"/api/v1/links/{quote(link, safe='')}"
        self._chance = chance

    def next_deed(self, rooms: Sequence[Room], now: datetime) -> Deed | None:
        """What happens at a telephone next; None where there are no rooms. ``now`` is aware and local."""
        occupied = [room for room in rooms if room.get("guests")]
        weights = {**_WEIGHTS, Habits._maid: 12} if occupied else {Habits._maid: 1}
        deed = self._chance.choices(list(weights), list(weights.values()))[0]
        choices = rooms if deed is Habits._maid else occupied
        return deed(self, self._chance.choice(choices), now) if choices else None

    def reply(self, event: Mapping[str, Any]) -> Reply | None:
        """What follows on an event: a phone that rings is answered, or not. None for all others."""
        match event:
            case {"type": "wake_up.due", "room": str(room), "wake_up": {"id": id}, "attempt": attempt}:
                pass
            case _:
                return None
        result = self._chance.choices(("answered", "no_answer", "busy"), (8, 1, 1))[0]
        seconds = {"answered": self._chance.uniform(4, 25), "no_answer": 30.0, "busy": 1.0}[result]
        body = {"id": id, "attempt": attempt, "result": result}
        return Reply(seconds, Deed(result, "POST", self._of(room, "wake-up/result"), body))

    # the deeds

    def _call(self, room: Room, now: datetime) -> Deed:
        chance = self._chance
        kind = chance.choice("LLNNI")
        digits = "".join(chance.choices("0123456789", k=7))
        duration = int(min(chance.expovariate(1 / 180), 7200)) + 1
        amount = {"amount": 20 + duration // 60 * 12} if chance.random() < 1 / 2 else {}
        return self._posting(
            "call",
            type="call",
            room=room["room"],
            dialled={"L": "", "N": "030", "I": "0049"}[kind] + digits,
            duration=duration,
            call_type=kind,
            started=(now - timedelta(seconds=duration)).isoformat(timespec="seconds"),
            **amount,
        )

    def _minibar(self, room: Room, now: datetime) -> Deed:
        return self._posting(
            "minibar",
            type="minibar",
            room=room["room"],
            article=str(self._chance.randrange(1, 30)),
            count=self._chance.choice((1, 1, 1, 2)),
            started=now.isoformat(timespec="seconds"),
        )

    def _maid(self, room: Room, now: datetime) -> Deed:
        # dirty, clean or inspected; the even ones are those of occupied rooms
        status = self._chance.choice((1, 3, 5)) + bool(room.get("guests"))
        return Deed("status", "PUT", self._of(room["room"], "status"), {"status": status})

    def _do_not_disturb(self, room: Room, now: datetime) -> Deed:
        on = not room.get("do_not_disturb")
        return Deed("do_not_disturb", "PUT", self._of(room["room"], "dnd"), {"on": on})

    def _voicemail(self, room: Room, now: datetime) -> Deed:
        body = {"unread": self._chance.choice((0, 0, 1, 1, 2, 3)), "read": self._chance.randrange(6)}
        return Deed("voicemail", "PUT", self._of(room["room"], "voicemail"), body)

    def _wake_up(self, room: Room, now: datetime) -> Deed:
        at = wake_up_moment(now, self._chance).isoformat(timespec="minutes")
        return Deed("wake_up", "PUT", self._of(room["room"], "wake-up"), {"at": at})

    def _no_wake_up(self, room: Room, now: datetime) -> Deed:
        ordered = [wake_up["at"] for wake_up in room.get("wake_ups", ())]
        if not ordered:
            return self._wake_up(room, now)
        one = f"?{urlencode({'at': self._chance.choice(ordered)})}" if self._chance.random() < 3 / 4 else ""
        return Deed("no_wake_up", "DELETE", self._of(room["room"], "wake-up") + one)

    def _posting(self, what: str, **body: Any) -> Deed:
        key = f"phone-{self._chance.getrandbits(64):016x}"
        return Deed(what, "POST", f"{self.path}/postings", body, key)

    def _of(self, room: str, what: str) -> str:
        return f"{self.path}/rooms/{quote(room, safe='')}/{what}"


_WEIGHTS: dict[Callable[[Habits, Room, datetime], Deed], int] = {
    Habits._call: 40,
    Habits._minibar: 10,
    Habits._do_not_disturb: 6,
    Habits._voicemail: 6,
    Habits._wake_up: 8,
    Habits._no_wake_up: 3,
}
