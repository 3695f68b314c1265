"""Convert failed dials and lost connections to causes, and network errors to plain English."""

from __future__ import annotations

import os

from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet import error
from twisted.python.failure import Failure

from pmslink.errors import PmslinkError
from pmslink.host_resolver import LookupTimeoutError
from pmslink.link.cause import UNANSWERED_LOOKUP_CAUSE, Cause

MAX_DETAIL_CHARACTERS = 200
"""Longest text of a network error in a cause."""


class AddressInUseError(PmslinkError):
    """The address of the PMS is that of another link, whose name is `link`."""

    def __init__(self, link: str) -> None:
        super().__init__(link)
        self.link = link


def cause_of_failed_dial(reason: Failure) -> Cause:
    """Return the cause of a failed dial. `reason_texts` builds the sentence from it."""
    if isinstance(reason.value, AddressInUseError):
        return Cause("in_use", {"link": reason.value.link})
    if isinstance(reason.value, error.CannotListenError):
        detail = os.strerror(reason.value.socketError.errno)
        return Cause("port_taken", {"detail": detail, "port": reason.value.port})
    if reason.check(LookupTimeoutError):
        return UNANSWERED_LOOKUP_CAUSE
    if reason.check(error.DNSLookupError):
        return Cause("unresolved")
    if reason.check(error.TimeoutError, error.TCPTimedOutError):
        return Cause("dial_timeout")
    return Cause("refused", {"detail": describe_network_error(reason)})


def cause_of_loss(reason: Failure) -> Cause:
    """Return the cause of a connection that the link did not close itself."""
    return Cause("lost", {"detail": describe_network_error(reason)})


def describe_network_error(reason: Failure) -> str:
    """Describe a network error in one line, without Twisted's preambles."""
    if reason.check(error.ConnectionDone):
        return "the PMS closed it"
    if reason.check(error.ConnectionLost):  # Twisted does not say which of the two it was
        return "it was reset, or the other side gave no sign of life"
    if reason.check(VerificationError):
        return "the certificate of the PMS is for another host"
    match reason.value:
        case TLSError(args=([*entries],)):  # OpenSSL's list of library, function and text
            return "TLS: " + ", ".join(text for _, _, text in entries)[:MAX_DETAIL_CHARACTERS]
    error_number = getattr(reason.value, "osError", None)
    if isinstance(error_number, int):
        return os.strerror(error_number)
    return (str(reason.value) or type(reason.value).__name__)[:MAX_DETAIL_CHARACTERS]
