"""Everything that may happen to a link, its store and its PMS.

Each method of `World` that takes plain words and numbers is something that happens; the model
(`outbox_model`) hears of all that follows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pmslink.errors import NotApplicable
from pmslink.fias.field_values import stamp
from pmslink.fias.record import Record
from pmslink.simulator.pms.fault_switches import NONE, Faults
from pmslink.simulator.pms.posting_answers import posting_answer
from pmslink.simulator.pms.property import NotLinkedError
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.operations.operator_actions import Decide, NoSuchRow, WrongState, discard, resend
from pmslink.store.operations.outbox_enqueue import Accepted, KeyReused, NoNumber, Offer, OutboxFull
from pmslink.timestamps import to_ms
from tests.link.outbox_checks import judge_the_end
from tests.link.outbox_harness import Life
from tests.link.outbox_row import Known, identity_of
from tests.memory_network import Mode, next_timer, run

DISK_FULL = sqlite3.OperationalError("database or disk is full")


class World(Life):
    """A life in which all that can happen."""

    # A person's word on the link.

    def control(self, name: str) -> None:
        """A person's word on the link."""
        try:
            getattr(self.link, name)()
        except NotApplicable:
            assert name == "disconnect"

    def charset_becomes(self, charset: str) -> None:
        """One without € refuses postings that have it."""
        self.charset = charset
        self.link.change(self._config())

    # What is handed over.

    def post(self, room: int, key: bool, euro: bool) -> None:
        """A posting, with an idempotency key or without."""
        name = f"key{len(self.offers)}" if key else None
        text = f"PS|RN{self.rooms[room]}|PTC|TA100|CT{'5 €' if euro else 'minibar'}|"
        offer = self._offer("PS", room, text, digits=self.rules.digits, key=name, asked=name)
        if key:
            self.keyed.append(offer)
        self._hand_over(offer)

    def post_again(self, back: int, other: bool) -> None:
        """A key for the second time, for the same or for something else."""
        if len(self.keyed) <= back:
            return
        offer = self.keyed[-1 - back]._replace(created=self._wall_ms())
        if not other:
            self._hand_over(offer)
        elif _identity(offer) in self.model.by_identity:
            self._hand_over(offer._replace(asked="other"))

    def tell(self, room: int, field: str, value: int) -> None:
        """A room's status or voicemail."""
        text = f"RE|RN{self.rooms[room]}|{field}{value}|"
        self._hand_over(self._offer("RE", room, text, subject=field))

    def wake(self, record: str, room: int, ahead: float) -> None:
        """A wake-up is set or cleared, or has rung."""
        due = self.wall() + timedelta(seconds=ahead)
        text = f"{record}|RN{self.rooms[room]}|DA{due:%y%m%d}|TI{due:%H%M%S}|"
        if record == "WA":
            self._hand_over(self._offer(record, room, f"{text}ASOK|"))
        else:
            self._hand_over(self._offer(record, room, text, until=to_ms(due)))

    def _offer(self, record: str, room: int, text: str, **more: Any) -> Offer:
        text = f"{text}ID{len(self.offers)}|"
        offer = Offer("hotel", record, "test", self.rooms[room], "{}", text, self._wall_ms(), **more)
        self.offers.append(offer)
        return offer

    def _hand_over(self, offer: Offer) -> None:
        open_rows = self.model.open_rows() + self.accepting
        held = self.model.held_numbers() + self.accepting
        self.accepting += 1

        def accepted(accepted: Accepted) -> None:
            self.accepting -= 1
            known = self.model.by_identity[_identity(offer)]
            assert accepted.row.id == known.id
            assert offer.asked != "other"

        def refused(failure: Failure) -> None:
            self.accepting -= 1
            why = failure.trap(KeyReused, OutboxFull, NoNumber, StoreFailing)
            if why is KeyReused:
                assert offer.asked == "other"
            elif why is OutboxFull:
                assert open_rows >= self.rules.outbox_limit
            elif why is NoNumber:
                assert max(held, self.model.held_numbers()) >= self.model.highest
            else:
                assert self.store.journal.failing

        self._watched(self.link.outbox.offer(offer).addCallbacks(accepted, refused))

    def decide(self, word: str, back: int) -> None:
        """A person has a row sent again, or gives it up: of those that can be, the newest but so many."""
        shown = [known for known in self.model.rows.values() if self._is_shown(known, word)]
        if len(shown) > back:
            self._decide(shown[-1 - back], word)

    def _decide(self, known: Known, word: str) -> None:
        if word == "resend":
            known.asked_again = True
        else:
            known.given_up = True
        asked = Decide("hotel", known.id, self.rules.digits)
        decided = self.store.journal.write(resend if word == "resend" else discard, asked)

        def refused(failure: Failure) -> None:
            failure.trap(NoSuchRow, WrongState, NoNumber, StoreFailing)

        self._watched(decided.addCallbacks(lambda _: self.link.outbox.flow(), refused))

    def _is_shown(self, known: Known, word: str) -> bool:
        return known.state in ("unknown", "refused") or (word == "discard" and known.state == "pending")

    def _watched(self, done: Deferred[Any]) -> None:
        done.addErrback(self.failures.append)

    # Time.

    def one_call(self) -> None:
        """The next timer, without what it sets going."""
        due = next_timer(self.clock)
        if due is not None:
            self.clock.rightNow = max(due, self.clock.rightNow)
            call = min(self.clock.calls, key=lambda call: call.getTime())
            self.clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def to_the_next_timer(self) -> None:
        due = next_timer(self.clock)
        if due is not None:
            run(self.clock, max(0.0, due - self.clock.seconds()))

    def wait(self, seconds: float) -> None:
        run(self.clock, seconds)

    def a_day(self) -> None:
        """The link rests for a day."""
        self.disk(False)  # a day of attempts would take a day
        self.control("disconnect")
        run(self.clock, 24 * 3600 + 1)
        self.link.enable()

    # What is not in its hands.

    def network_becomes(self, mode: Mode, latency: float) -> None:
        self.network.mode = mode
        self.network.latency = latency

    def pms_becomes(self, faults: Mapping[str, Any]) -> None:
        self.pms.set_faults(Faults.from_json(faults))

    def at_the_pms(self, what: str) -> None:
        pms = self.pms
        happens: dict[str, Callable[[], None]] = {
            "LE": pms.end_link,
            "drop": pms.drop_link,
            "LS": pms.start_link,
            "DS to DE": pms.resync,
            "DS": lambda: pms.send_text("DS|"),
            "DE": lambda: pms.send_text("DE|"),
            "night audit": lambda: pms.audit(True),
            "end of night audit": lambda: pms.audit(False),
            "WR": lambda: pms.send_text(f"WR|RN{self.rooms[0]}|DA260102|TI070000|"),
        }
        try:
            happens[what]()
        except NotLinkedError:
            pass

    def late_answer(self, overdue: bool, back: int, status: str) -> None:
        """The PMS answers a posting that it got a while ago, perhaps for the second time."""
        known = self.model.by_identity
        posted = [
            record
            for record in self.pms.posted
            if not overdue or known[identity_of(record)].state in ("unknown", "discarded", "pending")
        ]
        if len(posted) > back and self.pms.alive:
            answer = posting_answer(posted[-1 - back], status, NONE, stamp(self.wall()))
            self.pms.send_text(answer.text)

    def given_up_too_soon(self) -> None:
        """A person gives up what the PMS has not answered, and then it does."""
        unanswered = [known for known in self.model.rows.values() if known.state == "unknown"]
        posted = {record.get("ID") for record in self.pms.posted}
        for known in [known for known in unanswered if known.identity in posted][-1:]:
            self._decide(known, "discard")
            self.wait(0.0)
            self.late_answer(True, 0, "OK")

    def disk(self, full: bool) -> None:
        self.database.outage = DISK_FULL if full else None

    # At the end, and after every step.

    def come_back(self) -> None:
        """All is well again, and goes on: nothing is left waiting."""
        self.disk(False)
        self.network_becomes("accept", 0.0)
        self.pms.set_faults(NONE)
        self.charset_becomes("cp1252")
        self.link.enable()
        for _ in range(60):
            run(self.clock, 5)
            if not self._waits():
                break
            if self.link.conversation.in_sync:
                self.at_the_pms("end of night audit")
                self.at_the_pms("DE")
        self.judge()
        judge_the_end(self.model, self.pms.equipment)

    def _waits(self) -> bool:
        known = self.model.rows.values()
        return any(one.state in ("pending", "sent") or one.row.queued for one in known)


def _identity(offer: Offer) -> str:
    return identity_of(Record(offer.text))
