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

from pmslink.simulator.life.guest_activities import choose_wake_up_time

RoomJson = Mapping[str, Any]
"""A room as the interface shows it."""


@frozen
class ApiCall:
    """One call of the interface. ``what`` names it in counts; it may be repeated, and means the same then."""

    name: str
    method: Literal["POST", "PUT", "DELETE"]
    path: str
    body: Mapping[str, Any] | None = None
    key: str | None = None


@frozen
class DelayedApiCall:
    """What a phone that rings comes to, after so many seconds."""

    seconds: float
    call: ApiCall


class PhoneActivity:
    """The telephones of one link's hotel."""

    def __init__(self, link: str, rng: Random) -> None:
        self.path = f"/api/v1/links/{quote(link, safe='')}"
        self._rng = rng

    def next_call(self, rooms: Sequence[RoomJson], now: datetime) -> ApiCall | None:
        """What happens at a telephone next; None where there are no rooms. ``now`` is aware and local."""
        occupied = [room for room in rooms if room.get("guests")]
        weights = (
            {**_CALL_WEIGHTS, PhoneActivity._room_status: 12} if occupied else {PhoneActivity._room_status: 1}
        )
        deed = self._rng.choices(list(weights), list(weights.values()))[0]
        choices = rooms if deed is PhoneActivity._room_status else occupied
        return deed(self, self._rng.choice(choices), now) if choices else None

    def react_to_event(self, event: Mapping[str, Any]) -> DelayedApiCall | None:
        """What follows on an event: a phone that rings is answered, or not. None for all others."""
        match event:
            case {"type": "wake_up.due", "room": str(room), "wake_up": {"id": id}, "attempt": attempt}:
                pass
            case _:
                return None
        result = self._rng.choices(("answered", "no_answer", "busy"), (8, 1, 1))[0]
        seconds = {"answered": self._rng.uniform(4, 25), "no_answer": 30.0, "busy": 1.0}[result]
        body = {"id": id, "attempt": attempt, "result": result}
        return DelayedApiCall(seconds, ApiCall(result, "POST", self._room_path(room, "wake-up/result"), body))

    # the deeds

    def _phone_call(self, room: RoomJson, now: datetime) -> ApiCall:
        chance = self._rng
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

    def _minibar(self, room: RoomJson, now: datetime) -> ApiCall:
        return self._posting(
            "minibar",
            type="minibar",
            room=room["room"],
            article=str(self._rng.randrange(1, 30)),
            count=self._rng.choice((1, 1, 1, 2)),
            started=now.isoformat(timespec="seconds"),
        )

    def _room_status(self, room: RoomJson, now: datetime) -> ApiCall:
        # dirty, clean or inspected; the even ones are those of occupied rooms
        status = self._rng.choice((1, 3, 5)) + bool(room.get("guests"))
        return ApiCall("status", "PUT", self._room_path(room["room"], "status"), {"status": status})

    def _do_not_disturb(self, room: RoomJson, now: datetime) -> ApiCall:
        on = not room.get("do_not_disturb")
        return ApiCall("do_not_disturb", "PUT", self._room_path(room["room"], "dnd"), {"on": on})

    def _voicemail(self, room: RoomJson, now: datetime) -> ApiCall:
        body = {"unread": self._rng.choice((0, 0, 1, 1, 2, 3)), "read": self._rng.randrange(6)}
        return ApiCall("voicemail", "PUT", self._room_path(room["room"], "voicemail"), body)

    def _wake_up(self, room: RoomJson, now: datetime) -> ApiCall:
        at = choose_wake_up_time(now, self._rng).isoformat(timespec="minutes")
        return ApiCall("wake_up", "PUT", self._room_path(room["room"], "wake-up"), {"at": at})

    def _cancel_wake_up(self, room: RoomJson, now: datetime) -> ApiCall:
        ordered = [wake_up["at"] for wake_up in room.get("wake_ups", ())]
        if not ordered:
            return self._wake_up(room, now)
        one = f"?{urlencode({'at': self._rng.choice(ordered)})}" if self._rng.random() < 3 / 4 else ""
        return ApiCall("no_wake_up", "DELETE", self._room_path(room["room"], "wake-up") + one)

    def _posting(self, name: str, **body: Any) -> ApiCall:
        key = f"phone-{self._rng.getrandbits(64):016x}"
        return ApiCall(name, "POST", f"{self.path}/postings", body, key)

    def _room_path(self, room: str, resource: str) -> str:
        return f"{self.path}/rooms/{quote(room, safe='')}/{resource}"


_CALL_WEIGHTS: dict[Callable[[PhoneActivity, RoomJson, datetime], ApiCall], int] = {
    PhoneActivity._phone_call: 40,
    PhoneActivity._minibar: 10,
    PhoneActivity._do_not_disturb: 6,
    PhoneActivity._voicemail: 6,
    PhoneActivity._wake_up: 8,
    PhoneActivity._cancel_wake_up: 3,
}
