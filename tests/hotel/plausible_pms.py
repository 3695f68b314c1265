"""What a PMS might say in some hours: a strategy that makes up a hotel, and the records of it.

Guest records carry the date and time when they were made, as our description asks for; equipment and
wake-ups do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Step = str | int
"""A record, or seconds that pass."""

ROOMS = ("101", "102", "0330", "Paymaster")


class _Pms:
    """Draws what happens next, and says it."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], now: datetime) -> None:
        self._draw = draw
        self._now = now
        self._guests: dict[str, str] = {}  # rooms by reservation number
        self._ordered: list[tuple[str, str]] = []  # room, date and time
        self._auditing = False
        self.steps: list[Step] = []

    def go_on(self) -> None:
        what = [self._time_passes, self._equips, self._orders, self._calls_off, self._audits, self._resyncs]
        what += [self._checks_in] * 3
        if self._guests:
            what += [self._checks_out, self._changes, self._moves, self._moves]
        seconds = self._one_of(1, 1, 1, 2, 60)
        self._pass(seconds)  # two things in one second would be told by the same words
        self._one_of(*what)()

    def _one_of(self, *choices: Any) -> Any:
        return self._draw(st.sampled_from(choices))

    def _pass(self, seconds: int) -> None:
        self._now += timedelta(seconds=seconds)
        self.steps.append(seconds)

    def _time_passes(self) -> None:
        self._pass(self._one_of(180, 1800, 8 * 3600))

    @property
    def _stamp(self) -> str:
        return f"{self._now:DA%y%m%d|TI%H%M%S}|"

    def _in(self, room: str) -> list[str]:
        return [number for number, of in self._guests.items() if of == room]

    def _shared(self, room: str) -> str:
        return "GSY|" if self._in(room) else "GSN|"

    def _name(self) -> str:
        return self._one_of("", "GN|", "GNClark|", "GNClark-Day|GFAnn|", "GN王小明|CS2|")  # type: ignore[no-any-return]

    # What happens.

    def _checks_in(self) -> None:
        number = str(6000 + len(self.steps))
        room = self._one_of(*ROOMS)
        if self._draw(st.integers(0, 5)) == 0:  # a check-out that nobody heard of
            for gone in self._in(room):
                del self._guests[gone]
        share = self._shared(room)
        self._guests[number] = room
        self.steps.append(f"GI|RN{room}|G#{number}|{share}{self._name()}{self._stamp}")

    def _checks_out(self) -> None:
        number = self._one_of(*self._guests)
        room = self._guests.pop(number)
        self.steps.append(f"GO|RN{room}|G#{number}|{self._shared(room)}{self._stamp}")

    def _changes(self) -> None:
        number = self._one_of(*self._guests)
        self.steps.append(f"GC|RN{self._guests[number]}|G#{number}|{self._name()}{self._stamp}")

    def _moves(self) -> None:
        number = self._one_of(*self._guests)
        old = self._guests.pop(number)
        new = self._one_of(*(room for room in ROOMS if room != old))
        old_share, new_share = self._shared(old), self._shared(new)
        self._guests[number] = new
        leaves = f"GO|RN{old}|G#{number}|{old_share}{self._stamp}"
        comes = f"GI|RN{new}|G#{number}|{new_share}{self._name()}{self._stamp}"
        moves = f"GC|RN{new}|{new_share}G#{number}|RO{old}|{old_share}{self._stamp}"
        self.steps += self._one_of([moves], [leaves, comes], [comes, leaves])

    def _equips(self) -> None:
        fields = self._draw(st.sets(st.sampled_from(["CS0", "CS3", "DNY", "DNN", "MLY", "MLN", "RS3"])))
        self.steps.append(f"RE|RN{self._one_of(*ROOMS)}|{'|'.join([*sorted(fields), ''])}")

    def _orders(self) -> None:
        at = self._now + timedelta(seconds=self._one_of(-700, -30, 0, 45, 600, 7 * 3600))
        order = (self._one_of(*ROOMS), f"{at:DA%y%m%d|TI%H%M%S}|")
        self._ordered.append(order)
        self.steps.append("WR|RN{}|{}".format(*order))

    def _calls_off(self) -> None:
        if self._ordered:
            room, at = self._one_of(*self._ordered)
            self.steps.append(f"WC|RN{room}|{self._one_of(at, 'DA|TI|')}")

    def _audits(self) -> None:
        self._auditing = not self._auditing
        self.steps.append(f"{'NS' if self._auditing else 'NE'}|{self._stamp}")

    def _resyncs(self) -> None:
        self.steps.append(f"DS|{self._stamp}")
        told = [f"GI|RN{room}|G#{number}|SF|" for number, room in self._guests.items()]
        told += [f"GO|RN{room}|GSN|SF|" for room in ROOMS if not self._in(room)]
        for record in self._draw(st.permutations(told)):
            self.steps.append(record)
        if self._draw(st.booleans()):
            self._checks_in()
        if self._draw(st.booleans()):
            self._pass(1)
        self.steps.append(f"DE|{self._stamp}")


@st.composite
def hours(draw: Callable[[st.SearchStrategy[Any]], Any], begin: datetime) -> Sequence[Step]:
    """Records of a plausible PMS from then on, and the seconds between them."""
    pms = _Pms(draw, begin)
    for _ in range(draw(st.integers(1, 20))):
        pms.go_on()
    return pms.steps
