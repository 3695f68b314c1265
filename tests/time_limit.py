"""A time limit for tests that use the real reactor: a test that hangs fails, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

from twisted.internet import reactor
from twisted.internet.defer import Deferred

P = ParamSpec("P")

BUSY_MACHINE_FACTOR = 6
"""How many times longer a test may take than its limit says, because other processes use the machine."""


def time_limit(
    seconds: float,
) -> Callable[[Callable[P, Coroutine[Any, Any, None]]], Callable[P, Deferred[None]]]:
    """Let an `async def` test fail if it hangs.

    `seconds` is ample time for the test on an idle machine; a test that measures time does so itself.
    """

    def limited(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, Deferred[None]]:
        @wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> Deferred[None]:
            clock: Any = reactor
            limit_s = seconds * BUSY_MACHINE_FACTOR
            return Deferred.fromCoroutine(test(*args, **kwargs)).addTimeout(limit_s, clock)

        return run

    return limited
