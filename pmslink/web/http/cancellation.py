"""Protection of work in progress against clients that disconnect."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.errors import PmslinkError

_Result = TypeVar("_Result")
_log = Logger()


def shield(work: Deferred[_Result] | Coroutine[Any, Any, _Result]) -> Deferred[_Result]:
    """Return a Deferred that fires as `work` does; cancelling it does not cancel `work`.

    Klein cancels the Deferred of a client that disconnects, and a change must not end half-way.
    """
    awaited: Deferred[_Result] = Deferred()

    def on_done(outcome: _Result | Failure) -> None:
        if not awaited.called:
            awaited.callback(outcome)  # the same as errback() for a Failure
        elif isinstance(outcome, Failure) and not outcome.check(PmslinkError):
            _log.failure("A request failed after its client had disconnected", outcome)

    (work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)).addBoth(on_done)
    return awaited
