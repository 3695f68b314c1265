"""Where a link keeps what must last: the journal of a store, or nowhere for a link that is only tried."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed

from pmslink.store.core.transaction import Argument, Entry, Operation, Result


class JournalPort(Protocol):
    """What a link asks of the journal; see `store.journal.Journal`, which says more."""

    def submit(
        self, operation: Operation[Argument, Result], argument: Argument, retry_until_stored: bool = False
    ) -> Deferred[Result]:
        """Fires once it is safe; `keep` stands for whatever comes."""

    def submit_nowait(
        self, operation: Operation[Argument, Any], argument: Argument, urgent: bool = True
    ) -> None:
        """Keep this whatever comes; nobody waits for it, and if not `soon`, it can wait for others."""

    def next_seq(self) -> int:
        """A number of the one sequence, for what is not kept."""

    @property
    def is_failing(self) -> bool:
        """Whether nothing can be kept at the moment."""

    @property
    def failure_reason(self) -> str | None:
        """Why not."""

    @property
    def is_congested(self) -> bool:
        """Whether so much waits that no more should be read."""

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call it once, when it is neither crowded nor failing."""


class NullJournal:
    """Keeps nothing, and has nothing to send."""

    is_failing = is_congested = False
    failure_reason = None

    def __init__(self) -> None:
        self._sequence = count(1)

    def submit(
        self, operation: Operation[Any, Any], argument: Any, retry_until_stored: bool = False
    ) -> Deferred[Any]:
        return succeed(None)

    def submit_nowait(self, operation: Operation[Any, Any], argument: Any, urgent: bool = True) -> None:
        if isinstance(argument, Entry):  # nothing has to be waited for
            argument.seq, argument.published = self.next_seq(), True

    def next_seq(self) -> int:
        return next(self._sequence)

    def when_drained(self, callback: Callable[[], None]) -> None:
        callback()
