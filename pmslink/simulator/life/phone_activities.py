"""The activities at the phones of a hotel: calls, minibar, room status, do-not-disturb, voicemail, wake-ups.

This module only decides which API call is next, or follows an event. The decision depends on the rooms, as
pmslink's API returns them, and on random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal
from urllib.parse import quote, urlencode

from attrs import frozen

from pmslink.simulator.life.wake_up_activities import choose_wake_up_time

MEAN_CALL_S, MAX_CALL_S = 180, 7200
"""Mean and maximum duration of a phone call."""

RoomJson = Mapping[str, Any]
"""A room as pmslink's API returns it."""


@frozen
class ApiCall:
    """One call of pmslink's API; idempotent, so it may be retried. ``name`` is its name in counts."""

    name: str
    method: Literal["POST", "PUT", "DELETE"]
    path: str
    body: Mapping[str, Any] | None = None
    key: str | None = None


@frozen
class DelayedApiCall:
    """The call that reports how a ringing phone was answered, and the seconds until then."""

    seconds: float
    call: ApiCall


class PhoneActivity:
    """Chooses the activities at the phones of one link's hotel."""

    def __init__(self, link: str, rng: Random) -> None:
        self.path = f"/api/v1/links/{quote(link, safe='')}"
        self._rng = rng

    def next_call(self, rooms: Sequence[RoomJson], now: datetime) -> ApiCall | None:
        """Choose the next call; None if there are no rooms. ``now`` is aware and local."""
        occupied = [room for room in rooms if room.get("guests")]
        weights = (
            {**_CALL_WEIGHTS, PhoneActivity._room_status: 12} if occupied else {PhoneActivity._room_status: 1}
        )
        activity = self._rng.choices(list(weights), list(weights.values()))[0]
        candidates = rooms if activity is PhoneActivity._room_status else occupied
        return activity(self, self._rng.choice(candidates), now) if candidates else None

    def react_to_event(self, event: Mapping[str, Any]) -> DelayedApiCall | None:
        """Choose the reaction to an event: the result of a wake-up call; None for other events."""
        match event:
            case {"type": "wake_up.due", "room": str(room), "wake_up": {"id": row_id}, "attempt": attempt}:
                pass
            case _:
                return None
        result = self._rng.choices(("answered", "no_answer", "busy"), (8, 1, 1))[0]
        seconds = {"answered": self._rng.uniform(4, 25), "no_answer": 30.0, "busy": 1.0}[result]
        body = {"id": row_id, "attempt": attempt, "result": result}
        return DelayedApiCall(seconds, ApiCall(result, "POST", self._room_path(room, "wake-up/result"), body))

    def _phone_call(self, room: RoomJson, now: datetime) -> ApiCall:
        rng = self._rng
        call_type = rng.choice("LLNNI")
        digits = "".join(rng.choices("0123456789", k=7))
        duration = int(min(rng.expovariate(1 / MEAN_CALL_S), MAX_CALL_S)) + 1
        amount = {"amount": 20 + duration // 60 * 12} if rng.random() < 1 / 2 else {}
        return self._posting(
            "call",
            type="call",
            room=room["room"],
            dialled={"L": "", "N": "030", "I": "0049"}[call_type] + digits,
            duration=duration,
            call_type=call_type,
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
        # FIAS: 1, 3 and 5 are dirty, clean and inspected of a vacant room; one more of an occupied room
        status = self._rng.choice((1, 3, 5)) + bool(room.get("guests"))
        return ApiCall("status", "PUT", self._room_path(room["room"], "status"), {"status": status})

    def _do_not_disturb(self, room: RoomJson, now: datetime) -> ApiCall:
        body = {"on": not room.get("do_not_disturb")}
        return ApiCall("do_not_disturb", "PUT", self._room_path(room["room"], "dnd"), body)

    def _voicemail(self, room: RoomJson, now: datetime) -> ApiCall:
        body = {"unread": self._rng.choice((0, 0, 1, 1, 2, 3)), "read": self._rng.randrange(6)}
        return ApiCall("voicemail", "PUT", self._room_path(room["room"], "voicemail"), body)

    def _wake_up(self, room: RoomJson, now: datetime) -> ApiCall:
        at = choose_wake_up_time(now, self._rng).isoformat(timespec="minutes")
        return ApiCall("wake_up", "PUT", self._room_path(room["room"], "wake-up"), {"at": at})

    def _cancel_wake_up(self, room: RoomJson, now: datetime) -> ApiCall:
        times = [wake_up["at"] for wake_up in room.get("wake_ups", ())]
        if not times:
            return self._wake_up(room, now)
        query = f"?{urlencode({'at': self._rng.choice(times)})}" if self._rng.random() < 3 / 4 else ""
        return ApiCall("no_wake_up", "DELETE", self._room_path(room["room"], "wake-up") + query)

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
