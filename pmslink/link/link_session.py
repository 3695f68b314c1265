"""What is said on an established link: the description, its confirmation, and the checks.

The link is *in sync* once the PMS has confirmed the description; before that a PMS ignores data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from pmslink import __version__
from pmslink.config.link_settings import LinkSettings
from pmslink.fias.field_values import stamp
from pmslink.fias.link_description import description
from pmslink.fias.record import Record, write
from pmslink.link.cause import Cause
from pmslink.link.countdown import Countdown
from pmslink.link.link_checks import LinkChecks
from pmslink.link.outbox import Outbox
from pmslink.link.resync import Resync

REPEAT = 3.0
"""Seconds in which a second LS is no reason to describe again: both ends may have started at once."""
SETTLED = 60.0
"""Seconds in sync after which the link counts as recovered."""


class Speaker(Protocol):
    """Who holds the conversation: the link."""

    def settings(self) -> LinkSettings:
        """The settings now."""

    def say(self, records: Sequence[Record]) -> None:
        """Send these, back to back."""

    def hotel_time(self) -> datetime:
        """The hotel's local time."""

    def sync_changed(self) -> None:
        """`in_sync` has changed while the marker stays."""

    def settled(self) -> None:
        """The link has been in sync for a minute."""

    def deaf(self) -> bool:
        """Nothing is read at the moment."""

    def farewell_said(self) -> None:
        """LE went out; the end timeout begins."""

    def check_overdue(self, cause: Cause) -> None:
        """The answer to a link check did not come."""

    def sync_overdue(self, cause: Cause) -> None:
        """The confirmation of the description did not come."""


class Conversation:
    """One per link; each docking begins it anew."""

    def __init__(
        self,
        clock: IReactorTime,
        wall: Callable[[], datetime],
        speaker: Speaker,
        outbox: Outbox,
        resync: Resync,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._speaker = speaker
        self.settings = speaker.settings
        self.deaf = speaker.deaf
        self.outbox = outbox
        self.resync = resync
        self.checks = LinkChecks(clock, wall, self)
        self.in_sync = False
        self.last_in_sync: datetime | None = None
        self._heard_at = 0.0
        self._described_at: float | None = None  # while that description is unconfirmed
        self._owes_la = False  # to a peer that described itself: its LA wants one in return
        self._sync_limit = Countdown(clock, self._probe)
        self._probing = Countdown(clock, self._never_confirmed)
        self._settling = Countdown(clock, speaker.settled)
        self._leave_taking = Countdown(clock, self._bid_farewell)

    # What the machine has said (its Talk).

    def greet(self) -> None:
        self._say("LS")
        self.outbox.asked()

    def dock(self, record: str) -> None:
        self._owes_la = record == "LD"
        self._heard_at = self._clock.seconds()
        if record != "LS":  # our LS, if there was one, is answered by this; the PMS's own LS answers nothing
            self.outbox.closed()
        self._describe()

    def restart(self) -> None:
        described = self._described_at
        if described is None or self._clock.seconds() - described >= REPEAT:
            self.outbox.closed()  # what the PMS had not answered when it started anew, it never will
            self._answered()
            self._set_sync(False)
            self._describe()
        else:
            self._answered()

    def mirrored(self) -> None:
        self._owes_la = True
        self._answered()
        if self.settings().sync_on == "any":
            self._set_sync(True)

    def confirmed(self) -> None:
        self._described_at = None
        self.outbox.confirmed()
        self._answered()
        if self._owes_la:  # once; LA for LA would never end
            self._owes_la = False
            self._say("LA")
        self._set_sync(True)

    def take_leave(self) -> None:
        if self.outbox.when_answered(self._bid_farewell):
            self._leave_taking.start(self.settings().end_timeout)
        else:
            self._bid_farewell()

    def answer_farewell(self) -> None:
        self._say("LE")

    def break_off(self) -> None:
        self._leave_taking.stop()
        self.outbox.closed()
        self.resync.closed()

    def fall_silent(self) -> None:
        self.checks.stop()
        self.outbox.held()
        self.resync.held()
        self._end_sync_limit()
        self._settling.stop()
        self._described_at = None
        self.in_sync = False

    # What the link tells of.

    def heard(self) -> None:
        """A known record that is no link record came on the established link."""
        self._heard_at = self._clock.seconds()
        settings = self.settings()
        if settings.alive_on == "any":
            self.checks.answered()
            self.outbox.alive()
        if settings.sync_on == "any":
            self._set_sync(True)

    # What the checks want to know (alive.Checked).

    def ask(self) -> None:
        self.greet()

    def busy(self) -> bool:
        settings = self.settings()
        silence = self._clock.seconds() - self._heard_at
        return self.resync.running and silence < settings.alive_interval + settings.alive_timeout

    def check_overdue(self) -> None:
        cause = Cause("no_answer", {"seconds": self.settings().alive_timeout})
        self._speaker.check_overdue(cause)

    def check_failed(self, why: Failure) -> None:
        self._speaker.check_overdue(Cause("lost", {"detail": f"the link check failed: {why.value}"}))

    def _answered(self) -> None:
        """A link record came; it proves the link alive."""
        self._heard_at = self._clock.seconds()
        self.checks.answered()
        self.outbox.alive()

    def _bid_farewell(self) -> None:
        self._leave_taking.stop()
        self.outbox.farewell()
        self._say("LE")
        self._speaker.farewell_said()

    def _say(self, id: str) -> None:
        """Send a link record, or DR, which carry nothing but the time."""
        self._speaker.say([write(id, stamp(self._speaker.hotel_time()))])

    def ask_for_resync(self) -> None:
        """Send DR."""
        self._say("DR")

    # The description and what confirms it.

    def _describe(self) -> None:
        settings = self.settings()
        if not settings.describe:
            self._set_sync(True)
            return
        self._speaker.say(description(settings.records, __version__, self._speaker.hotel_time()))
        self.outbox.asked()
        self._described_at = self._clock.seconds()
        self._set_sync(settings.sync_on == "declared")
        limited = self._sync_limit.running or self._probing.running
        if not self.in_sync and not limited:  # a later description does not extend it
            self._sync_limit.start(settings.sync_timeout)

    def _probe(self) -> None:
        self.greet()
        self._probing.start(self.settings().alive_timeout)

    def _never_confirmed(self) -> None:
        cause = Cause("never_confirmed", {"seconds": self.settings().sync_timeout})
        self._speaker.sync_overdue(cause)

    def _set_sync(self, in_sync: bool) -> None:
        if in_sync == self.in_sync:
            return
        self.in_sync = in_sync
        if in_sync:
            self.last_in_sync = self._wall()
            self._end_sync_limit()
            self._settling.start(SETTLED)
            self.checks.start()
        else:
            self._settling.stop()
            self.checks.stop()
            self.outbox.held()
            self.resync.held()
        self._speaker.sync_changed()
        if in_sync:
            self.resync.opened()
            self.outbox.opened()

    def _end_sync_limit(self) -> None:
        self._sync_limit.stop()
        self._probing.stop()
