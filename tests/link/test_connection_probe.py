"""The trial of an address, against a PMS on a port of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import CancelledError, Deferred, fail, maybeDeferred
from twisted.internet.error import DNSLookupError
from twisted.internet.protocol import ClientCreator

from pmslink.config.link_definition import parse_link
from pmslink.errors import NotApplicableError
from pmslink.host_resolver import LOOKUP_TIMEOUT_S, HostResolver, LookupTimeoutError
from pmslink.link.connection_probe import Probe, Step, StepStart
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.tcp_dial import TcpDial
from pmslink.simulator.pms.connection_factory import PmsFactory
from pmslink.simulator.pms.fault_switches import Faults
from pmslink.simulator.pms.pbx_connection import PmsConnection
from pmslink.simulator.pms.property import Pms
from pmslink.timestamps import utc_now
from tests.memory_store import make_store
from tests.time_limit import time_limit

reactor: Any = global_reactor
TIMINGS: dict[str, object] = {
    "host": "127.0.0.1",
    "start_timeout": 30,
    "sync_timeout": 30,
    "alive_timeout": 30,
}
"""Timeouts that only a test reaches which sets a shorter one."""


class Street:
    """A PMS on a port, links that do not run, and a probe."""

    def __init__(self) -> None:
        self.pms = Pms(reactor, datetime.now, 10)
        self.port = reactor.listenTCP(0, PmsFactory(self.pms), interface="127.0.0.1")
        self.number: int = self.port.getHost().port
        self.store = make_store(reactor, utc_now)
        self.resolver = HostResolver(reactor)
        dial = TcpDial(reactor, self.resolver)
        self.links = LinkRegistry(reactor, self.store, dial=dial)
        self.probe = Probe(reactor, utc_now, self.resolver, dial, self.links)

    async def steps(self, **settings: object) -> list[tuple[str, bool, str]]:
        config = parse_link("test", {**TIMINGS, "port": self.number, **settings})
        return [(one.step, one.ok, one.reason) for one in await self.probe.test(config)]


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def street() -> AsyncIterator[Street]:
    made = Street()
    yield made
    await maybeDeferred(made.port.stopListening)
    await made.pms.stop()


@time_limit(10)
async def test_a_pms_that_answers_passes_every_step_and_is_left_with_le(street: Street) -> None:
    steps = await street.steps()
    assert [(name, ok) for name, ok, _ in steps] == [
        ("resolve", True),
        ("connect", True),
        ("link_start", True),
        ("description", True),
        ("confirmation", True),
    ]
    assert "LE|" in [one.text[:3] for one in street.pms.trace.after() if one.direction == "in"]
    assert (
        street.store.journal.last_published_seq == street.store.startup_snapshot.first_seq - 1
    )  # nothing of it is kept
    assert not street.store.journal._queue


@time_limit(10)
async def test_the_start_and_the_end_of_each_step_are_reported(street: Street) -> None:
    progress: list[StepStart | Step] = []
    config = parse_link("test", {**TIMINGS, "port": street.number, "alive_timeout": 4})
    steps = await street.probe.test(config, progress.append)
    assert [one for one in progress if isinstance(one, Step)] == steps
    assert [one.step for one in progress] == [step.step for step in steps for _ in range(2)]
    limits = {one.step: one.limit for one in progress if isinstance(one, StepStart)}
    assert limits["resolve"] == LOOKUP_TIMEOUT_S
    assert 20 < limits["link_start"] <= limits["connect"] <= 30
    assert 24 < limits["confirmation"] <= limits["description"] <= 34  # with an LS that asks again


@time_limit(10)
async def test_a_name_is_resolved_and_reported(street: Street) -> None:
    assert (await street.steps(host="localhost"))[0] == ("resolve", True, "localhost is 127.0.0.1")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DNSLookupError, "The host name pms.invalid cannot be resolved"),
        (LookupTimeoutError, "No DNS server has answered for the host name pms.invalid in time"),
    ],
)
@time_limit(10)
async def test_a_name_that_is_not_known_fails_the_first_step(
    street: Street, monkeypatch: pytest.MonkeyPatch, error: type[DNSLookupError], reason: str
) -> None:
    monkeypatch.setattr(street.resolver, "resolve", lambda host: fail(error(host)))
    assert await street.steps(host="pms.invalid") == [("resolve", False, reason)]


@time_limit(10)
async def test_a_port_without_a_listener_fails_the_connection(street: Street) -> None:
    await street.port.stopListening()
    assert (await street.steps())[1:] == [
        ("connect", False, f"127.0.0.1:{street.number} refused the connection: Connection refused")
    ]


@time_limit(10)
async def test_a_silent_pms_fails_the_link_start(street: Street) -> None:
    street.pms.set_faults(Faults(frozen=True))
    assert [(name, ok) for name, ok, _ in await street.steps(start_timeout=3)] == [
        ("resolve", True),
        ("connect", True),
        ("link_start", False),
    ]


@time_limit(10)
async def test_a_pms_that_never_confirms_fails_the_confirmation(street: Street) -> None:
    street.pms.set_faults(Faults(never_la=True))
    name, ok, reason = (await street.steps(sync_timeout=0.2, alive_timeout=0.2))[-1]
    assert (name, ok) == ("confirmation", False)
    assert "did not confirm" in reason


@time_limit(10)
async def test_d6_a_pms_that_dials_in_is_tested_when_it_calls(street: Street) -> None:
    number = street.number
    await maybeDeferred(street.port.stopListening)
    tested = street.steps(connect="accept", port=number)
    finished = Deferred.fromCoroutine(tested)
    ClientCreator(reactor, PmsConnection, street.pms).connectTCP("127.0.0.1", number)
    assert [(step, ok) for step, ok, _ in await finished] == [
        ("resolve", True),
        ("connect", True),
        ("link_start", True),
        ("description", True),
        ("confirmation", True),
    ]
    assert (await street.steps(connect="accept", port=number, start_timeout=0.3))[-1] == (
        "connect",
        False,
        f"No PMS connected to port {number} of this machine within 0.3 s",
    )


@time_limit(10)
async def test_an_address_that_a_link_wants_is_not_tried(street: Street) -> None:
    street.links.add(parse_link("grand", {"host": "127.0.0.1", "port": street.number}))
    with pytest.raises(NotApplicableError, match="the link grand uses") as refused:
        await street.steps()
    assert refused.value.code == "in_use"


@time_limit(10)
async def test_another_spelling_of_an_address_that_a_link_wants_is_not_tried_either(street: Street) -> None:
    street.links.add(parse_link("grand", {"host": "127.0.0.1", "port": street.number}))
    street.links.add(parse_link("nowhere", {"host": "127.0.0.2", "port": street.number}))
    with pytest.raises(NotApplicableError, match="the link grand uses"):
        await street.steps(host="localhost")


@time_limit(10)
async def test_two_trials_of_one_address_do_not_meet(street: Street) -> None:
    first = Deferred.fromCoroutine(street.steps())
    with pytest.raises(NotApplicableError, match="another test uses"):
        await street.steps()
    assert (await first)[-1][:2] == ("confirmation", True)


@time_limit(10)
async def test_a_trial_that_is_given_up_leaves_nothing_behind(street: Street) -> None:
    street.pms.set_faults(Faults(frozen=True))
    progress: list[StepStart | Step] = []
    connected: Deferred[None] = Deferred()

    def on_progress(one: StepStart | Step) -> None:
        progress.append(one)
        if one.step == "link_start":
            reactor.callLater(0, connected.callback, None)

    config = parse_link("test", {**TIMINGS, "port": street.number})
    trial = Deferred.fromCoroutine(street.probe.test(config, on_progress))
    await connected
    reported = len(progress)
    trial.cancel()
    with pytest.raises(CancelledError):
        await trial
    assert len(progress) == reported
    street.pms.set_faults(Faults())
    assert (await street.steps())[-1][:2] == ("confirmation", True)
