"""A model of the outbox: the rows, and what was sent, received and published of them, as plain values.

The harness reports each event in order, and the model raises AssertionError at once if a rule is broken.
Rows carry an id of their own (ID) that the simulated PMS echoes. So the model knows which row an answer is
for, where the link has only P#.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pmslink.fias.record import Record
from pmslink.link.state_history import Transition
from pmslink.simulator.pms.fault_switches import STRAY_NUMBER
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import RecordLogged
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged
from tests.link.outbox_row import OPEN_STATES, RETRY_STATUSES, ModelRow, ReceivedAnswer, row_identity

DAY_S = 24 * 3600.0
NIGHT_AUDIT_PAUSE_S = 900.0
MAX_RESYNC_PAUSE_S = 600.0
MOVE_WINDOW_S = 2.0
FIRST_UNANSWERED_HOLD_S = 30.0
MAX_UNANSWERED_HOLD_S = 900.0
QUIET_AFTER_SYNC_S = 2.0
MAX_HOLD_AFTER_SYNC_S = 10.0
ROUNDING_S = 0.001
CONNECTED_MARKERS = ("ESTABLISHED", "WAIT_LE")
"""Markers in which a connection carries records."""
CHARSET_ERROR_TEXT = "does not exist in the link's charset"
SENT_RECORDS = ("PS", "RE", "WR", "WC", "WA")


class OutboxModel:
    """The model. `received_counts` has how often the PMS has received the row of each identity."""

    def __init__(
        self,
        now: Callable[[], float],
        wall_ms: Callable[[], int],
        received_counts: Counter[str],
        unanswered: str,
        answer_timeout: float,
        digits: int,
    ) -> None:
        self.now = now
        self.wall_ms = wall_ms
        self.received_counts = received_counts
        self.unanswered = unanswered
        self.answer_timeout = answer_timeout
        self.max_number = 10**digits - 1
        self.rows: dict[int, ModelRow] = {}
        self.rows_by_identity: dict[str, ModelRow] = {}
        self.state_changes: Counter[tuple[str, str]] = Counter()
        self.last_seq = 0
        self.answers_by_number: dict[int, list[ReceivedAnswer]] = {}
        self.answers_by_room: dict[str, list[ReceivedAnswer]] = {}
        """Answers without a number."""
        self.unstored_answers: deque[ReceivedAnswer] = deque()
        self.wake_up_mention_times: dict[str, float] = {}
        """When the PMS last sent a wake-up record of each room."""
        self.outage_count = 0
        self.sent_count = 0
        self.requested_position = 0
        """How many records were sent before the last record that the PMS answers by a link record."""
        self.proved_position = 0
        """How many records the PMS has read, as far as its answers say."""
        self.position_at_ls = 0
        """The same according to LS. It may have crossed our LS, and counts as its answer nevertheless."""
        self.outstanding_posting: ModelRow | None = None
        self.claimed_row: ModelRow | None = None
        self.last_first_sent = {True: (0, -float("inf")), False: (0, -float("inf"))}
        """Id and time of the last row that was sent for the first time: of postings, and of others."""
        self.outage_at = 0.0
        """The last end of a connection, or start of the PMS."""
        self.was_in_sync = False
        self.in_sync_at = 0.0
        self.newest_id_at_sync = 0
        """The id of the newest row that was accepted before the link was in sync."""
        self.sync_hold_until = 0.0
        self.answered_at = -float("inf")
        """When the PMS last sent a PA."""
        self.next_pause_s = FIRST_UNANSWERED_HOLD_S
        self.no_posting_before = -float("inf")
        """The end of the pause after the last posting that became unknown without an outage."""
        self.guest_mentioned_at = -float("inf")
        self.resync_seen_at: float | None = None
        """The last record of a resync that has not ended."""
        self.night_audit_until = 0.0
        self.in_sync: Callable[[], bool] = lambda: False
        self.errors: list[AssertionError] = []

    @contextmanager
    def collecting_errors(self) -> Iterator[None]:
        """Collect the errors of the model, so that its caller goes on."""
        try:
            yield
        except AssertionError as objection:
            self.errors.append(objection)

    # Records from the PMS.

    def on_received(self, record: Record) -> None:
        now = self.now()
        match record.id:
            case "LA" | "LS" | "LD":
                self.proved_position = max(self.proved_position, self.requested_position)
                if record.id == "LS":
                    self.position_at_ls = self.requested_position
            case "DS":
                self.resync_seen_at = now
            case "DE":
                self.resync_seen_at = None
            case "NS":
                self.night_audit_until = now + NIGHT_AUDIT_PAUSE_S
            case "NE":
                self.night_audit_until = 0.0
            case "WR" | "WC":
                self.wake_up_mention_times[record.get("RN") or ""] = now
            case "GI" | "GO" | "GC":
                self.guest_mentioned_at = now
                if now < self.sync_hold_until:
                    latest = self.in_sync_at + MAX_HOLD_AFTER_SYNC_S
                    self.sync_hold_until = min(now + QUIET_AFTER_SYNC_S, latest)
            case "PA":
                self._on_answer(record)
        if self.resync_seen_at is not None and "|SF" in record.text:
            self.resync_seen_at = now

    def _on_answer(self, record: Record) -> None:
        answer = ReceivedAnswer(record.get("AS") or "", self.now())
        if record.get("P#") == STRAY_NUMBER:
            self.unstored_answers.append(answer)
            return
        self.answered_at = self.now()
        self.no_posting_before = -float("inf")
        self.next_pause_s = FIRST_UNANSWERED_HOLD_S
        self.unstored_answers.append(answer)
        answered_row = self.rows_by_identity[row_identity(record)]
        if answered_row.positions:
            self.proved_position = max(self.proved_position, answered_row.positions.pop(0))
        number = record.get("P#")
        if number is None:
            self.answers_by_room.setdefault(record.get("RN") or "", []).append(answer)
            return
        self.answers_by_number.setdefault(int(number), []).append(answer)
        if answered_row.row.number == int(number):  # else a user has had it sent again under another number
            answered_row.answers.append(answer)
        posting = self.outstanding_posting
        if posting is not None and posting.row.number == int(number):
            self.outstanding_posting = None
        is_of_this_connection = (
            answered_row.row.number == int(number)
            and answered_row.state in ("sent", "unknown")
            and answered_row.outages_when_sent == self.outage_count
        )
        if answer.status == "NA" and is_of_this_connection:
            self.night_audit_until = self.now() + NIGHT_AUDIT_PAUSE_S

    def on_change(self, transition: Transition | None, in_sync: bool) -> None:
        """The link has changed its marker (unless `transition` is None), in-sync, or something else."""
        if transition is not None and transition.new not in CONNECTED_MARKERS:
            self.resync_seen_at = None
            self.on_outage()
        if in_sync and not self.was_in_sync:
            self.in_sync_at, self.newest_id_at_sync = self.now(), max(self.rows, default=0)
            self.sync_hold_until = self.in_sync_at + QUIET_AFTER_SYNC_S
            self.no_posting_before = -float("inf")
        elif self.was_in_sync and not in_sync:
            self.on_outage()
        self.was_in_sync = in_sync

    def on_outage(self) -> None:
        self.outage_count += 1
        self.outage_at = self.now()
        self.no_posting_before = -float("inf")
        self.outstanding_posting = None

    # Records for the PMS.

    def on_sent(self, record: Record) -> None:
        if record.id in ("LS", "LA"):  # the last record of a description is LA
            self.requested_position = self.sent_count
        if record.id not in SENT_RECORDS:
            return
        self.sent_count += 1
        row_model = self.claimed_row
        assert row_model is not None
        assert row_model.state == "sent", f"{row_model.state} and sent"
        number = row_model.row.number
        assert record.text == row_model.row.text + ("" if number is None else f"P#{number}|")
        self._check_send_time()
        self._check_send_order(row_model)
        if row_model.record == "PS":
            self._check_posting_time(row_model)
            self._check_no_other_outstanding()
        if row_model.sent_times and (
            row_model.resent_by_operator_at is None
            or row_model.sent_times[-1] > row_model.resent_by_operator_at
        ):
            self._check_resend(row_model)
        assert not row_model.is_booked, "sent again although it is booked"
        row_model.sent_times.append(self.now())
        row_model.positions.append(self.sent_count)
        row_model.timed_out = False
        row_model.outages_when_sent = self.outage_count
        if row_model.record == "PS":
            self.outstanding_posting = row_model

    def _check_send_time(self) -> None:
        now = self.now()
        assert self.in_sync()
        assert self.resync_seen_at is None or now - self.resync_seen_at >= MAX_RESYNC_PAUSE_S, (
            "sent during a resync"
        )

    def _check_posting_time(self, row_model: ModelRow) -> None:
        now = self.now() + ROUNDING_S
        assert now >= self.night_audit_until, "sent during the night audit"
        assert now >= self.no_posting_before, "sent soon after a posting without an answer"
        if row_model.row.id <= self.newest_id_at_sync:
            assert now >= self.sync_hold_until, "sent before the PMS has said which guests have moved"

    def _check_no_other_outstanding(self) -> None:
        posting = self.outstanding_posting
        assert posting is None or self.now() >= posting.sent_times[-1] + self.answer_timeout

    def _check_send_order(self, row_model: ModelRow) -> None:
        """Check the order: postings, and other rows but wake-up results, which go first.

        Rows of a room that a guest leaves wait, and postings that were accepted before the link was in sync.
        """
        is_first = not row_model.sent_times and row_model.resent_by_operator_at is None
        if not is_first or row_model.record == "WA":
            return
        is_posting = row_model.record == "PS"
        last_id, sent_at = self.last_first_sent[is_posting]
        waited = is_posting and row_model.created_at <= self.outage_at
        assert row_model.id > last_id or waited or sent_at <= self.guest_mentioned_at + MOVE_WINDOW_S
        self.last_first_sent[is_posting] = max(self.last_first_sent[is_posting], (row_model.id, self.now()))

    def _check_resend(self, row_model: ModelRow) -> None:
        last = row_model.sent_times[-1]
        outage = self.outage_count > row_model.outages_when_sent
        if row_model.record == "PS":
            put_back = any(
                answer.status in RETRY_STATUSES and answer.received_at >= last
                for answer in self.possible_answers(row_model)
            )
            assert put_back or self.unanswered == "resend", "held, and sent again"
            assert put_back or (outage and not row_model.timed_out), "sent again, though the PMS may be slow"
            return
        assert outage
        assert row_model.record != "WA", "a wake-up result is not sent twice"
        if row_model.record == "RE":
            assert not any(self._is_newer(other, row_model) for other in self.rows.values())
        else:
            assert (row_model.row.until or 0) >= self.wall_ms()
            spoken = self.wake_up_mention_times.get(row_model.row.room, 0.0)
            assert spoken <= last or spoken == self.now()

    def _is_newer(self, other: ModelRow, row_model: ModelRow) -> bool:
        return (
            (other.row.room, other.row.subject) == (row_model.row.room, row_model.row.subject)
            and other.id > row_model.id
            and other.created_at < self.now()
            and other.state != "discarded"
        )

    # Entries that the store publishes.

    def on_commit(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            with self.collecting_errors():
                self._on_entry(entry)

    def _on_entry(self, entry: Entry) -> None:
        if entry.publish_when_failing:
            return  # a run on a full disk stores no number, so the next run may use it again
        assert entry.seq > self.last_seq
        self.last_seq = entry.seq
        if isinstance(entry, OutboxRowChanged):
            self._on_row_changed(entry.row)
        elif isinstance(entry, RecordLogged) and (entry.direction, entry.type) == ("in", "PA"):
            self.unstored_answers.popleft()

    def _on_row_changed(self, row: OutboxRow) -> None:
        row_model = self.rows.get(row.id)
        if row_model is None:
            assert row.state == "pending"
            self._add_row(row)
            return
        before, row_model.row = row_model.row, row
        self.state_changes[before.state, row.state] += 1
        if row_model is self.outstanding_posting and row.state != "sent":
            self.outstanding_posting = None
        if row.state == "sent":
            self.claimed_row = row_model
        elif row.state == "unknown" and row.record == "PS":
            self._check_unknown(row_model)
        elif row.state == "pending":
            self._check_requeued(before, row_model)
        self._check_final_state(row_model)

    def _add_row(self, row: OutboxRow) -> None:
        identity = row_identity(Record(row.text))
        assert identity not in self.rows_by_identity, "accepted twice"
        assert row.id > max(self.rows, default=0)
        self.rows[row.id] = self.rows_by_identity[identity] = ModelRow(row.id, identity, row, self.now())
        self.state_changes["", "pending"] += 1

    def _check_unknown(self, row_model: ModelRow) -> None:
        """Check a posting that became unknown: there was an outage, or no answer in time."""
        if not row_model.sent_times:
            return  # a crash came between counting and sending
        overdue = row_model.sent_times[-1] + self.answer_timeout
        is_outage = self.outage_count > row_model.outages_when_sent
        assert is_outage or self.now() >= overdue
        row_model.timed_out = not is_outage
        if not is_outage and self.answered_at < overdue:
            self.no_posting_before = overdue + self.next_pause_s
            self.next_pause_s = min(2 * self.next_pause_s, MAX_UNANSWERED_HOLD_S)

    def _check_requeued(self, before: OutboxRow, row_model: ModelRow) -> None:
        if before.attempts > row_model.row.attempts:
            return  # it was claimed, and not sent
        if row_model.resend_requested and row_model.row.answer is None:
            row_model.resend_requested, row_model.resent_by_operator_at = False, self.now()
            return
        assert any(answer.status in RETRY_STATUSES for answer in self.possible_answers(row_model))

    def _check_final_state(self, row_model: ModelRow) -> None:
        row, answers = row_model.row, self.possible_answers(row_model)
        if row.state == "discarded":
            superseded = row.record in ("RE", "WR", "WC") and bool(row.text_answer)
            assert row_model.discard_requested or superseded
        elif row.state == "refused" and CHARSET_ERROR_TEXT not in (row.text_answer or ""):
            final = any(answer.status not in ("OK", *RETRY_STATUSES) for answer in answers)
            worn_out = answers and answers[-1].received_at - row_model.sent_times[0] >= DAY_S
            assert final or worn_out
        elif row.state == "done" and row.record == "PS":
            assert any(answer.status == "OK" for answer in answers), "done without an OK"
        elif row.state == "done":
            assert self.is_received(row_model), "done, but not received by the PMS"
            assert row_model.positions[-1] <= self.proved_position, "done without a proof"

    def is_received(self, row_model: ModelRow) -> bool:
        """Whether the PMS has received a row, or has let the link believe so by an LS."""
        return bool(self.received_counts[row_model.identity]) or (
            row_model.record != "PS" and row_model.positions[-1] <= self.position_at_ls
        )

    def possible_answers(self, row_model: ModelRow) -> list[ReceivedAnswer]:
        """The answers that may be taken for this row's; with many digits all that carry a number are."""
        if not row_model.sent_times:
            return []
        numbered = self.answers_by_number.get(row_model.row.number or 0, [])
        nameless = self.answers_by_room.get(row_model.row.room, [])
        return [answer for answer in (*numbered, *nameless) if answer.received_at >= row_model.sent_times[0]]

    # The service.

    def on_restart(self, rows: Sequence[OutboxRow]) -> None:
        """Go on with the stored rows after a restart. The last commits may not have been published."""
        for row in rows:
            if row.id not in self.rows:
                # a row that could be sent at once was accepted and claimed in the same commit
                assert row.state in ("pending", "sent")
                self._add_row(row)
            row_model = self.rows[row.id]
            if row.changed > row_model.row.changed:
                before, row_model.row = row_model.row, row
                if row.state == "pending":
                    self._check_requeued(before, row_model)
                self._check_final_state(row_model)
        while self.unstored_answers:
            self.unstored_answers.popleft().is_surely_stored = False
        self.resync_seen_at = None
        self.night_audit_until = 0.0
        self.next_pause_s = FIRST_UNANSWERED_HOLD_S
        self.was_in_sync = False
        self.on_outage()

    def open_row_count(self) -> int:
        return sum(row_model.state in OPEN_STATES for row_model in self.rows.values())

    def open_posting_count(self) -> int:
        return sum(
            row_model.state in OPEN_STATES and row_model.record == "PS" for row_model in self.rows.values()
        )
