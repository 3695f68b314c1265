"""Answers to postings (PA): their content, and when they are sent.

The property's faults decide whether an answer is sent at once, late, out of order, or never.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from pmslink.fias.record import Field, Record
from pmslink.simulator.pms.fault_switches import STRAY_NUMBER, Faults
from pmslink.simulator.pms.record_dialect import build_record

MAX_DELAYED_ANSWERS = 10_000
"""Limit of delayed answers; further answers are dropped."""

SendAnswer = Callable[[], None]

_ECHOED_FIELDS = ("P#", "WS", "SO", "ID", "C#")
"""Fields that an answer copies from its posting."""
_REASON_TEXTS = {"NG": "INVALID ROOM", "NA": "NIGHT AUDIT", "RY": "RETRY LATER"}


def posting_answers(posting: Record, code: str, faults: Faults, stamp: list[Field]) -> Iterator[Record]:
    """Build the PA for a PS with an answer code (AS), and the further PAs that the faults add."""
    if faults.pa_stray:
        yield build_record("PA", [("AS", faults.pa_stray), ("P#", STRAY_NUMBER)])
    answer = posting_answer(posting, code, faults, stamp)
    yield answer
    if faults.pa_twice:
        yield answer


def posting_answer(posting: Record, code: str, faults: Faults, stamp: list[Field]) -> Record:
    """Build the PA for a PS with an answer code (AS)."""
    echoed = [
        (field_code, value)
        for field_code in _ECHOED_FIELDS
        if (value := posting.get(field_code)) is not None
        and not (field_code == "P#" and faults.pa_without_number)
    ]
    reason = [] if code == "OK" else [("CT", _REASON_TEXTS.get(code, "NOT POSTED"))]
    return build_record("PA", [("RN", posting.get("RN") or ""), ("AS", code), *echoed, *reason, *stamp])


class AnswerScheduler:
    """Sends the answers of a property, with the delay and order that its faults set."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._postponed: SendAnswer | None = None  # pa_out_of_order: until the next posting arrives
        self._delayed_calls: set[IDelayedCall] = set()

    def schedule(self, answer: SendAnswer, faults: Faults) -> Faults:
        """Call ``answer`` at once, later, or never, as the faults set.

        Returns the faults after this answer, because pa_skip counts down.
        """
        if faults.pa_never:
            return faults
        if faults.pa_skip:
            return evolve(faults, pa_skip=faults.pa_skip - 1)
        if faults.pa_out_of_order and self._postponed is None:
            self._postponed = answer
            return faults
        postponed, self._postponed = self._postponed, None
        for due_answer in (answer, postponed):
            if due_answer is not None:
                self._call_after(faults.pa_delay, due_answer)
        return faults

    def stop(self) -> None:
        """Drop all delayed answers."""
        self._postponed = None
        for call in self._delayed_calls:
            call.cancel()
        self._delayed_calls.clear()

    def _call_after(self, delay: float, answer: SendAnswer) -> None:
        if not delay:
            answer()
        elif len(self._delayed_calls) < MAX_DELAYED_ANSWERS:

            def send() -> None:
                self._delayed_calls.discard(call)
                answer()

            call = self._clock.callLater(delay, send)
            self._delayed_calls.add(call)
