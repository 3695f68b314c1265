"""What the PBX told of a room: its status, the signs at its door, its voicemail and its wake-ups."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve, frozen

from pmslink.fias.record import Record

WAKE_UPS_KEPT = 100
"""Wake-ups remembered for one room; the oldest goes first."""

WakeUp = tuple[str, str]
"""Date and time, as DA and TI spell them."""

_SIGNS = {"8": "do-not-disturb", "9": "make-up-room", "10": ""}


@frozen
class Equipment:
    """The room's state as last told; empty where nothing was."""

    status: str = ""
    """RS 1 to 6: dirty or clean or inspected, vacant or occupied."""
    sign: str = ""
    """do-not-disturb or make-up-room (RS 8 and 9; 10 takes both away)."""
    voicemail: str = ""
    """VM as it came."""
    wake_ups: tuple[WakeUp, ...] = ()
    wake_up_answer: str = ""
    """How the last wake-up ended: OK, BY, NR, …"""


def after(equipment: Equipment, record: Record) -> Equipment:
    """The state after RE, WR, WC or WA."""
    return _CHANGES[record.id](equipment, record)


def _equipment(equipment: Equipment, record: Record) -> Equipment:
    status = record.get("RS") or ""
    if status in _SIGNS:
        equipment = evolve(equipment, sign=_SIGNS[status])
    elif status:
        equipment = evolve(equipment, status=status)
    return evolve(equipment, voicemail=record.get("VM") or equipment.voicemail)


def _wake_up_set(equipment: Equipment, record: Record) -> Equipment:
    others = _without(equipment, _moment(record))
    return evolve(equipment, wake_ups=(*others, _moment(record))[-WAKE_UPS_KEPT:])


def _wake_up_cleared(equipment: Equipment, record: Record) -> Equipment:
    if _moment(record) == ("", ""):  # an empty date and time clear all of the room's
        return evolve(equipment, wake_ups=())
    return evolve(equipment, wake_ups=_without(equipment, _moment(record)))


def _wake_up_answered(equipment: Equipment, record: Record) -> Equipment:
    return evolve(
        equipment, wake_ups=_without(equipment, _moment(record)), wake_up_answer=record.get("AS") or ""
    )


def _without(equipment: Equipment, moment: WakeUp) -> tuple[WakeUp, ...]:
    return tuple(wake_up for wake_up in equipment.wake_ups if wake_up != moment)


def _moment(record: Record) -> WakeUp:
    return record.get("DA") or "", record.get("TI") or ""


_CHANGES: dict[str, Callable[[Equipment, Record], Equipment]] = {
    "RE": _equipment,
    "WR": _wake_up_set,
    "WC": _wake_up_cleared,
    "WA": _wake_up_answered,
}
TOLD_BY_PBX = frozenset(_CHANGES)
