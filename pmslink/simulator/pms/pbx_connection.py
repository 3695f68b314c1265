"""One connection of a PBX, seen from the PMS: link start, description, link checks, link end.

The stages are those of the protocol: `wait_ld` until the PBX begins to describe itself, `wait_lr`
until it has ended, then `alive`. Business records count, and are sent, only while alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from twisted.internet.interfaces import IAddress, IDelayedCall, ITCPTransport
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure

from pmslink.fias.field_values import date_time_fields
from pmslink.fias.framing import FrameReceiver
from pmslink.fias.link_description import DECLARED_FIELDS, build_description
from pmslink.fias.record import Field, Record
from pmslink.simulator.pms import record_dialect
from pmslink.simulator.pms.pbx_declaration import Declaration
from pmslink.simulator.pms.segmented_wire import Segmentation, Wire

if TYPE_CHECKING:
    from pmslink.simulator.pms.property import Pms

Stage = Literal["wait_ld", "wait_lr", "alive", "ending", "closed"]

CLOSE_TIMEOUT_S = 2.0
"""Seconds that the PBX has to answer LE, and a closed connection to go away."""


class PmsConnection(FrameReceiver):
    """The PMS's end of a connection."""

    def __init__(self, pms: Pms) -> None:
        super().__init__("crlf" if pms.faults.framing == "crlf" else "stx-etx")
        self._pms = pms
        self.stage: Stage = "wait_ld"
        self.declaration = Declaration()
        self._ignores_declaration = False  # tells everything, declared or not
        self._ls_repeated = False  # told once by LS that it should describe itself
        self._received_record_count = 0  # records on this connection
        self._segment_consumed = False  # a record of this segment was taken
        self._muted = False  # still takes records, answers no more
        self._timer: IDelayedCall | None = None  # of the stage: LS again, or the end

    # what happens to the connection

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self._wire = Wire(transport, self._pms.clock)
        if ITCPTransport.providedBy(self.transport):
            transport.setTcpNoDelay(True)
            # what the PBX does not read stops the reading from it, so nothing piles up here
            transport.registerProducer(self, True)
        self._pms.on_connected(self)
        if self._pms.faults.ls_la_at_once:
            self._send_link_record("LS")
            self._ignores_declaration = True
            self._send_link_record("LA")
            self._become_alive()
        elif not self._pms.faults.no_ls:
            self._send_link_record("LS")

    def dataReceived(self, data: bytes) -> None:
        self._segment_consumed = False
        super().dataReceived(data)

    def frameReceived(self, frame: bytes) -> None:
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
        self.close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._cancel_timer()
        self._wire.stop()
        self.stage = "closed"
        self._pms.on_disconnected(self)

    # what the property asks for

    def start_link(self) -> None:
        """Send LS: the PBX should describe itself again, before anything else."""
        self._enter_stage("wait_ld")
        self._ls_repeated = False
        self._send_link_record("LS")

    def end_link(self) -> None:
        """Send LE and close when it is answered, or after CLOSE_TIMEOUT_S."""
        self._enter_stage("ending")
        self._send_link_record("LE")
        self._timer = self._pms.clock.callLater(CLOSE_TIMEOUT_S, self.close)

    def close(self) -> None:
        """Close the connection, without LE; abort it after CLOSE_TIMEOUT_S if the PBX does not read."""
        if self.stage != "closed":
            self._enter_stage("closed")
            self._pms.on_closing(self)
            self._wire.close()
            self._timer = self._pms.clock.callLater(CLOSE_TIMEOUT_S, self._abort)

    def send_record(self, record: Record) -> None:
        """Send a data record as far as the PBX declared it."""
        declared = None if self._ignores_declaration else self.declaration.records
        for text in record_dialect.encode_records(record, declared, self._pms.faults, self._pms.rng):
            self.send_text(text)

    def send_text(self, text: str) -> None:
        """Send a record's text as it is."""
        if self._can_send():
            self._pms.trace_record("out", text)
            self._write(record_dialect.encode_frame(text, self._pms.faults))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes without a frame."""
        if self._can_send():
            self._pms.trace_record("out", data.decode(self._pms.faults.charset, "replace"))
            self._write(data)

    def on_faults_changed(self) -> None:
        """The timer of `ls_every` begins or ends with its fault."""
        if self.stage == "alive":
            self._schedule_next_ls()

    # the records of the link

    def _handle_record(self, record: Record) -> None:
        match record.id:
            case "LE":
                self._on_le()
            case _ if self.stage == "ending":
                pass
            case "LS":
                self._answer_ls()
            case "LD" | "LR" | "LA" if self._pms.faults.ls_la_at_once:
                self._answer_la(record)
            case "LD":
                self._on_ld(record)
            case "LR" if self.stage == "wait_lr":
                self.declaration.add(record)
            case "LA" if self.stage == "wait_lr":
                self._confirm_declaration()
            case "LA" if self._pms.faults.ld_mirror and self.stage == "wait_ld":
                self._ignores_declaration = not self.declaration.records  # it may never describe itself
                self._become_alive()
            case _ if self.stage == "alive":
                self._answer_la(record)
                self._pms.on_record(record)
            case _ if self.stage == "wait_ld" and not self._ls_repeated:
                self._ls_repeated = True
                self._send_link_record("LS")

    def _on_le(self) -> None:
        if self.stage != "ending":
            self._send_link_record("LE")
        self.close()

    def _answer_ls(self) -> None:
        pms = self._pms
        if pms.faults.ls_unanswered:
            return
        if pms.faults.ld_mirror:
            for record in build_description(DECLARED_FIELDS, "mirror", pms.now()):
                self._send_link_record(record.id, record.fields)
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

    # stages

    def _become_alive(self) -> None:
        self._enter_stage("alive")
        self._schedule_next_ls()
        self._pms.send_queued()

    def _enter_stage(self, stage: Stage) -> None:
        self._cancel_timer()
        self.stage = stage

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

    def _send_link_record(self, id: str, fields: list[Field] | tuple[Field, ...] | None = None) -> None:
        given = date_time_fields(self._pms.now()) if fields is None else fields
        self.send_text(record_dialect.encode_text(id, given, self._pms.faults, self._pms.rng))

    def _can_send(self) -> bool:
        return not (self._muted or self.stage == "closed" or self._pms.faults.frozen)

    def _write(self, data: bytes) -> None:
        faults = self._pms.faults
        cut: Segmentation = "bytes" if faults.split_bytes else "joined" if faults.joined else "records"
        self._wire.write(data, cut)


class PmsFactory(Factory):
    """Accepts a property's PBX; a newer connection displaces the older one."""

    noisy = False

    def __init__(self, pms: Pms) -> None:
        self.pms = pms

    def buildProtocol(self, addr: IAddress | None) -> PmsConnection | None:
        """A connection; None, which closes it at once, where a second one is refused."""
        if self.pms.faults.refuse_second and self.pms.connected:
            return None
        return PmsConnection(self.pms)
