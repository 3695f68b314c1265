"""The sender of one link: it traces, stores and writes every record for the PMS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pmslink.config.link_settings import LinkSettings
from pmslink.fias.field_values import date_time_fields
from pmslink.fias.record import Record, build_record
from pmslink.link.dialer import Dialer
from pmslink.link.exchange import Exchange
from pmslink.link.record_storage import RecordStorage
from pmslink.link.record_trace import Trace


class RecordSender:
    """Send records on the link's connection."""

    def __init__(
        self,
        settings: Callable[[], LinkSettings],
        trace: Trace,
        storage: RecordStorage,
        dialer: Dialer,
        wall_clock: Callable[[], datetime],
        exchange: Exchange,
    ) -> None:
        self.settings = settings
        self._trace = trace
        self._storage = storage
        self._dialer = dialer
        self._wall_clock = wall_clock
        self.exchange = exchange
        """What the PMS still has to answer. While it is open, only its own records may be sent."""
        self.on_sent: Callable[[Sequence[Record]], None] = lambda records: None
        """Called with records that are sent."""

    def send(self, records: Sequence[Record], gap: float = 0.0) -> None:
        """Send records back to back, or with this many seconds behind each."""
        for record in records:
            self._storage.store(self._trace.add("out", record.id, record))
        self.on_sent(records)
        self._dialer.send(records, gap)

    def send_bare_record(self, record_id: str) -> None:
        """Send a record that carries only date and time: LS, LA, LE or DR."""
        self.send([build_record(record_id, date_time_fields(self.hotel_time()))])

    def hotel_time(self) -> datetime:
        """Return the hotel's local time."""
        return self._wall_clock().astimezone(self.settings().zone)

    @property
    def is_throttled(self) -> bool:
        """Whether a record that is sent now would be queued for the record gap."""
        return self._dialer.is_throttled
