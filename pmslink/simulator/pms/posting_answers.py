"""Answers to postings: what they say, and when they are given.

That is at once, or late, never or out of order, as the property's faults say.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from pmslink.fias.record import Field, Record
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.record_dialect import assembled

WAITING = 10_000
"""Answers that may wait at a time; further ones are not given."""

Answer = Callable[[], None]

_ECHOED = ("P#", "WS", "SO", "ID", "C#")
"""What an answer repeats of its posting."""
_REASONS = {"NG": "INVALID ROOM", "NA": "NIGHT AUDIT", "RY": "RETRY LATER"}


def posting_answer(posting: Record, code: str, faults: Faults, stamp: list[Field]) -> Record:
    """PA for a PS, with an answer code such as OK or NG."""
    echoed = [
        (echo, value)
        for echo in _ECHOED
        if (value := posting.get(echo)) is not None and not (echo == "P#" and faults.pa_without_number)
    ]
    reason = [] if code == "OK" else [("CT", _REASONS.get(code, "NOT POSTED"))]
    return assembled("PA", [("RN", posting.get("RN") or ""), ("AS", code), *echoed, *reason, *stamp])


class Answers:
    """The answers that a property has still to give."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._kept: Answer | None = None  # until the next posting
        self._late: set[IDelayedCall] = set()

    def give(self, answer: Answer, faults: Faults) -> Faults:
        """Call ``answer`` when the faults say so. Returns the faults: pa_skip counts down."""
        if faults.pa_never:
            return faults
        if faults.pa_skip:
            return evolve(faults, pa_skip=faults.pa_skip - 1)
        if faults.pa_out_of_order and self._kept is None:
            self._kept = answer
            return faults
        kept, self._kept = self._kept, None
        for each in (answer, kept):
            if each is not None:
                self._after(faults.pa_delay, each)
        return faults

    def stop(self) -> None:
        """Give no more answers."""
        self._kept = None
        for call in self._late:
            call.cancel()
        self._late.clear()

    def _after(self, delay: float, answer: Answer) -> None:
        if not delay:
            answer()
        elif len(self._late) < WAITING:

            def due() -> None:
                self._late.discard(call)
                answer()

            call = self._clock.callLater(delay, due)
            self._late.add(call)
