"""Describe the failure of a delivery in a short text for the status of a link.

A text contains nothing of the event, of the secret, or of the response.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error
from twisted.python.failure import Failure

from pmslink.errors import PmslinkError
from pmslink.pbx.webhook.bounded_response import RESPONSE_TIMEOUT_S
from pmslink.pbx.webhook.response_head import ResponseError


class DeliveryError(PmslinkError):
    """The receiver did not accept a request. The text has the receiver as its subject: "it answered 500".

    `was_sent` is whether the request was sent to it, so that an event in it may be the cause.
    """

    def __init__(self, message: str, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent


def to_delivery_error(failure: Failure, was_sent: bool) -> DeliveryError:
    """Return the error of a delivery that failed. `was_sent` is whether its request was written."""
    if isinstance(failure.value, DeliveryError):
        return failure.value
    cause = _first_cause(failure.value)
    # a request is written before the certificate is verified, but is not sent
    is_tls_error = isinstance(cause, VerificationError | SSL.Error)
    return DeliveryError(_describe_error(cause), was_sent and not is_tls_error)


def raise_timeout(result: object, seconds: float) -> None:
    """Raise the error for a receiver that exceeded the time limit, for Deferred.addTimeout."""
    raise error.TimeoutError


def _first_cause(problem: Any) -> Any:
    match getattr(problem, "reasons", None):
        case [Failure() as first, *_]:
            return _first_cause(first.value)
    return problem


def _describe_error(problem: Any) -> str:
    match problem:
        case error.DNSLookupError():
            return "its name cannot be resolved"
        case error.ConnectionRefusedError():
            return "it refused the connection"
        case error.TimeoutError():
            return f"it did not answer within {RESPONSE_TIMEOUT_S:.0f} s"
        case error.ConnectError():
            return "it cannot be reached"
        case VerificationError():
            return "its certificate is for another name"
        case SSL.Error():
            return _describe_tls_error(problem)
        case ResponseError():
            return str(problem)
        case error.ConnectionClosed():
            return "it closed the connection without a response"
    return f"it did not send a valid HTTP response ({type(problem).__name__})"


def _describe_tls_error(problem: SSL.Error) -> str:
    reason = ""
    with suppress(IndexError, TypeError):
        reason = problem.args[0][-1][-1]
    if reason == "certificate verify failed":
        return "its certificate is not trusted on this machine, or is not valid now"
    return f"TLS failed: {reason}" if reason else "TLS failed"
