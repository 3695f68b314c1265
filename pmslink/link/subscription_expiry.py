"""The end of a link's subscription (`expires_at`). The link acts on each end once, also after a restart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pmslink.config.link_settings import LinkSettings
from pmslink.errors import NotApplicableError
from pmslink.timestamps import optional_to_ms


class SubscriptionExpiry:
    """Watch `expires_at` of one link."""

    def __init__(
        self,
        settings: Callable[[], LinkSettings],
        wall_clock: Callable[[], datetime],
        seen: datetime | None,
    ) -> None:
        self._settings = settings
        self._wall_clock = wall_clock
        self.seen = seen
        """The `expires_at` that the link has acted on."""

    @property
    def is_over(self) -> bool:
        """Whether `expires_at` has passed."""
        expires_at = self._settings().expires_at
        return expires_at is not None and expires_at <= self._wall_clock()

    def require_not_over(self, link: str) -> None:
        """Raise NotApplicableError if `expires_at` has passed."""
        if self.is_over:
            raise NotApplicableError(
                "expired",
                f"The subscription of {link} ended at {self._settings().expires_at}; move expires_at first.",
            )

    def mark_if_new(self) -> bool:
        """Return whether the link has to act on an `expires_at` that has passed, and mark it as acted on."""
        expires_at = self._settings().expires_at
        if not self.is_over or optional_to_ms(expires_at) == optional_to_ms(self.seen):
            return False
        self.seen = expires_at
        return True

    def check(self) -> bool:
        """Return whether the link has to act now. A subscription that is not over may end again."""
        if not self.is_over:
            self.seen = None
        return self.mark_if_new()
