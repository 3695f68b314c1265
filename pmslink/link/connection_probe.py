"""The connection test: dock to an address as a link would, step by step, and end with LE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from attrs import evolve, frozen
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

from pmslink.config.link_definition import LinkConfig
from pmslink.errors import NotApplicableError
from pmslink.fias.link_description import declared_fields
from pmslink.link import controls
from pmslink.link.dialer import StartLinkDial
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.resync import Progress
from pmslink.link.state_history import Transition
from pmslink.store.core.journal_interface import NullJournal

StepName = Literal["resolve", "connect", "link_start", "description", "confirmation"]
_STEPS_AFTER_RESOLVE: tuple[StepName, ...] = ("connect", "link_start", "description", "confirmation")


@frozen
class Step:
    """One step of a test. The test ends at the first step that fails."""

    step: StepName
    ok: bool
    reason: str
    seconds: float


class Probe:
    """Test addresses that no link of this process uses."""

    def __init__(
        self, reactor: Any, wall_clock: Callable[[], datetime], dial: StartLinkDial, links: LinkRegistry
    ) -> None:
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._dial = dial
        self._links = links
        self._tested_addresses: set[tuple[str, int]] = set()

    async def test(self, config: LinkConfig) -> list[Step]:
        """Dock as this link would, and return the steps. It takes about the start and sync timeouts at most.

        Raises NotApplicableError while a link or another test uses the address, because a second
        connection would make the PMS drop the first.
        """
        started: float = self._reactor.seconds()
        resolved = await self._resolve(config.host)
        if resolved is None:
            reason = f"The host name {config.host} cannot be resolved"
            return [Step("resolve", False, reason, self._reactor.seconds() - started)]
        accepts = config.settings.connect == "accept"
        address = ("" if accepts else resolved, config.port)
        # Compare resolved addresses: two names may stand for one host.
        used_by = [
            link.name
            for link in self._links
            if link.is_active
            and link.config.port == config.port
            and link.settings().connect == config.settings.connect
            and (accepts or await self._resolve(link.config.host) == resolved)
        ]
        if used_by or address in self._tested_addresses:
            by = f"the link {used_by[0]}" if used_by else "another test"
            raise NotApplicableError("in_use", f"{by} uses {config.host}:{config.port}; disable it first")
        self._tested_addresses.add(address)
        try:
            return await self._run_steps(config, resolved, started)
        finally:
            self._tested_addresses.remove(address)

    async def _run_steps(self, config: LinkConfig, resolved: str, started: float) -> list[Step]:
        settings = evolve(config.settings, enabled=True, expires_at=None)
        trial = _ProbeLink(evolve(config, settings=settings), self._reactor, self._wall_clock, self._dial)
        is_address = resolved == config.host
        trial.pass_step("resolve", f"{config.host} is {'an address' if is_address else resolved}", started)
        try:
            trial.start()
            await trial.finished
            if trial.session.in_sync:
                controls.disconnect(trial)
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


class _ProbeLink(Link):
    """A link that records the steps of its first docking. The test stops it at the first failure."""

    def __init__(
        self, config: LinkConfig, reactor: Any, wall_clock: Callable[[], datetime], dial: StartLinkDial
    ) -> None:
        super().__init__(config, reactor, wall_clock, dial, self._on_link_changed, NullJournal())
        self.resync.progress = Progress(wanted=False)  # a test sends no DR
        self._reactor = reactor
        self._seconds: Callable[[], float] = reactor.seconds
        self._step_started: float = reactor.seconds()
        self.steps: list[Step] = []
        self._is_finished = False
        self.finished: Deferred[None] = Deferred()
        self.closed: Deferred[None] = Deferred()

    def pass_step(self, step: StepName, reason: str, started: float | None = None) -> None:
        """Add a step that succeeded."""
        self._add_step(step, True, reason, started)

    def on_connection_up(self) -> None:
        """Add the step of the connection, and go on as a link."""
        config = self.config
        text = f"{config.address} accepted the connection"
        if config.settings.connect == "accept":
            text = f"{config.host} connected"
        self.pass_step("connect", text)
        super().on_connection_up()

    def _on_link_changed(self, _: Link, transition: Transition | None) -> None:
        marker = self.core.marker
        if self._is_finished:
            if marker != "WAIT_LE" and not self.closed.called:
                self.closed.callback(None)
            return
        if transition is not None and marker == "ESTABLISHED":
            self.pass_step("link_start", self.reason)
            self.pass_step(
                "description", f"{len(declared_fields(self.settings().records))} record types described"
            )
        if self.session.in_sync:
            self.pass_step("confirmation", "The link is in sync")
            self._finish()
        elif (
            transition is not None
            and transition.old in ("WAIT_LS", "ESTABLISHED")
            and marker != "ESTABLISHED"
        ):
            passed = {step.step for step in self.steps}
            failed = next(name for name in _STEPS_AFTER_RESOLVE if name not in passed)
            self._add_step(failed, False, self.reason)
            self._finish()

    def _finish(self) -> None:
        self._is_finished = True
        # Deferred: this runs within a move of the machine, and the callbacks make another move.
        self._reactor.callLater(0, self.finished.callback, None)

    def _add_step(self, step: StepName, ok: bool, reason: str, started: float | None = None) -> None:
        now = self._seconds()
        self.steps.append(
            Step(step, ok, reason, round(now - (self._step_started if started is None else started), 3))
        )
        self._step_started = now
