"""How the events of a link are received by its webhook, for those who look at the link."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from attrs import frozen

WebhookState = Literal["idle", "delivering", "retrying"]


@frozen
class WebhookStatus:
    """`backlog` events wait to be told, the first since `oldest`; after a failure the next attempt is at
    `next_due_at`. `lost` were kept long enough, and are gone before they were told."""

    url: str
    state: WebhookState = "idle"
    backlog: int = 0
    oldest: datetime | None = None
    last_delivered: datetime | None = None
    last_error: str | None = None
    next_at: datetime | None = None
    lost: int = 0
