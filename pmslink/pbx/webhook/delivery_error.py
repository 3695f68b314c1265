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
from pmslink.pbx.webhook.bounded_response import MAX_BODY_BYTES, RESPONSE_TIMEOUT_S


class DeliveryError(PmslinkError):
    """The receiver did not accept an event. The text has the receiver as its subject: "it answered 500"."""


def to_delivery_error(failure: Failure) -> Failure:
    """Return the failure as one of DeliveryError."""
    if failure.check(DeliveryError):
        return failure
    return Failure(DeliveryError(_describe_error(failure.value)))


def raise_timeout(result: object, seconds: float) -> None:
    """Raise the DeliveryError for a receiver that exceeded the time limit, for Deferred.addTimeout."""
    raise DeliveryError(_describe_timeout(seconds))


def _describe_timeout(seconds: float) -> str:
    return f"it did not answer within {seconds:.0f} s"


def _describe_error(problem: Any) -> str:
    match getattr(problem, "reasons", None):
        case [Failure() as first, *_]:
            return _describe_error(first.value)
    match problem:
        case error.DNSLookupError():
            return "its name cannot be resolved"
        case error.ConnectionRefusedError():
            return "it refused the connection"
        case error.TimeoutError():
            return _describe_timeout(RESPONSE_TIMEOUT_S)
        case error.ConnectError():
            return "it cannot be reached"
        case VerificationError():
            return "its certificate is for another name"
        case SSL.Error():
            return _describe_tls_error(problem)
        case error.ConnectionAborted():
            return f"its response is longer than {MAX_BODY_BYTES // 1024} KiB"
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
