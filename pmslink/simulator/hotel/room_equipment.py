"""The equipment state of a room: class of service, lights, status, voicemail and wake-ups.

The front desk sets some values, the PBX reports others, and both order wake-ups. Values belong to the room,
not to a guest: guests who share a room share its phone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import evolve, frozen

from pmslink.fias.field_values import serialize_date, serialize_time
from pmslink.fias.record import Record

MAX_WAKE_UPS = 100
"""Wake-ups that are stored for one room; the oldest is deleted first."""
MAX_WAKE_UP_RESULTS = 20
"""Results of wake-ups that are stored for one room; the oldest is deleted first."""

WakeUp = tuple[str, str]
"""Date and time in the format of DA and TI, with seconds."""
WakeUpResult = tuple[str, str, str]
"""Date, time, and result (AS): OK, BY, NR, …"""

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
        return evolve(self, class_of_service=class_of_service, message_light=False, sign="")

    def reset_for_vacancy(self) -> Equipment:
        """Return the state after the last guest's check-out; the status from the PBX is unchanged."""
        return evolve(self.reset_for_check_in(None), wake_ups=())

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


def transfer_equipment(
    old: Equipment, new: Equipment, *, emptied: bool, shared: bool
) -> tuple[Equipment, Equipment]:
    """Return the states of the old and the new room after a guest moved.

    If the old room is now vacant (`emptied`), class of service, message light and wake-ups move along, and
    the old room is reset, do-not-disturb included. If others stay, only the class of service is copied, to
    a vacant room. A move into an occupied room (`shared`) removes nothing from that room.
    """
    if not shared:
        new = evolve(new, class_of_service=old.class_of_service, message_light=False)
    if emptied:
        service = new.class_of_service if old.class_of_service is None else old.class_of_service
        light = new.message_light or old.message_light
        new = evolve(new, class_of_service=service, message_light=light).with_wake_ups(*old.wake_ups)
        old = old.reset_for_vacancy()
    return old, new


def build_wake_up(at: datetime) -> WakeUp:
    """Build a wake-up from a time in the hotel's local time."""
    return serialize_date(at), serialize_time(at.time())


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
    return equipment.with_wake_ups(_parse_wake_up(record))


def _on_wake_up_cleared(equipment: Equipment, record: Record) -> Equipment:
    wake_up = _parse_wake_up(record)
    return equipment.without_wake_up(None if wake_up == ("", "") else wake_up)  # FIAS: empty means all


def _on_wake_up_result(equipment: Equipment, record: Record) -> Equipment:
    result = (*_parse_wake_up(record), record.get("AS") or "")
    results = (*equipment.wake_up_results, result)[-MAX_WAKE_UP_RESULTS:]
    return evolve(equipment.without_wake_up(_parse_wake_up(record)), wake_up_results=results)


def _parse_wake_up(record: Record) -> WakeUp:
    time = record.get("TI") or ""
    return record.get("DA") or "", time + "00" if len(time) == len("HHMM") else time


_RECORD_HANDLERS: dict[str, Callable[[Equipment, Record], Equipment]] = {
    "RE": _on_equipment,
    "WR": _on_wake_up_set,
    "WC": _on_wake_up_cleared,
    "WA": _on_wake_up_result,
}
PBX_STATE_RECORDS = frozenset(_RECORD_HANDLERS)
