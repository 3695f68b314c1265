"""The end of a link's subscription (`expires_at`). The link acts on each end once, also after a restart.

While the wall clock may be wrong, no subscription ends. If a wrong clock has nevertheless ended one, and is
set back before `expires_at`, the link returns to the intent that it had before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pmslink.config.link_settings import LinkSettings
from pmslink.errors import NotApplicableError
from pmslink.link.machine import Intent
from pmslink.timestamps import optional_to_ms


class SubscriptionExpiry:
    """Watch `expires_at` of one link."""

    def __init__(
        self,
        settings: Callable[[], LinkSettings],
        wall_clock: Callable[[], datetime],
        is_clock_settled: Callable[[], bool],
        seen: datetime | None,
        intent_before: Intent | None = None,
    ) -> None:
        self._settings = settings
        self._wall_clock = wall_clock
        self._is_clock_settled = is_clock_settled
        self.seen = seen
        """The `expires_at` that the link has acted on."""
        self.intent_before = intent_before
        """The intent from before the end that is `seen`; None if a user has decided since."""

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

    def on_user_decision(self) -> None:
        """Keep the intent that a user has set now, even if the wall clock is set back later."""
        self.intent_before = None

    def check(self, intent: Intent) -> Intent | None:
        """Return the intent that the link must change to now, or None if its intent holds.

        It is "expired" at each end of the subscription, once. It is the intent from before if the wall clock
        was set back before that end. A subscription that is extended restores no intent.
        """
        expires_at = self._settings().expires_at
        is_seen = self.seen is not None and optional_to_ms(expires_at) == optional_to_ms(self.seen)
        if not self._is_clock_settled():
            return None
        if self.is_over:
            return None if is_seen else self._end(intent)
        restored = self.intent_before if is_seen else None
        self.seen = self.intent_before = None
        return restored

    def _end(self, intent: Intent) -> Intent:
        self.seen = self._settings().expires_at
        if intent != "expired":
            self.intent_before = intent
        return "expired"
