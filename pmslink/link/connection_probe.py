"""A trial of an address: what a link would do there, step by step, ended with LE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from attrs import evolve, frozen
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

from pmslink.config.loader import LinkConfig
from pmslink.errors import NotApplicable
from pmslink.fias.link_description import declared
from pmslink.link.link import Dial, Link
from pmslink.link.link_registry import Links
from pmslink.link.resync import Progress
from pmslink.link.state_history import Transition
from pmslink.store.core.journal_interface import Forgetful

StepName = Literal["resolve", "connect", "link_start", "description", "confirmation"]
_AFTER_RESOLVE: tuple[StepName, ...] = ("connect", "link_start", "description", "confirmation")


@frozen
class Step:
    """One step of a trial; the steps after one that failed are not tried."""

    step: StepName
    ok: bool
    reason: str
    seconds: float


class Probe:
    """Tries addresses that no link of this process uses."""

    def __init__(self, reactor: Any, wall: Callable[[], datetime], dial: Dial, links: Links) -> None:
        self._reactor = reactor
        self._wall = wall
        self._dial = dial
        self._links = links
        self._tried: set[tuple[str, int]] = set()

    async def test(self, config: LinkConfig) -> list[Step]:
        """Try to dock as this link would. Takes at most its start and sync timeouts and a little more.

        Raises NotApplicable while a link or another trial uses the address: a second connection makes
        a PMS drop the first.
        """
        begun: float = self._reactor.seconds()
        resolved = await self._resolve(config.host)
        if resolved is None:
            reason = f"The name {config.host} is not known to the DNS"
            return [Step("resolve", False, reason, self._reactor.seconds() - begun)]
        address = (resolved, config.port)
        # However it is spelled: a name, another name, an address.
        used_by = [
            link.name
            for link in self._links
            if link.wanted
            and link.config.port == config.port
            and await self._resolve(link.config.host) == resolved
        ]
        if used_by or address in self._tried:
            by = f"the link {used_by[0]}" if used_by else "another test"
            raise NotApplicable("in_use", f"{by} uses {config.host}:{config.port}; disable it first")
        self._tried.add(address)
        try:
            return await self._try(config, resolved, begun)
        finally:
            self._tried.remove(address)

    async def _try(self, config: LinkConfig, resolved: str, begun: float) -> list[Step]:
        settings = evolve(config.settings, enabled=True, expires_at=None)
        trial = _Trial(evolve(config, settings=settings), self._reactor, self._wall, self._dial)
        is_address = resolved == config.host
        trial.passed("resolve", f"{config.host} is {'an address' if is_address else resolved}", begun)
        try:
            trial.start()
            await trial.judged
            if trial.conversation.in_sync:
                trial.disconnect()
                await trial.closed
        finally:
            await trial.stop()
        return trial.steps

    async def _resolve(self, host: str) -> str | None:
        if isIPAddress(host) or isIPv6Address(host):
            return host
        try:
            return str(await self._reactor.resolve(host))
        except DNSLookupError:
            return None


class _Trial(Link):
    """A link that keeps account of its first docking, and is given up at the first failure."""

    def __init__(self, config: LinkConfig, reactor: Any, wall: Callable[[], datetime], dial: Dial) -> None:
        super().__init__(config, reactor, wall, dial, self._happened, Forgetful())
        self.resync.progress = Progress(wanted=False)  # it is to be seen, and nothing asked of it
        self._reactor = reactor
        self._seconds: Callable[[], float] = reactor.seconds
        self._begun: float = reactor.seconds()
        self.steps: list[Step] = []
        self._is_judged = False
        self.judged: Deferred[None] = Deferred()
        self.closed: Deferred[None] = Deferred()

    def passed(self, step: StepName, reason: str, begun: float | None = None) -> None:
        """Note a step that succeeded."""
        self._note(step, True, reason, begun)

    def connection_up(self) -> None:
        self.passed("connect", f"{self.address} took the connection")
        super().connection_up()

    def _happened(self, _: Link, transition: Transition | None) -> None:
        marker = self.core.marker
        if self._is_judged:
            if marker != "WAIT_LE" and not self.closed.called:
                self.closed.callback(None)
            return
        if transition is not None and marker == "ESTABLISHED":
            self.passed("link_start", self.reason)
            self.passed("description", f"{len(declared(self.settings().records))} record types described")
        if self.conversation.in_sync:
            self.passed("confirmation", "The link is in sync")
            self._judge()
        elif (
            transition is not None
            and transition.old in ("WAIT_LS", "ESTABLISHED")
            and marker != "ESTABLISHED"
        ):
            failed = next(step for step in _AFTER_RESOLVE if step not in [one.step for one in self.steps])
            self._note(failed, False, self.reason)
            self._judge()

    def _judge(self) -> None:
        self._is_judged = True
        # Later, for this is told in the middle of a move, and what comes next is a move as well.
        self._reactor.callLater(0, self.judged.callback, None)

    def _note(self, step: StepName, ok: bool, reason: str, begun: float | None = None) -> None:
        now = self._seconds()
        self.steps.append(Step(step, ok, reason, round(now - (self._begun if begun is None else begun), 3)))
        self._begun = now
