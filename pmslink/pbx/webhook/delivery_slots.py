"""The limit of deliveries at once over all links; queues that need a slot get one in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from twisted.internet.defer import Deferred, DeferredSemaphore

DELIVERY_SLOTS = 100
"""Maximum number of deliveries at once to receivers that accepted the last delivery."""
RETRY_SLOTS = 100
"""Maximum number of deliveries at once to receivers that did not."""

_Arguments = ParamSpec("_Arguments")


class DeliverySlots:
    """Starts deliveries while there are slots.

    A receiver that is unavailable occupies its slot until the time limit of the delivery. Retries have slots
    of their own, so that a thousand such receivers do not delay the others.
    """

    def __init__(self) -> None:
        self._first_attempts = DeferredSemaphore(DELIVERY_SLOTS)
        self._retries = DeferredSemaphore(RETRY_SLOTS)

    def run(
        self,
        is_retry: bool,
        deliver: Callable[_Arguments, Deferred[None]],
        *arguments: _Arguments.args,
        **options: _Arguments.kwargs,
    ) -> Deferred[None]:
        """Call `deliver` once a slot is free, and fire as it does. Cancel it to give the slot up."""
        slots = self._retries if is_retry else self._first_attempts
        return slots.run(deliver, *arguments, **options)
