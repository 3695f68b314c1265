"""Links with everything that may need a look, for tests and for pictures."""

from __future__ import annotations

from typing import Any

from tests.page.canned_service import ago, make_down_link

FRAMING_HINT: dict[str, Any] = {
    "code": "framing",
    "params": {
        "setting": "framing",
        "value": "crlf",
        "bytes": 23,
        "seen": "LS|DA261130|TI000000|",
    },
}
CLOCK_HINT: dict[str, Any] = {"code": "clock", "params": {"seconds": 7203.2, "setting": "timezone"}}
DOUBT: dict[str, Any] = {"pending": 0, "unknown": 1, "refused": 0, "oldest": None}
THREE_OUTAGES: dict[str, Any] = {
    "last_hour": 3,
    "last_at": ago(minutes=2),
    "last_seconds": 2.1,
    "last_cause": "no_answer",
}
NOT_UNDERSTOOD: dict[str, Any] = {
    "records": 3,
    "bytes": 0,
    "last_at": ago(minutes=7),
    "last": "GI: RN is missing",
}
NIGHT_AUDIT: dict[str, Any] = {"by": "night_audit", "since": ago(minutes=12), "until": None, "waiting": 4}


def make_link_with_framing_hint(name: str) -> dict[str, Any]:
    """Return a link to a PMS that sends lines."""
    cause = {"code": "start_timeout", "params": {"seconds": 30}}
    return make_down_link(name, cause=cause, hints=[FRAMING_HINT])
