"""The outbox of one link: it sends the stored rows to the PMS and records their outcome.

The rows are in the store. The outbox holds only those in flight. A row is claimed (stored as sent), then
written to the connection. Postings (PS) are sent one at a time: each waits for its answer (PA). Records
without an answer are sent one after the other. They are done when the PMS answers a record that was sent
later. When the connection ends, all rows in flight become `unknown`.

Results of wake-ups (WA) pass everything that waits. Holds (`posting_holds`) concern postings only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.errors import FieldError
from pmslink.fias.charset import encode
from pmslink.fias.record import Record
from pmslink.hotel.pending_updates import POSTING_RECORD
from pmslink.hotel.postings import with_posting_number
from pmslink.link.countdown import Countdown
from pmslink.link.outbox_claims import RowClaims
from pmslink.link.outbox_counts import OutboxCounts
from pmslink.link.outbox_hold import Hold
from pmslink.link.outbox_outcomes import OutboxOutcomes
from pmslink.link.posting_holds import PostingHolds
from pmslink.link.record_sender import RecordSender
from pmslink.link.resync import Resync
from pmslink.link.status import OutboxStatus
from pmslink.link.unanswered_postings import Answer, SentPosting, UnansweredPostings
from pmslink.link.unconfirmed_records import UnconfirmedRecords
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.operations.outbox_answers import PostingAnswer
from pmslink.store.operations.outbox_delivery import ClaimNext, NotBefore
from pmslink.store.operations.outbox_enqueue import Enqueued, NewRow, enqueue
from pmslink.store.tables.outbox_queue import Lane
from pmslink.store.tables.outbox_rows import OutboxRow
from pmslink.timestamps import to_ms

MIN_GAP_POLL_S = 0.1
"""Shortest time in seconds between two checks whether a record gap is over."""
MAX_UNCONFIRMED_RECORDS = 100
"""Records without an answer that may be unconfirmed before sending pauses."""


class Outbox:
    """Send the rows of one link.

    `request_link_check` sends a link check, unless one is unanswered. `min_check_interval` is the shortest
    time in seconds between two that are requested. `on_hold_changed` is called when a hold begins or ends.
    """

    log = Logger()

    def __init__(
        self,
        name: str,
        sender: RecordSender,
        resync: Resync,
        journal: JournalPort,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        request_link_check: Callable[[], None],
        min_check_interval: Callable[[], float],
        on_hold_changed: Callable[[], None],
    ) -> None:
        self._name = name
        self._sender = sender
        self._settings = sender.settings
        self._resync = resync
        resync.on_ended.append(self._on_resync_ended)
        self._is_resync_reported = False
        self._on_hold_changed = on_hold_changed
        self._journal = journal
        self._clock = clock
        self._wall_clock = wall_clock
        self.counts = OutboxCounts()
        self._enqueuing = 0
        self._in_sync = False
        self._may_have_records = True  # rows other than postings may be due
        self.stray_answers = 0
        """Answers (PA) that belong to no posting of this link."""
        self._outcomes = OutboxOutcomes(name, journal, self._settings, self._now_ms)
        self._claims = RowClaims(journal, self._on_claimed, self._on_none_due, self.send_next)
        self._postings = UnansweredPostings(clock, self._on_unanswered)
        self._unconfirmed = UnconfirmedRecords(
            clock,
            self._settings,
            self._on_confirmed,
            self._needs_link_check,
            request_link_check,
            min_check_interval,
        )
        self._gap_timer = Countdown(clock, self.send_next)
        self._holds = PostingHolds(clock, wall_clock, self._on_holds_changed)
        self._retry_timer = Countdown(clock, self._on_retry_due)
        self._has_logged_stray_answer = False  # on this connection

    # For the API and the scheduler.

    def enqueue(self, new_row: NewRow) -> Deferred[Enqueued]:
        """Store a row for the PMS. The Deferred fires once the row is committed.

        It fails with OutboxFullError, StoreUnavailableError, IdempotencyKeyReusedError or
        PostingNumbersExhaustedError.
        """
        full = self.counts.not_final + self._enqueuing >= self._settings().outbox_limit
        self._enqueuing += 1
        stored = self._journal.submit(enqueue, new_row._replace(outbox_full=full))
        if not self._journal.is_failing:
            self.send_next()  # a row that can be sent at once is claimed in the commit that stores it
        return stored.addBoth(self._on_enqueued)

    def _on_enqueued(self, outcome: Enqueued | Failure) -> Enqueued | Failure:
        self._enqueuing -= 1
        self.send_next()
        return outcome

    def on_row_pending(self, row: OutboxRow) -> None:
        """Send a row that is pending since the last commit."""
        self._may_have_records |= row.record != POSTING_RECORD
        self.send_next()

    def on_resent(self, row: OutboxRow) -> None:
        """Send the row at once that a person has requested to send again."""
        if row.record == POSTING_RECORD:
            self._holds.on_resent()
        self.send_next()

    def status(self) -> OutboxStatus:
        """Take a snapshot of the counts."""
        return evolve(self.counts.status(), stray_answers=self.stray_answers)

    def hold(self) -> Hold | None:
        """Return what holds rows back at present; None if nothing does.

        A resync holds all rows back, every other hold only postings. Those of guests who were checked in by
        hand are held while nothing else is.
        """
        started = self._resync.progress.started
        if self._resync.running and started is not None:
            return Hold("resync", started, None, self.counts.queued)
        since = self.counts.awaiting_guest_since
        local = None if since is None else Hold("local", since, None, self.counts.awaiting_guest)
        return self._holds.describe(self.counts.queued_postings) or local

    # For the link and its session.

    def start(self) -> None:
        """Mark the rows as unknown that were in flight when the service ended last time."""
        self._outcomes.mark_unknown(None, self._resends_postings)

    def on_in_sync(self) -> None:
        """Send: the link is in sync."""
        self._in_sync = True
        self._may_have_records = True
        self.send_next()

    def hold_for_sync(self) -> None:
        """Hold the postings back that were accepted before now: the link is about to be in sync."""
        self._holds.on_in_sync(self._journal.next_seq())

    def on_out_of_sync(self) -> None:
        """Send nothing more. Rows in flight may still be answered."""
        self._in_sync = False
        self._holds.on_out_of_sync()

    def abort_in_flight(self) -> None:
        """Mark the rows in flight as unknown: the connection has ended."""
        self._has_logged_stray_answer = False
        self._abort(self._postings.clear())

    def on_pms_restarted(self) -> None:
        """Mark the rows in flight as unknown: the PMS starts again on the same connection.

        It may answer earlier postings nevertheless: such an answer is not taken for that of a later one.
        """
        self._abort(self._postings.stop_waiting())

    def _abort(self, posting: SentPosting | None) -> None:
        self._in_sync = False
        self._holds.on_out_of_sync()
        self._is_resync_reported = False
        ids = self._unconfirmed.clear()
        if posting is not None:
            ids += (posting.row.id,)
        self._gap_timer.stop()
        if ids:
            self._outcomes.mark_unknown(ids, self._resends_postings)

    def stop(self) -> None:
        """Stop for good: the link is removed or the service stops."""
        self.abort_in_flight()
        self._holds.stop()
        self._retry_timer.stop()

    def when_idle(self, callback: Callable[[], None]) -> bool:
        """Return whether a posting waits for its answer. If so, call `callback` once it no longer does."""
        return self._postings.when_idle(callback)

    def on_le_sent(self) -> None:
        """Drop the callback of `when_idle`: LE is sent without waiting any longer."""
        self._postings.drop_idle_callback()

    def on_confirmation_requested(self) -> None:
        """Remember an LS or a description that was sent: its LA confirms the rows sent before it."""
        self._unconfirmed.on_request_sent()

    def on_la(self) -> None:
        """Confirm rows: LA answers the oldest unanswered LS or description."""
        self._unconfirmed.on_la()

    def on_data_record(self, record: Record) -> None:
        """Handle PA (the answer to a posting), and the records that begin or prolong a hold."""
        if record.id == "PA":
            self._on_answer(record)
        elif record.id == "DS":
            self._on_resync_started()
        else:
            self._holds.on_data_record(record)

    # Sending.

    def send_next(self) -> None:
        """Claim and send the next row, if one may be sent now."""
        lane = self._lane()
        if lane is None or (lane != "all" and not self._may_have_records):
            return
        if self._claims.is_running:
            self._claims.repeat()
            return
        if self._sender.is_throttled:  # a queued record could be sent during a resync
            self._gap_timer.start(max(MIN_GAP_POLL_S, self._settings().record_gap))
            return
        settings = self._settings()
        claim = ClaimNext(
            self._name,
            self._now_ms(),
            lane=lane,
            resend=self._resends_postings,
            send_limit=settings.send_limit,
            late_charge=settings.late_charge,
            sync_hold=self._holds.hold_older_than_seq,
        )
        self._claims.start(claim)

    @property
    def _resends_postings(self) -> bool:
        return self._settings().unanswered == "resend"

    def _lane(self) -> Lane | None:
        """Return which rows may be sent now; None if none may."""
        is_blocked = self._resync.running or self._gap_timer.running or self._sender.exchange.is_open
        if not self._in_sync or is_blocked:
            return None
        if len(self._unconfirmed) >= MAX_UNCONFIRMED_RECORDS:
            return "wake_up_results"
        return "no_postings" if self._postings.in_flight is not None or self._holds.hold_all else "all"

    def _may_send(self, row: OutboxRow, claim: ClaimNext) -> bool:
        match self._lane():
            case "all":  # unless postings are held that were not when the row was claimed
                older_than_seq = self._holds.hold_older_than_seq
                return row.record != POSTING_RECORD or older_than_seq in (None, claim.sync_hold)
            case "no_postings":
                return row.record != POSTING_RECORD
            case "wake_up_results":
                return row.record == "WA"
        return False

    def _on_claimed(self, row: OutboxRow, claim: ClaimNext) -> None:
        if self._may_send(row, claim):
            self._send(row)
        else:  # sending has been blocked since the claim
            self._outcomes.release(row)
            self._may_have_records |= row.record != POSTING_RECORD
            self.send_next()

    def _on_none_due(self, claim: ClaimNext, next_due: NotBefore | None) -> None:
        if claim.lane != "wake_up_results":
            self._may_have_records = False
        if claim.lane == "all" and self._holds.end_expired():
            self._on_hold_changed()
        if next_due is not None:
            self._retry_timer.start(max(0, next_due.at - self._now_ms()) / 1000)
        self._unconfirmed.schedule()

    def _send(self, row: OutboxRow) -> None:
        record = Record(row.text)
        if row.number is not None:
            record = with_posting_number(record, row.number)
        settings = self._settings()
        try:
            encode(record, settings.charset)
        except FieldError as problem:  # the charset was changed since the row was accepted
            self._outcomes.refuse(row, str(problem))
            self.send_next()
            return
        if row.record == POSTING_RECORD:
            self._postings.add(SentPosting(row, self._unconfirmed.position), settings.answer_timeout)
        else:
            self._unconfirmed.add(row.id)
        self._sender.send([record])
        self.send_next()
        self._unconfirmed.schedule()

    def _now_ms(self) -> int:
        """Return the hotel time in milliseconds."""
        return to_ms(self._wall_clock())

    # Answers.

    def _on_answer(self, record: Record) -> None:
        answer = Answer.parse(record)
        if answer.number is not None:
            self._claims.on_answer(answer.number)
        posting = self._postings.find(answer)
        if posting is None and answer.number is None:
            self._count_stray_answer()
            return
        stored = PostingAnswer(
            self._name,
            self._now_ms(),
            answer.status,
            answer.text,
            number=answer.number,
            row_id=None if posting is None else posting.row.id,
        )
        self._outcomes.store_answer(stored, lambda row: self._on_answer_stored(row, stored))
        if posting is not None:
            self._postings.settle(posting.row.id)
            self._holds.on_answer(answer.status)
            self._unconfirmed.confirm(posting.confirmed_position)
            self.send_next()

    def _on_answer_stored(self, row: OutboxRow | None, answer: PostingAnswer) -> None:
        if row is None:
            self._count_stray_answer()
        elif answer.row_id is None:  # the late answer to a posting of an earlier connection
            self._holds.on_answer(answer.status)
            self.send_next()

    def _count_stray_answer(self) -> None:
        self.stray_answers += 1
        if not self._has_logged_stray_answer:
            self._has_logged_stray_answer = True
            self.log.warn(
                "{link}: ignored an answer (PA) that names no posting of this link; further ones on this "
                "connection are only counted",
                link=self._name,
            )

    def _on_unanswered(self, posting: SentPosting) -> None:
        self._outcomes.mark_unknown((posting.row.id,), resend=False)  # the PMS may only be slow
        self._holds.on_unanswered()
        self._unconfirmed.schedule()
        self.send_next()

    def _on_holds_changed(self) -> None:
        self.send_next()
        if not self._claims.is_running and self._postings.in_flight is None:
            self._holds.end_expired()  # nothing can be sent now as a trial
        self._on_hold_changed()

    def _on_resync_started(self) -> None:
        if not self._is_resync_reported:  # a PMS may send DS as often as it likes
            self._is_resync_reported = True
            self._on_hold_changed()

    def _on_resync_ended(self) -> None:
        self._is_resync_reported = False
        self._on_hold_changed()
        self.send_next()

    def _on_retry_due(self) -> None:
        self._may_have_records = True
        self.send_next()

    def _needs_link_check(self) -> bool:
        """Return whether a link check would confirm rows that no answer to a posting will confirm."""
        posting = self._postings.in_flight
        confirmed = 0 if posting is None else posting.confirmed_position
        return self._in_sync and confirmed < self._unconfirmed.position

    def _on_confirmed(self, row_ids: tuple[int, ...]) -> None:
        self._outcomes.confirm(row_ids)
        self.send_next()
