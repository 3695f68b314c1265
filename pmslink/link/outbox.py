"""What waits for the PMS, and what becomes of it.

The rows are in the store; here is what the link knows of those that are on their way. A row is taken
(counted as sent, on disk), then written. Postings (PS) go one at a time, each waits for its answer
(PA). Records without an answer go on; they are done when something that the PMS has answered came
after them. Whatever is on its way when the connection ends is *left*: nobody knows what became of it.

After a posting that was not answered nothing flows until the link has proved alive: so at most one
posting per outage is ever in doubt.
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
"""Seconds that the queue waits after NA, unless NE ends the night audit sooner."""
MAX_EARLY_CHECKS_PER_INTERVAL = 10
"""So often, at most, a link check is moved forward in an interval because something wants proof."""
MIN_GAP_POLL_S = 0.1
"""Seconds between looks at whether a record gap is over, at least."""
MAX_UNCONFIRMED_RECORDS = 100
"""Records without an answer that may wait for proof; then the next one waits as well."""
MAX_CONFIRMATION_REQUESTS = 1000
"""Questions that are remembered to a PMS that never answers."""
_POSTING_NUMBER_RE = re.compile("[0-9]{1,9}")


class Outbox:
    """The way of one link's rows."""

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
        self._send_link_check = request_link_check
        self._journal = journal
        self._clock = clock
        self._wall_clock = wall_clock
        self.counts = OutboxCounts()
        self._enqueuing = 0
        self._in_sync = False
        self._posting: OutboxRow | None = None  # the one that waits for its PA
        self._unanswered: set[int] = set()  # postings of this connection, that one included
        self._paused_until_alive = False
        self._claiming = False
        self._answered_while_claiming: set[int] = set()  # numbers of answers that came while a row was taken
        self._has_stray_claim = False  # a take has failed, and may still be on the disk
        self._unconfirmed: list[int] = []  # rows without an answer, in the order sent
        self._confirmation_requests: deque[int] = deque(maxlen=MAX_CONFIRMATION_REQUESTS)
        """For each LS or description that is open: how many of the unproved its answer proves."""
        self._requested_at = -float("inf")
        self._latest_ms = 0  # milliseconds; a wall clock that is set back makes nothing wait twice
        self._idle_callback: Callable[[], None] | None = None
        self._answer_deadline = Countdown(clock, self._on_answer_timeout)
        self._gap_timer = Countdown(clock, self.send_next)
        self._night_audit_timer = Countdown(clock, self.send_next)
        self._retry_timer = Countdown(clock, self._on_retry_due)
        self._request_timer = Countdown(clock, self._request_confirmation)

    # From whoever has something for the PMS.

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

    # From the link.

    def start(self) -> None:
        """Whatever the last service had on its way, nobody knows what became of it."""
        self._mark_unknown(None)

    def on_in_sync(self) -> None:
        """In sync: data may flow. On a new connection, or after a new description, that is proof of life."""
        self._in_sync = True
        self._paused_until_alive = False
        self.send_next()

    def on_out_of_sync(self) -> None:
        """Nothing more is sent; what is on its way may still be answered."""
        self._in_sync = False

    def abort_in_flight(self) -> None:
        """What is on its way will not be answered: the connection has ended, or the PMS starts anew."""
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
        """The link will not be used again."""
        self.abort_in_flight()
        self._night_audit_timer.stop()
        self._retry_timer.stop()

    def when_idle(self, callback: Callable[[], None]) -> bool:
        """Whether a posting waits for its answer; if so, call this once it has come, or will not."""
        if self._posting is None:
            return False
        self._idle_callback = callback
        return True

    def on_le_sent(self) -> None:
        """LE goes out now, answered or not."""
        self._idle_callback = None

    def on_confirmation_requested(self) -> None:
        """An LS or a description went out: its LA proves what was sent before."""
        self._confirmation_requests.append(len(self._unconfirmed))
        self._requested_at = self._clock.seconds()

    def on_la(self) -> None:
        """An LA came; it answers the oldest question that is open."""
        if self._confirmation_requests:
            self._confirm(self._confirmation_requests.popleft())

    def on_peer_alive(self) -> None:
        """The link has proved alive."""
        if self._paused_until_alive:
            self._paused_until_alive = False
            self.send_next()

    def on_data_record(self, record: Record) -> None:
        """A record came that is no link record."""
        if record.id == "PA":
            self._on_answer(record)
        elif record.id == "NE":
            self._night_audit_timer.stop()
            self.send_next()

    # Sending.

    def send_next(self) -> None:
        """Send the next row, if one may be sent now."""
        if not self._may_send() or self._claiming:
            return
        if self._sender.is_throttled:  # it might go out into a resync
            self._gap_timer.start(max(MIN_GAP_POLL_S, self._settings().record_gap))
            return
        self._claiming = True
        self._answered_while_claiming.clear()
        mine = tuple(self._unconfirmed) if self._has_stray_claim else None
        asked = ClaimNext(self._name, self._now_ms(), self._settings().unanswered == "resend", mine)
        self._journal.submit(claim_next, asked).addCallbacks(self._on_claimed, self._on_claim_failed)

    def _may_send(self) -> bool:
        return (
            self._in_sync
            and self._posting is None
            and not self._paused_until_alive
            and not self._night_audit_timer.running
            and not self._gap_timer.running
            and len(self._unconfirmed) < MAX_UNCONFIRMED_RECORDS
            and not self._resync.running
        )

    def _on_claimed(self, row: OutboxRow | NotBefore | None) -> None:
        self._claiming = False
        self._has_stray_claim = False
        if isinstance(row, OutboxRow):
            if row.number in self._answered_while_claiming:  # it had been sent before, and is settled now
                self.send_next()
            elif self._may_send():
                self._send(row)
            else:  # something has come in between while the row was taken
                self._journal.submit_nowait(release, Release(row.id))
            return
        if row is not None:
            self._retry_timer.start((row.at - self._now_ms()) / 1000, row.at)
        self._schedule_confirmation()

    def _on_claim_failed(self, failure: Failure) -> None:
        self._claiming = False
        self._has_stray_claim = True
        failure.trap(StoreUnavailableError)
        self._journal.when_drained(self.send_next)

    def _send(self, row: OutboxRow) -> None:
        record = Record(row.text if row.number is None else f"{row.text}P#{row.number}|")
        settings = self._settings()
        try:
            encode(record, settings.charset)
        except FieldError as problem:  # the charset is not what it was when the row was accepted
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

    def _on_retry_due(self, at_ms: int) -> None:
        self._latest_ms = max(self._latest_ms, at_ms)
        self.send_next()

    def _now_ms(self) -> int:
        """The wall clock in milliseconds, which never goes back."""
        self._latest_ms = max(self._latest_ms, to_ms(self._wall_clock()))
        return self._latest_ms

    # What comes back.

    def _on_answer(self, answer: Record) -> None:
        number = answer.get("P#") or ""
        status = answer.get("AS") or ""
        posting = self._posting
        told = (self._name, self._now_ms(), status, answer.get("CT") or None)
        if _POSTING_NUMBER_RE.fullmatch(number):
            self._answered_while_claiming.add(int(number))
            if posting is not None and posting.number == int(number):
                self._record_answer(PostingAnswer(*told, row_id=posting.id), posting)
            else:
                self._record_answer(PostingAnswer(*told, number=int(number)), None)
        elif posting is not None and not number and self._matches_unnumbered(posting, answer):
            self._record_answer(PostingAnswer(*told, row_id=posting.id), posting)
        else:
            self.log.warn("{link}: an answer (PA) names no posting, and was ignored", link=self._name)

    def _matches_unnumbered(self, posting: OutboxRow, answer: Record) -> bool:
        return answer.get("RN") == posting.room and self._unanswered == {posting.id}

    def _record_answer(self, answer: PostingAnswer, posting: OutboxRow | None) -> None:
        """Note an answer; `posting` is the one that waits, if it is meant."""
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
            then, self._idle_callback = self._idle_callback, None
            then()

    def _mark_unknown(self, ids: tuple[int, ...] | None) -> None:
        settings = self._settings()
        left = MarkUnknown(self._name, settings.unanswered == "resend", settings.send_limit, ids)
        self._journal.submit(mark_unknown, left, retry_until_stored=True).addCallback(
            self._on_marked_unknown
        ).addErrback(self._log_store_failure)

    def _on_marked_unknown(self, rows: Sequence[OutboxRow] | None) -> None:
        for row in rows or ():
            if row.record == "WA":
                self.log.error(
                    "{link}: nobody knows whether the PMS has read the result of a wake-up (row {id}); "
                    "it is not sent twice",
                    link=self._name,
                    id=row.id,
                )

    def _log_store_failure(self, failure: Failure) -> None:
        self.log.failure("{link}: what became of a row could not be kept", failure, link=self._name)

    # Proof.

    def _confirm(self, count: int) -> None:
        """The PMS has read the first so many rows that want proof."""
        proved, self._unconfirmed = self._unconfirmed[:count], self._unconfirmed[count:]
        if proved:
            self._confirmation_requests = deque(
                (max(0, one - count) for one in self._confirmation_requests), MAX_CONFIRMATION_REQUESTS
            )
            self._journal.submit_nowait(
                confirm_delivered, ConfirmDelivered(self._name, self._now_ms(), tuple(proved))
            )
            self.send_next()

    def _schedule_confirmation(self) -> None:
        """Have a link check sent now, though not too often, if that would prove something."""
        if not self._request_timer.running and self._needs_confirmation():
            pause = self._settings().alive_interval / MAX_EARLY_CHECKS_PER_INTERVAL
            self._request_timer.start(self._requested_at + pause - self._clock.seconds())

    def _request_confirmation(self) -> None:
        if self._needs_confirmation():
            self._send_link_check()
            self._requested_at = self._clock.seconds()
            self._schedule_confirmation()

    def _needs_confirmation(self) -> bool:
        """While a posting waits, its answer will be proof."""
        return (
            self._in_sync and self._posting is None and (bool(self._unconfirmed) or self._paused_until_alive)
        )
