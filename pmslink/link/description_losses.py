"""Find out at which record of the link description a PMS closes the connection.

The description is sent at once, so that its first losses do not tell which record caused them. After some in
a row, it is sent with a pause behind each record: then the last record that was sent is the probable cause.
"""

from __future__ import annotations

from collections.abc import Callable

from pmslink.fias.link_description import parse_declaration
from pmslink.fias.record import Record
from pmslink.link.cause import Cause

LOSS_WINDOW_S = 10.0
"""Seconds after the last record of a description in which a lost connection is due to it."""
UNPACED_LOSSES = 2
"""Losses in a row after which the description is sent with pauses."""
RECORD_PAUSE_S = 0.3
"""Pause behind each record of such a description: longer than a PMS takes to close the connection."""


class DescriptionLosses:
    """Count the connections of one link that were lost before the PMS has answered the description."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._described_at: float | None = None  # while nothing has arrived since
        self._losses = 0

    @property
    def record_pause(self) -> float:
        """Seconds to wait behind each record of the description."""
        return RECORD_PAUSE_S if self._losses >= UNPACED_LOSSES else 0.0

    def on_described(self) -> None:
        """Remember that a description is being sent."""
        self._described_at = self._seconds()

    def on_record(self) -> None:
        """Take a record from the PMS as a sign that it accepts the description."""
        self._described_at = None
        self._losses = 0

    def classify_loss(self, cause: Cause, last_sent: Record | None, is_sending: bool) -> Cause:
        """Return the cause of a loss, with the last record if it was one of the description.

        `is_sending` says whether records of the description are still queued.
        """
        described_at, self._described_at = self._described_at, None
        if cause.code != "lost" or described_at is None or last_sent is None:
            return cause
        in_window = is_sending or self._seconds() - described_at < LOSS_WINDOW_S
        if not in_window or last_sent.id not in ("LD", "LR", "LA"):
            return cause
        self._losses += 1
        declared = parse_declaration(last_sent) if last_sent.id == "LR" else None
        if declared is None:
            return Cause("lost", {**cause.params, "variant": "lost_description"})
        return Cause("lost", {**cause.params, "variant": "lost_record", "declared": declared[0]})

    def reset(self) -> None:
        """Forget earlier losses: a user has acted."""
        self._losses = 0
