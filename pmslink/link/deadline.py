"""A deadline for data that arrives on a connection."""

from __future__ import annotations

from typing import Any

from pmslink.link.countdown import Countdown


class Deadline(Countdown):
    """Call `callback` unless the deadline is stopped in time by what arrives.

    A turn of the reactor makes due calls first and reads then. In a turn that is late, an answer that came
    in time is not read yet when its deadline is due. So the callback waits for the next turn: what has
    arrived is read before anything is called overdue.
    """

    def _fire(self, *arguments: Any) -> None:
        self._call = self._clock.callLater(0, super()._fire, *arguments)
