"""The delivery state of a link's webhook, as the API reports it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from attrs import frozen

WebhookState = Literal["idle", "delivering", "retrying"]


@frozen
class WebhookStatus:
    """The delivery queue of one webhook.

    `backlog` events are queued, the first one since `oldest`. After a failure, `last_error` says why and
    `next_at` when the next attempt is. `lost` events were purged before they were delivered.
    """

    url: str
    state: WebhookState = "idle"
    backlog: int = 0
    oldest: datetime | None = None
    last_delivered: datetime | None = None
    last_error: str | None = None
    next_at: datetime | None = None
    lost: int = 0
