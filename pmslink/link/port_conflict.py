"""Whether another client uses the same PMS port: two of them throw each other out for ever."""

from __future__ import annotations

from collections.abc import Callable

from pmslink.link.cause import Cause

EARLY_LOSS_WINDOW_S = 10.0
"""Seconds after docking within which a loss looks like another client's doing …"""
EARLY_LOSS_THRESHOLD = 3
"""… when it happens so many times running."""


class PortConflictDetector:
    """Counts the connections of one link that were lost soon after they docked."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._docked_at = 0.0
        self._early_losses = 0

    def on_docked(self) -> None:
        """The link is established."""
        self._docked_at = self._seconds()

    def classify_loss(self, cause: Cause) -> Cause:
        """An established link was lost; gives the cause, or what is behind it."""
        short = cause.code == "lost" and self._seconds() - self._docked_at < EARLY_LOSS_WINDOW_S
        self._early_losses = self._early_losses + 1 if short else 0
        return Cause("displaced") if self._early_losses >= EARLY_LOSS_THRESHOLD else cause

    def reset(self) -> None:
        """The link is well, or a person has seen to it."""
        self._early_losses = 0
