"""Wake-ups: a promise. Each is due at the hotel's local time, and ends with one result.

    waiting ─▶ rings ─▶ answered
                 │  ▲
                 ▼  │ after the interval, up to the attempts that are made
              busy, no answer, or nothing told

Moments are milliseconds since 1970 in UTC, but for `at`, which is the hotel's local time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import evolve

from pmslink.errors import FieldError, PmslinkError
from pmslink.fias.field_values import read_date, read_time
from pmslink.fias.record import Record
from pmslink.hotel.events import Author, Awoken
from pmslink.hotel.hotel_state import House, Now
from pmslink.hotel.rooms import Result, Room, WakeUp, wake_up_json
from pmslink.timestamps import timestamp_of

MOST_WAKE_UPS = 100
"""Of one room."""
DAY = 24 * 3600 * 1000
"""What was ordered for a moment that is longer ago does not count."""
REMEMBERED = timedelta(days=2)
"""So long a wake-up that is over is known, for a PMS may repeat it: by more than clocks are set, longer
than an order counts."""
_STATUS: dict[Result, str] = {
    "answered": "OK",
    "busy": "BY",
    "no_answer": "NR",
    "unreported": "NR",  # nobody can say that the guest is awake
    "missed": "NR",
}


class UnknownWakeUp(PmslinkError):
    """There is no such wake-up, or it is over."""


class TooManyWakeUps(PmslinkError):
    """A room has as many as it may."""


class NotDue(PmslinkError):
    """The wake-up has not rung yet."""


def status_of(result: Result) -> str:
    """AS of the WA that tells it."""
    return _STATUS[result]


# From the PMS.


def ordered(house: House, record: Record, now: Now) -> None:
    """WR. One whose time has come already, or a little ago, means now."""
    room = house.named(record)
    at = _moment(record)
    if room is not None and at is not None:
        order(house, room, at, (record.get("DA") or "", record.get("TI") or ""), now, "pms")


def called_off(house: House, record: Record, now: Now) -> None:
    """WC: of this time, or without one of the whole room."""
    room = house.named(record)
    if room is None:
        return
    if not record.get("DA") and not record.get("TI"):
        call_off(house, room, None, now, "pms")
    elif (at := _moment(record)) is not None:
        call_off(house, room, at, now, "pms")


def _moment(record: Record) -> datetime | None:
    try:
        return datetime.combine(
            read_date("DA", record.get("DA") or ""), read_time("TI", record.get("TI") or "")
        )
    except FieldError:
        return None


# From the PMS or a phone.


def order(house: House, room: Room, at: datetime, spelled: tuple[str, str], now: Now, by: Author) -> bool:
    """A guest is to be woken; `spelled` is that moment as DA and TI spell it. Whether the room has it now.

    What a PMS says of a wake-up that is over, it only repeats.
    """
    at = now.rules.meant(at, now.at - now.rules.late)
    due = now.rules.instant(at)
    if known := [wake_up for wake_up in room.wake_ups if wake_up.at == at]:
        house.spare(*known)
        return True
    is_over = by == "pms" and at.isoformat() in room.over
    if is_over or len(room.wake_ups) >= MOST_WAKE_UPS or now.at - due > DAY:
        return False
    wake_up = WakeUp(now.number(), at, *spelled, due)
    house.tell("wake_up.set", room.room, {"wake_up": wake_up_json(wake_up), "by": by})
    by_time = sorted((*room.wake_ups, wake_up), key=lambda one: one.at)
    house.spare(wake_up)
    house.put(evolve(room, wake_ups=tuple(by_time)), now, by)
    if due <= now.at:
        let_time_pass(house, room.room, now)
    return True


def call_off(house: House, room: Room, at: datetime | None, now: Now, by: Author) -> None:
    """The guest is not to be woken then, or not at all."""
    gone = tuple(wake_up for wake_up in room.wake_ups if at in (None, wake_up.at))
    _tell_cancelled(house, room, gone, by)
    house.put(_without(room, *gone), now, by)


def cancel_gone(house: House, old: Room, left: Room, resync: bool) -> None:
    """Tell who is not to be woken any more, for the room is left so."""
    _tell_cancelled(house, old, _gone(old, left), "pms", resync)


def taken_along(house: House, old: Room, left: Room, new: Room, resync: bool) -> Room:
    """The new room with the wake-ups that the old one loses. Of two for the same moment one is enough."""
    gone = _gone(old, left)
    known = {wake_up.at: wake_up for wake_up in new.wake_ups}
    more = tuple(wake_up for wake_up in gone if wake_up.at not in known)
    doubled = tuple(wake_up for wake_up in gone if wake_up.at in known)
    _tell_cancelled(house, old, doubled, "pms", resync)
    house.spare(*more, *(known[wake_up.at] for wake_up in doubled))
    by_time = sorted((*new.wake_ups, *more), key=lambda one: one.at)
    over = sorted({*new.over, *old.over})
    return evolve(new, wake_ups=tuple(by_time), over=tuple(over))


def _gone(old: Room, left: Room) -> tuple[WakeUp, ...]:
    return tuple(wake_up for wake_up in old.wake_ups if wake_up not in left.wake_ups)


def _tell_cancelled(
    house: House, room: Room, gone: tuple[WakeUp, ...], by: Author, resync: bool = False
) -> None:
    for wake_up in gone:
        house.tell("wake_up.cancelled", room.room, {"wake_up": wake_up_json(wake_up), "by": by}, resync)


# The time, and what comes of it.


def let_time_pass(house: House, name: str, now: Now) -> None:
    """Wake who is to be woken in this room, once more who has not been, and give up in the end."""
    for wake_up in house.rooms[name].wake_ups:
        if wake_up.attempts == 0:  # the time zone may be another than it was
            wake_up = _replaced(house, name, evolve(wake_up, due=now.rules.instant(wake_up.at)), now)
        elif wake_up.again is not None and wake_up.again > now.at + now.rules.interval:
            # the clock was set back while it rang
            wake_up = _replaced(house, name, evolve(wake_up, again=now.at + now.rules.interval), now)
        if wake_up.next_at > now.at:
            continue
        late = now.at - wake_up.next_at > now.rules.late
        if wake_up.attempts == 0 and late:
            _end(house, name, wake_up, "missed", now)
        elif late or wake_up.attempts >= now.rules.attempts:
            _end(house, name, wake_up, wake_up.result or "unreported", now)
        else:
            _ring(house, name, wake_up, now)


def answered(house: House, name: str, id: int, attempt: int | None, result: Result, now: Now) -> WakeUp:
    """The PBX tells how an attempt went, without a number the last; gives the wake-up as it is now,
    with no moment `again` if it is over.

    Raises UnknownWakeUp and NotDue.
    """
    room, wake_up = _find(house, name, id)
    if wake_up.attempts == 0:
        raise NotDue(f"wake-up {id} is due at {wake_up.at.isoformat()}, and has not rung yet")
    if attempt is not None and not 1 <= attempt <= wake_up.attempts:
        raise NotDue(f"of wake-up {id} there were {wake_up.attempts} attempts, and no number {attempt}")
    if result != "answered" and attempt not in (None, wake_up.attempts):
        return wake_up  # of an attempt that was given up already
    wake_up = _replaced(house, room, evolve(wake_up, result=result), now)
    if result == "answered" or wake_up.attempts >= now.rules.attempts:
        _end(house, room, wake_up, result, now)
        return evolve(wake_up, again=None)
    return wake_up


def _find(house: House, name: str, id: int) -> tuple[str, WakeUp]:
    """Also in another room, for the guest may have moved while it rang."""
    for room in (name, *house.waking - {name}):
        for wake_up in house.rooms[room].wake_ups if room in house.rooms else ():
            if wake_up.id == id:
                return room, wake_up
    raise UnknownWakeUp(f"room {name} has no wake-up {id}, or it is over")


def _ring(house: House, name: str, wake_up: WakeUp, now: Now) -> None:
    rung = evolve(wake_up, attempts=wake_up.attempts + 1, again=now.at + now.rules.interval, result=None)
    _replaced(house, name, rung, now)
    told = {
        "wake_up": wake_up_json(rung),
        "attempt": rung.attempts,
        "attempts": now.rules.attempts,
        "until": timestamp_of(rung.next_at),
    }
    house.tell("wake_up.due", name, told)


def _end(house: House, name: str, wake_up: WakeUp, result: Result, now: Now) -> None:
    room = house.rooms[name]
    recent = (now.rules.local(now.at) - REMEMBERED).isoformat()
    over = (*(at for at in room.over if at > recent), wake_up.at.isoformat())
    house.put(evolve(_without(room, wake_up), over=over[-MOST_WAKE_UPS:]), now)
    told = {"wake_up": wake_up_json(wake_up), "result": result, "attempts": wake_up.attempts}
    house.tell("wake_up.done", name, told)
    house.awoken(Awoken(name, wake_up, result))


def _replaced(house: House, name: str, wake_up: WakeUp, now: Now) -> WakeUp:
    room = house.rooms[name]
    wake_ups = tuple(wake_up if one.id == wake_up.id else one for one in room.wake_ups)
    house.put(evolve(room, wake_ups=wake_ups), now)
    return wake_up


def _without(room: Room, *gone: WakeUp) -> Room:
    ids = {wake_up.id for wake_up in gone}
    return evolve(room, wake_ups=tuple(one for one in room.wake_ups if one.id not in ids))
