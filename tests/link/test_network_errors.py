"""Failed dials and lost connections as causes."""

from __future__ import annotations

import pytest
from twisted.internet import error
from twisted.python.failure import Failure

from pmslink.link import reason_texts
from pmslink.link.cause import CauseCode
from pmslink.link.network_errors import cause_of_failed_dial, cause_of_loss, describe_network_error


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (error.DNSLookupError("no such name"), "unresolved"),
        (error.TimeoutError(), "dial_timeout"),
        (error.TCPTimedOutError(), "dial_timeout"),
        (error.ConnectionRefusedError(), "refused"),
        (error.NoRouteError(), "refused"),
    ],
)
def test_each_failed_dial_has_its_code(problem: Exception, code: CauseCode) -> None:
    cause = cause_of_failed_dial(Failure(problem))
    assert cause.code == code
    assert reason_texts.reason("EXPECTION", cause, "192.0.2.1:5010")


def test_an_error_without_text_is_named_by_its_type_and_a_long_text_is_cut() -> None:
    assert describe_network_error(Failure(ValueError())) == "ValueError"
    assert len(describe_network_error(Failure(ValueError("x" * 1000)))) == 200
    assert cause_of_loss(Failure(error.ConnectionDone())).params == {"detail": "the PMS closed it"}
