"""The limit of deliveries at once over all links, which unavailable receivers cannot use up.

Queues get a slot in turn. A delivery that is slow leaves its slot to the next one as soon as there is a slow
slot for it, and retries use slow slots only. So thousands of receivers that do not answer delay the others
by seconds when they fail for the first time, and not at all afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime

from pmslink.link.countdown import Countdown

PROMPT_SLOTS = 100
"""Maximum number of deliveries at once that are not slow."""
SLOW_SLOTS = 400
"""Maximum number of deliveries at once that are slow, or to receivers whose last delivery failed."""
SLOW_AFTER_S = 1.0
"""Seconds after which a delivery is slow."""

_Arguments = ParamSpec("_Arguments")


class DeliverySlots:
    """Starts deliveries while there are slots."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._prompt = DeferredSemaphore(PROMPT_SLOTS)
        self._slow = DeferredSemaphore(SLOW_SLOTS)

    def run(
        self,
        is_retry: bool,
        deliver: Callable[_Arguments, Deferred[None]],
        *arguments: _Arguments.args,
        **options: _Arguments.kwargs,
    ) -> Deferred[None]:
        """Call `deliver` once a slot is free, and fire as it does. Cancel it to give the slot up."""
        if is_retry:
            return self._slow.run(deliver, *arguments, **options)
        return Deferred.fromCoroutine(self._run_promptly(lambda: deliver(*arguments, **options)))

    async def _run_promptly(self, deliver: Callable[[], Deferred[None]]) -> None:
        await self._prompt.acquire()
        slot = _MovingSlot(self._prompt, self._slow, self._clock)
        try:
            await deliver()
        finally:
            slot.release()


class _MovingSlot:
    """The slot of one delivery: a prompt one, and a slow one once the delivery is slow and there is one."""

    def __init__(self, prompt: DeferredSemaphore, slow: DeferredSemaphore, clock: IReactorTime) -> None:
        self._held = prompt
        self._slow = slow
        self._requested: Deferred[Any] | None = None
        self._slow_timer = Countdown(clock, self._request_slow_slot)
        self._slow_timer.start(SLOW_AFTER_S)

    def release(self) -> None:
        """Give the slot to the next delivery."""
        self._slow_timer.stop()
        if self._requested is not None:
            self._requested.cancel()
        self._held.release()

    def _request_slow_slot(self) -> None:
        self._requested = self._slow.acquire().addCallbacks(self._move, lambda failure: None)

    def _move(self, slow: DeferredSemaphore) -> None:
        self._held.release()
        self._held = slow
