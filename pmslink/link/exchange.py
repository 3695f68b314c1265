"""The exchange of link records on one connection: which of ours the PMS still has to answer.

The PMS answers LS and the link description in the order in which they were sent. While our LS has no answer,
and while the PMS sends a description of its own (LD, LR…, LA), nothing else is sent: some PMSs drop a
connection on which data arrives in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

from twisted.internet.interfaces import IReactorTime

from pmslink.config.link_settings import LinkSettings
from pmslink.link.countdown import Countdown

MAX_OPEN_REQUESTS = 1000
"""Requests that are remembered, for a PMS that never answers."""

RequestKind = Literal["start", "check", "description"]


class Exchange:
    """The requests of one link that are open, and the PMS's own description.

    `on_closed` is called when an exchange ends by itself or by a time limit, so that data may be sent again.
    """

    def __init__(self, clock: IReactorTime, settings: Callable[[], LinkSettings]) -> None:
        self._clock = clock
        self._settings = settings
        self._requests: deque[RequestKind] = deque(maxlen=MAX_OPEN_REQUESTS)
        self._described_at = -float("inf")
        self._ls_is_unanswered = False  # although LA has arrived: it has confirmed the description
        self._ls_hold = Countdown(clock, self._on_hold_over)  # for the answer to our LS
        self._ld_hold = Countdown(clock, self._on_hold_over)  # from the PMS's LD to the end of its exchange
        self._ls_window = Countdown(clock, lambda: None)
        self.must_answer_la = False
        """Whether the PMS has sent LD: its next LA is answered with LA."""
        self.on_closed: Callable[[], None] = lambda: None

    @property
    def is_open(self) -> bool:
        """Whether only link records of this exchange may be sent."""
        return self._ls_hold.running or self._ld_hold.running

    @property
    def awaits_link_record(self) -> bool:
        """Whether our LS was sent at most `alive_timeout` ago, and no link record has answered it."""
        return self._ls_window.running

    def on_ls_sent(self, kind: Literal["start", "check"]) -> None:
        """Remember an LS of ours."""
        self._requests.append(kind)
        for countdown in (self._ls_hold, self._ls_window):
            countdown.start(self._settings().alive_timeout)

    def on_description_sent(self) -> None:
        """Remember a description of ours, which the PMS confirms with LA."""
        self._requests.append("description")
        self._described_at = self._clock.seconds()

    def on_docked(self, record: str) -> None:
        """Begin with the record by which the PMS has started the link. It confirms nothing of ours."""
        self._requests.clear()
        if record == "LD":
            self.on_ld()
        elif record in ("LS", "LA") or self._settings().alive_on == "any":
            self._stop()

    def on_ls(self) -> int:
        """End the wait for the answer to our LS, which the PMS answered with LS.

        Return how many requests this answers: those up to the oldest LS.
        """
        answered = next((at for at, kind in enumerate(self._requests, 1) if kind != "description"), 0)
        for _ in range(answered):
            self._requests.popleft()
        self._ls_window.stop()
        self._close(self._ls_hold)
        return answered

    def on_ld(self) -> None:
        """Begin to wait for the end of the PMS's description. A repeated LD does not extend the wait."""
        self.must_answer_la = True
        self._ls_window.stop()
        if not self._ld_hold.running:
            self._ld_hold.start(self._settings().sync_timeout)
        self._close(self._ls_hold)

    def on_la(self) -> RequestKind | None:
        """Return the kind of the oldest request, which LA answers; None without one.

        The caller answers LA if `must_answer_la` says so, and calls `end` then.
        """
        answered = self._requests.popleft() if self._requests else None
        is_recent = self._clock.seconds() - self._described_at < self._settings().sync_timeout
        has_ls = any(kind != "description" for kind in self._requests)
        self._ls_is_unanswered = answered == "description" and is_recent and has_ls
        return answered

    def end(self) -> None:
        """End the exchange: the PMS's LA has arrived, and had its answer if it wants one.

        If that LA confirmed a description, an LS that was sent later still waits for its answer.
        """
        was_open = self.is_open
        self.must_answer_la = False
        self._ld_hold.stop()
        if not self._ls_is_unanswered:
            self._stop()
        if was_open and not self.is_open:
            self.on_closed()

    def on_data_record(self) -> None:
        """Take a data record as the answer to our LS, which proves nothing about what was sent before."""
        self._close(self._ls_hold)

    def reset(self) -> None:
        """Forget everything: the connection has ended, or the PMS starts again."""
        self._requests.clear()
        self.must_answer_la = False
        self._stop()

    def _stop(self) -> None:
        for countdown in (self._ls_hold, self._ls_window, self._ld_hold):
            countdown.stop()

    def _close(self, hold: Countdown) -> None:
        if hold.running:
            hold.stop()
            self._on_hold_over()

    def _on_hold_over(self) -> None:
        if not self.is_open:
            self.on_closed()
