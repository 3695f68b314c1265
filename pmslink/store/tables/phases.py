"""The phases of a link over a period: in sync, connecting, down, off, or unknown.

A timeline (`availability.py`) has a span for each state, so an outage with a thousand redials is two thousand
spans. Here it is one phase: it lasts until the link is in sync again, or until a user ends it.

These are pure functions. Their input is ordered by id, as that of a timeline is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from attrs import define, field, frozen

from pmslink.store.tables.availability import StatePoint, state_points
from pmslink.store.tables.log_entries import SyncChanged, TransitionLogged
from pmslink.store.tables.service_runs import Run

PhaseKind = Literal["in_sync", "connecting", "down", "off", "unknown"]
"""What a link was like. `unknown`: the service did not run, or had no such link."""

MAX_PHASE_CAUSES = 5
"""Different causes that a phase names; an outage may go through more."""
_PASSING_TIME = timedelta(seconds=1)


@frozen
class Phase:
    """A time in which a link was of one kind."""

    kind: PhaseKind
    since: datetime
    until: datetime
    dials: int
    """How often the link dialled in this phase."""
    transitions: int
    """How many transitions of the link are in this phase."""
    last_transition: int | None
    """The id of the last of these transitions; None if there is none."""
    causes: tuple[TransitionLogged, ...]
    """The first transition for each different cause, oldest first."""


def build_phases(
    since: datetime,
    until: datetime,
    runs: Sequence[Run],
    transitions: Sequence[TransitionLogged],
    sync_changes: Sequence[SyncChanged],
) -> list[Phase]:
    """Return the phases of a link from `since` to `until`, oldest first, without gaps.

    What precedes `since` only gives the kind at `since`.
    """
    open_phases = _collect(since, state_points(runs, transitions, sync_changes))
    phases: list[Phase] = []
    for phase in reversed(open_phases):
        begin = min(max(phase.since, since), until)
        if begin < until:
            phases.append(phase.close(begin, until))
            until = begin
    return phases[::-1]


@define
class _OpenPhase:
    """A phase whose end is not known yet."""

    kind: PhaseKind
    since: datetime
    dials: int = 0
    transitions: int = 0
    last_transition: int | None = None
    state: str | None = None
    """The state after the last of its transitions."""
    causes: dict[str, TransitionLogged] = field(factory=dict)

    def add(self, transition: TransitionLogged) -> None:
        """Count a transition that has not been counted."""
        self.transitions += 1
        self.last_transition = transition.id
        self.state = transition.new
        self.dials += transition.new == "WAIT_LS"
        explains = self.kind != "down" or transition.new in ("EXPECTION", "CLOSED")
        if explains and len(self.causes) < MAX_PHASE_CAUSES:
            self.causes.setdefault(transition.cause, transition)

    def is_passing(self, at: datetime) -> bool:
        """Check whether the link was closed only on its way to a dial, as at a start of the service."""
        return self.kind == "off" and self.state == "CLOSED" and at - self.since < _PASSING_TIME

    def close(self, since: datetime, until: datetime) -> Phase:
        """Return the phase within these limits."""
        return Phase(
            self.kind,
            since,
            until,
            self.dials,
            self.transitions,
            self.last_transition,
            tuple(self.causes.values()),
        )


def _collect(since: datetime, points: Iterable[StatePoint]) -> list[_OpenPhase]:
    phases = [_OpenPhase("unknown", since)]
    last: TransitionLogged | None = None
    for point in points:
        kind = _kind_at(point, phases[-1].kind)
        transition = point.transition
        if phases[-1].is_passing(point.at) and kind == "connecting":
            phases[-1].kind = kind
        if kind != phases[-1].kind:
            phases.append(_OpenPhase(kind, point.at))
            if transition is not None and transition is last:
                phases[-1].causes[transition.cause] = transition  # in sync: the link start explains it
        if transition is not None and transition is not last and point.at >= since:
            phases[-1].add(transition)
        last = transition
    return phases


def _kind_at(point: StatePoint, before: PhaseKind) -> PhaseKind:
    """Return the kind at a point; `before` is the kind before it."""
    transition = point.transition
    if transition is None:
        return "unknown"
    if point.in_sync and transition.new == "ESTABLISHED":
        return "in_sync"
    if transition.new == "EXPECTION" or _is_closed_by_failure(transition):
        return "down"
    if transition.new in ("WAIT_LS", "ESTABLISHED"):
        # a redial or a link start is part of the outage until the PMS has confirmed the link
        return "down" if before == "down" or transition.old == "EXPECTION" else "connecting"
    return "off"


def _is_closed_by_failure(transition: TransitionLogged) -> bool:
    """Check whether the PMS ended the link, or another link has its address: not at rest, as a user wants."""
    if transition.new != "CLOSED" or transition.old == "WAIT_LE":
        return False
    return json.loads(transition.cause).get("code") in ("pms_ended", "in_use")
