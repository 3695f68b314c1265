"""The outbox of one link: it sends the stored rows to the PMS and records their outcome.

The rows are in the store. The outbox holds only those in flight. A row is claimed (stored as sent), then
written to the connection. Postings (PS) are sent one at a time: each waits for its answer (PA). Records
without an answer are sent one after the other. They are done when the PMS answers a record that was sent
later. When the connection ends, all rows in flight become `unknown`.

After a posting without an answer, nothing is sent until the link has confirmed alive. So at most one posting
of each outage is in doubt.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.errors import FieldError
from pmslink.fias.charset import encode
from pmslink.fias.record import Record
from pmslink.hotel.postings import with_posting_number
from pmslink.link.countdown import Countdown
from pmslink.link.outbox_counts import OutboxCounts
from pmslink.link.record_sender import RecordSender
from pmslink.link.resync import Resync
from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.operations.outbox_answers import (
    ConfirmDelivered,
    MarkRefused,
    MarkUnknown,
    PostingAnswer,
    confirm_delivered,
    mark_refused,
    mark_unknown,
    store_answers,
)
from pmslink.store.operations.outbox_delivery import ClaimNext, NotBefore, Release, claim_next, release
from pmslink.store.operations.outbox_enqueue import Enqueued, NewRow, enqueue
from pmslink.store.tables.outbox_rows import OutboxRow
from pmslink.timestamps import to_ms

NIGHT_AUDIT_PAUSE_S = 900.0
"""Seconds without sending after the answer NA (night audit), unless NE ends the night audit sooner."""
MAX_EARLY_CHECKS_PER_INTERVAL = 10
"""Link checks in an interval, at most, that are sent early to confirm rows."""
MIN_GAP_POLL_S = 0.1
"""Shortest time in seconds between two checks whether a record gap is over."""
MAX_UNCONFIRMED_RECORDS = 100
"""Records without an answer that may be unconfirmed before sending pauses."""
MAX_CONFIRMATION_REQUESTS = 1000
"""Requests for a confirmation that are remembered, for a PMS that never answers."""
_POSTING_NUMBER_RE = re.compile("[0-9]{1,9}")


class Outbox:
    """Send the rows of one link.

    `request_link_check` sends a link check, unless one is unanswered.
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
    ) -> None:
        self._name = name
        self._sender = sender
        self._settings = sender.settings
        self._resync = resync
        resync.on_ended.append(self.send_next)
        self._send_link_check = request_link_check
        self._journal = journal
        self._clock = clock
        self._wall_clock = wall_clock
        self.counts = OutboxCounts()
        self._enqueuing = 0
        self._in_sync = False
        self._posting: OutboxRow | None = None  # in flight: waits for its PA
        self._unanswered: set[int] = set()  # postings of this connection without an answer
        self._paused_until_alive = False
        self._claiming = False
        self._answered_while_claiming: set[int] = set()  # posting numbers
        self._has_stray_claim = False  # a claim has failed, and may be stored nevertheless
        self._unconfirmed: list[int] = []  # ids of sent rows without an answer, in order
        self._confirmation_requests: deque[int] = deque(maxlen=MAX_CONFIRMATION_REQUESTS)
        """For each unanswered LS or description: how many unconfirmed rows its LA confirms."""
        self._requested_at = -float("inf")
        self._idle_callback: Callable[[], None] | None = None
        self._answer_deadline = Countdown(clock, self._on_answer_timeout)
        self._gap_timer = Countdown(clock, self.send_next)
        self._night_audit_timer = Countdown(clock, self.send_next)
        self._retry_timer = Countdown(clock, self.send_next)
        self._request_timer = Countdown(clock, self._request_confirmation)

    # For the API and the scheduler.

    def enqueue(self, new_row: NewRow) -> Deferred[Enqueued]:
        """Store a row for the PMS. The Deferred fires once the row is committed.

        It fails with OutboxFullError, StoreUnavailableError, IdempotencyKeyReusedError or
        PostingNumbersExhaustedError.
        """
        full = self.counts.not_final + self._enqueuing >= self._settings().outbox_limit
        self._enqueuing += 1
        return self._journal.submit(enqueue, new_row._replace(outbox_full=full)).addBoth(self._on_enqueued)

    def _on_enqueued(self, outcome: Enqueued | Failure) -> Enqueued | Failure:
        self._enqueuing -= 1
        self.send_next()
        return outcome

    # For the link and its session.

    def start(self) -> None:
        """Mark the rows as unknown that were in flight when the service ended last time."""
        self._mark_unknown(None)

    def on_in_sync(self) -> None:
        """Send: the link is in sync, which also proves it alive."""
        self._in_sync = True
        self._paused_until_alive = False
        self.send_next()

    def on_out_of_sync(self) -> None:
        """Send nothing more. Rows in flight may still be answered."""
        self._in_sync = False

    def abort_in_flight(self) -> None:
        """Mark the rows in flight as unknown: the connection has ended, or the PMS starts again."""
        self._in_sync = False
        self._idle_callback = None
        ids = [*self._unconfirmed]
        if self._posting is not None:
            ids.append(self._posting.id)
        self._clear_posting()
        self._unconfirmed.clear()
        self._confirmation_requests.clear()
        self._unanswered.clear()
        self._request_timer.stop()
        self._gap_timer.stop()
        if ids:
            self._mark_unknown(tuple(ids))

    def stop(self) -> None:
        """Stop for good: the link is removed or the service stops."""
        self.abort_in_flight()
        self._night_audit_timer.stop()
        self._retry_timer.stop()

    def when_idle(self, callback: Callable[[], None]) -> bool:
        """Return whether a posting waits for its answer. If so, call `callback` once it no longer does."""
        if self._posting is None:
            return False
        self._idle_callback = callback
        return True

    def on_le_sent(self) -> None:
        """Drop the callback of `when_idle`: LE is sent without waiting any longer."""
        self._idle_callback = None

    def on_confirmation_requested(self) -> None:
        """Remember an LS or a description that was sent: its LA confirms the rows sent before it."""
        self._confirmation_requests.append(len(self._unconfirmed))
        self._requested_at = self._clock.seconds()

    def on_la(self) -> None:
        """Confirm rows: LA answers the oldest unanswered LS or description."""
        if self._confirmation_requests:
            self._confirm(self._confirmation_requests.popleft())

    def on_peer_alive(self) -> None:
        """Send again after a posting without an answer: the link has confirmed alive."""
        if self._paused_until_alive:
            self._paused_until_alive = False
            self.send_next()

    def on_data_record(self, record: Record) -> None:
        """Handle PA (the answer to a posting) and NE (the end of the night audit)."""
        if record.id == "PA":
            self._on_answer(record)
        elif record.id == "NE":
            self._night_audit_timer.stop()
            self.send_next()

    # Sending.

    def send_next(self) -> None:
        """Claim and send the next row, if one may be sent now."""
        if not self._may_send() or self._claiming:
            return
        if self._sender.is_throttled:  # a queued record could be sent during a resync
            self._gap_timer.start(max(MIN_GAP_POLL_S, self._settings().record_gap))
            return
        self._claiming = True
        self._answered_while_claiming.clear()
        in_flight = tuple(self._unconfirmed) if self._has_stray_claim else None
        settings = self._settings()
        claim = ClaimNext(
            self._name,
            self._now_ms(),
            resend=settings.unanswered == "resend",
            send_limit=settings.send_limit,
            late_charge=settings.late_charge,
            in_flight_ids=in_flight,
        )
        self._journal.submit(claim_next, claim).addCallbacks(self._on_claimed, self._on_claim_failed)

    def _may_send(self) -> bool:
        return (
            self._in_sync
            and self._posting is None
            and not self._paused_until_alive
            and not self._night_audit_timer.running
            and not self._gap_timer.running
            and not self._sender.exchange.is_open
            and len(self._unconfirmed) < MAX_UNCONFIRMED_RECORDS
            and not self._resync.running
        )

    def _on_claimed(self, row: OutboxRow | NotBefore | None) -> None:
        self._claiming = False
        self._has_stray_claim = False
        if isinstance(row, OutboxRow):
            if row.number in self._answered_while_claiming:  # a late answer has already decided its outcome
                self.send_next()
            elif self._may_send():
                self._send(row)
            else:  # sending has been blocked since the claim
                self._journal.submit_nowait(release, Release(row.id))
            return
        if row is not None:
            self._retry_timer.start(max(0, row.at - self._now_ms()) / 1000)
        self._schedule_confirmation()

    def _on_claim_failed(self, failure: Failure) -> None:
        self._claiming = False
        self._has_stray_claim = True
        failure.trap(StoreUnavailableError)
        self._journal.when_drained(self.send_next)

    def _send(self, row: OutboxRow) -> None:
        record = Record(row.text)
        if row.number is not None:
            record = with_posting_number(record, row.number)
        settings = self._settings()
        try:
            encode(record, settings.charset)
        except FieldError as problem:  # the charset was changed since the row was accepted
            self._journal.submit_nowait(mark_refused, MarkRefused(row.id, self._now_ms(), str(problem)))
            self.send_next()
            return
        if row.record == "PS":
            self._posting = row
            self._unanswered.add(row.id)
            self._answer_deadline.start(settings.answer_timeout)
            self._sender.send([record])
            return
        self._unconfirmed.append(row.id)
        self._sender.send([record])
        self.send_next()
        self._schedule_confirmation()

    def _now_ms(self) -> int:
        """Return the hotel time in milliseconds."""
        return to_ms(self._wall_clock())

    # Answers.

    def _on_answer(self, answer: Record) -> None:
        number = answer.get("P#") or ""
        status = answer.get("AS") or ""
        posting = self._posting
        fields = (self._name, self._now_ms(), status, answer.get("CT") or None)
        if _POSTING_NUMBER_RE.fullmatch(number):
            self._answered_while_claiming.add(int(number))
            if posting is not None and posting.number == int(number):
                self._record_answer(PostingAnswer(*fields, row_id=posting.id), posting)
            else:
                self._record_answer(PostingAnswer(*fields, number=int(number)), None)
        elif posting is not None and not number and self._matches_unnumbered(posting, answer):
            self._record_answer(PostingAnswer(*fields, row_id=posting.id), posting)
        else:
            self.log.warn("{link}: ignored an answer (PA) that names no posting", link=self._name)

    def _matches_unnumbered(self, posting: OutboxRow, answer: Record) -> bool:
        return answer.get("RN") == posting.room and self._unanswered == {posting.id}

    def _record_answer(self, answer: PostingAnswer, posting: OutboxRow | None) -> None:
        """Store an answer. `posting` is the row in flight if the answer is for it, else None."""
        self._journal.submit(store_answers, answer, retry_until_stored=True).addCallback(
            self._on_answer_recorded
        ).addErrback(self._log_store_failure)
        if answer.status == "NA":
            self._night_audit_timer.start(NIGHT_AUDIT_PAUSE_S)
        if posting is not None:
            self._unanswered.discard(posting.id)
            self._clear_posting()
            self._confirm(len(self._unconfirmed))
        self._paused_until_alive = False
        self.send_next()

    def _on_answer_recorded(self, row: OutboxRow | None) -> None:
        if row is not None:
            self._unanswered.discard(row.id)

    def _on_answer_timeout(self) -> None:
        posting = self._posting
        if posting is not None:
            self._paused_until_alive = True
            self._clear_posting()
            self._mark_unknown((posting.id,))
            self._schedule_confirmation()

    def _clear_posting(self) -> None:
        self._posting = None
        self._answer_deadline.stop()
        if self._idle_callback is not None:
            callback, self._idle_callback = self._idle_callback, None
            callback()

    def _mark_unknown(self, ids: tuple[int, ...] | None) -> None:
        settings = self._settings()
        request = MarkUnknown(self._name, settings.unanswered == "resend", settings.send_limit, ids)
        self._journal.submit(mark_unknown, request, retry_until_stored=True).addCallback(
            self._on_marked_unknown
        ).addErrback(self._log_store_failure)

    def _on_marked_unknown(self, rows: Sequence[OutboxRow] | None) -> None:
        for row in rows or ():
            if row.record == "WA":
                self.log.error(
                    "{link}: unknown whether the PMS has read the wake-up result of row {id}; "
                    "it is not sent again",
                    link=self._name,
                    id=row.id,
                )

    def _log_store_failure(self, failure: Failure) -> None:
        self.log.failure(
            "{link}: cannot store the outcome of a row; its stored state does not change",
            failure,
            link=self._name,
        )

    # Confirmation of records without an answer.

    def _confirm(self, count: int) -> None:
        """Mark the first `count` unconfirmed rows as done: the PMS has read them."""
        confirmed, self._unconfirmed = self._unconfirmed[:count], self._unconfirmed[count:]
        if confirmed:
            self._confirmation_requests = deque(
                (max(0, pending - count) for pending in self._confirmation_requests),
                MAX_CONFIRMATION_REQUESTS,
            )
            self._journal.submit_nowait(
                confirm_delivered, ConfirmDelivered(self._name, self._now_ms(), tuple(confirmed))
            )
            self.send_next()

    def _schedule_confirmation(self) -> None:
        """Request a link check, though not too often, if its answer would confirm rows."""
        if not self._request_timer.running and self._needs_confirmation():
            min_interval_s = self._settings().alive_interval / MAX_EARLY_CHECKS_PER_INTERVAL
            self._request_timer.start(self._requested_at + min_interval_s - self._clock.seconds())

    def _request_confirmation(self) -> None:
        if self._needs_confirmation():
            self._send_link_check()
            self._requested_at = self._clock.seconds()
            self._schedule_confirmation()

    def _needs_confirmation(self) -> bool:
        """Whether a link check would confirm rows. The answer to a posting in flight will do so anyway."""
        return (
            self._in_sync and self._posting is None and (bool(self._unconfirmed) or self._paused_until_alive)
        )
