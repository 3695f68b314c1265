"""Every action that can happen to a link, its store and its PMS.

Each public method of `OutboxActions` is an action with plain arguments. The harness reports to the model
(`outbox_model`) what follows from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pmslink.errors import NotApplicableError
from pmslink.fias.field_values import date_time_fields
from pmslink.fias.record import Record
from pmslink.link import controls
from pmslink.simulator.pms.fault_switches import NO_FAULTS, Faults
from pmslink.simulator.pms.posting_answers import posting_answer
from pmslink.simulator.pms.property import NotLinkedError
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.operations.operator_actions import (
    InvalidRowStateError,
    OperatorAction,
    RowNotFoundError,
    discard,
    resend,
)
from pmslink.store.operations.outbox_enqueue import (
    Enqueued,
    IdempotencyKeyReusedError,
    NewRow,
    OutboxFullError,
    PostingNumbersExhaustedError,
)
from pmslink.timestamps import to_ms
from tests.link.outbox_checks import check_end
from tests.link.outbox_harness import OutboxHarness
from tests.link.outbox_row import ModelRow, row_identity
from tests.memory_network import NetworkMode, advance_clock, next_timer_due

DISK_FULL_ERROR = sqlite3.OperationalError("database or disk is full")


class OutboxActions(OutboxHarness):
    """A harness with all actions."""

    # The user's controls.

    def control(self, action: str) -> None:
        """Use a control of the link."""
        try:
            getattr(controls, action)(self.link)
        except NotApplicableError:
            assert action == "disconnect"

    def set_charset(self, charset: str) -> None:
        """Set the charset; one without € refuses postings that contain it."""
        self.charset = charset
        self.link.apply_config(self._link_config())

    # Rows for the PMS.

    def post(self, room: int, key: bool, euro: bool) -> None:
        """Enqueue a posting, with an idempotency key or without."""
        name = f"key{len(self.new_rows)}" if key else None
        text = f"PS|RN{self.room_names[room]}|PTC|TA100|CT{'5 €' if euro else 'minibar'}|"
        offer = self._make_new_row("PS", room, text, digits=self.rules.digits, key=name, asked=name)
        if key:
            self.keyed_new_rows.append(offer)
        self._enqueue(offer)

    def repeat_post(self, back: int, other: bool) -> None:
        """Enqueue a posting with a used key, with the same or another body."""
        if len(self.keyed_new_rows) <= back:
            return
        offer = self.keyed_new_rows[-1 - back]._replace(created=self._wall_ms())
        if not other:
            self._enqueue(offer)
        elif _new_row_identity(offer) in self.model.rows_by_identity:
            self._enqueue(offer._replace(asked="other"))

    def update_room(self, room: int, field: str, value: int) -> None:
        """Enqueue a room's status or voicemail."""
        text = f"RE|RN{self.room_names[room]}|{field}{value}|"
        self._enqueue(self._make_new_row("RE", room, text, subject=field))

    def add_wake_up(self, record: str, room: int, ahead: float) -> None:
        """Enqueue a wake-up, its cancellation, or its result."""
        due = self.wall() + timedelta(seconds=ahead)
        text = f"{record}|RN{self.room_names[room]}|DA{due:%y%m%d}|TI{due:%H%M%S}|"
        if record == "WA":
            self._enqueue(self._make_new_row(record, room, f"{text}ASOK|"))
        else:
            self._enqueue(self._make_new_row(record, room, text, until=to_ms(due)))

    def _make_new_row(self, record: str, room: int, text: str, **more: Any) -> NewRow:
        text = f"{text}ID{len(self.new_rows)}|"
        offer = NewRow("hotel", record, "test", self.room_names[room], "{}", text, self._wall_ms(), **more)
        self.new_rows.append(offer)
        return offer

    def _enqueue(self, new_row: NewRow) -> None:
        open_rows = self.model.open_row_count() + self.enqueuing_count
        open_postings = self.model.open_posting_count() + self.enqueuing_count
        self.enqueuing_count += 1

        def accepted(accepted: Enqueued) -> None:
            self.enqueuing_count -= 1
            row_model = self.model.rows_by_identity[_new_row_identity(new_row)]
            assert accepted.row.id == row_model.id
            assert new_row.asked != "other"

        def refused(failure: Failure) -> None:
            self.enqueuing_count -= 1
            error_type = failure.trap(
                IdempotencyKeyReusedError,
                OutboxFullError,
                PostingNumbersExhaustedError,
                StoreUnavailableError,
            )
            if error_type is IdempotencyKeyReusedError:
                assert new_row.asked == "other"
            elif error_type is OutboxFullError:
                assert open_rows >= self.rules.outbox_limit
            elif error_type is PostingNumbersExhaustedError:
                assert max(open_postings, self.model.open_posting_count()) >= self.model.max_number
            else:
                assert self.store.journal.is_failing

        self._collect_failure(self.link.outbox.enqueue(new_row).addCallbacks(accepted, refused))

    def operator_action(self, action: str, back: int) -> None:
        """Resend or discard a row: the newest but `back` of those that allow it."""
        actionable = [
            row_model for row_model in self.model.rows.values() if self._is_actionable(row_model, action)
        ]
        if len(actionable) > back:
            self._submit_operator_action(actionable[-1 - back], action)

    def _submit_operator_action(self, row_model: ModelRow, action: str) -> None:
        if action == "resend":
            row_model.resend_requested = True
        else:
            row_model.discard_requested = True
        request = OperatorAction("hotel", row_model.id, self.rules.digits)
        stored = self.store.journal.submit(resend if action == "resend" else discard, request)

        def refused(failure: Failure) -> None:
            failure.trap(
                RowNotFoundError, InvalidRowStateError, PostingNumbersExhaustedError, StoreUnavailableError
            )

        self._collect_failure(stored.addCallbacks(lambda _: self.link.outbox.send_next(), refused))

    def _is_actionable(self, row_model: ModelRow, action: str) -> bool:
        return row_model.state in ("unknown", "refused") or (
            action == "discard" and row_model.state == "pending"
        )

    def _collect_failure(self, done: Deferred[Any]) -> None:
        done.addErrback(self.failures.append)

    # Time.

    def run_one_timer(self) -> None:
        """Run the next timer, but not what it schedules."""
        due = next_timer_due(self.clock)
        if due is not None:
            self.clock.rightNow = max(due, self.clock.rightNow)
            call = min(self.clock.calls, key=lambda call: call.getTime())
            self.clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def run_to_next_timer(self) -> None:
        due = next_timer_due(self.clock)
        if due is not None:
            advance_clock(self.clock, max(0.0, due - self.clock.seconds()))

    def wait(self, seconds: float) -> None:
        advance_clock(self.clock, seconds)

    def idle_for_a_day(self) -> None:
        """Disconnect the link for a day."""
        self.set_disk_full(False)  # a day of attempts would take a day
        self.control("disconnect")
        advance_clock(self.clock, 24 * 3600 + 1)
        controls.enable(self.link)

    # Network, PMS and disk.

    def set_network(self, mode: NetworkMode, latency: float) -> None:
        self.network.mode = mode
        self.network.latency = latency

    def set_pms_faults(self, faults: Mapping[str, Any]) -> None:
        self.pms.set_faults(Faults.parse(faults))

    def trigger_pms(self, action: str) -> None:
        pms = self.pms
        actions: dict[str, Callable[[], None]] = {
            "LE": pms.end_link,
            "drop": pms.drop_link,
            "LS": pms.start_link,
            "DS to DE": pms.resync,
            "DS": lambda: pms.send_text("DS|"),
            "DE": lambda: pms.send_text("DE|"),
            "night audit": lambda: pms.set_night_audit(True),
            "end of night audit": lambda: pms.set_night_audit(False),
            "WR": lambda: pms.send_text(f"WR|RN{self.room_names[0]}|DA260102|TI070000|"),
        }
        try:
            actions[action]()
        except NotLinkedError:
            pass

    def send_late_answer(self, overdue: bool, back: int, status: str) -> None:
        """Have the PMS answer an earlier posting, perhaps for the second time."""
        row_model = self.model.rows_by_identity
        posted = [
            record
            for record in self.pms.posted_records
            if not overdue or row_model[row_identity(record)].state in ("unknown", "discarded", "pending")
        ]
        if len(posted) > back and self.pms.alive:
            answer = posting_answer(posted[-1 - back], status, NO_FAULTS, date_time_fields(self.wall()))
            self.pms.send_text(answer.text)

    def discard_before_answer(self) -> None:
        """Discard a posting without an answer, and then have the PMS answer it."""
        unanswered = [row_model for row_model in self.model.rows.values() if row_model.state == "unknown"]
        posted = {record.get("ID") for record in self.pms.posted_records}
        for row_model in [row_model for row_model in unanswered if row_model.identity in posted][-1:]:
            self._submit_operator_action(row_model, "discard")
            self.wait(0.0)
            self.send_late_answer(True, 0, "OK")

    def set_disk_full(self, full: bool) -> None:
        self.database.commit_error = DISK_FULL_ERROR if full else None

    # At the end.

    def recover(self) -> None:
        """Make everything work again, and check that no row stays pending."""
        self.set_disk_full(False)
        self.set_network("accept", 0.0)
        self.pms.set_faults(NO_FAULTS)
        self.set_charset("cp1252")
        controls.enable(self.link)
        for _ in range(60):
            advance_clock(self.clock, 5)
            if not self._has_waiting_rows():
                break
            if self.link.session.in_sync:
                self.trigger_pms("end of night audit")
                self.trigger_pms("DE")
        self.check()
        check_end(self.model, self.pms.equipment)

    def _has_waiting_rows(self) -> bool:
        rows = self.model.rows.values()
        return any(row_model.state in ("pending", "sent") or row_model.row.queued for row_model in rows)


def _new_row_identity(new_row: NewRow) -> str:
    return row_identity(Record(new_row.text))
