"""Metrics for Prometheus: the state and the traffic of each link, without guest data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import get_args

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from pmslink.link.link_registry import LinkRegistry
from pmslink.link.machine import Marker
from pmslink.link.status import LinkStatus
from pmslink.store.core.journal import Journal

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one service."""

    def __init__(
        self,
        links: LinkRegistry,
        journal: Journal,
        wall_clock: Callable[[], datetime],
        subscriber_count: Callable[[], int],
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(ServiceCollector(links, journal, wall_clock, subscriber_count))

    def render_text(self) -> bytes:
        """Render all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


class ServiceCollector(Collector):
    """Read the counters and states of all links at each scrape."""

    def __init__(
        self,
        links: LinkRegistry,
        journal: Journal,
        wall_clock: Callable[[], datetime],
        subscriber_count: Callable[[], int],
    ) -> None:
        self._links = links
        self._journal = journal
        self._wall_clock = wall_clock
        self._subscriber_count = subscriber_count

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        statuses = [link.status() for link in self._links]
        yield from _collect_states(statuses)
        yield from _collect_traffic(statuses)
        yield from _collect_link_checks(statuses)
        yield from _collect_outboxes(statuses, self._wall_clock())
        yield from _collect_webhooks(statuses)
        yield GaugeMetricFamily(
            "pmslink_store_ok", "1 while the store can be written", not self._journal.is_failing
        )
        yield GaugeMetricFamily("pmslink_watchers", "Connections to the stream", self._subscriber_count())


def _collect_states(statuses: Sequence[LinkStatus]) -> Iterator[Metric]:
    state = GaugeMetricFamily("pmslink_link_state", "1 for the state a link is in", labels=["link", "state"])
    up = GaugeMetricFamily("pmslink_link_up", "1 while a link is in sync", labels=["link"])
    attention = GaugeMetricFamily(
        "pmslink_link_attention", "How urgently a link needs an operator, 0 (well) to 4", labels=["link"]
    )
    changes = CounterMetricFamily(
        "pmslink_state_changes",
        "Changes of state; the first has an empty from",
        labels=["link", "from", "to"],
    )
    reconnects = CounterMetricFamily("pmslink_reconnects", "Connection attempts", labels=["link"])
    for status in statuses:
        for marker in get_args(Marker):
            state.add_metric([status.name, marker], status.marker == marker)
        up.add_metric([status.name], status.is_up)
        attention.add_metric([status.name], status.attention)
        dials = 0
        for (old, new), count in status.transition_counts.items():
            changes.add_metric([status.name, old or "", new], count)
            dials += count if new == "WAIT_LS" else 0
        reconnects.add_metric([status.name], dials)
    yield from (state, up, attention, changes, reconnects)


def _collect_traffic(statuses: Sequence[LinkStatus]) -> Iterator[Metric]:
    records = CounterMetricFamily(
        "pmslink_records", "Records to and from the PMS", labels=["link", "direction", "type"]
    )
    skipped = CounterMetricFamily(
        "pmslink_skipped_bytes", "Bytes from the PMS outside of valid records", labels=["link", "what"]
    )
    received = GaugeMetricFamily(
        "pmslink_last_receive_timestamp_seconds", "When the PMS last sent a record", labels=["link"]
    )
    not_understood = CounterMetricFamily(
        "pmslink_records_not_understood", "Records from the PMS with a problem", labels=["link"]
    )
    clock_offset = GaugeMetricFamily(
        "pmslink_clock_offset_seconds", "By how much the clock of the PMS is ahead", labels=["link"]
    )
    for status in statuses:
        for (direction, record_type), count in status.traffic.records.items():
            records.add_metric([status.name, direction, record_type], count)
        for kind, size in status.traffic.skipped_bytes.items():
            skipped.add_metric([status.name, kind], size)
        if status.link_checks.last_received is not None:
            received.add_metric([status.name], status.link_checks.last_received.timestamp())
        not_understood.add_metric([status.name], status.not_understood.records)
        if status.clock_offset is not None:
            clock_offset.add_metric([status.name], status.clock_offset)
    yield from (records, skipped, received, not_understood, clock_offset)


def _collect_link_checks(statuses: Sequence[LinkStatus]) -> Iterator[Metric]:
    round_trip = GaugeMetricFamily(
        "pmslink_heartbeat_rtt_seconds", "From the last link check to its answer", labels=["link"]
    )
    for status in statuses:
        if status.link_checks.round_trip_s is not None:
            round_trip.add_metric([status.name], status.link_checks.round_trip_s)
    yield round_trip


def _collect_outboxes(statuses: Sequence[LinkStatus], now: datetime) -> Iterator[Metric]:
    rows = GaugeMetricFamily(
        "pmslink_outbox_rows", "Rows of the outbox that are not done, by state", labels=["link", "state"]
    )
    oldest = GaugeMetricFamily(
        "pmslink_outbox_oldest_seconds",
        "Age of the oldest pending row of the outbox; 0 without one",
        labels=["link"],
    )
    stray_answers = CounterMetricFamily(
        "pmslink_stray_answers", "Answers (PA) that belong to no posting of the link", labels=["link"]
    )
    for status in statuses:
        outbox = status.outbox
        stray_answers.add_metric([status.name], outbox.stray_answers)
        rows.add_metric([status.name, "pending"], outbox.pending)
        rows.add_metric([status.name, "unknown"], outbox.unknown)
        rows.add_metric([status.name, "refused"], outbox.refused)
        waited_s = 0.0 if outbox.oldest is None else (now - outbox.oldest).total_seconds()
        oldest.add_metric([status.name], max(0.0, waited_s))
    yield from (rows, oldest, stray_answers)


def _collect_webhooks(statuses: Sequence[LinkStatus]) -> Iterator[Metric]:
    backlog = GaugeMetricFamily(
        "pmslink_webhook_backlog", "Events that the webhook has not delivered yet", labels=["link"]
    )
    up = GaugeMetricFamily("pmslink_webhook_up", "1 unless the last delivery failed", labels=["link"])
    for status in statuses:
        if status.webhook is not None:
            backlog.add_metric([status.name], status.webhook.backlog)
            up.add_metric([status.name], status.webhook.last_error is None)
    yield from (backlog, up)
