"""Why a link is in its state: a code for programs, and what a person needs to see the reason."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from attrs import field, frozen

CauseCode = Literal[
    "no_answer",
    "refused",
    "unresolved",
    "dial_timeout",
    "start_timeout",
    "never_confirmed",
    "displaced",
    "lost",
    "pms_ended",
    "overlong",
    "store",
    "user",
    "expired",
    "settings",
    "started",
]


@frozen
class Cause:
    """One of the codes of the interface, with the values its sentence needs (never guest data)."""

    code: CauseCode
    params: Mapping[str, str | float] = field(factory=dict)


SETTINGS_CAUSE = Cause("settings")
EXPIRED_CAUSE = Cause("expired")
STARTED_CAUSE = Cause("started")


def user_cause(control: str) -> Cause:
    """A user asked for it, with this control."""
    return Cause("user", {"control": control})


@cache
def record_cause(record_id: str) -> Cause:
    """What a record of the PMS is the cause of: LE ends the link; LS, or any other, starts one."""
    return Cause("pms_ended") if record_id == "LE" else Cause("started", {"record": record_id})
