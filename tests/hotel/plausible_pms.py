"""A hypothesis strategy for the records that a plausible PMS sends in some hours.

Guest records carry the date and time when they were made, as our link description declares; equipment and
wake-ups do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Step = str | int
"""A record, or a number of seconds without one."""

ROOMS = ("101", "102", "0330", "Paymaster")


class _Pms:
    """Draw the next action in the hotel, and append its records."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], now: datetime) -> None:
        self._draw = draw
        self._now = now
        self._guests: dict[str, str] = {}  # rooms by reservation number
        self._wake_ups: list[tuple[str, str]] = []  # room, date and time
        self._in_night_audit = False
        self.steps: list[Step] = []

    def add_step(self) -> None:
        actions = [
            self._wait,
            self._equip_room,
            self._request_wake_up,
            self._cancel_wake_up,
            self._toggle_night_audit,
            self._resync,
        ]
        actions += [self._check_in] * 3
        if self._guests:
            actions += [self._check_out, self._change_guest, self._move_guest, self._move_guest]
        seconds = self._choose(1, 1, 1, 2, 60)
        self._advance(seconds)  # two actions in one second could send equal records
        self._choose(*actions)()

    def _choose(self, *choices: Any) -> Any:
        return self._draw(st.sampled_from(choices))

    def _advance(self, seconds: int) -> None:
        self._now += timedelta(seconds=seconds)
        self.steps.append(seconds)

    def _wait(self) -> None:
        self._advance(self._choose(180, 1800, 8 * 3600))

    @property
    def _stamp_fields(self) -> str:
        return f"{self._now:DA%y%m%d|TI%H%M%S}|"

    def _guests_in(self, room: str) -> list[str]:
        return [number for number, occupied in self._guests.items() if occupied == room]

    def _share_field(self, room: str) -> str:
        return "GSY|" if self._guests_in(room) else "GSN|"

    def _name_fields(self) -> str:
        return self._choose("", "GN|", "GNClark|", "GNClark-Day|GFAnn|", "GN王小明|CS2|")  # type: ignore[no-any-return]

    def _check_in(self) -> None:
        number = str(6000 + len(self.steps))
        room = self._choose(*ROOMS)
        if self._draw(st.integers(0, 5)) == 0:  # a check-out that the PMS did not send
            for gone in self._guests_in(room):
                del self._guests[gone]
        share = self._share_field(room)
        self._guests[number] = room
        self.steps.append(f"GI|RN{room}|G#{number}|{share}{self._name_fields()}{self._stamp_fields}")

    def _check_out(self) -> None:
        number = self._choose(*self._guests)
        room = self._guests.pop(number)
        self.steps.append(f"GO|RN{room}|G#{number}|{self._share_field(room)}{self._stamp_fields}")

    def _change_guest(self) -> None:
        number = self._choose(*self._guests)
        self.steps.append(f"GC|RN{self._guests[number]}|G#{number}|{self._name_fields()}{self._stamp_fields}")

    def _move_guest(self) -> None:
        number = self._choose(*self._guests)
        old = self._guests.pop(number)
        new = self._choose(*(room for room in ROOMS if room != old))
        old_share, new_share = self._share_field(old), self._share_field(new)
        self._guests[number] = new
        leaves = f"GO|RN{old}|G#{number}|{old_share}{self._stamp_fields}"
        comes = f"GI|RN{new}|G#{number}|{new_share}{self._name_fields()}{self._stamp_fields}"
        moves = f"GC|RN{new}|{new_share}G#{number}|RO{old}|{old_share}{self._stamp_fields}"
        self.steps += self._choose([moves], [leaves, comes], [comes, leaves])

    def _equip_room(self) -> None:
        fields = self._draw(st.sets(st.sampled_from(["CS0", "CS3", "DNY", "DNN", "MLY", "MLN", "RS3"])))
        self.steps.append(f"RE|RN{self._choose(*ROOMS)}|{'|'.join([*sorted(fields), ''])}")

    def _request_wake_up(self) -> None:
        at = self._now + timedelta(seconds=self._choose(-700, -30, 0, 45, 600, 7 * 3600))
        request = (self._choose(*ROOMS), f"{at:DA%y%m%d|TI%H%M%S}|")
        self._wake_ups.append(request)
        self.steps.append("WR|RN{}|{}".format(*request))

    def _cancel_wake_up(self) -> None:
        if self._wake_ups:
            room, at = self._choose(*self._wake_ups)
            self.steps.append(f"WC|RN{room}|{self._choose(at, 'DA|TI|')}")

    def _toggle_night_audit(self) -> None:
        self._in_night_audit = not self._in_night_audit
        self.steps.append(f"{'NS' if self._in_night_audit else 'NE'}|{self._stamp_fields}")

    def _resync(self) -> None:
        self.steps.append(f"DS|{self._stamp_fields}")
        records = [f"GI|RN{room}|G#{number}|SF|" for number, room in self._guests.items()]
        records += [f"GO|RN{room}|GSN|SF|" for room in ROOMS if not self._guests_in(room)]
        for record in self._draw(st.permutations(records)):
            self.steps.append(record)
        if self._draw(st.booleans()):
            self._check_in()
        if self._draw(st.booleans()):
            self._advance(1)
        self.steps.append(f"DE|{self._stamp_fields}")


@st.composite
def plausible_records(draw: Callable[[st.SearchStrategy[Any]], Any], start: datetime) -> Sequence[Step]:
    """Draw records of a plausible PMS from `start` on, and the seconds between them."""
    pms = _Pms(draw, start)
    for _ in range(draw(st.integers(1, 20))):
        pms.add_step()
    return pms.steps
