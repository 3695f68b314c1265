"""Errors of a store."""

from __future__ import annotations

from twisted.python.failure import Failure

from pmslink.errors import PmslinkError


class StoreError(PmslinkError):
    """The store cannot be used; the text tells an operator how to correct it."""


class StoreTooNewError(StoreError):
    """The store was written by a newer release."""


class StoreUnavailableError(StoreError):
    """A write was rejected, because the database fails or too many writes are queued."""


class ReadLimitError(StoreUnavailableError):
    """A read was rejected or ended, because too many others wait or it took too long."""


def describe_failure(failure: Failure) -> str:
    """Return the reason of a database failure, in one line."""
    cause = getattr(failure.value, "orig", None) or failure.value
    text = " ".join(str(cause).split()) or type(cause).__name__
    return {"database or disk is full": "the disk is full"}.get(text, text)[:200]
