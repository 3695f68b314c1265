"""Why the rows of a link wait, although nothing is wrong with them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from attrs import frozen

HoldReason = Literal["sync", "resync", "night_audit", "unanswered", "local"]


@frozen
class Hold:
    """What holds the outbox of a link. It is reported while its cause lasts, even if no row waits."""

    by: HoldReason
    since: datetime
    until: datetime | None
    """When it ends by itself; None if that is not known."""
    waiting: int
    """Rows that wait for its end."""
