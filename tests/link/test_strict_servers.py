"""Against a strict server for each habit: dock, stay for 100 link checks, exchange records both ways."""

from __future__ import annotations

import json
import random
from abc import abstractmethod

import pytest
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ClientFactory, Protocol

from tests.link import strict_servers
from tests.link.strict_servers import PmsLog, StrictPms
from tests.scripted_pms import DialogueHarness, InMemoryHarness, TcpHarness
from tests.time_limit import time_limit

CHECKS = 100


class _StrictServer(DialogueHarness):
    """A service whose PMS is a strict server."""

    def __init__(self, server: type[StrictPms], settings: dict[str, object]) -> None:
        super().__init__()
        self.server = server
        self.log = PmsLog()
        self.settings.update(settings)
        self.resync_wanted = server.wants_resync

    def buildProtocol(self, addr: IAddress | None) -> Protocol:  # type: ignore[override]
        return self.server(self.log, self.clock)

    @abstractmethod
    def dial_in(self) -> None:
        """Connect to the port of the link."""

    def is_in_sync(self) -> bool:
        return self.link is not None and self.link.session.in_sync

    def exchange(self, number: int) -> None:
        """Check a guest in, change a room's status, and post a charge."""
        assert self.log.newest is not None
        self.log.newest.send(f"GI|RN{2000 + number}|G#{number}|GSN|GN{self.server.guest_name}|")
        self.enqueue_record(f"RE|RN{3000 + number}|RS3|")
        self.enqueue_record(f"PS|RN{4000 + number}|PTC|TA1050|")

    def is_delivered(self, count: int) -> bool:
        rows = [self.stored_row(number) for number in range(1, 2 * count + 1)]
        return all(row is not None and row.state == "done" for row in rows)

    def require_exchanged(self, count: int) -> None:
        """Check that all records arrived, each once."""
        checked_in = [
            (event.room, json.loads(event.text)["guest"]["name"])
            for event in self.events
            if event.type == "guest.checked_in"
        ]
        assert checked_in == [(str(2000 + number), self.server.guest_name_read) for number in range(count)]
        rows = [self.stored_row(number) for number in range(1, 2 * count + 1)]
        assert [(row.state, row.attempts) for row in rows if row is not None] == [("done", 1)] * (2 * count)
        data = [text for text in self.log.data if not text.startswith("DR")]
        assert len(data) == len(set(data)) == 2 * count


class InMemoryServer(_StrictServer, InMemoryHarness):
    """A strict server in memory."""

    def dial_in(self) -> None:
        self.network.call(5010, "127.0.0.1")


class TcpServer(_StrictServer, TcpHarness):
    """A strict server on a port."""

    def dial_in(self) -> None:
        caller = ClientFactory()
        caller.noisy = False
        caller.buildProtocol = self.buildProtocol  # type: ignore[method-assign]
        self.clock.connectTCP("127.0.0.1", self.settings["port"], caller)


NETWORKS = pytest.mark.parametrize("network", [InMemoryServer, TcpServer])


async def stay_for_link_checks(harness: _StrictServer) -> None:
    """Dock, exchange records at any moment of 100 link checks, and check that each arrived once."""
    assert harness.link is not None
    assert await harness.until(harness.is_in_sync, 60)
    interval = harness.link.settings().alive_interval
    dice = random.Random(harness.server.__name__)
    transitions = len(harness.transitions)
    for number in range(CHECKS):
        moment = dice.uniform(0, interval)
        await harness.wait(moment)
        harness.exchange(number)
        await harness.wait(interval - moment)
        assert harness.is_in_sync(), (number, harness.link.reason, harness.log.violations)
    await harness.wait(interval + 60)
    harness.require_exchanged(CHECKS)
    assert harness.log.connections == 1
    assert len(harness.transitions) == transitions  # nothing was announced
    assert harness.log.violations == []


@pytest.mark.parametrize(
    ("server", "settings"),
    [
        (strict_servers.StrictPms, {}),
        (strict_servers.LsForLs, {"sync_on": "declared"}),
        (strict_servers.LsForLs, {"sync_on": "declared", "alive_on": "any"}),
        (strict_servers.LsForLsThatConfirms, {}),
        (strict_servers.LsForLsThatConfirms, {"record_gap": 0.1}),
        (strict_servers.SlowMirror, {}),
        (strict_servers.SlowMirror, {"profile": "protel"}),
        (strict_servers.SlowMirrorThatWaits, {}),
        (strict_servers.VerySlowMirrorThatWaits, {"sync_timeout": 60, "alive_interval": 60}),
        (strict_servers.NeverAnswersLs, {"alive_by": "LA"}),
        (strict_servers.LaForLa, {"alive_by": "LA"}),
        (strict_servers.Lines, {"framing": "crlf"}),
        (strict_servers.NoNightAudit, {"records": {"NS": "", "NE": ""}}),
        (strict_servers.NeverConfirms, {}),
        (strict_servers.NeverConfirms, {"sync_on": "declared"}),
        (strict_servers.Utf8, {"charset": "utf-8"}),
        (strict_servers.ClockTwoHoursAhead, {}),
        (strict_servers.OversizedGreeting, {}),
        (strict_servers.OwnRecords, {}),
        (strict_servers.ResyncWithoutEnd, {}),
        (strict_servers.IgnoresDr, {}),
        (strict_servers.StxInNames, {}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
@NETWORKS
@time_limit(60)
async def test_a_strict_pms_stays_for_100_link_checks(
    network: type[_StrictServer], server: type[StrictPms], settings: dict[str, object]
) -> None:
    harness = network(server, settings)
    harness.start()
    await stay_for_link_checks(harness)
    assert harness.log.checks >= CHECKS - server.checks_left_out
    await harness.stop()


@pytest.mark.parametrize("server", [strict_servers.NeverAnswersLs, strict_servers.SilentForLs])
@NETWORKS
@time_limit(60)
async def test_a_pms_that_never_answers_ls_stays_without_link_checks(
    network: type[_StrictServer], server: type[StrictPms]
) -> None:
    harness = network(server, {"alive_by": "nothing"})
    harness.start()
    await stay_for_link_checks(harness)
    assert harness.log.checks == 0
    await harness.stop()


@NETWORKS
@time_limit(60)
async def test_d6_a_pms_that_dials_in_stays_for_100_link_checks(network: type[_StrictServer]) -> None:
    harness = network(strict_servers.StrictPms, {"connect": "accept"})
    await harness.close_network()  # the link listens on this port
    harness.start()
    await harness.settle()
    harness.dial_in()
    await stay_for_link_checks(harness)
    assert harness.log.checks >= CHECKS
    await harness.stop()


@time_limit(60)
async def test_a_record_that_the_pms_does_not_accept_is_named() -> None:
    harness = InMemoryServer(strict_servers.NoNightAudit, {})
    harness.start()
    assert harness.link is not None
    link = harness.link
    for connection in range(1, 4):
        assert await harness.until(lambda: harness.log.connections == connection, 60)  # noqa: B023
        assert await harness.until(lambda: link.core.marker == "EXPECTION", 60)
        assert "of the link description" in link.reason or "after the link description" in link.reason
    assert "LR|RINS of the link description" in link.reason
    assert "add NS with an empty text" in link.status().advice
    harness.change_setting("records", {"NS": "", "NE": ""})
    assert await harness.until(harness.is_in_sync, 60)
    await harness.stop()
