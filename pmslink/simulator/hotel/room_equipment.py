"""What a room has beside its guests: class of service, lights, status, voicemail and wake-ups.

Part of it the desk decides, part of it the PBX tells, and wake-ups come from both. All of it is the
room's, not a guest's: two who share a room share its telephone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import evolve, frozen

from pmslink.fias.field_values import serialize_date, serialize_time
from pmslink.fias.record import Record

MAX_WAKE_UPS = 100
"""Wake-ups remembered for one room; the oldest goes first."""
MAX_WAKE_UP_RESULTS = 20
"""So many results of wake-ups are remembered of one room."""

WakeUp = tuple[str, str]
"""Date and time, as DA and TI spell them, with seconds."""
WakeUpResult = tuple[str, str, str]
"""Date, time, and how it ended: OK, BY, NR, …"""

DO_NOT_DISTURB = "do-not-disturb"
_SIGNS_BY_STATUS = {"8": DO_NOT_DISTURB, "9": "make-up-room", "10": ""}


@frozen
class Equipment:
    """The room's state; empty where nothing was told."""

    class_of_service: int | None = None
    """CS: 0 barred, 1 local, 2 national, 3 unrestricted; None is the default of the PBX."""
    message_light: bool = False
    status: str = ""
    """RS 1 to 6: dirty or clean or inspected, vacant or occupied."""
    sign: str = ""
    """do-not-disturb or make-up-room (DN, RS 8 and 9; 10 takes both away)."""
    voicemail: str = ""
    """VM as it came."""
    wake_ups: tuple[WakeUp, ...] = ()
    """Those that are still to come, whoever ordered them."""
    wake_up_results: tuple[WakeUpResult, ...] = ()
    """How the last ones ended, oldest first."""

    @property
    def do_not_disturb(self) -> bool:
        """Whether the guests want their peace."""
        return self.sign == DO_NOT_DISTURB

    def reset_for_check_in(self, class_of_service: int | None) -> Equipment:
        """The first guest has come: what is not given has its default."""
        return evolve(self, class_of_service=class_of_service, message_light=False, sign="")

    def reset_for_vacancy(self) -> Equipment:
        """The last guest has left; what the PBX told of the room itself stays."""
        return evolve(self.reset_for_check_in(None), wake_ups=())

    def with_do_not_disturb(self, active: bool) -> Equipment:
        """Do-not-disturb is on or off; the other sign only goes where this one comes."""
        if active == self.do_not_disturb:
            return self
        return evolve(self, sign=DO_NOT_DISTURB if active else "")

    def with_wake_ups(self, *wake_ups: WakeUp) -> Equipment:
        """With these as well, each once."""
        others = tuple(one for one in self.wake_ups if one not in wake_ups)
        return evolve(self, wake_ups=(*others, *wake_ups)[-MAX_WAKE_UPS:])

    def without_wake_up(self, wake_up: WakeUp | None) -> Equipment:
        """Without this one; None is all."""
        kept = () if wake_up is None else tuple(one for one in self.wake_ups if one != wake_up)
        return evolve(self, wake_ups=kept)


def transfer_equipment(
    old: Equipment, new: Equipment, *, emptied: bool, shared: bool
) -> tuple[Equipment, Equipment]:
    """The old and the new room after a guest went from one to the other.

    Where nobody stays behind (`emptied`), class of service, message light and wake-ups go along; the
    old room is reset, and its do-not-disturb with it. In a room that was taken already (`shared`),
    nothing is taken away by that. Who leaves others behind takes only a class of service along.
    """
    if not shared:
        new = evolve(new, class_of_service=old.class_of_service, message_light=False)
    if emptied:
        service = new.class_of_service if old.class_of_service is None else old.class_of_service
        light = new.message_light or old.message_light
        new = evolve(new, class_of_service=service, message_light=light).with_wake_ups(*old.wake_ups)
        old = old.reset_for_vacancy()
    return old, new


def build_wake_up(moment: datetime) -> WakeUp:
    """A wake-up at a moment of the hotel's local time."""
    return serialize_date(moment), serialize_time(moment.time())


def apply_record(equipment: Equipment, record: Record) -> Equipment:
    """The state after RE, WR, WC or WA from the PBX."""
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
    moment = _parse_wake_up(record)
    return equipment.without_wake_up(None if moment == ("", "") else moment)  # empty ones clear all


def _on_wake_up_result(equipment: Equipment, record: Record) -> Equipment:
    result = (*_parse_wake_up(record), record.get("AS") or "")
    kept = (*equipment.wake_up_results, result)[-MAX_WAKE_UP_RESULTS:]
    return evolve(equipment.without_wake_up(_parse_wake_up(record)), wake_up_results=kept)


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
