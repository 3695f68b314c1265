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

from pmslink.config.loader import Config, LinkConfig, load_config, parse_link, parse_pms_argument
from pmslink.errors import PmslinkError
from pmslink.link.connection_probe import Probe
from pmslink.link.link_registry import LinkRegistry, dial_with, utc_now
from pmslink.listener import ListenerService
from pmslink.pbx.webhook.delivery_queue import WebhookContext
from pmslink.pbx.webhook.http_delivery import HttpWebhookTransport
from pmslink.pbx.webhook.webhook_service import WebhookService
from pmslink.simulator.life.activity_scheduler import ACTIVITIES_PER_MINUTE
from pmslink.simulator.life.pmslink_client import make_endpoint_phones
from pmslink.simulator.service import Simulator
from pmslink.store.core import state_directory
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.operations.retention import Retention
from pmslink.store.store_service import PoolThread, Store, open_store
from pmslink.web.auth.listen_policy import is_local_only, require_loopback
from pmslink.web.auth.token_reload import TokenRegistry
from pmslink.web.http.connection_limit import ConnectionLimitFactory
from pmslink.web.serializers.event_serializer import serialize_webhook_event
from pmslink.web.site import make_site
from pmslink.web.stream.replay_buffer import MAX_BUFFERED_EVENTS

log = Logger()

DEMO_PMS_ENDPOINT = "tcp:5010:interface=127.0.0.1"
DEMO_CONTROL_ENDPOINT = "tcp:5011:interface=127.0.0.1"


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
            raise SystemExit(_prefix_lines(str(problem))) from None

    def postOptions(self) -> None:
        """Put configuration and command line together; the command line wins."""
        config = load_config(self["config"]) if self["config"] else Config()
        if self["state-dir"]:
            config = evolve(config, state_dir=Path(self["state-dir"]))
        if self["api"]:
            config = evolve(config, api_listen=self["api"])
        for link in self._command_line_links():
            if link.name in [declared.name for declared in config.links]:
                raise usage.UsageError(f"the configuration has a link {link.name} already; rename that one")
            config = evolve(config, links=(*config.links, link))
        self.config = config

    def _command_line_links(self) -> list[LinkConfig]:
        asked = [parse_pms_argument(self["pms"])] if self["pms"] else []
        if self["demo"]:
            asked.append(parse_link("demo", {"host": "127.0.0.1", "port": 5010}))
        return asked


def makeService(options: Options) -> MultiService:
    """The service of the command line."""
    from twisted.internet import reactor

    # Twisted's reactors run their timers on the wall clock: one that is set back by an hour would stop
    # every link check for an hour.
    reactor.seconds = time.monotonic  # type: ignore[method-assign]
    _raise_descriptor_limit()
    _freeze_garbage_collector()
    service: MultiService = SequentialMultiService()  # type: ignore[no-untyped-call]
    config = options.config
    if options["demo"]:
        demo = Simulator(reactor, DEMO_PMS_ENDPOINT, DEMO_CONTROL_ENDPOINT, pace=ACTIVITIES_PER_MINUTE)
        demo.setServiceParent(service)  # type: ignore[no-untyped-call]
    if options["demo"] and not options["state-dir"]:
        state = TemporaryStateDirectory()
        state.setServiceParent(service)  # type: ignore[no-untyped-call]
        config = evolve(config, state_dir=state.path)
    whole = build_service(reactor, config)
    whole.setServiceParent(service)
    if options["demo"]:
        make_endpoint_phones(reactor, config.api_listen, "demo").setServiceParent(whole)
    return service


class TemporaryStateDirectory(Service):
    """A state directory that is removed when the service stops."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="pmslink-demo-")
        self.path = Path(self._directory.name)

    def stopService(self) -> None:
        super().stopService()  # type: ignore[no-untyped-call]
        self._directory.cleanup()


class SequentialMultiService(MultiService):
    """Services that stop one after the other, the last first: what needs another stops before it."""

    def stopService(self) -> Deferred[None]:
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop_in_reverse())

    async def _stop_in_reverse(self) -> None:
        for service in reversed(list(self)):
            await maybeDeferred(service.stopService)


class StateLockService(Service):
    """Holds the lock of the state directory, in the process that the service has in the end."""

    def __init__(self, lock: state_directory.DirectoryLock) -> None:
        self._lock = lock

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        self._lock.write_pid()

    def stopService(self) -> None:
        super().stopService()  # type: ignore[no-untyped-call]
        self._lock.release()


def build_service(reactor: Any, config: Config) -> MultiService:
    """The store and the links of a configuration, and the interface to them."""
    endpoint = _endpoint(reactor, config.api_listen)
    try:
        tokens = TokenRegistry(config.state_dir, reactor)
        if not tokens:
            require_loopback(config.api_listen)
        state_directory.create_state_directory(config.state_dir)
        lock = state_directory.DirectoryLock(config.state_dir)
        store = _open_store(reactor, config)
    except PmslinkError as problem:
        raise SystemExit(_prefix_lines(str(problem))) from None
    links = LinkRegistry(reactor, store)
    for link in config.links:
        links.add(link)
    links.add_stored()
    probe = Probe(reactor, utc_now, dial_with(reactor), links)
    local = is_local_only(config.api_listen)
    if not local and not config.api_listen.startswith("ssl:"):
        log.warn("{listen} has no TLS: tokens cross the network in the clear", listen=config.api_listen)
    site = make_site(links, store, reactor, probe.test, tokens, local)
    service: MultiService = SequentialMultiService()  # type: ignore[no-untyped-call]
    # The interface before the links: where its port is taken, nothing else is to start.
    listening = ListenerService("pmslink", endpoint, ConnectionLimitFactory(site))  # type: ignore[no-untyped-call]
    courier = HttpWebhookTransport(reactor, utc_now)
    means = WebhookContext(store, reactor, utc_now, courier, serialize_webhook_event, links.publish_change)
    webhooks = WebhookService(links, means)
    for part in (StateLockService(lock), store, listening, links, webhooks):
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
    raise SystemExit(_prefix_lines(f"api.listen = {listen}: {wrong}"))


def _open_store(reactor: Any, config: Config) -> Store:
    database = SqliteDatabase(config.state_dir)
    opened = open_store(database, utc_now(), replay_limit=MAX_BUFFERED_EVENTS)
    retention = Retention(timedelta(days=config.guest_days), timedelta(days=config.history_days))
    threads = (PoolThread(reactor, "writing"), PoolThread(reactor, "reading"))
    return Store(database, opened, reactor, utc_now, retention, *threads)


def _freeze_garbage_collector() -> None:
    """What was imported stays for good, and need not be looked through each time garbage is collected."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _raise_descriptor_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _prefix_lines(problem: str) -> str:
    return "\n".join(f"pmslink: {line}" for line in problem.splitlines())
