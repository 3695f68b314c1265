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
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.config.link_settings import LinkSettings
from pmslink.errors import FieldError
from pmslink.fias.field_values import encode
from pmslink.fias.record import Record
from pmslink.link.countdown import Countdown
from pmslink.link.outbox_counts import Tally
from pmslink.store.core.journal_interface import Keeper
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.operations.outbox_delivery import (
    Answer,
    Later,
    Leave,
    Proved,
    PutBack,
    Refuse,
    Take,
    leave,
    prove,
    put_back,
    refuse,
    settle,
    take,
)
from pmslink.store.operations.outbox_enqueue import Accepted, Offer, accept
from pmslink.store.tables.outbox_rows import Row
from pmslink.timestamps import to_ms

NIGHT_AUDIT = 900.0
"""Seconds that the queue waits after NA, unless NE ends the night audit sooner."""
ASKS_PER_INTERVAL = 10
"""So often, at most, a link check is moved forward in an interval because something wants proof."""
LOOK_AGAIN = 0.1
"""Seconds between looks at whether a record gap is over, at least."""
MOST_UNPROVED = 100
"""Records without an answer that may wait for proof; then the next one waits as well."""
MOST_QUESTIONS = 1000
"""Questions that are remembered to a PMS that never answers."""
_NUMBER = re.compile("[0-9]{1,9}")


class Way(Protocol):
    """The link that the outbox sends on."""

    def settings(self) -> LinkSettings:
        """The settings now."""

    def say(self, records: Sequence[Record]) -> None:
        """Send these."""

    def holds_back(self) -> bool:
        """Whether a resync is running: nothing is sent into it."""

    def gapped(self) -> bool:
        """Whether what is said now would have to wait for the record gap."""

    def ask(self) -> None:
        """Send a link check now, if none is open."""


class Outbox:
    """The way of one link's rows."""

    log = Logger()

    def __init__(
        self, name: str, way: Way, keeper: Keeper, clock: IReactorTime, wall: Callable[[], datetime]
    ) -> None:
        self._name = name
        self._way = way
        self._keeper = keeper
        self._clock = clock
        self._wall = wall
        self.tally = Tally()
        self._accepting = 0
        self._open = False
        self._posting: Row | None = None  # the one that waits for its PA
        self._unanswered: set[int] = set()  # postings of this connection, that one included
        self._in_doubt = False
        self._taking = False
        self._answered_meanwhile: set[int] = set()  # numbers of answers that came while a row was taken
        self._strays = False  # a take has failed, and may still be on the disk
        self._unproved: list[int] = []  # rows without an answer, in the order sent
        self._questions: deque[int] = deque(maxlen=MOST_QUESTIONS)
        """For each LS or description that is open: how many of the unproved its answer proves."""
        self._asked_at = -float("inf")
        self._latest = 0  # milliseconds; a wall clock that is set back makes nothing wait twice
        self._when_answered: Callable[[], None] | None = None
        self._deadline = Countdown(clock, self._overdue)
        self._gap = Countdown(clock, self.flow)
        self._audit = Countdown(clock, self.flow)
        self._set_aside = Countdown(clock, self._no_longer_aside)
        self._asking = Countdown(clock, self._ask)

    # From whoever has something for the PMS.

    def offer(self, offer: Offer) -> Deferred[Accepted]:
        """Fires once the row is safe. Fails with OutboxFull, StoreFailing, KeyReused or NoNumber."""
        full = self.tally.not_final + self._accepting >= self._way.settings().outbox_limit
        self._accepting += 1
        return self._keeper.write(accept, offer._replace(full=full)).addBoth(self._offered)

    def _offered(self, outcome: Accepted | Failure) -> Accepted | Failure:
        self._accepting -= 1
        self.flow()
        return outcome

    # From the link.

    def start(self) -> None:
        """Whatever the last service had on its way, nobody knows what became of it."""
        self._leave(None)

    def opened(self) -> None:
        """In sync: data may flow. On a new connection, or after a new description, that is proof of life."""
        self._open = True
        self._in_doubt = False
        self.flow()

    def held(self) -> None:
        """Nothing more is sent; what is on its way may still be answered."""
        self._open = False

    def closed(self) -> None:
        """What is on its way will not be answered: the connection has ended, or the PMS starts anew."""
        self._open = False
        self._when_answered = None
        ids = [*self._unproved]
        if self._posting is not None:
            ids.append(self._posting.id)
        self._forget_posting()
        self._unproved.clear()
        self._questions.clear()
        self._unanswered.clear()
        self._asking.stop()
        self._gap.stop()
        if ids:
            self._leave(tuple(ids))

    def stop(self) -> None:
        """The link will not be used again."""
        self.closed()
        self._audit.stop()
        self._set_aside.stop()

    def when_answered(self, then: Callable[[], None]) -> bool:
        """Whether a posting waits for its answer; if so, call this once it has come, or will not."""
        if self._posting is None:
            return False
        self._when_answered = then
        return True

    def farewell(self) -> None:
        """LE goes out now, answered or not."""
        self._when_answered = None

    def asked(self) -> None:
        """An LS or a description went out: its LA proves what was sent before."""
        self._questions.append(len(self._unproved))
        self._asked_at = self._clock.seconds()

    def confirmed(self) -> None:
        """An LA came; it answers the oldest question that is open."""
        if self._questions:
            self._prove(self._questions.popleft())

    def alive(self) -> None:
        """The link has proved alive."""
        if self._in_doubt:
            self._in_doubt = False
            self.flow()

    def heard(self, record: Record) -> None:
        """A record came that is no link record."""
        if record.id == "PA":
            self._answered(record)
        elif record.id == "NE":
            self._audit.stop()
            self.flow()

    # Sending.

    def flow(self) -> None:
        """Send the next row, if one may be sent now."""
        if not self._may_send() or self._taking:
            return
        if self._way.gapped():  # it might go out into a resync
            self._gap.start(max(LOOK_AGAIN, self._way.settings().record_gap))
            return
        self._taking = True
        self._answered_meanwhile.clear()
        mine = tuple(self._unproved) if self._strays else None
        asked = Take(self._name, self._now(), self._way.settings().unanswered == "resend", mine)
        self._keeper.write(take, asked).addCallbacks(self._taken, self._not_taken)

    def _may_send(self) -> bool:
        return (
            self._open
            and self._posting is None
            and not self._in_doubt
            and not self._audit.running
            and not self._gap.running
            and len(self._unproved) < MOST_UNPROVED
            and not self._way.holds_back()
        )

    def _taken(self, row: Row | Later | None) -> None:
        self._taking = False
        self._strays = False
        if isinstance(row, Row):
            if row.number in self._answered_meanwhile:  # it had been sent before, and is settled now
                self.flow()
            elif self._may_send():
                self._send(row)
            else:  # something has come in between while the row was taken
                self._keeper.append(put_back, PutBack(row.id))
            return
        if row is not None:
            self._set_aside.start((row.at - self._now()) / 1000, row.at)
        self._ask_for_proof()

    def _not_taken(self, failure: Failure) -> None:
        self._taking = False
        self._strays = True
        failure.trap(StoreFailing)
        self._keeper.when_roomy(self.flow)

    def _send(self, row: Row) -> None:
        record = Record(row.text if row.number is None else f"{row.text}P#{row.number}|")
        settings = self._way.settings()
        try:
            encode(record, settings.charset)
        except FieldError as problem:  # the charset is not what it was when the row was accepted
            self._keeper.append(refuse, Refuse(row.id, self._now(), str(problem)))
            self.flow()
            return
        if row.record == "PS":
            self._posting = row
            self._unanswered.add(row.id)
            self._deadline.start(settings.answer_timeout)
            self._way.say([record])
            return
        self._unproved.append(row.id)
        self._way.say([record])
        self.flow()
        self._ask_for_proof()

    def _no_longer_aside(self, at: int) -> None:
        self._latest = max(self._latest, at)
        self.flow()

    def _now(self) -> int:
        """The wall clock in milliseconds, which never goes back."""
        self._latest = max(self._latest, to_ms(self._wall()))
        return self._latest

    # What comes back.

    def _answered(self, answer: Record) -> None:
        number = answer.get("P#") or ""
        status = answer.get("AS") or ""
        posting = self._posting
        told = (self._name, self._now(), status, answer.get("CT") or None)
        if _NUMBER.fullmatch(number):
            self._answered_meanwhile.add(int(number))
            if posting is not None and posting.number == int(number):
                self._settle(Answer(*told, id=posting.id), posting)
            else:
                self._settle(Answer(*told, number=int(number)), None)
        elif posting is not None and not number and self._can_only_mean(posting, answer):
            self._settle(Answer(*told, id=posting.id), posting)
        else:
            self.log.warn("{link}: an answer (PA) names no posting, and was ignored", link=self._name)

    def _can_only_mean(self, posting: Row, answer: Record) -> bool:
        return answer.get("RN") == posting.room and self._unanswered == {posting.id}

    def _settle(self, answer: Answer, posting: Row | None) -> None:
        """Note an answer; `posting` is the one that waits, if it is meant."""
        self._keeper.write(settle, answer, keep=True).addCallback(self._settled).addErrback(self._bug)
        if answer.status == "NA":
            self._audit.start(NIGHT_AUDIT)
        if posting is not None:
            self._unanswered.discard(posting.id)
            self._forget_posting()
            self._prove(len(self._unproved))
        self._in_doubt = False
        self.flow()

    def _settled(self, row: Row | None) -> None:
        if row is not None:
            self._unanswered.discard(row.id)

    def _overdue(self) -> None:
        posting = self._posting
        if posting is not None:
            self._in_doubt = True
            self._forget_posting()
            self._leave((posting.id,))
            self._ask_for_proof()

    def _forget_posting(self) -> None:
        self._posting = None
        self._deadline.stop()
        if self._when_answered is not None:
            then, self._when_answered = self._when_answered, None
            then()

    def _leave(self, ids: tuple[int, ...] | None) -> None:
        settings = self._way.settings()
        left = Leave(self._name, settings.unanswered == "resend", settings.send_limit, ids)
        self._keeper.write(leave, left, keep=True).addCallback(self._left).addErrback(self._bug)

    def _left(self, rows: Sequence[Row] | None) -> None:
        for row in rows or ():
            if row.record == "WA":
                self.log.error(
                    "{link}: nobody knows whether the PMS has read the result of a wake-up (row {id}); "
                    "it is not sent twice",
                    link=self._name,
                    id=row.id,
                )

    def _bug(self, failure: Failure) -> None:
        self.log.failure("{link}: what became of a row could not be kept", failure, link=self._name)

    # Proof.

    def _prove(self, count: int) -> None:
        """The PMS has read the first so many rows that want proof."""
        proved, self._unproved = self._unproved[:count], self._unproved[count:]
        if proved:
            self._questions = deque((max(0, one - count) for one in self._questions), MOST_QUESTIONS)
            self._keeper.append(prove, Proved(self._name, self._now(), tuple(proved)))
            self.flow()

    def _ask_for_proof(self) -> None:
        """Have a link check sent now, though not too often, if that would prove something."""
        if not self._asking.running and self._wants_proof():
            pause = self._way.settings().alive_interval / ASKS_PER_INTERVAL
            self._asking.start(self._asked_at + pause - self._clock.seconds())

    def _ask(self) -> None:
        if self._wants_proof():
            self._way.ask()
            self._asked_at = self._clock.seconds()
            self._ask_for_proof()

    def _wants_proof(self) -> bool:
        """While a posting waits, its answer will be proof."""
        return self._open and self._posting is None and (bool(self._unproved) or self._in_doubt)
