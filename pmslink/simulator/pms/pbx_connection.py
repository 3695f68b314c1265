"""One connection of a PBX, on the side of the PMS: link start, link description, link checks, link end.

The stages are those of the protocol: `wait_ld` until the link description begins, `wait_lr` until it ends,
then `alive`. Data records are accepted and sent only while the connection is alive. `waits_for` says what is
missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any, Literal, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.fias.field_values import date_time_fields
from pmslink.fias.framing import FrameReceiver
from pmslink.fias.link_description import DECLARED_FIELDS, build_description
from pmslink.fias.record import Field, Record
from pmslink.simulator.pms import record_dialect
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.mirrored_description import MirroredDescription
from pmslink.simulator.pms.pbx_declaration import Declaration
from pmslink.simulator.pms.record_log import Direction
from pmslink.simulator.pms.segmented_wire import Segmentation, Wire

Stage = Literal["wait_ld", "wait_lr", "alive", "ending", "closed"]

CLOSE_TIMEOUT_S = 2.0
"""Time for the PBX to answer LE, and for a closing connection to end."""


class Property(Protocol):
    """The property that a connection belongs to."""

    clock: IReactorTime
    port: int
    faults: Faults
    last_declaration: Declaration | None

    @property
    def rng(self) -> Random:
        """The generator that shuffles fields."""

    @property
    def connected(self) -> bool:
        """Whether a PBX is connected."""

    def stamp_time(self) -> datetime:
        """Return the time of the PMS's clock, which may be wrong."""

    def on_connected(self, connection: PmsConnection) -> None:
        """Handle a new connection of a PBX."""

    def on_stage_changed(self) -> None:
        """Handle a change of what the connection waits for."""

    def on_closing(self, connection: PmsConnection) -> None:
        """Handle a connection that is closing and carries no more records."""

    def on_disconnected(self, connection: PmsConnection) -> None:
        """Handle the end of a connection."""

    def on_record(self, record: Record) -> None:
        """Handle a data record that was received while alive."""

    def send_queued(self) -> None:
        """Send the queued records."""

    def send_guests(self) -> None:
        """Send a GI for each guest, without a resync."""

    def trace_record(self, direction: Direction, text: str) -> None:
        """Add a record to the trace."""


_WAITS_FOR: dict[Stage, str | None] = {
    "wait_ld": "LD",
    "wait_lr": "LR or LA",
    "alive": None,
    "ending": "LE",
    "closed": "a connection of the PBX",
}
"""What the PMS waits for in each stage."""


class PmsConnection(FrameReceiver):
    """The PMS's side of one connection."""

    _log = Logger()

    def __init__(self, pms: Property) -> None:
        super().__init__("crlf" if pms.faults.framing == "crlf" else "stx-etx")
        self._pms = pms
        self.stage: Stage = "wait_ld"
        self.declaration = Declaration()
        self._ignores_declaration = False  # sends all records, declared or not
        self._ls_repeated = False  # LS was repeated once, for a PBX that sends no link description
        self._received_record_count = 0
        self._segment_consumed = False  # one_per_read: a record of this segment was handled
        self._muted = False  # drop_after: records are handled, but not answered
        self._ignored_in_stage = False  # it was logged that a record of this stage is ignored
        self._timer: IDelayedCall | None = None  # of the stage: sends LS or LA, or closes
        self._mirrored = MirroredDescription(pms.clock, self._send_description_record, pms.send_queued)

    # events of the connection

    def connectionMade(self) -> None:
        """Register with the property, and send LS."""
        transport: Any = self.transport
        self._wire = Wire(transport, self._pms.clock)
        if ITCPTransport.providedBy(self.transport):
            transport.setTcpNoDelay(True)
            # backpressure: stop reading while the PBX does not read, so the send buffer stays bounded
            transport.registerProducer(self, True)
        self._pms.on_connected(self)
        if self._pms.faults.oversize_early:
            self.send_text("ZZ|".ljust(self._pms.faults.oversize_early, "x"))
        if self._pms.faults.ls_la_at_once:
            self._send_link_record("LS")
            self._ignores_declaration = True
            self._send_link_record("LA")
            self._become_alive()
        elif not self._pms.faults.no_ls:
            self._send_link_record("LS")

    def dataReceived(self, data: bytes) -> None:
        """Receive one segment."""
        self._segment_consumed = False
        super().dataReceived(data)

    def frameReceived(self, frame: bytes) -> None:
        """Trace and handle one record, as far as the faults allow."""
        faults = self._pms.faults
        if self.stage == "closed" or (faults.one_per_read and self._segment_consumed):
            return
        self._segment_consumed = True
        record = Record(frame.decode(faults.charset, "replace"))
        self._pms.trace_record("in", record.text)
        if faults.frozen:
            return
        self._received_record_count += 1
        self._muted = 0 < faults.drop_after <= self._received_record_count
        self._handle_record(record)
        if self._muted:
            self.close()

    def nothingFramed(self) -> None:
        """Close a connection that sends data without frames."""
        self.close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop all timers, and report the end to the property."""
        self._cancel_timer()
        self._mirrored.stop()
        self._wire.stop()
        self.stage = "closed"
        self._pms.on_disconnected(self)

    # the state of the connection

    @property
    def is_alive(self) -> bool:
        """Whether data records can be sent."""
        return self.stage == "alive" and not self._mirrored.is_incomplete

    @property
    def waits_for(self) -> str | None:
        """What the PMS waits for until data records can be sent; None if it waits for nothing."""
        if self._mirrored.is_incomplete:
            return "the end of its own link description"
        if self.stage == "wait_ld" and self._mirrored.is_unanswered:
            return "LA, the answer to its own link description"
        if self.stage == "wait_lr" and self._pms.faults.la_unasked:
            return "the time at which it sends LA unasked"
        return _WAITS_FOR[self.stage]

    # operations of the property

    def start_link(self) -> None:
        """Send LS: the PBX has to send its link description again before any data."""
        self._enter_stage("wait_ld")
        self._ls_repeated = False
        self._send_link_record("LS")

    def end_link(self) -> None:
        """Send LE, and close when the PBX answers, or after CLOSE_TIMEOUT_S."""
        self._enter_stage("ending")
        self._send_link_record("LE")
        self._timer = self._pms.clock.callLater(CLOSE_TIMEOUT_S, self.close)

    def close(self) -> None:
        """Close the connection without LE; abort it after CLOSE_TIMEOUT_S if the PBX does not read."""
        if self.stage != "closed":
            self._mirrored.stop()
            self._pms.on_closing(self)
            self._enter_stage("closed")
            self._wire.close()
            self._timer = self._pms.clock.callLater(CLOSE_TIMEOUT_S, self._abort)

    def send_record(self, record: Record) -> None:
        """Send a data record with the fields that the PBX declared."""
        declared = None if self._ignores_declaration else self.declaration.records
        for text in record_dialect.encode_records(record, declared, self._pms.faults, self._pms.rng):
            self.send_text(text)

    def send_text(self, text: str) -> None:
        """Send a record's text unchanged, in a frame."""
        if self._can_send():
            self._pms.trace_record("out", text)
            self._write(record_dialect.encode_frame(text, self._pms.faults))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes without a frame."""
        if self._can_send():
            self._pms.trace_record("out", data.decode(self._pms.faults.charset, "replace"))
            self._write(data)

    def on_faults_changed(self) -> None:
        """Start or stop the timer of the fault `ls_every`."""
        if self.stage == "alive":
            self._schedule_next_ls()

    # link records

    def _handle_record(self, record: Record) -> None:
        faults = self._pms.faults
        match record.id:
            case _ if faults.mirror_strict and self._mirrored.is_unanswered and record.id != "LA":
                self._close_because(f"{record.id} arrived before the LA that answers its link description")
            case "LR" if faults.close_at_lr and record.get("RI") == faults.close_at_lr:
                self._close_because(f"it does not accept LR of {faults.close_at_lr}")
            case "LE":
                self._on_le()
            case _ if self.stage == "ending":
                pass
            case "LS":
                self._answer_ls()
            case "LD" | "LR" | "LA" if faults.ls_la_at_once:
                self._answer_la(record)
            case "LD":
                self._on_ld(record)
            case "LR" if self.stage == "wait_lr":
                self.declaration.add(record)
                self._schedule_unasked_la()
            case "LA" if self.stage == "wait_lr" and not faults.la_unasked:
                self._mirrored.on_la()
                self._confirm_declaration()
            case "LA" if faults.ld_mirror and self.stage == "wait_ld":
                self._on_mirrored_la()
            case _ if self.stage == "alive":
                self._on_alive_record(record)
            case _:
                self._ignore(record)

    def _ignore(self, record: Record) -> None:
        if not self._ignored_in_stage:
            self._ignored_in_stage = True
            self._log.info(
                "Port {port}: {record} of the PBX is ignored, because the PMS waits for {waits_for}",
                port=self._pms.port,
                record=record.id,
                waits_for=self.waits_for,
            )
        if self.stage == "wait_ld" and not self._ls_repeated and not self._mirrored.is_unanswered:
            self._ls_repeated = True
            self._send_link_record("LS")

    def _on_alive_record(self, record: Record) -> None:
        if record.id == "LA":
            self._mirrored.on_la()
        self._answer_la(record)
        self._pms.on_record(record)

    def _on_le(self) -> None:
        if self.stage != "ending":
            self._send_link_record("LE")
        self.close()

    def _answer_ls(self) -> None:
        pms = self._pms
        if pms.faults.ls_unanswered:
            return
        if pms.faults.ld_mirror:
            records = build_description(DECLARED_FIELDS, "mirror", pms.stamp_time())
            self._mirrored.start(tuple(records), pms.faults.mirror_pause)
            pms.on_stage_changed()
        elif self.stage == "alive" and not pms.faults.never_la:
            self._send_link_record("LA")
        elif self.stage == "wait_ld" and pms.faults.remember_declaration and pms.last_declaration is not None:
            self.declaration = pms.last_declaration
            self._send_link_record("LA")
            self._become_alive()
        else:
            self._send_link_record("LS")

    def _on_ld(self, record: Record) -> None:
        self._enter_stage("wait_lr")
        self._ignores_declaration = False
        self.declaration = Declaration.from_ld(record)
        self._schedule_unasked_la()

    def _on_mirrored_la(self) -> None:
        self._mirrored.on_la()
        if not self._mirrored.is_unanswered:
            # a PBX that mirrors may never send a link description
            self._ignores_declaration = not self.declaration.records
            self._become_alive()

    def _confirm_declaration(self) -> None:
        if configuration := self.declaration.configuration_fields():
            self._send_link_record("LC", configuration)
        if not self._pms.faults.never_la:
            self._send_link_record("LA")
        self._pms.last_declaration = self.declaration
        self._become_alive()

    def _answer_la(self, record: Record) -> None:
        if record.id == "LA" and self._pms.faults.la_for_la:
            self._send_link_record("LA")

    def _schedule_unasked_la(self) -> None:
        if self._pms.faults.la_unasked:
            self._cancel_timer()
            self._timer = self._pms.clock.callLater(self._pms.faults.la_unasked, self._send_unasked_la)

    def _send_unasked_la(self) -> None:
        self._timer = None
        self._send_link_record("LA")
        self._pms.last_declaration = self.declaration
        self._become_alive()
        self._pms.send_guests()

    def _close_because(self, reason: str) -> None:
        self._log.warn(
            "Port {port}: the PMS closes the connection, because {reason}", port=self._pms.port, reason=reason
        )
        self.close()

    # stages

    def _become_alive(self) -> None:
        self._enter_stage("alive")
        self._schedule_next_ls()
        self._pms.send_queued()

    def _enter_stage(self, stage: Stage) -> None:
        self._cancel_timer()
        self._ignored_in_stage = False
        self.stage = stage
        self._pms.on_stage_changed()

    def _schedule_next_ls(self) -> None:
        self._cancel_timer()
        if self._pms.faults.ls_every:
            self._timer = self._pms.clock.callLater(self._pms.faults.ls_every, self._repeat_ls)

    def _repeat_ls(self) -> None:
        self._timer = None
        self.start_link()

    def _abort(self) -> None:
        self._timer = None
        self._wire.abort()

    def _cancel_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    # bytes

    def _send_description_record(self, record: Record) -> None:
        self._send_link_record(record.id, record.fields)

    def _send_link_record(self, record_id: str, fields: Sequence[Field] | None = None) -> None:
        content = date_time_fields(self._pms.stamp_time()) if fields is None else fields
        self.send_text(record_dialect.encode_text(record_id, content, self._pms.faults, self._pms.rng))

    def _can_send(self) -> bool:
        return not (self._muted or self.stage == "closed" or self._pms.faults.frozen)

    def _write(self, data: bytes) -> None:
        faults = self._pms.faults
        segmentation: Segmentation = (
            "bytes" if faults.split_bytes else "joined" if faults.joined else "records"
        )
        self._wire.write(data, segmentation)
