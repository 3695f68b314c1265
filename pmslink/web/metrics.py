"""What Prometheus reads: the state of the links and what went over them, never who the guests are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import get_args

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from pmslink.link.attention import is_up
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.machine import Marker
from pmslink.store.core.journal import Journal

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """All metrics of one service."""

    def __init__(
        self,
        links: LinkRegistry,
        journal: Journal,
        wall: Callable[[], datetime],
        subscriber_count: Callable[[], int],
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(ServiceCollector(links, journal, wall, subscriber_count))

    def render_text(self) -> bytes:
        """The text format of Prometheus."""
        return generate_latest(self._registry)


class ServiceCollector(Collector):
    """Reads what is counted already, at the moment it is asked."""

    def __init__(
        self,
        links: LinkRegistry,
        journal: Journal,
        wall: Callable[[], datetime],
        subscriber_count: Callable[[], int],
    ) -> None:
        self._links = links
        self._journal = journal
        self._wall = wall
        self._subscriber_count = subscriber_count

    def collect(self) -> Iterator[Metric]:
        yield from self._collect_states()
        yield from self._collect_traffic()
        yield from self._collect_heartbeats()
        yield from self._collect_outboxes()
        yield from self._collect_webhooks()
        yield GaugeMetricFamily(
            "pmslink_store_ok", "1 while the store can be written", not self._journal.is_failing
        )
        yield GaugeMetricFamily("pmslink_watchers", "Connections to the stream", self._subscriber_count())

    def _collect_states(self) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            "pmslink_link_state", "1 for the state a link is in", labels=["link", "state"]
        )
        up = GaugeMetricFamily("pmslink_link_up", "1 while a link is in sync", labels=["link"])
        changes = CounterMetricFamily(
            "pmslink_state_changes",
            "Changes of state; the first comes from none",
            labels=["link", "from", "to"],
        )
        reconnects = CounterMetricFamily(
            "pmslink_reconnects", "How often a connection was requested", labels=["link"]
        )
        for link in self._links:
            for marker in get_args(Marker):
                state.add_metric([link.name, marker], link.core.marker == marker)
            up.add_metric([link.name], is_up(link))
            dials = 0
            for (old, new), count in link.state_history.transition_counts.items():
                changes.add_metric([link.name, old or "", new], count)
                dials += count if new == "WAIT_LS" else 0
            reconnects.add_metric([link.name], dials)
        yield from (state, up, changes, reconnects)

    def _collect_traffic(self) -> Iterator[Metric]:
        records = CounterMetricFamily(
            "pmslink_records", "Records to and from the PMS", labels=["link", "direction", "type"]
        )
        skipped = CounterMetricFamily(
            "pmslink_skipped_bytes", "Bytes from the PMS that were no record", labels=["link", "what"]
        )
        received = GaugeMetricFamily(
            "pmslink_last_receive_timestamp_seconds", "When the PMS last sent a record", labels=["link"]
        )
        for link in self._links:
            for (direction, type), count in link.trace.record_counts.items():
                records.add_metric([link.name, direction, type], count)
            for what, size in link.trace.skipped_bytes.items():
                skipped.add_metric([link.name, what], size)
            if link.trace.last_received is not None:
                received.add_metric([link.name], link.trace.last_received.timestamp())
        yield from (records, skipped, received)

    def _collect_heartbeats(self) -> Iterator[Metric]:
        round_trip = GaugeMetricFamily(
            "pmslink_heartbeat_rtt_seconds", "From the last link check to its answer", labels=["link"]
        )
        for link in self._links:
            if link.session.heartbeat.round_trip is not None:
                round_trip.add_metric([link.name], link.session.heartbeat.round_trip)
        yield round_trip

    def _collect_outboxes(self) -> Iterator[Metric]:
        rows = GaugeMetricFamily(
            "pmslink_outbox_rows", "What is for the PMS and not done, by state", labels=["link", "state"]
        )
        oldest = GaugeMetricFamily(
            "pmslink_outbox_oldest_seconds",
            "How long what waits for the PMS has waited at most; 0 when nothing does",
            labels=["link"],
        )
        now = self._wall()
        for link in self._links:
            tally = link.outbox.counts
            for state in ("pending", "unknown", "refused"):
                rows.add_metric([link.name, state], getattr(tally, state))
            waited = 0.0 if tally.oldest is None else (now - tally.oldest).total_seconds()
            oldest.add_metric([link.name], max(0.0, waited))
        yield from (rows, oldest)

    def _collect_webhooks(self) -> Iterator[Metric]:
        backlog = GaugeMetricFamily(
            "pmslink_webhook_backlog", "Events that a webhook is still to be told", labels=["link"]
        )
        up = GaugeMetricFamily("pmslink_webhook_up", "1 unless the last event was not taken", labels=["link"])
        for link in self._links:
            if link.webhook_status is not None:
                backlog.add_metric([link.name], link.webhook_status.backlog)
                up.add_metric([link.name], link.webhook_status.last_error is None)
        yield from (backlog, up)
