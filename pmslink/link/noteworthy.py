"""What notices are made from: the part of a link's status that tells whether somebody should know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from pmslink.link.cause import Cause
from pmslink.link.link_summary import LinkGroup
from pmslink.link.machine import Intent
from pmslink.store.tables.recent_failures import FailedWakeUp


@frozen
class Noteworthy:
    """How a link is, as far as notices depend on it.

    It is taken at each change of a link, of which a fleet-wide outage brings thousands; a whole `LinkStatus`
    takes ten times as long.
    """

    group: LinkGroup
    failure: Cause | None
    """What the last attempt of the outage failed at; None without an outage, or before an attempt failed."""
    intent: Intent
    in_sync: bool
    down_since: datetime | None
    attempts: int
    """Redials since the link is down."""
    host: str
    port: int
    expires_at: datetime | None
    """When the subscription ends; None if it does not."""
    unknown: int
    """Rows of which it is unknown whether the PMS has accepted them."""
    refused: int
    """Rows that the PMS refused."""
    undecided: int
    """Changes by hand that differ from the PMS, and that nobody has decided."""
    failed_wake_ups: Sequence[FailedWakeUp]
    """Those of the last 24 hours."""
    recent_outages: int
    """Outages that began within the last hour."""
