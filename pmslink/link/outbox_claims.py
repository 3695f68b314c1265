"""Claim rows of the outbox from the store, one at a time.

A claimed row is stored as sent before the first byte is written to the connection. Meanwhile the PMS may
answer an earlier attempt to send it. A claim that fails is not stored.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.python.failure import Failure

from pmslink.store.core.journal_interface import JournalPort
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.operations.outbox_delivery import ClaimNext, NotBefore, claim_next
from pmslink.store.tables.outbox_rows import OutboxRow


class RowClaims:
    """The claims of one link.

    `on_row` gets each claimed row and its claim. `on_none_due` gets the claim for which no row is due, and
    when the next one is. `claim_again` is called when another claim may return a row, because of what has
    happened since the last one began.
    """

    def __init__(
        self,
        journal: JournalPort,
        on_row: Callable[[OutboxRow, ClaimNext], None],
        on_none_due: Callable[[ClaimNext, NotBefore | None], None],
        claim_again: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._on_row = on_row
        self._on_none_due = on_none_due
        self._claim_again = claim_again
        self._answered_numbers: set[int] = set()  # of postings, since the claim began
        self._is_repeat_requested = False
        self.is_running = False

    def start(self, claim: ClaimNext) -> None:
        """Claim a row."""
        self.is_running = True
        self._is_repeat_requested = False
        self._answered_numbers.clear()
        self._journal.submit(claim_next, claim).addCallbacks(
            self._on_claimed, self._on_failed, callbackArgs=(claim,)
        )

    def repeat(self) -> None:
        """Claim again after the claim that is running, if no row is due for it: it may be too early."""
        self._is_repeat_requested = True

    def on_answer(self, number: int) -> None:
        """Note the answer (PA) to a posting: if it is being claimed, it is not sent."""
        self._answered_numbers.add(number)

    def _on_claimed(self, row: OutboxRow | NotBefore | None, claim: ClaimNext) -> None:
        self.is_running = False
        if isinstance(row, OutboxRow) and row.number not in self._answered_numbers:
            self._on_row(row, claim)
        elif isinstance(row, OutboxRow) or self._is_repeat_requested:
            self._claim_again()
        else:
            self._on_none_due(claim, row)

    def _on_failed(self, failure: Failure) -> None:
        self.is_running = False
        failure.trap(StoreUnavailableError)
        self._journal.when_drained(self._claim_again)
