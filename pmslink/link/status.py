"""A snapshot of one link: all that the API, the metrics and the command line report about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from pmslink.config.link_settings import LinkSettings
from pmslink.fias.link_description import declared_fields
from pmslink.hotel.manual_changes import ManualCounts
from pmslink.link import reason_texts
from pmslink.link.attention import Attention
from pmslink.link.cause import Cause
from pmslink.link.link_hints import Hint
from pmslink.link.link_summary import LinkGroup
from pmslink.link.machine import Intent, Marker
from pmslink.link.not_understood import NotUnderstood
from pmslink.link.outage_history import Outages
from pmslink.link.outbox_hold import Hold
from pmslink.link.record_trace import TrafficCounts
from pmslink.link.resync import Progress
from pmslink.link.saved_state import Creation
from pmslink.link.wake_up_failures import FailedWakeUps
from pmslink.link.webhook_status import WebhookStatus
from pmslink.store.tables.recent_failures import FailedWakeUp


@frozen
class RetryStatus:
    """The redials since the link was last stable: how many, and when the next one is due."""

    attempt: int
    next_at: datetime | None


@frozen
class LinkCheckStatus:
    """The last link check, its answer, and the last record of any type from the PMS."""

    last_check: datetime | None
    last_answer: datetime | None
    round_trip_s: float | None
    last_received: datetime | None


@frozen
class OutboxStatus:
    """How many rows for the PMS are in each state, and since when the oldest one is pending."""

    pending: int
    unknown: int
    refused: int
    oldest: datetime | None
    stray_answers: int = 0
    """Answers (PA) since the start of the service that belong to no posting of this link."""


@frozen
class LinkStatus:
    """One link at one moment. Times are aware datetimes of the wall clock."""

    name: str
    marker: Marker
    since: datetime
    """When the link entered this state."""
    reason: str
    """Why the link is in this state, in English."""
    cause: Cause
    advice: str
    """What to do about it, in English; empty when nothing has to be done."""
    intent: Intent
    attention: Attention
    group: LinkGroup
    in_sync: bool
    last_in_sync: datetime | None
    down_since: datetime | None
    """Start of the current outage; redials do not reset it. None while up, or not enabled."""
    failure: Cause | None
    """What the last attempt of the current outage failed at, also while another one is on its way."""
    host: str
    port: int
    profile: str
    settings: LinkSettings
    declared: bool
    """Whether the link is defined in the configuration file, not through the API."""
    made: Creation | None
    """Who created the link, and when, if that is known."""
    retry: RetryStatus
    link_checks: LinkCheckStatus
    outbox: OutboxStatus
    resync: Progress
    held: Hold | None
    """What holds the rows of the outbox; None if nothing does."""
    manual: ManualCounts
    """How many changes by hand the hotel has."""
    clock_offset: float | None
    """Seconds by which the clock of the PMS is ahead of the hotel's local time; None if not known."""
    outages: Outages
    not_understood: NotUnderstood
    failed_wake_ups: FailedWakeUps
    hints: Sequence[Hint]
    recent_wake_up_failures: Sequence[FailedWakeUp]
    """Those of the last 24 hours, also if somebody has acknowledged them."""
    webhook: WebhookStatus | None
    """None without a webhook."""
    traffic: TrafficCounts
    transition_counts: Mapping[tuple[Marker | None, Marker], int]
    """Changes of the marker since the service started, by old and new marker."""

    @property
    def label(self) -> str:
        """The state in plain English."""
        return reason_texts.label(self.marker)

    @property
    def is_up(self) -> bool:
        """Whether data can flow: the link is established and the PMS has confirmed its description."""
        return self.marker == "ESTABLISHED" and self.in_sync

    @property
    def declared_records(self) -> list[str]:
        """The record types that the link description declares to the PMS."""
        return list(declared_fields(self.settings.records)) if self.settings.describe else []
