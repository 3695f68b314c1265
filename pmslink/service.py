"""The service of `twistd pmslink`: store, links, the interface, and in a demonstration a PMS as well."""

from __future__ import annotations

import gc
import resource
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import evolve
from OpenSSL import crypto
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python import usage

from pmslink.config.loader import Config, LinkConfig, load, read_link, read_pms
from pmslink.errors import PmslinkError
from pmslink.link.connection_probe import Probe
from pmslink.link.link_registry import Links, dial_with, utc_now
from pmslink.listener import Listening
from pmslink.pbx.webhook.delivery_queue import Means
from pmslink.pbx.webhook.http_delivery import HttpCourier
from pmslink.pbx.webhook.webhook_service import Webhooks
from pmslink.simulator.life.activity_scheduler import PACE
from pmslink.simulator.life.pmslink_client import phones_of
from pmslink.simulator.service import Simulator
from pmslink.store.core import state_directory
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.operations.retention import Retention
from pmslink.store.store_service import PoolThread, Store, open_store
from pmslink.web.auth.listen_policy import is_local, require_loopback
from pmslink.web.auth.token_reload import LiveTokens
from pmslink.web.http.connection_limit import BoundedConnections
from pmslink.web.serializers.event_serializer import event_body
from pmslink.web.site import make_site
from pmslink.web.stream.replay_buffer import KEPT

log = Logger()

DEMO_PMS = "tcp:5010:interface=127.0.0.1"
DEMO_CONTROL = "tcp:5011:interface=127.0.0.1"


class Options(usage.Options):
    """The command line of ``twistd pmslink``."""

    optParameters = [  # noqa: RUF012 (Twisted's own convention)
        ["config", "c", None, "The configuration, a TOML file."],
        ["state-dir", "s", None, "Where the service keeps its state. [default: ./pmslink-state]"],
        ["api", "a", None, "Where the JSON interface listens. [default: tcp:8080:interface=127.0.0.1]"],
        ["pms", "p", None, "One link, named pms: HOST:PORT[,PROFILE]; generic, opera, suite8 or protel."],
    ]
    optFlags = [["demo", "d", "Start a PMS simulator on ports 5010 and 5011, and dock to it."]]  # noqa: RUF012

    config: Config

    def parseOptions(self, options: list[str] | None = None) -> None:
        """Read the command line. Whatever is wrong with it ends the program with a line on stderr each."""
        try:
            super().parseOptions(options)  # type: ignore[no-untyped-call]
        except (usage.UsageError, PmslinkError) as problem:
            raise SystemExit(_signed(str(problem))) from None

    def postOptions(self) -> None:
        """Put configuration and command line together; the command line wins."""
        config = load(self["config"]) if self["config"] else Config()
        if self["state-dir"]:
            config = evolve(config, state_dir=Path(self["state-dir"]))
        if self["api"]:
            config = evolve(config, api_listen=self["api"])
        for link in self._links_asked_for():
            if link.name in [declared.name for declared in config.links]:
                raise usage.UsageError(f"the configuration has a link {link.name} already; rename that one")
            config = evolve(config, links=(*config.links, link))
        self.config = config

    def _links_asked_for(self) -> list[LinkConfig]:
        asked = [read_pms(self["pms"])] if self["pms"] else []
        if self["demo"]:
            asked.append(read_link("demo", {"host": "127.0.0.1", "port": 5010}))
        return asked


def makeService(options: Options) -> MultiService:
    """The service of the command line."""
    from twisted.internet import reactor

    # Twisted's reactors run their timers on the wall clock: one that is set back by an hour would stop
    # every link check for an hour.
    reactor.seconds = time.monotonic  # type: ignore[method-assign]
    _allow_descriptors()
    _spare_the_collector()
    service: MultiService = InOrder()  # type: ignore[no-untyped-call]
    config = options.config
    if options["demo"]:
        demo = Simulator(reactor, DEMO_PMS, DEMO_CONTROL, pace=PACE)
        demo.setServiceParent(service)  # type: ignore[no-untyped-call]
    if options["demo"] and not options["state-dir"]:
        state = TemporaryState()
        state.setServiceParent(service)  # type: ignore[no-untyped-call]
        config = evolve(config, state_dir=state.path)
    whole = pmslink_service(reactor, config)
    whole.setServiceParent(service)
    if options["demo"]:
        phones_of(reactor, config.api_listen, "demo").setServiceParent(whole)
    return service


class TemporaryState(Service):
    """A state directory that is removed when the service stops."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="pmslink-demo-")
        self.path = Path(self._directory.name)

    def stopService(self) -> None:
        super().stopService()  # type: ignore[no-untyped-call]
        self._directory.cleanup()


class InOrder(MultiService):
    """Services that stop one after the other, the last first: what needs another stops before it."""

    def stopService(self) -> Deferred[None]:
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for service in reversed(list(self)):
            await maybeDeferred(service.stopService)


class Owner(Service):
    """Holds the lock of the state directory, in the process that the service has in the end."""

    def __init__(self, lock: state_directory.Lock) -> None:
        self._lock = lock

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        self._lock.sign()

    def stopService(self) -> None:
        super().stopService()  # type: ignore[no-untyped-call]
        self._lock.release()


def pmslink_service(reactor: Any, config: Config) -> MultiService:
    """The store and the links of a configuration, and the interface to them."""
    endpoint = _endpoint(reactor, config.api_listen)
    try:
        tokens = LiveTokens(config.state_dir, reactor)
        if not tokens:
            require_loopback(config.api_listen)
        state_directory.make(config.state_dir)
        lock = state_directory.Lock(config.state_dir)
        store = _open(reactor, config)
    except PmslinkError as problem:
        raise SystemExit(_signed(str(problem))) from None
    links = Links(reactor, store)
    for link in config.links:
        links.add(link)
    links.add_kept()
    probe = Probe(reactor, utc_now, dial_with(reactor), links)
    local = is_local(config.api_listen)
    if not local and not config.api_listen.startswith("ssl:"):
        log.warn("{listen} has no TLS: tokens cross the network in the clear", listen=config.api_listen)
    site = make_site(links, store, reactor, probe.test, tokens, local)
    service: MultiService = InOrder()  # type: ignore[no-untyped-call]
    # The interface before the links: where its port is taken, nothing else is to start.
    listening = Listening("pmslink", endpoint, BoundedConnections(site))  # type: ignore[no-untyped-call]
    courier = HttpCourier(reactor, utc_now)
    means = Means(store, reactor, utc_now, courier, event_body, links.announce)
    webhooks = Webhooks(links, means)
    for part in (Owner(lock), store, listening, links, webhooks):
        part.setServiceParent(service)  # type: ignore[no-untyped-call]
    return service


def _endpoint(reactor: Any, listen: str) -> IStreamServerEndpoint:
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, listen)
        return endpoint
    except LookupError:
        wrong = "systemd hands no such socket over"
    except (ValueError, TypeError) as problem:
        wrong = f"{problem}; it may be tcp:8080:interface=127.0.0.1"
    except (OSError, crypto.Error) as problem:
        wrong = f"the key or the certificate cannot be read: {problem}"
    raise SystemExit(_signed(f"api.listen = {listen}: {wrong}"))


def _open(reactor: Any, config: Config) -> Store:
    database = SqliteDatabase(config.state_dir)
    opened = open_store(database, utc_now(), remembered=KEPT)
    retention = Retention(timedelta(days=config.guest_days), timedelta(days=config.history_days))
    threads = (PoolThread(reactor, "writing"), PoolThread(reactor, "reading"))
    return Store(database, opened, reactor, utc_now, retention, *threads)


def _spare_the_collector() -> None:
    """What was imported stays for good, and need not be looked through each time garbage is collected."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _allow_descriptors() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _signed(problem: str) -> str:
    return "\n".join(f"pmslink: {line}" for line in problem.splitlines())
