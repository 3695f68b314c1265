"""The connection test: dock to an address as a link would, step by step, and end with LE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal, get_args

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig
from pmslink.errors import NotApplicableError
from pmslink.fias.link_description import declared_fields
from pmslink.host_resolver import LOOKUP_TIMEOUT_S, HostResolver
from pmslink.link import controls, reason_texts
from pmslink.link.cause import UNANSWERED_LOOKUP_CAUSE, Cause
from pmslink.link.countdown import Countdown
from pmslink.link.dialer import StartLinkDial
from pmslink.link.host_addresses import parse_ip
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.network_errors import cause_of_failed_dial
from pmslink.link.resync import Progress
from pmslink.link.state_history import Transition
from pmslink.link.tcp_accepting import AcceptingNetwork, TcpAccepting
from pmslink.link.tcp_dial import Address, TcpDial, first_address
from pmslink.link.unreadable_input import UnreadableInput
from pmslink.store.core.journal_interface import NullJournal

StepName = Literal["resolve", "connect", "link_start", "description", "confirmation"]
_STEPS: tuple[StepName, ...] = get_args(StepName)
_STEPS_AFTER: dict[StepName, StepName] = dict(pairwise(_STEPS))

DESCRIPTION_VARIANTS = ("lost_description", "lost_record")
"""Variants of a cause that blame the link description."""
PROOF_DELAY_S = 1.0
"""Seconds for which a link must stay in sync that is in sync without an answer from the PMS."""


@frozen
class Suggestion:
    """A setting that would help, and its value."""

    setting: str
    value: Any


@frozen
class Step:
    """One step of a test. The test ends at the first step that fails."""

    step: StepName
    ok: bool
    reason: str
    seconds: float
    advice: str = ""
    """What to do, in English; empty if there is nothing to do."""
    seen: UnreadableInput | None = None
    """What came instead of records."""
    suggest: Suggestion | None = None
    cause: Cause | None = None
    """Why the step failed, for programs and translations."""


@frozen
class StepStart:
    """The start of a step."""

    step: StepName
    limit: float
    """Seconds that the step may take."""


OnProgress = Callable[[StepStart | Step], None]
"""Called when a step starts, and when it ends."""


class Probe:
    """Test addresses that no link of this process uses."""

    def __init__(
        self,
        reactor: Any,
        wall_clock: Callable[[], datetime],
        resolver: HostResolver,
        dial: TcpDial,
        links: LinkRegistry,
    ) -> None:
        """Make a probe. `dial` is the one of `links`, and knows the addresses that they use."""
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._resolver = resolver
        self._dial = dial
        self._links = links
        self._tested_addresses: set[tuple[str, int]] = set()

    async def test(self, config: LinkConfig, on_progress: OnProgress = lambda _: None) -> list[Step]:
        """Dock as this link would, and return the steps. It takes about the start and sync timeouts at most.

        Raises NotApplicableError while a link or another test uses the address, because a second
        connection would make the PMS drop the first. Two host names may stand for one address, so this may
        be found only after the first step has started.
        """
        self._require_unused(config, None)
        started: float = self._reactor.seconds()
        on_progress(StepStart("resolve", LOOKUP_TIMEOUT_S))
        try:
            resolved = first_address(await self._resolver.resolve(config.host))
        except DNSLookupError:
            failed = self._describe_failed_lookup(config, Failure(), started)
            on_progress(failed)
            return [failed]
        accepts = config.settings.connect == "accept"
        address = ("" if accepts else str(parse_ip(resolved)), config.port)
        self._require_unused(config, address)
        self._tested_addresses.add(address)
        try:
            return await self._run_steps(config, resolved, started, on_progress)
        finally:
            self._tested_addresses.remove(address)

    async def _run_steps(
        self, config: LinkConfig, resolved: str, started: float, on_progress: OnProgress
    ) -> list[Step]:
        settings = evolve(config.settings, enabled=True, expires_at=None)
        accepting = TcpAccepting(self._reactor, self._resolver)
        config = evolve(config, settings=settings)
        trial = _ProbeLink(config, self._reactor, self._wall_clock, self._dial, accepting, on_progress)
        is_address = resolved == config.host
        trial.pass_step("resolve", f"{config.host} is {'an address' if is_address else resolved}", started)
        try:
            trial.start()
            await trial.finished
            if trial.session.in_sync:
                controls.disconnect(trial)
                await trial.closed
        finally:
            trial.abandon()
            await trial.stop()
        return trial.steps

    def _require_unused(self, config: LinkConfig, address: Address | None) -> None:
        """Raise NotApplicableError if a link or another test uses an address; None if it is unknown yet."""
        used_by = [link.name for link in self._links if link.is_active and self._uses(link, config, address)]
        if used_by or address in self._tested_addresses:
            by = f"the link {used_by[0]}" if used_by else "another test"
            raise NotApplicableError("in_use", f"{by} uses {config.host}:{config.port}; disable it first")

    def _uses(self, link: Link, config: LinkConfig, address: Address | None) -> bool:
        """Return whether a link uses the address of a test. Two names may stand for one address."""
        if link.config.port != config.port or link.settings().connect != config.settings.connect:
            return False
        if config.settings.connect == "accept" or link.config.address_key == config.address_key:
            return True
        literal = parse_ip(link.config.host)
        used = self._dial.last_address(link.dialer) if literal is None else (str(literal), config.port)
        return used is not None and used == address

    def _describe_failed_lookup(self, config: LinkConfig, failure: Failure, started: float) -> Step:
        cause = cause_of_failed_dial(failure)
        reason = f"The host name {config.host} cannot be resolved"
        if cause == UNANSWERED_LOOKUP_CAUSE:
            reason = f"No DNS server has answered for the host name {config.host} in time"
        seconds = self._reactor.seconds() - started
        return Step("resolve", False, reason, seconds, reason_texts.cause_advice(cause), cause=cause)


class _ProbeLink(Link):
    """A link that records the steps of its first docking. The test stops it at the first failure."""

    def __init__(
        self,
        config: LinkConfig,
        reactor: Any,
        wall_clock: Callable[[], datetime],
        dial: StartLinkDial,
        accepting: AcceptingNetwork,
        on_progress: OnProgress,
    ) -> None:
        on_change = self._on_link_changed
        super().__init__(config, reactor, wall_clock, dial, on_change, NullJournal(), accepting=accepting)
        self.resync.progress = Progress(wanted=False)  # a test sends no DR
        self._reactor = reactor
        self._seconds: Callable[[], float] = reactor.seconds
        self._step_started: float = reactor.seconds()
        self._deadline = self._step_started + config.settings.start_timeout
        self._on_progress = on_progress
        self.steps: list[Step] = []
        self._is_finished = False
        self._proof_timer = Countdown(reactor, self._on_proved)
        self.finished: Deferred[None] = Deferred()
        self.closed: Deferred[None] = Deferred()

    def pass_step(self, step: StepName, reason: str, started: float | None = None) -> None:
        """Add a step that succeeded, and start the next one."""
        self._add_step(Step(step, True, reason, self._measure_step(started)))
        if step == "link_start":
            self._deadline = self._step_started + self._confirmation_limit()
        following = _STEPS_AFTER.get(step)
        if following is not None:
            limit = round(max(0.0, self._deadline - self._step_started), 3)
            self._on_progress(StepStart(following, limit))

    def _confirmation_limit(self) -> float:
        """Return the seconds that the description and its confirmation may take."""
        settings = self.settings()
        if settings.describe and settings.sync_on != "declared":
            return settings.sync_timeout + settings.alive_timeout  # an LS is sent in between
        return PROOF_DELAY_S

    def abandon(self) -> None:
        """Add no more steps: the test has ended, or its client has left."""
        self._is_finished = True
        self._proof_timer.stop()

    def on_connection_up(self) -> None:
        """Add the step of the connection, and go on as a link."""
        config = self.config
        text = f"{config.address} accepted the connection"
        if config.settings.connect == "accept":
            text = f"{config.host} connected"
        self.pass_step("connect", text)
        super().on_connection_up()

    def on_unreadable_input(self, found: UnreadableInput) -> None:
        """End the test: what has arrived is not FIAS."""
        super().on_unreadable_input(found)
        if not self._is_finished and self.core.marker == "WAIT_LS":
            self._fail()

    def _on_link_changed(self, _: Link, transition: Transition | None) -> None:
        marker = self.core.marker
        if self._is_finished:
            if marker != "WAIT_LE" and not self.closed.called:
                self.closed.callback(None)
            return
        if transition is not None and marker == "ESTABLISHED":
            self.pass_step("link_start", self.reason)
        if self.session.in_sync:
            self._on_in_sync()
        elif (
            transition is not None
            and transition.old in ("WAIT_LS", "ESTABLISHED")
            and marker != "ESTABLISHED"
        ):
            self._fail()

    def _on_in_sync(self) -> None:
        settings = self.settings()
        if settings.describe and settings.sync_on != "declared":
            self._on_proved()
        elif not self._proof_timer.running:  # nothing from the PMS has confirmed anything yet
            self._proof_timer.start(PROOF_DELAY_S)

    def _on_proved(self) -> None:
        self._pass_description()
        self.pass_step("confirmation", "The link is in sync")
        self._finish()

    def _pass_description(self) -> None:
        if "description" not in [step.step for step in self.steps]:
            declared = declared_fields(self.settings().records) if self.settings().describe else {}
            self.pass_step("description", f"{len(declared)} record types described")

    def _fail(self) -> None:
        cause = self.core.cause
        passed = {step.step for step in self.steps}
        if "link_start" in passed and cause.params.get("variant") not in DESCRIPTION_VARIANTS:
            self._pass_description()
            passed.add("description")
        failed = next(name for name in _STEPS if name not in passed)
        advice = reason_texts.cause_advice(cause)
        found = self.diagnosis.input.describe()
        seconds = self._measure_step()
        self._add_step(Step(failed, False, self.reason, seconds, advice, found, cause=cause))
        self._finish()

    def _finish(self) -> None:
        self._is_finished = True
        self._proof_timer.stop()
        # Deferred: this runs within a move of the machine, and the callbacks make another move.
        self._reactor.callLater(0, self.finished.callback, None)

    def _add_step(self, step: Step) -> None:
        """Add a step; the last one with what the link has noticed about the PMS."""
        if not step.ok or step.step == "confirmation":
            hints = [*self.diagnosis.hints]
            text = " ".join(f"{reason_texts.hint_text(hint.code, hint.params)}." for hint in hints)
            settings = [hint.params for hint in hints if "value" in hint.params]
            suggestion = Suggestion(settings[0]["setting"], settings[0]["value"]) if settings else None
            step = evolve(step, suggest=suggestion, advice=step.advice or text)
        self.steps.append(step)
        self._on_progress(step)

    def _measure_step(self, started: float | None = None) -> float:
        now = self._seconds()
        begin, self._step_started = self._step_started if started is None else started, now
        return round(now - begin, 3)
