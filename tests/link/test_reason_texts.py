"""The texts for the reason and the advice of a link."""

from __future__ import annotations

from typing import get_args

import pytest

from pmslink.link import reason_texts
from pmslink.link.cause import Cause, CauseCode, settings_cause, user_cause
from pmslink.link.link_hints import HintCode
from pmslink.link.machine import Marker
from tests.link.link_harness import LinkHarness

MARKERS: tuple[Marker, ...] = get_args(Marker)


@pytest.mark.parametrize("code", get_args(CauseCode))
@pytest.mark.parametrize("marker", MARKERS)
def test_every_cause_has_a_text_in_every_state(marker: Marker, code: CauseCode) -> None:
    causes = [Cause(code), Cause(code, {"record": "LS"})]
    if code == "user":
        controls = ("enable", "disable", "expire", "disconnect")
        causes = [user_cause(control, by) for control in controls for by in (None, "front-desk")]
    elif code == "settings":
        causes.append(settings_cause("front-desk"))
    for cause in causes:
        reason = reason_texts.reason(marker, cause, "192.0.2.1:5010")
        assert reason
        assert ("front-desk" in reason) == ("by" in cause.params)
        assert "{" not in reason
        for is_active in (False, True):
            for in_sync in (False, True):
                for redial_in in (None, 12.6):
                    advice = reason_texts.advice(marker, cause, is_active, in_sync, redial_in)
                    assert "{" not in advice
    assert reason_texts.label(marker)


def test_an_ipv6_address_is_put_in_brackets() -> None:
    assert LinkHarness(host="2001:db8::1").link.config.address == "[2001:db8::1]:5010"
    assert LinkHarness().link.config.address == "192.0.2.1:5010"


HINTS: tuple[tuple[str, dict[str, object], str], ...] = (
    (
        "framing",
        {"setting": "framing", "value": "crlf", "bytes": 23, "seen": "LS|DA261130|TI000000|"},
        "23 bytes came, no STX … ETX: LS|DA261130|TI000000| — framing = crlf would read it",
    ),
    (
        "framing",
        {"setting": "framing", "value": "stx-etx", "bytes": 23, "seen": "LS|DA261130|"},
        "23 bytes came with STX … ETX, not as lines: LS|DA261130| — framing = stx-etx would read it",
    ),
    (
        "tls",
        {"setting": "tls", "value": True, "bytes": 7, "seen": "15 03 01"},
        "7 bytes of TLS came: 15 03 01 — tls = true would help",
    ),
    (
        "tls",
        {"setting": "tls", "value": False},
        "The PMS does not use TLS on this port — tls = false would help",
    ),
    (
        "charset",
        {"setting": "charset", "value": "utf-8", "record": "GI"},
        "The PMS sends text in another charset, first seen in GI — charset = utf-8 would read it",
    ),
    (
        "sync_on",
        {"setting": "sync_on", "value": "declared"},
        "The PMS never confirmed the link description (LA) — sync_on = declared would help",
    ),
    (
        "clock",
        {"seconds": 7203.4, "setting": "timezone"},
        "The clock of the PMS is 2 h ahead of the hotel's local time: wake-ups and charges get wrong times"
        " — check timezone",
    ),
    (
        "clock",
        {"seconds": -185},
        "The clock of the PMS is 3 min 5 s behind the hotel's local time: "
        "wake-ups and charges get wrong times",
    ),
    (
        "alive_by",
        {"setting": "alive_by", "value": "LA"},
        "The PMS has never answered a link check (LS) — alive_by = LA would help",
    ),
    (
        "records",
        {"setting": "records", "value": {"GC": ""}, "declared": "GC"},
        "The PMS closes the connection at LR|RIGC of the link description"
        " — leaving GC out with records would help",
    ),
    (
        "records",
        {"variant": "budget", "setting": "store_budget_mb", "megabytes": 200},
        "The PMS has sent more than 200 MiB of records today: records still take effect, but their text is"
        " not stored — check store_budget_mb",
    ),
    (
        "records",
        {"variant": "disk", "megabytes": 1},
        "The disk is nearly full, and the PMS has sent more than 1 MiB of records today: records still take"
        " effect, but their text is not stored",
    ),
    ("mirror", {}, "The other side repeats our own records: it is an echo server, not a PMS"),
)
"""Each hint of the API: code, parameters, text."""


@pytest.mark.parametrize(("code", "params", "text"), HINTS)
def test_a_hint_says_what_was_seen_and_which_setting_would_help(
    code: str, params: dict[str, object], text: str
) -> None:
    assert reason_texts.hint_text(code, params) == text


def test_every_hint_has_a_text() -> None:
    assert {code for code, _, _ in HINTS} == {*get_args(HintCode)}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (2.4, "2 s"), (60, "1 min"), (3599.6, "1 h"), (90061, "1 d 1 h"), (86460, "1 d")],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert reason_texts.format_duration(seconds) == text
