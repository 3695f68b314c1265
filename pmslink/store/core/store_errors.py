"""What can be wrong with a store."""

from __future__ import annotations

from twisted.python.failure import Failure

from pmslink.errors import PmslinkError


class StoreError(PmslinkError):
    """The store cannot be used as it is; the text says what a person can do about it."""


class StoreTooNewError(StoreError):
    """The store was written by a newer version of the program."""


class StoreUnavailableError(StoreError):
    """Nothing can be written at the moment, or too much waits; what was handed over was not accepted."""


def describe_failure(failure: Failure) -> str:
    """Why the database failed, in one line."""
    cause = getattr(failure.value, "orig", None) or failure.value
    text = " ".join(str(cause).split()) or type(cause).__name__
    return {"database or disk is full": "the disk is full"}.get(text, text)[:200]
