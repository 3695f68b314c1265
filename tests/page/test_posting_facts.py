"""Tests of what the page concludes about rows of the outbox, without a view."""

from __future__ import annotations

from typing import Any

import pytest

from tests.page.browser import BrowserUser
from tests.page.page_modules import call_module

POSTINGS = "core/postings.js"
SENT = "2026-11-30T23:15:02.000Z"
UP_SINCE = {"before": "2026-11-30T09:00:00.000Z", "after": "2026-11-30T23:20:00.000Z"}
NO_FILTER = {"query": "", "chip": "all", "time": "all", "from": "", "to": ""}
NOW = 1_796_080_800_000
"""2026-11-30 23:20 in UTC, in milliseconds."""


def _posting(**values: Any) -> dict[str, Any]:
    posting = {
        "id": 1,
        "number": 1204,
        "type": "call",
        "room": "214",
        "dialled": "0891234",
        "state": "pending",
        "attempts": 1,
        "created": SENT,
        "sent": SENT,
        "answer": None,
        "text_answer": None,
        "reason": None,
    }
    return posting | values


@pytest.mark.parametrize(
    ("values", "up_since", "meaning", "calls"),
    [
        ({"state": "unknown", "reason": "unanswered"}, "after", "out.unknown.mean", ["discard", "resend"]),
        ({"state": "unknown", "reason": "unanswered"}, "before", "out.silent.mean", ["discard", "resend"]),
        ({"state": "unknown", "reason": "restored"}, "before", "out.restored.mean", ["discard", "resend"]),
        ({"state": "unknown", "type": "wake_up"}, "before", "out.unproven.mean", ["discard", "resend"]),
        ({"state": "refused", "reason": "guest_left"}, "before", "out.left.mean", ["discard", "resend"]),
        ({"state": "refused", "reason": "local_guest"}, "before", "out.local.mean", ["discard", "resend"]),
        ({"state": "refused", "reason": "charset"}, "before", "out.charset.mean", ["discard", "resend"]),
        (
            {"state": "refused", "reason": "pms", "answer": "NA"},
            "before",
            "out.put_off.mean",
            ["discard", "resend"],
        ),
        (
            {"state": "refused", "reason": "pms", "answer": "NG"},
            "before",
            "out.refused.mean",
            ["discard", "resend"],
        ),
    ],
)
def test_each_row_to_decide_on_says_what_happened(
    user: BrowserUser, values: dict[str, Any], up_since: str, meaning: str, calls: list[str]
) -> None:
    link = {"in_sync": True, "since": UP_SINCE[up_since]}
    decision = call_module(user.page, POSTINGS, "decisionOf", _posting(**values), link)
    assert decision["meaning"] == meaning
    assert [action["call"] for action in decision["actions"]] == calls


@pytest.mark.parametrize("state", ["pending", "sent", "done", "discarded"])
def test_other_rows_need_no_decision(user: BrowserUser, state: str) -> None:
    link = {"in_sync": True, "since": SENT}
    assert call_module(user.page, POSTINGS, "decisionOf", _posting(state=state), link) is None


def test_sending_to_the_next_guest_asks_first(user: BrowserUser) -> None:
    posting = _posting(state="refused", reason="guest_left")
    decision = call_module(user.page, POSTINGS, "decisionOf", posting, {"in_sync": True, "since": SENT})
    assert [action["asks"] for action in decision["actions"]] == [True, True]


@pytest.mark.parametrize(
    ("link", "key"),
    [
        ({"in_sync": False, "intent": "enabled", "held": None}, "out.held.sync"),
        ({"in_sync": False, "intent": "disabled", "held": None}, "out.held.off"),
        ({"in_sync": True, "held": {"by": "night_audit", "since": SENT, "until": SENT}}, "out.held.audit"),
        (
            {"in_sync": True, "held": {"by": "unanswered", "since": SENT, "until": None}},
            "out.held.unanswered.open",
        ),
        ({"in_sync": True, "held": {"by": "resync", "since": SENT, "until": None}}, "out.held.resync"),
        ({"in_sync": True, "held": {"by": "local", "since": SENT, "until": None}}, "out.held.local"),
        ({"in_sync": True, "held": None}, None),
    ],
)
def test_what_waits_says_why(user: BrowserUser, link: dict[str, Any], key: str | None) -> None:
    why = call_module(user.page, POSTINGS, "whyWaiting", {"intent": "enabled", **link})
    assert (why and why["key"]) == key


@pytest.mark.parametrize(
    ("changes", "belongs"),
    [
        ({}, True),
        ({"query": "21"}, True),
        ({"query": "14"}, False),
        ({"query": "P#1204"}, True),
        ({"query": "891-23"}, True),
        ({"chip": "waiting"}, True),
        ({"chip": "ask"}, False),
        ({"time": "hour"}, True),
        ({"time": "range", "to": "2026-11-29T00:00"}, False),
    ],
)
def test_a_new_row_belongs_to_a_filter_as_the_service_would_say(
    user: BrowserUser, changes: dict[str, str], belongs: bool
) -> None:
    assert call_module(user.page, POSTINGS, "belongs", _posting(), NO_FILTER | changes, NOW) is belongs


@pytest.mark.parametrize(("unknown", "refused", "offered"), [(5, 0, False), (3, 3, True)])
def test_several_are_chosen_once_more_than_five_wait(
    user: BrowserUser, unknown: int, refused: int, offered: bool
) -> None:
    assert (
        call_module(user.page, POSTINGS, "offersSeveral", {"unknown": unknown, "refused": refused}) is offered
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"state": "refused", "reason": "guest_left"}, True),
        ({"state": "refused", "reason": "local_guest"}, True),
        ({"state": "refused", "reason": "charset"}, False),
        ({"state": "unknown", "reason": "unanswered"}, False),
    ],
)
def test_rows_that_go_on_the_bill_of_whoever_stays_are_known_before_all_are_sent_again(
    user: BrowserUser, values: dict[str, Any], expected: bool
) -> None:
    assert call_module(user.page, POSTINGS, "goesToWhoeverStays", _posting(**values)) is expected
