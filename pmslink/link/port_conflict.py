"""Detect another client on the same PMS port: the PMS drops one for the other, again and again."""

from __future__ import annotations

from collections.abc import Callable

from pmslink.link.cause import Cause

EARLY_LOSS_WINDOW_S = 10.0
"""Seconds after docking in which a lost connection counts as an early loss."""
EARLY_LOSS_THRESHOLD = 3
"""Consecutive early losses after which another client is the probable cause."""


class PortConflictDetector:
    """Count the connections of one link that were lost soon after they docked."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._docked_at = 0.0
        self._early_losses = 0

    def on_docked(self) -> None:
        """Remember when the link was established."""
        self._docked_at = self._seconds()

    def classify_loss(self, cause: Cause, was_in_sync: bool) -> Cause:
        """Return the cause of the loss of an established link: `displaced` after repeated early losses.

        A connection that was never in sync is no early loss: another client would have let it get in sync.
        """
        is_early = cause.code == "lost" and self._seconds() - self._docked_at < EARLY_LOSS_WINDOW_S
        self._early_losses = self._early_losses + 1 if is_early and was_in_sync else 0
        return Cause("displaced", cause.params) if self._early_losses >= EARLY_LOSS_THRESHOLD else cause

    def reset(self) -> None:
        """Forget earlier losses: the link is stable, or a user has acted."""
        self._early_losses = 0
