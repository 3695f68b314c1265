"""Answers to postings: what they say, and when they are given.

That is at once, or late, never or out of order, as the property's faults say.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from pmslink.fias.record import Field, Record
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.record_dialect import build_record

MAX_DELAYED_ANSWERS = 10_000
"""Answers that may wait at a time; further ones are not given."""

SendAnswer = Callable[[], None]

_ECHOED_FIELDS = ("P#", "WS", "SO", "ID", "C#")
"""What an answer repeats of its posting."""
_REASON_TEXTS = {"NG": "INVALID ROOM", "NA": "NIGHT AUDIT", "RY": "RETRY LATER"}


def posting_answer(posting: Record, code: str, faults: Faults, stamp: list[Field]) -> Record:
    """PA for a PS, with an answer code such as OK or NG."""
    echoed = [
        (echo, value)
        for echo in _ECHOED_FIELDS
        if (value := posting.get(echo)) is not None and not (echo == "P#" and faults.pa_without_number)
    ]
    reason = [] if code == "OK" else [("CT", _REASON_TEXTS.get(code, "NOT POSTED"))]
    return build_record("PA", [("RN", posting.get("RN") or ""), ("AS", code), *echoed, *reason, *stamp])


class AnswerScheduler:
    """The answers that a property has still to give."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._postponed: SendAnswer | None = None  # until the next posting
        self._delayed_calls: set[IDelayedCall] = set()

    def schedule(self, answer: SendAnswer, faults: Faults) -> Faults:
        """Call ``answer`` when the faults say so. Returns the faults: pa_skip counts down."""
        if faults.pa_never:
            return faults
        if faults.pa_skip:
            return evolve(faults, pa_skip=faults.pa_skip - 1)
        if faults.pa_out_of_order and self._postponed is None:
            self._postponed = answer
            return faults
        kept, self._postponed = self._postponed, None
        for each in (answer, kept):
            if each is not None:
                self._call_after(faults.pa_delay, each)
        return faults

    def stop(self) -> None:
        """Give no more answers."""
        self._postponed = None
        for call in self._delayed_calls:
            call.cancel()
        self._delayed_calls.clear()

    def _call_after(self, delay: float, answer: SendAnswer) -> None:
        if not delay:
            answer()
        elif len(self._delayed_calls) < MAX_DELAYED_ANSWERS:

            def due() -> None:
                self._delayed_calls.discard(call)
                answer()

            call = self._clock.callLater(delay, due)
            self._delayed_calls.add(call)
