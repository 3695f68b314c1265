"""Links with everything that may need a look, for tests and for pictures."""

from __future__ import annotations

from typing import Any

from tests.page.canned_service import ago, make_down_link, make_link

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
CHARSET_HINT: dict[str, Any] = {
    "code": "charset",
    "params": {"setting": "charset", "value": "utf-8", "record": "GI"},
}
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
RESYNC: dict[str, Any] = {"by": "resync", "since": ago(minutes=3), "until": None, "waiting": 2}
UNANSWERED: dict[str, Any] = {
    "by": "unanswered",
    "since": ago(minutes=1),
    "until": ago(minutes=-2),
    "waiting": 12,
}


def make_link_with_everything(name: str) -> dict[str, Any]:
    """Return a link that is up and has each kind of finding that can come together."""
    return make_link(
        name,
        attention=3,
        outbox={"pending": 12, "unknown": 1, "refused": 2, "oldest": ago(minutes=1)},
        held=UNANSWERED,
        outages=THREE_OUTAGES,
        not_understood={**NOT_UNDERSTOOD, "bytes": 20004},
        clock_offset=7203.2,
        hints=[CHARSET_HINT, CLOCK_HINT],
    )


def make_link_with_framing_hint(name: str) -> dict[str, Any]:
    """Return a link to a PMS that sends lines."""
    cause = {"code": "start_timeout", "params": {"seconds": 30}}
    return make_down_link(name, cause=cause, hints=[FRAMING_HINT])
