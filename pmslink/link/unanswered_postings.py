"""The postings (PS) of one connection that the PMS has not answered, and the answers (PA) to them."""

from __future__ import annotations

import re
from collections.abc import Callable

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from pmslink.fias.record import Record
from pmslink.hotel.rooms import room_key
from pmslink.link.deadline import Deadline
from pmslink.store.tables.outbox_rows import OutboxRow

_NUMBER_RE = re.compile("0{0,30}[0-9]{1,9}")


@frozen
class Answer:
    """A PA. Blanks around its values are ignored, and leading zeros of its number.

    `number` is None if P# is missing or no number; `is_numbered` is false only if it is missing.
    """

    number: int | None
    is_numbered: bool
    status: str
    text: str | None
    room: str | None

    @classmethod
    def parse(cls, record: Record) -> Answer:
        """Parse a PA."""
        number = (record.get("P#") or "").strip()
        return cls(
            number=int(number) if _NUMBER_RE.fullmatch(number) else None,
            is_numbered=bool(number),
            status=(record.get("AS") or "").strip(),
            text=record.get("CT") or None,
            room=record.get("RN"),
        )


@frozen
class SentPosting:
    """A posting that was sent on this connection."""

    row: OutboxRow
    position: int
    """How many records without an answer of their own were sent before it."""

    @property
    def confirmed_position(self) -> int:
        """How many of these records its answer confirms.

        None of them if it was sent before: the answer may be the one to that attempt.
        """
        return 0 if self.row.attempts > 1 else self.position

    @property
    def room(self) -> str:
        """The room for which it was sent."""
        return self.row.room if self.row.room_sent is None else self.row.room_sent


class UnansweredPostings:
    """The postings that were sent on the present connection and not answered, each as often as it was sent.

    One of them is in flight at most: the outbox waits for its answer. `on_timeout` is called with it when it
    has waited for too long.
    """

    def __init__(self, clock: IReactorTime, on_timeout: Callable[[SentPosting], None]) -> None:
        self._on_timeout = on_timeout
        self._unanswered: list[SentPosting] = []  # oldest first
        self._deadline = Deadline(clock, self._on_deadline)
        self._idle_callback: Callable[[], None] | None = None
        self.in_flight: SentPosting | None = None

    def add(self, posting: SentPosting, answer_timeout: float) -> None:
        """Wait for the answer to a posting, which is sent now."""
        self._unanswered.append(posting)
        self.in_flight = posting
        self._deadline.start(answer_timeout)

    def find(self, answer: Answer) -> SentPosting | None:
        """Return the posting to which an answer belongs, in time or late; None if it is none of these.

        An answer without a number belongs to a posting only if no other one is unanswered, and if its room is
        the same.
        """
        newest_first = reversed(self._unanswered)  # a number may be used again
        if answer.is_numbered:
            return next((posting for posting in newest_first if posting.row.number == answer.number), None)
        room = room_key(answer.room)
        if room is None or len({posting.row.id for posting in self._unanswered}) > 1:
            return None
        return next((posting for posting in newest_first if room_key(posting.room) == room), None)

    def settle(self, row_id: int) -> None:
        """Wait no longer for the answer to a posting: it has come.

        If the posting was sent several times, its further answers may still come.
        """
        answered = next((posting for posting in self._unanswered if posting.row.id == row_id), None)
        if answered is not None:
            self._unanswered.remove(answered)
        if self.in_flight is not None and self.in_flight.row.id == row_id:
            self._end_wait()

    def stop_waiting(self) -> SentPosting | None:
        """Return the posting in flight, and wait no longer for its answer. It may still come."""
        posting = self.in_flight
        self._idle_callback = None
        self._end_wait()
        return posting

    def clear(self) -> SentPosting | None:
        """Forget all postings, because the connection has ended. Return the one in flight."""
        self._unanswered.clear()
        return self.stop_waiting()

    def when_idle(self, callback: Callable[[], None]) -> bool:
        """Return whether a posting is in flight. If so, call `callback` once it no longer is."""
        if self.in_flight is None:
            return False
        self._idle_callback = callback
        return True

    def drop_idle_callback(self) -> None:
        """Drop the callback of `when_idle`."""
        self._idle_callback = None

    def _on_deadline(self) -> None:
        posting = self.in_flight
        if posting is not None:
            self._end_wait()
            self._on_timeout(posting)

    def _end_wait(self) -> None:
        self.in_flight = None
        self._deadline.stop()
        if self._idle_callback is not None:
            callback, self._idle_callback = self._idle_callback, None
            callback()
