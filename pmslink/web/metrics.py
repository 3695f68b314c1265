"""Metrics for Prometheus: the state and the traffic of each link, without guest data.

They are in the text format 0.0.4. With 10 000 links that are some 17 MB, so they are rendered a part of the
links at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import get_args

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from pmslink.link.link_registry import LinkRegistry
from pmslink.link.machine import Marker
from pmslink.link.status import LinkStatus
from pmslink.store.core.journal import Journal

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
LINKS_PER_TURN = 100
"""Links whose samples are rendered in one turn of the reactor."""

Sample = tuple[str, str, float]
"""The name of a family, its labels in addition to `link`, and the value."""

_LINK_FAMILIES: dict[str, tuple[str, str]] = {
    "pmslink_link_state": ("gauge", "1 for the state a link is in"),
    "pmslink_link_up": ("gauge", "1 while a link is in sync"),
    "pmslink_link_attention": ("gauge", "How urgently a link needs an operator, 0 (well) to 4"),
    "pmslink_state_changes_total": ("counter", "Changes of state; the first has an empty from"),
    "pmslink_reconnects_total": ("counter", "Connection attempts"),
    "pmslink_records_total": ("counter", "Records to and from the PMS"),
    "pmslink_skipped_bytes_total": ("counter", "Bytes from the PMS outside of valid records"),
    "pmslink_last_receive_timestamp_seconds": ("gauge", "When the PMS last sent a record"),
    "pmslink_records_not_understood_total": ("counter", "Records from the PMS with a problem"),
    "pmslink_clock_offset_seconds": ("gauge", "By how much the clock of the PMS is ahead"),
    "pmslink_heartbeat_rtt_seconds": ("gauge", "From the last link check to its answer"),
    "pmslink_outbox_rows": ("gauge", "Rows of the outbox that are not done, by state"),
    "pmslink_outbox_oldest_seconds": ("gauge", "Age of the oldest pending row of the outbox; 0 without one"),
    "pmslink_stray_answers_total": ("counter", "Answers (PA) that belong to no posting of the link"),
    "pmslink_webhook_backlog": ("gauge", "Events that the webhook has not delivered yet"),
    "pmslink_webhook_up": ("gauge", "1 unless the last delivery failed"),
}
"""Type and help text of each family of samples that the links have."""


@define
class _Family:
    """The samples of one family, in parts of some 100 links."""

    parts: list[bytes] = field(factory=list)
    lines: list[str] = field(factory=list)

    def end_part(self) -> None:
        self.parts.append("".join(self.lines).encode())
        self.lines.clear()


class Metrics:
    """The metrics of one service."""

    def __init__(
        self,
        links: LinkRegistry,
        journal: Journal,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        subscriber_count: Callable[[], int],
    ) -> None:
        self._links = links
        self._journal = journal
        self._clock = clock
        self._wall_clock = wall_clock
        self._subscriber_count = subscriber_count

    async def render(self) -> AsyncIterator[bytes]:
        """Yield all metrics in parts. Between two parts the reactor runs."""
        families = {name: _Family() for name in _LINK_FAMILIES}
        for number, link in enumerate(list(self._links), 1):
            for name, labels, value in link_samples(link.status(), self._wall_clock()):
                separator = "," if labels else ""
                families[name].lines.append(f'{name}{{link="{link.name}"{separator}{labels}}} {value!r}\n')
            if number % LINKS_PER_TURN == 0:
                for family in families.values():
                    family.end_part()
                await deferLater(self._clock, 0)
        for name, family in families.items():
            family.end_part()
            yield _header(name, *_LINK_FAMILIES[name])
            for number, part in enumerate(family.parts):
                if number:
                    await deferLater(self._clock, 0)
                yield part
        yield self._render_service()

    def _render_service(self) -> bytes:
        is_store_ok, subscribers = not self._journal.is_failing, self._subscriber_count()
        return (
            _header("pmslink_store_ok", "gauge", "1 while the store can be written")
            + b"pmslink_store_ok %d\n" % is_store_ok
            + _header("pmslink_watchers", "gauge", "Connections to the stream")
            + b"pmslink_watchers %d\n" % subscribers
        )


def _header(name: str, kind: str, text: str) -> bytes:
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n".encode()


def link_samples(status: LinkStatus, now: datetime) -> Iterator[Sample]:
    """Yield the samples of a link."""
    for marker in get_args(Marker):
        yield "pmslink_link_state", f'state="{marker}"', float(status.marker == marker)
    yield "pmslink_link_up", "", float(status.is_up)
    yield "pmslink_link_attention", "", float(status.attention)
    dials = 0
    for (old, new), count in status.transition_counts.items():
        yield "pmslink_state_changes_total", f'from="{old or ""}",to="{new}"', float(count)
        dials += count if new == "WAIT_LS" else 0
    yield "pmslink_reconnects_total", "", float(dials)
    yield from _traffic_samples(status)
    yield from _outbox_samples(status, now)
    if status.webhook is not None:
        yield "pmslink_webhook_backlog", "", float(status.webhook.backlog)
        yield "pmslink_webhook_up", "", float(status.webhook.last_error is None)


def _traffic_samples(status: LinkStatus) -> Iterator[Sample]:
    for (direction, record_type), count in status.traffic.records.items():
        labels = f'direction="{direction}",type="{_escape(record_type)}"'
        yield "pmslink_records_total", labels, float(count)
    for kind, size in status.traffic.skipped_bytes.items():
        yield "pmslink_skipped_bytes_total", f'what="{kind}"', float(size)
    checks = status.link_checks
    if checks.last_received is not None:
        yield "pmslink_last_receive_timestamp_seconds", "", checks.last_received.timestamp()
    yield "pmslink_records_not_understood_total", "", float(status.not_understood.records)
    if status.clock_offset is not None:
        yield "pmslink_clock_offset_seconds", "", float(status.clock_offset)
    if checks.round_trip_s is not None:
        yield "pmslink_heartbeat_rtt_seconds", "", float(checks.round_trip_s)


def _outbox_samples(status: LinkStatus, now: datetime) -> Iterator[Sample]:
    outbox = status.outbox
    yield "pmslink_outbox_rows", 'state="pending"', float(outbox.pending)
    yield "pmslink_outbox_rows", 'state="unknown"', float(outbox.unknown)
    yield "pmslink_outbox_rows", 'state="refused"', float(outbox.refused)
    waited_s = 0.0 if outbox.oldest is None else (now - outbox.oldest).total_seconds()
    yield "pmslink_outbox_oldest_seconds", "", max(0.0, waited_s)
    yield "pmslink_stray_answers_total", "", float(outbox.stray_answers)


def _escape(value: str) -> str:
    """Return the value of a label as the text format has it."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
