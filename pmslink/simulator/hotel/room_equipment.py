"""The equipment state of a room: class of service, lights, status, voicemail and wake-ups.

The front desk sets some values, the PBX reports others, and both order wake-ups. Guests who share a room
share its phone. Class of service, message light and wake-ups belong to the guests of a room: they stay while
one of these guests stays, and otherwise go where the guests go.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from attrs import evolve, frozen

from pmslink.fias.field_values import serialize_date, serialize_time
from pmslink.fias.record import Record

MAX_WAKE_UPS = 100
"""Wake-ups that are stored for one room; the oldest is deleted first."""
MAX_WAKE_UP_RESULTS = 20
"""Results of wake-ups that are stored for one room; the oldest is deleted first."""

WakeUp = tuple[str, str]
"""Date and time in the format of DA and TI, with seconds."""
WakeUpSpelling = Literal["date and time", "no date", "24 hours"]
"""How DA and TI of WR spell a wake-up. Without a date it is the next one; only midnight is 24 hours."""
WakeUpResult = tuple[str, str, str]
"""Date, time, and result (AS): OK, BY, NR, …"""

_MIDNIGHT = "240000"
DO_NOT_DISTURB = "do-not-disturb"
_SIGNS_BY_STATUS = {"8": DO_NOT_DISTURB, "9": "make-up-room", "10": ""}


@frozen
class Equipment:
    """The equipment state of one room; a value that was not set or reported is empty."""

    class_of_service: int | None = None
    """CS: 0 barred, 1 local, 2 national, 3 unrestricted; None is the default of the PBX."""
    message_light: bool = False
    status: str = ""
    """RS 1 to 6: dirty, clean or inspected, each vacant or occupied."""
    sign: str = ""
    """do-not-disturb or make-up-room (DN, RS 8 and 9; RS 10 removes both)."""
    voicemail: str = ""
    """VM as received."""
    wake_ups: tuple[WakeUp, ...] = ()
    """The wake-ups in the future, ordered by either side."""
    wake_up_results: tuple[WakeUpResult, ...] = ()
    """The results of the last wake-ups, oldest first."""

    @property
    def do_not_disturb(self) -> bool:
        """Whether do-not-disturb is on."""
        return self.sign == DO_NOT_DISTURB

    def reset_for_check_in(self, class_of_service: int | None) -> Equipment:
        """Return the state after the first guest's check-in: values that are not given are reset."""
        return evolve(self.reset_for_vacancy(), class_of_service=class_of_service)

    def reset_for_vacancy(self) -> Equipment:
        """Return the state after the last guest has left; the status from the PBX is unchanged."""
        return evolve(self, class_of_service=None, message_light=False, sign="", wake_ups=())

    def with_settings_of(self, other: Equipment) -> Equipment:
        """Return the state of a room that the guests of another room come into, alone."""
        return evolve(
            self,
            class_of_service=other.class_of_service,
            message_light=other.message_light,
            wake_ups=other.wake_ups,
        )

    def with_do_not_disturb(self, active: bool) -> Equipment:
        """Return the state with do-not-disturb on or off; off does not remove another sign."""
        if active == self.do_not_disturb:
            return self
        return evolve(self, sign=DO_NOT_DISTURB if active else "")

    def with_wake_ups(self, *wake_ups: WakeUp) -> Equipment:
        """Return the state with these wake-ups added; each is stored once."""
        others = tuple(wake_up for wake_up in self.wake_ups if wake_up not in wake_ups)
        return evolve(self, wake_ups=(*others, *wake_ups)[-MAX_WAKE_UPS:])

    def without_wake_up(self, wake_up: WakeUp | None) -> Equipment:
        """Return the state without this wake-up; None removes all."""
        if wake_up is None:
            return evolve(self, wake_ups=())
        return evolve(self, wake_ups=tuple(other for other in self.wake_ups if other != wake_up))


def build_wake_up(at: datetime) -> WakeUp:
    """Build a wake-up from a time in the hotel's local time."""
    return serialize_date(at), serialize_time(at.time())


def parse_wake_up(wake_up: WakeUp) -> datetime | None:
    """Parse a wake-up; None if the PBX has sent an invalid DA or TI."""
    date, time = wake_up
    try:
        return datetime.strptime(date + time, "%y%m%d%H%M%S")  # noqa: DTZ007 (local, as FIAS has it)
    except ValueError:
        return None


def spell_wake_up(at: datetime, spelling: WakeUpSpelling) -> WakeUp:
    """Spell a wake-up as DA and TI of WR: without the date, or midnight as 24 hours of the day before."""
    if spelling == "no date":
        return "", serialize_time(at.time())
    if spelling == "24 hours":
        return serialize_date(at - timedelta(days=1)), _MIDNIGHT
    return build_wake_up(at)


def apply_record(equipment: Equipment, record: Record) -> Equipment:
    """Return the state after RE, WR, WC or WA from the PBX."""
    return _RECORD_HANDLERS[record.id](equipment, record)


def _on_equipment(equipment: Equipment, record: Record) -> Equipment:
    status = record.get("RS") or ""
    if status in _SIGNS_BY_STATUS:
        equipment = evolve(equipment, sign=_SIGNS_BY_STATUS[status])
    elif status:
        equipment = evolve(equipment, status=status)
    return evolve(equipment, voicemail=record.get("VM") or equipment.voicemail)


def _on_wake_up_set(equipment: Equipment, record: Record) -> Equipment:
    return equipment.with_wake_ups(find_wake_up(equipment, record))


def _on_wake_up_cleared(equipment: Equipment, record: Record) -> Equipment:
    wake_up = find_wake_up(equipment, record)
    return equipment.without_wake_up(None if wake_up == ("", "") else wake_up)  # FIAS: empty means all


def _on_wake_up_result(equipment: Equipment, record: Record) -> Equipment:
    wake_up = find_wake_up(equipment, record)
    results = (*equipment.wake_up_results, (*wake_up, record.get("AS") or ""))[-MAX_WAKE_UP_RESULTS:]
    return evolve(equipment.without_wake_up(wake_up), wake_up_results=results)


def find_wake_up(equipment: Equipment, record: Record) -> WakeUp:
    """Return the wake-up that DA and TI of a record name.

    24 hours are the beginning of the next day. Without a date, the next wake-up at this time is meant.
    """
    date, time = record.get("DA") or "", record.get("TI") or ""
    if len(time) == len("HHMM"):
        time += "00"
    if not date:
        time = "000000" if time == _MIDNIGHT else time
        return min((day for day, at in equipment.wake_ups if at == time), default=""), time
    return normalized_wake_up(date, time)


def normalized_wake_up(date: str, time: str) -> WakeUp:
    """Return a wake-up at 24 hours as one at the beginning of the next day; others are unchanged."""
    if time != _MIDNIGHT:
        return date, time
    try:
        day = datetime.strptime(date, "%y%m%d")  # noqa: DTZ007 (local, as FIAS has it)
    except ValueError:
        return date, time
    return serialize_date(day + timedelta(days=1)), "000000"


_RECORD_HANDLERS: dict[str, Callable[[Equipment, Record], Equipment]] = {
    "RE": _on_equipment,
    "WR": _on_wake_up_set,
    "WC": _on_wake_up_cleared,
    "WA": _on_wake_up_result,
}
PBX_STATE_RECORDS = frozenset(_RECORD_HANDLERS)
