"""The delivery queue of a link's webhook, as the API reports and controls it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from attrs import frozen
from twisted.internet.defer import Deferred

from pmslink.store.tables.audit_log import AuditEntry

WebhookState = Literal["idle", "delivering", "retrying"]


@frozen
class StuckEvent:
    """An event that was sent to the receiver by itself, and that it did not accept."""

    seq: int
    type: str
    room: str | None


@frozen
class WebhookStatus:
    """The delivery queue of one webhook.

    `backlog` events are queued, the first one since `oldest`. After a failure, `last_error` says why and
    `next_at` when the next attempt is. If the first event of the queue seems to be the cause, it is `stuck`.
    `lost` events were purged before they were delivered, and users skipped `skipped` events.
    """

    url: str
    state: WebhookState = "idle"
    backlog: int = 0
    oldest: datetime | None = None
    last_delivered: datetime | None = None
    last_error: str | None = None
    next_at: datetime | None = None
    lost: int = 0
    skipped: int = 0
    stuck: StuckEvent | None = None


class WebhookQueue(Protocol):
    """The delivery queue of one webhook, as a user can control it."""

    def skip(self, seq: int, audit: AuditEntry) -> Deferred[None]:
        """Skip the stuck event, which has the number `seq`; the entry says who does it.

        Fires when the new position is stored; fails with StoreUnavailableError. Raises NotApplicableError.
        """
