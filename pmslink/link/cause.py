"""The cause of a state of a link: a code for programs, and the parameters of its text."""

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
    "in_use",
    "port_taken",
]


@frozen
class Cause:
    """A cause code of the API with the parameters of its text; the parameters hold no guest data."""

    code: CauseCode
    params: Mapping[str, str | float] = field(factory=dict)


_NO_FAILURES: frozenset[CauseCode] = frozenset({"user", "expired", "settings", "started"})


def is_failure(cause: Cause) -> bool:
    """Check whether a cause is a failure of the link: neither a wish of this side nor a start of the link."""
    return cause.code not in _NO_FAILURES


SETTINGS_CAUSE = Cause("settings")
EXPIRED_CAUSE = Cause("expired")
STARTED_CAUSE = Cause("started")
UNANSWERED_LOOKUP_CAUSE = Cause("unresolved", {"variant": "unanswered_lookup"})
"""No DNS server has answered in time, so whether the host name exists is unknown."""


def user_cause(control: str, by: str | None = None) -> Cause:
    """Return the cause of a state that a user requested with this control (`enable`, `disable` …).

    `by` is the name of the user's token; None without one.
    """
    return Cause("user", {"control": control, **_by(by)})


def settings_cause(by: str | None) -> Cause:
    """Return the cause of a state that changed settings brought about; `by` is as for `user_cause`."""
    return Cause("settings", _by(by))


def _by(name: str | None) -> dict[str, str]:
    return {} if name is None else {"by": name}


@cache
def record_cause(record_id: str) -> Cause:
    """Return the cause of a state that a PMS record brought about: LE ends the link, any other starts it."""
    return Cause("pms_ended") if record_id == "LE" else Cause("started", {"record": record_id})
