"""Where a link keeps what must last: the journal of a store, or nowhere for a link that is only tried."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed

from pmslink.store.tables.log_entries import Argument, Entry, Operation, Result


class Keeper(Protocol):
    """What a link asks of the journal; see `store.journal.Journal`, which says more."""

    def write(
        self, operation: Operation[Argument, Result], argument: Argument, keep: bool = False
    ) -> Deferred[Result]:
        """Fires once it is safe; `keep` stands for whatever comes."""

    def append(self, operation: Operation[Argument, Any], argument: Argument, soon: bool = True) -> None:
        """Keep this whatever comes; nobody waits for it, and if not `soon`, it can wait for others."""

    def number(self) -> int:
        """A number of the one sequence, for what is not kept."""

    @property
    def failing(self) -> bool:
        """Whether nothing can be kept at the moment."""

    @property
    def reason(self) -> str | None:
        """Why not."""

    @property
    def crowded(self) -> bool:
        """Whether so much waits that no more should be read."""

    def when_roomy(self, then: Callable[[], None]) -> None:
        """Call it once, when it is neither crowded nor failing."""


class Forgetful:
    """Keeps nothing, and has nothing to send."""

    failing = crowded = False
    reason = None

    def __init__(self) -> None:
        self._numbers = count(1)

    def write(self, operation: Operation[Any, Any], argument: Any, keep: bool = False) -> Deferred[Any]:
        return succeed(None)

    def append(self, operation: Operation[Any, Any], argument: Any, soon: bool = True) -> None:
        if isinstance(argument, Entry):  # nothing has to be waited for
            argument.seq, argument.told = self.number(), True

    def number(self) -> int:
        return next(self._numbers)

    def when_roomy(self, then: Callable[[], None]) -> None:
        then()
