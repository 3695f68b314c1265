"""The texts for the reason and the advice of a link."""

from __future__ import annotations

from typing import get_args

import pytest

from pmslink.link import reason_texts
from pmslink.link.cause import Cause, CauseCode, user_cause
from pmslink.link.machine import Marker
from tests.link.link_harness import LinkHarness

MARKERS: tuple[Marker, ...] = get_args(Marker)


@pytest.mark.parametrize("code", get_args(CauseCode))
@pytest.mark.parametrize("marker", MARKERS)
def test_every_cause_has_a_text_in_every_state(marker: Marker, code: CauseCode) -> None:
    causes = [Cause(code), Cause(code, {"record": "LS"})]
    if code == "user":
        causes = [user_cause(control) for control in ("enable", "disable", "expire", "disconnect")]
    for cause in causes:
        reason = reason_texts.reason(marker, cause, "192.0.2.1:5010")
        assert reason
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
