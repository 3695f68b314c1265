"""Store the outcome of the rows that an outbox has claimed: answered, read, refused, unknown, or released."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.config.link_settings import LinkSettings
from pmslink.store.core.journal_interface import JournalPort
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
from pmslink.store.operations.outbox_delivery import Release, release
from pmslink.store.tables.outbox_rows import OutboxRow


class OutboxOutcomes:
    """The outcomes of one link's rows. `now_ms` returns the hotel time in milliseconds since 1970 in UTC."""

    log = Logger()

    def __init__(
        self,
        link: str,
        journal: JournalPort,
        settings: Callable[[], LinkSettings],
        now_ms: Callable[[], int],
    ) -> None:
        self._link = link
        self._journal = journal
        self._settings = settings
        self._now_ms = now_ms

    def store_answer(self, answer: PostingAnswer, on_stored: Callable[[OutboxRow | None], None]) -> None:
        """Store an answer (PA). `on_stored` gets the row that it belongs to; None if it belongs to none."""
        self._journal.submit(store_answers, answer, retry_until_stored=True).addCallback(
            on_stored
        ).addErrback(self._log_failure)

    def confirm(self, row_ids: tuple[int, ...]) -> None:
        """Mark rows as done: the PMS has read them."""
        self._journal.submit_nowait(confirm_delivered, ConfirmDelivered(self._link, self._now_ms(), row_ids))

    def mark_unknown(self, row_ids: tuple[int, ...] | None, resend: bool) -> None:
        """Mark rows as unknown; None stands for all that are sent.

        `resend`: postings are queued again. Records without an answer always are, except wake-up results.
        """
        request = MarkUnknown(self._link, resend, self._settings().send_limit, row_ids)
        self._journal.submit(mark_unknown, request, retry_until_stored=True).addCallback(
            self._warn_of_wake_up_results
        ).addErrback(self._log_failure)

    def refuse(self, row: OutboxRow, problem: str) -> None:
        """Mark a claimed row as refused: it cannot be sent."""
        self._journal.submit_nowait(mark_refused, MarkRefused(row.id, self._now_ms(), problem))

    def release(self, row: OutboxRow) -> None:
        """Queue a claimed row again that was not sent."""
        self._journal.submit_nowait(release, Release(row.id))

    def _warn_of_wake_up_results(self, rows: Sequence[OutboxRow] | None) -> None:
        for row in rows or ():
            if row.record == "WA":
                self.log.error(
                    "{link}: unknown whether the PMS has read the wake-up result of row {id}; "
                    "it is not sent again",
                    link=self._link,
                    id=row.id,
                )

    def _log_failure(self, failure: Failure) -> None:
        self.log.failure(
            "{link}: cannot store the outcome of a row; its stored state does not change",
            failure,
            link=self._link,
        )
