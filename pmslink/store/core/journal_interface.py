"""The interface of the journal for links, and a journal that stores nothing, for connection tests."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed

from pmslink.store.core.transaction import Argument, Entry, Operation, Result


class JournalPort(Protocol):
    """The methods of `store.core.journal.Journal` that a link uses; see there for the details."""

    def submit(
        self, operation: Operation[Argument, Result], argument: Argument, retry_until_stored: bool = False
    ) -> Deferred[Result]:
        """Queue a write, and return a Deferred that fires with its result after the commit."""

    def submit_nowait(
        self, operation: Operation[Argument, Any], argument: Argument, urgent: bool = True
    ) -> None:
        """Queue a write that is retried until it is stored, and whose result is not needed."""

    def next_seq(self) -> int:
        """Return the next number of the sequence, for an entry that is not stored."""

    @property
    def is_failing(self) -> bool:
        """Whether the database cannot be written now."""

    @property
    def failure_reason(self) -> str | None:
        """Why the database cannot be written; None while it can."""

    @property
    def is_congested(self) -> bool:
        """Whether so many writes are queued that reading from the PMS should pause."""

    def is_space_low(self) -> bool:
        """Return whether the disk of the store is nearly full."""

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call the callback once, as soon as the journal is neither congested nor failing."""


class NullJournal:
    """A journal that stores and publishes nothing."""

    is_failing = is_congested = False
    failure_reason = None

    def __init__(self) -> None:
        self._sequence = count(1)

    def submit(
        self, operation: Operation[Any, Any], argument: Any, retry_until_stored: bool = False
    ) -> Deferred[Any]:
        """Return a Deferred that has fired with None."""
        return succeed(None)

    def submit_nowait(self, operation: Operation[Any, Any], argument: Any, urgent: bool = True) -> None:
        """Assign a number to an entry, and mark it as published."""
        if isinstance(argument, Entry):
            argument.seq, argument.published = self.next_seq(), True

    def next_seq(self) -> int:
        """Return the next number of the journal's own sequence."""
        return next(self._sequence)

    def is_space_low(self) -> bool:
        """Return false: nothing is stored."""
        return False

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call the callback at once."""
        callback()
