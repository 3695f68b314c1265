"""A link without a store, a scripted PMS, and a network in memory, all on a test clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig, parse_link
from pmslink.fias.framing import framed
from pmslink.link.link import Link
from pmslink.link.machine import Marker
from pmslink.link.state_history import Transition
from tests.memory_network import Network, advance_clock
from tests.storeless_link import link_without_store

START = datetime(2026, 1, 1, tzinfo=UTC)


class ScriptedPms(Protocol):
    is_closed = False

    def connectionMade(self) -> None:
        self.received = b""
        self.factory.newest = self

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.is_closed = True

    def send(self, *texts: str) -> None:
        for text in texts:
            self.transport.write(framed(text.encode(), "stx-etx"))  # type: ignore[union-attr]


class LinkHarness(Factory):
    """A PMS that sends what a test scripts, and a link to it over a network in memory."""

    noisy = False
    protocol = ScriptedPms
    newest: ScriptedPms

    def __init__(self, **settings: object) -> None:
        self.clock = Clock()
        self.network = Network(self.clock, self)
        self.changes: list[Transition | None] = []
        self.config = self.make_config(**settings)
        self.link = link_without_store(
            self.config, self.clock, self.wall_clock, self.network.dial, self._on_change, self.network
        )

    @staticmethod
    def make_config(**settings: object) -> LinkConfig:
        return parse_link("hotel", {"host": "192.0.2.1", "port": 5010, **settings})

    def wall_clock(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def _on_change(self, link: Link, transition: Transition | None) -> None:
        self.changes.append(transition)

    def marker(self) -> Marker:
        return self.link.core.marker

    def run(self, seconds: float = 0.0) -> None:
        advance_clock(self.clock, seconds)

    def send(self, *texts: str) -> None:
        self.newest.send(*texts)
        self.run()

    def dock(self) -> None:
        self.run()
        self.send("LS|")
        self.send("LA|")
        assert self.link.session.in_sync

    def redial_delays(self, count: int) -> list[float]:
        """Return the delays after so many failed dials, one after the other."""
        delays = []
        for _ in range(count):
            self.run()
            delay = self.link.dialer.redial_in
            assert delay is not None
            delays.append(delay)
            self.run(delay)
        return delays
