"""What a model of the outbox knows: rows, and what was said, heard and told of them, as plain values.

It is told what happens, in order, by whoever plays (`outbox_world`), and objects at once to what may not
be. Rows carry an id of their own (ID) that the simulated PMS echoes, so the model knows which one an
answer means, where the link has only P# to go by.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pmslink.fias.record import Record
from pmslink.link.state_history import Transition
from pmslink.store.tables.log_entries import Entry, Recorded
from pmslink.store.tables.outbox_rows import Moved, Row
from tests.link.outbox_row import AGAIN, OPEN, Heard, Known, identity_of

DAY = 24 * 3600.0
NIGHT_AUDIT = 900.0
LONGEST_RESYNC_PAUSE = 600.0
ON_THE_LINK = ("ESTABLISHED", "WAIT_LE")
"""Markers in which a connection carries records."""
NOT_IN_CHARSET = "does not exist in the link's charset"
PROOF = ("LA", "LS", "LD", "PA")
OURS = ("PS", "RE", "WR", "WC", "WA")


class Model:
    """`taken` tells how often the PMS has taken the row of this identity."""

    def __init__(
        self,
        now: Callable[[], float],
        wall_ms: Callable[[], int],
        taken: Counter[str],
        unanswered: str,
        answer_timeout: float,
        digits: int,
    ) -> None:
        self.now = now
        self.wall_ms = wall_ms
        self.taken = taken
        self.unanswered = unanswered
        self.answer_timeout = answer_timeout
        self.highest = 10**digits - 1
        self.rows: dict[int, Known] = {}
        self.by_identity: dict[str, Known] = {}
        self.edges: Counter[tuple[str, str]] = Counter()
        self.seq = 0
        self.by_number: dict[int, list[Heard]] = {}
        self.by_room: dict[str, list[Heard]] = {}
        """Answers without a number."""
        self.unkept: deque[Heard] = deque()
        self.spoken: dict[str, float] = {}
        """When the PMS last spoke of the wake-ups of a room."""
        self.outages = 0
        self.outstanding: Known | None = None
        self.counted_as_sent: Known | None = None
        self.newest_said_first = 0
        self.resync: float | None = None
        """The last sign of a resync that has not ended."""
        self.audit_until = 0.0
        self.doubt_since = 0.0
        self.proved_at = 0.0
        self.in_sync: Callable[[], bool] = lambda: False
        self.objections: list[AssertionError] = []

    @contextmanager
    def objecting(self) -> Iterator[None]:
        """Whoever calls the model goes on; what it objects to is kept."""
        try:
            yield
        except AssertionError as objection:
            self.objections.append(objection)

    # What comes from the PMS.

    def heard(self, record: Record) -> None:
        now = self.now()
        if record.id in PROOF:
            self.proved_at = now
        match record.id:
            case "LS":
                self.outage()
            case "DS":
                self.resync = now
            case "DE":
                self.resync = None
            case "NE":
                self.audit_until = 0.0
            case "WR" | "WC":
                self.spoken[record.get("RN") or ""] = now
            case "PA":
                self._answered(record)
        if self.resync is not None and "|SF" in record.text:
            self.resync = now

    def _answered(self, record: Record) -> None:
        heard = Heard(record.get("AS") or "", self.now())
        self.unkept.append(heard)
        number = record.get("P#")
        if number is None:
            self.by_room.setdefault(record.get("RN") or "", []).append(heard)
            return
        self.by_number.setdefault(int(number), []).append(heard)
        meant = self.by_identity[identity_of(record)]
        if meant.row.number == int(number):  # else a person has had it sent again under another
            meant.answers.append(heard)
        posting = self.outstanding
        if posting is not None and posting.row.number == int(number):
            in_time = self.now() < posting.said[-1] + self.answer_timeout
            if heard.status == "NA" and in_time:
                self.audit_until = self.now() + NIGHT_AUDIT
            self.outstanding = None

    def moved_on(self, transition: Transition) -> None:
        """The link has changed its marker."""
        if transition.new not in ON_THE_LINK:
            self.resync = None
            self.outage()

    def outage(self) -> None:
        self.outages += 1
        self.outstanding = None

    # What is said to it.

    def says(self, record: Record) -> None:
        if record.id not in OURS:
            return
        known = self.counted_as_sent
        assert known is not None
        assert known.state == "sent", f"{known.state} and said"
        number = known.row.number
        assert record.text == known.row.text + ("" if number is None else f"P#{number}|")
        self._judge_the_moment()
        self._judge_the_order(known)
        if known.record == "PS":
            self._judge_that_it_is_alone()
        if known.said and (known.person is None or known.said[-1] > known.person):
            self._judge_the_repetition(known)
        assert not known.booked, "sent again although it is booked"
        known.said.append(self.now())
        known.outage = self.outages
        if known.record == "PS":
            self.outstanding = known

    def _judge_the_moment(self) -> None:
        now = self.now()
        assert self.in_sync()
        assert self.resync is None or now - self.resync >= LONGEST_RESYNC_PAUSE, "said into a resync"
        assert now >= self.audit_until, "said while NA holds the queue"
        assert self.proved_at >= self.doubt_since, "said before the link has proved alive"

    def _judge_that_it_is_alone(self) -> None:
        posting = self.outstanding
        assert posting is None or self.now() >= posting.said[-1] + self.answer_timeout

    def _judge_the_order(self, known: Known) -> None:
        if not known.said and known.person is None:
            assert known.id > self.newest_said_first
            self.newest_said_first = known.id

    def _judge_the_repetition(self, known: Known) -> None:
        last = known.said[-1]
        outage = self.outages > known.outage
        if known.record == "PS":
            put_back = any(heard.status in AGAIN and heard.at >= last for heard in self.may_mean(known))
            assert put_back or self.unanswered == "resend", "held, and sent again"
            assert put_back or outage or self.now() >= last + self.answer_timeout
            return
        assert outage
        assert known.record != "WA", "the result of a wake-up is not sent twice"
        if known.record == "RE":
            assert not any(self._is_newer(other, known) for other in self.rows.values())
        else:
            assert (known.row.until or 0) >= self.wall_ms()
            spoken = self.spoken.get(known.row.room, 0.0)
            assert spoken <= last or spoken == self.now()

    def _is_newer(self, other: Known, known: Known) -> bool:
        return (
            (other.row.room, other.row.subject) == (known.row.room, known.row.subject)
            and other.id > known.id
            and other.made < self.now()
            and other.state != "discarded"
        )

    # What the world is told.

    def told(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            with self.objecting():
                self._told(entry)

    def _told(self, entry: Entry) -> None:
        assert entry.seq > self.seq
        self.seq = entry.seq
        if isinstance(entry, Moved):
            self._moved(entry.row)
        elif isinstance(entry, Recorded) and (entry.direction, entry.type) == ("in", "PA"):
            self.unkept.popleft()

    def _moved(self, row: Row) -> None:
        known = self.rows.get(row.id)
        if known is None:
            self._made(row)
            return
        before, known.row = known.row, row
        self.edges[before.state, row.state] += 1
        if known is self.outstanding and row.state != "sent":
            self.outstanding = None
        if row.state == "sent":
            self.counted_as_sent = known
        elif row.state == "unknown" and row.record == "PS":
            self._judge_the_doubt(known)
        elif row.state == "pending":
            self._judge_the_return(before, known)
        self._judge_the_end(known)

    def _made(self, row: Row) -> None:
        identity = identity_of(Record(row.text))
        assert identity not in self.by_identity, "accepted twice"
        assert row.state == "pending"
        assert row.id > max(self.rows, default=0)
        self.rows[row.id] = self.by_identity[identity] = Known(row.id, identity, row, self.now())
        self.edges["", "pending"] += 1

    def _judge_the_doubt(self, known: Known) -> None:
        """Nobody knows what became of a posting: there was an outage, or no answer in time."""
        if not known.said:
            return  # a crash came between counting and sending
        overdue = known.said[-1] + self.answer_timeout
        assert self.outages > known.outage or self.now() >= overdue
        self.doubt_since = max(self.doubt_since, min(overdue, self.now()))

    def _judge_the_return(self, before: Row, known: Known) -> None:
        if before.attempts > known.row.attempts:
            return  # it was counted as sent, and not said
        if known.asked_again and known.row.answer is None:
            known.asked_again, known.person = False, self.now()
            return
        assert any(heard.status in AGAIN for heard in self.may_mean(known))

    def _judge_the_end(self, known: Known) -> None:
        row, answers = known.row, self.may_mean(known)
        if row.state == "discarded":
            superseded = row.record in ("RE", "WR", "WC") and bool(row.text_answer)
            assert known.given_up or superseded
        elif row.state == "refused" and NOT_IN_CHARSET not in (row.text_answer or ""):
            final = any(heard.status not in ("OK", *AGAIN) for heard in answers)
            worn_out = answers and answers[-1].at - known.said[0] >= DAY
            assert final or worn_out
        elif row.state == "done" and row.record == "PS":
            assert any(heard.status == "OK" for heard in answers), "done, and nobody said so"
        elif row.state == "done":
            assert self.taken[known.identity], "done, and the PMS has not taken it"

    def may_mean(self, known: Known) -> list[Heard]:
        """The answers that may be taken for this row's; with many digits all that carry a number are."""
        if not known.said:
            return []
        numbered = self.by_number.get(known.row.number or 0, [])
        nameless = self.by_room.get(known.row.room, [])
        return [heard for heard in (*numbered, *nameless) if heard.at >= known.said[0]]

    # The service.

    def restarted(self, rows: Sequence[Row]) -> None:
        """Another service begins on these rows: nobody may have been told of what was kept last."""
        for row in rows:
            if row.id not in self.rows:
                self._made(row)
            known = self.rows[row.id]
            if row.changed > known.row.changed:
                before, known.row = known.row, row
                if row.state == "pending":
                    self._judge_the_return(before, known)
                self._judge_the_end(known)
        while self.unkept:
            self.unkept.popleft().sure = False
        self.resync = None
        self.audit_until = 0.0
        self.outage()

    def open_rows(self) -> int:
        return sum(known.state in OPEN for known in self.rows.values())

    def held_numbers(self) -> int:
        return sum(known.state in OPEN and known.record == "PS" for known in self.rows.values())
