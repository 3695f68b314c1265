"""A time limit for tests that use the real reactor: a test that hangs fails, and the run continues."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

from twisted.internet import reactor
from twisted.internet.defer import Deferred

P = ParamSpec("P")

BUSY_MACHINE_FACTOR = 6
"""Factor by which a test may exceed its time limit, because other processes use the machine."""


def time_limit(
    seconds: float,
) -> Callable[[Callable[P, Coroutine[Any, Any, None]]], Callable[P, Deferred[None]]]:
    """Return a decorator that fails an `async def` test which hangs.

    `seconds` is a generous limit on an idle machine. A test that measures time has its own checks.
    """

    def limited(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, Deferred[None]]:
        @wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> Deferred[None]:
            clock: Any = reactor
            limit_s = seconds * BUSY_MACHINE_FACTOR
            return Deferred.fromCoroutine(test(*args, **kwargs)).addTimeout(limit_s, clock)

        return run

    return limited
