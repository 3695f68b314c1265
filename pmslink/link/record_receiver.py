"""The receiver of one link: it traces and stores every record from the PMS, and passes it to its handlers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pmslink.config.link_settings import LinkSettings
from pmslink.fias.catalog import RECORDS
from pmslink.fias.charset import decode
from pmslink.fias.record import Record
from pmslink.link.cause import Cause, record_cause
from pmslink.link.dialer import Dialer
from pmslink.link.link_diagnosis import LinkDiagnosis
from pmslink.link.link_session import Session
from pmslink.link.machine import Core, Events
from pmslink.link.outbox import Outbox
from pmslink.link.receive_backlog import ReceiveBacklog
from pmslink.link.record_storage import RecordStorage
from pmslink.link.record_trace import Trace
from pmslink.link.resync import Resync
from pmslink.store.core.journal_interface import JournalPort


class RecordReceiver:
    """Receive the records of one link, which has these parts."""

    def __init__(
        self,
        settings: Callable[[], LinkSettings],
        core: Core,
        machine: Events,
        session: Session,
        resync: Resync,
        outbox: Outbox,
        dialer: Dialer,
        diagnosis: LinkDiagnosis,
        trace: Trace,
        storage: RecordStorage,
        journal: JournalPort,
    ) -> None:
        self._settings = settings
        self._core = core
        self._machine = machine
        self._session = session
        self._resync = resync
        self._outbox = outbox
        self._dialer = dialer
        self._diagnosis = diagnosis
        self._trace = trace
        self._storage = storage
        self._journal = journal
        self._backlog = ReceiveBacklog(journal, dialer)
        self._link_record_events: dict[str, Callable[[Cause], None]] = {
            "LS": machine.ls,
            "LD": machine.ld,
            "LA": machine.la,
            "LE": machine.le,
        }

    def on_frame(self, frame: bytes) -> None:
        """Trace and store a record, and act on it. A type that FIAS does not know is ignored."""
        record = Record(decode(frame, self._settings().charset))
        record_id = record.id
        entry = self._trace.add("in", record_id, record)
        entry.problem = self._diagnosis.examine_record(record)
        self._storage.store(entry)
        self._backlog.on_record()
        if record_id not in RECORDS:
            return
        self._diagnosis.on_record(record, frame, entry)
        if self._diagnosis.echo.is_echo(record):
            self._machine.sync_overdue(Cause("never_confirmed", {"variant": "mirror"}))
            return
        if self._journal.is_congested:
            self._dialer.pause_reading("store")
            self._journal.when_drained(partial(self._dialer.resume_reading, "store"))
        if record_id in self._link_record_events:
            self._trace.session_number += record_id == "LS"
            cause = cause_or_user_disconnect(record_cause(record_id), self._core)
            self._link_record_events[record_id](cause)
        else:
            self._on_data_record(record_id, record)

    def _on_data_record(self, record_id: str, record: Record) -> None:
        # Data records change the state only in WAIT_LS. In the other states the table says that they change
        # nothing, so the thousands of records of a resync skip the machine.
        if self._core.marker == "WAIT_LS":
            self._machine.record(record_cause(record_id))
        elif self._core.marker == "ESTABLISHED":
            self._session.on_data_record()
        self._resync.on_data_record(record_id, record)
        self._outbox.on_data_record(record)


def cause_or_user_disconnect(cause: Cause, core: Core) -> Cause:
    """Return the user's control as the cause while the link ends at the user's request."""
    return core.intent_cause or core.cause if core.marker == "WAIT_LE" else cause
