"""All the links of one process, and who is told of their changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, get_args

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IConnector
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust, trustRootFromCertificates
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pmslink.config import LinkConfig
from pmslink.link.client import LinkFactory
from pmslink.link.link import Dial, Link, Watcher
from pmslink.link.machine import Marker
from pmslink.link.trace import Transition

EXPIRY_CHECK = 30.0
"""Seconds between looks at the wall clock for subscriptions that have ended."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def dial_with(reactor: Any) -> Dial:
    """Dials over TCP, or TLS with the PMS's certificate verified against the system's or a file's."""

    def dial(factory: LinkFactory, config: LinkConfig) -> IConnector:
        settings = config.settings
        # The link's own start timeout ends a dial that hangs; this one only stands behind it.
        arguments = (config.host, config.port, factory)
        if not settings.tls:
            return reactor.connectTCP(*arguments, timeout=settings.start_timeout + 1)  # type: ignore[no-any-return]
        trust = platformTrust()
        if settings.ca_file is not None:
            with open(settings.ca_file, "rb") as file:
                trust = trustRootFromCertificates(_certificates(file.read()))
        options = optionsForClientTLS(config.host, trustRoot=trust)
        return reactor.connectSSL(*arguments, options, timeout=settings.start_timeout + 1)  # type: ignore[no-any-return]

    return dial


def _certificates(pem: bytes) -> list[Certificate]:
    end = b"-----END CERTIFICATE-----"
    return [Certificate.loadPEM(part + end) for part in pem.split(end)[:-1]]


class Links(Service):
    """Starts, stops and finds links, and tells watchers of their changes."""

    log = Logger()

    def __init__(
        self, reactor: Any, wall: Callable[[], datetime] = utc_now, dial: Dial | None = None
    ) -> None:
        self._reactor = reactor
        self._wall = wall
        self._dial = dial or dial_with(reactor)
        self._links: dict[str, Link] = {}
        self._watchers: list[Watcher] = []
        self._expiry: LoopingCall | None = None

    def add(self, config: LinkConfig) -> Link:
        """Make a link; it starts with the service, or at once if that runs."""
        link = Link(config, self._reactor, self._wall, self._dial, self._changed)
        self._links[config.name] = link
        if self.running:
            link.start()
        return link

    def get(self, name: str) -> Link | None:
        return self._links.get(name)

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links.values())

    def __len__(self) -> int:
        return len(self._links)

    def by_marker(self) -> dict[Marker, int]:
        """How many links are in each state."""
        counted = Counter(link.core.marker for link in self)
        return {marker: counted[marker] for marker in get_args(Marker)}

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell this one of every change from now on, until the returned function is called."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        for link in self:
            link.start()
        self._expiry = LoopingCall(self._check_expiries)
        self._expiry.clock = self._reactor
        self._expiry.start(EXPIRY_CHECK, now=False).addErrback(
            lambda failure: self.log.failure("expiry is no longer watched", failure=failure)
        )

    def stopService(self) -> Deferred[list[None]]:
        super().stopService()  # type: ignore[no-untyped-call]
        if self._expiry is not None:
            self._expiry.stop()
        return gatherResults([link.stop() for link in self])

    def _check_expiries(self) -> None:
        for link in self:
            link.check_expiry()

    def _changed(self, link: Link, transition: Transition | None) -> None:
        if transition is not None:
            self.log.info(
                "{link}: {old} to {new}: {reason}",
                link=link.name,
                old=transition.old,
                new=transition.new,
                reason=transition.reason,
            )
        for watcher in tuple(self._watchers):
            try:
                watcher(link, transition)
            except Exception:  # a link must not suffer from who watches it
                self.log.failure("a watcher failed at {link}", link=link.name)
