"""The service of `twistd pmslink`: its command line, and the services that it starts.

The services are the store, the API, the links and the webhooks; with --demo, a PMS simulator as well.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from attrs import evolve
from OpenSSL import crypto
from twisted.internet.endpoints import SSL4ServerEndpoint, serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python import usage

from pmslink.config.command_line import NO_OPTIONS, CommandLine
from pmslink.config.link_definition import LinkConfig, parse_link, parse_pms_argument
from pmslink.config.loader import Config
from pmslink.endpoint_strings import EndpointString
from pmslink.errors import PmslinkError
from pmslink.file_descriptors import raise_descriptor_limit
from pmslink.foreground_pid_file import drop_default_pid_file
from pmslink.hangup_signal import HangupSignal
from pmslink.host_resolver import HostResolver
from pmslink.hotel_clock import HotelClock
from pmslink.link.config_reload import ConfigReload, retention_of
from pmslink.link.connection_probe import Probe
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.tcp_accepting import TcpAccepting
from pmslink.link.tcp_dial import TcpDial
from pmslink.listener import ListenerService
from pmslink.pbx.webhook.delivery_queue import WebhookContext
from pmslink.pbx.webhook.http_delivery import WEBHOOK_LOOKUP_TIMEOUT_S, HttpWebhookTransport
from pmslink.pbx.webhook.webhook_service import WebhookService
from pmslink.store.core import state_directory
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.high_water_mark import HighWaterFile
from pmslink.store.core.pool_thread import PoolThread
from pmslink.store.store_service import Store, open_store
from pmslink.typed_service import SequentialMultiService, TypedService
from pmslink.web.auth.listen_policy import is_local_only, require_loopback
from pmslink.web.auth.token_reload import TokenRegistry
from pmslink.web.http.server_certificate import ServerCertificate
from pmslink.web.serializers.event_serializer import serialize_webhook_event
from pmslink.web.site import ApiSite, make_site
from pmslink.web.stream.replay_buffer import MAX_BUFFERED_EVENTS

log = Logger()

DEMO_PMS_ENDPOINT = "tcp:5010:interface=127.0.0.1"
DEMO_CONTROL_ENDPOINT = "tcp:5011:interface=127.0.0.1"
_STORE_THREADS = ("writing", "reading", "lists 1", "lists 2")
"""One thread to write, one to read events for PBXs, and two to read lists."""
API_BACKLOG = "1024"
"""Connections that the operating system holds until they are accepted. The clients of further ones have to
wait for a second."""
SWITCH_INTERVAL_S = 0.0005
"""Seconds that another thread, such as the writer of the store, may run before the reactor gets its turn.

The reactor gives up the interpreter's lock at each read and write of a socket. With Python's 5 ms, it
would wait that long for each of them while a large commit is prepared.
"""
GC_THRESHOLDS = (10_000, 20, 50)
"""Thresholds of the garbage collector, by generation: allocations, then collections of the younger one."""


class Options(usage.Options):
    """The command line of ``twistd pmslink``."""

    optParameters = [  # noqa: RUF012 (Twisted's own convention)
        ["config", "c", None, "Configuration file (TOML)."],
        ["state-dir", "s", None, "Directory of the store and the token file. [default: ./pmslink-state]"],
        ["api", "a", None, "Endpoint of the API and the page. [default: tcp:8080:interface=127.0.0.1]"],
        ["pms", "p", None, "Add the link pms: HOST:PORT[,PROFILE]; generic, opera, suite8 or protel."],
    ]
    optFlags = [["demo", "d", "Start a PMS simulator on ports 5010 and 5011 and a link to it."]]  # noqa: RUF012

    config: Config
    command_line: CommandLine

    def parseOptions(self, options: list[str] | None = None) -> None:
        """Parse the command line. Exit with one line on stderr for each error."""
        self.hangup = HangupSignal()
        if self.parent is not None:  # twistd runs it: a closed terminal must not end the start either
            self.hangup.install()
        try:
            usage.Options.parseOptions(self, options)
        except (usage.UsageError, PmslinkError) as problem:
            raise SystemExit(_prefix_lines(str(problem))) from None

    def postOptions(self) -> None:
        """Combine the configuration file and the command line; the command line wins."""
        drop_default_pid_file(self)
        command_line = CommandLine(
            file=Path(self["config"]) if self["config"] else None,
            state_dir=Path(self["state-dir"]) if self["state-dir"] else None,
            api_listen=self["api"] or None,
            links=self._command_line_links(),
        )
        self.config = command_line.read_config()
        # absolute, because twistd may change its directory before a reload
        self.command_line = evolve(command_line, file=command_line.file and command_line.file.absolute())

    def _command_line_links(self) -> list[LinkConfig]:
        links = [parse_pms_argument(self["pms"])] if self["pms"] else []
        if self["demo"]:
            links.append(parse_link("demo", {"host": "127.0.0.1", "port": 5010}))
        return links


def makeService(options: Options) -> SequentialMultiService:
    """Return the service that `twistd pmslink` runs with these options."""
    from twisted.internet import reactor

    # Twisted's reactors run their timers on the wall clock: if it were set back by an hour, no link
    # check would be sent for an hour.
    reactor.seconds = time.monotonic  # type: ignore[method-assign]
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    raise_descriptor_limit()
    if options["demo"]:
        service = _build_demo(reactor, options)
    else:
        service = SequentialMultiService()
        build_service(reactor, options.config, options.command_line, options.hangup).setServiceParent(service)
    _freeze_garbage_collector()
    return service


def _build_demo(reactor: Any, options: Options) -> SequentialMultiService:
    # a tenth of the modules of the service, which nothing else uses
    from pmslink.simulator.life.activity_scheduler import ACTIVITIES_PER_MINUTE
    from pmslink.simulator.life.pmslink_client import make_endpoint_phones
    from pmslink.simulator.service import Simulator

    service = SequentialMultiService()
    simulator = Simulator(reactor, DEMO_PMS_ENDPOINT, DEMO_CONTROL_ENDPOINT, pace=ACTIVITIES_PER_MINUTE)
    simulator.setServiceParent(service)
    config, command_line = options.config, options.command_line
    if not options["state-dir"]:
        state = TemporaryStateDirectory()
        state.setServiceParent(service)
        config = evolve(config, state_dir=state.path)
        command_line = evolve(command_line, state_dir=state.path)
    pmslink = build_service(reactor, config, command_line, options.hangup)
    pmslink.setServiceParent(service)
    make_endpoint_phones(reactor, config.api_listen, "demo").setServiceParent(pmslink)
    return service


def build_service(
    reactor: Any, config: Config, command_line: CommandLine = NO_OPTIONS, hangup: HangupSignal | None = None
) -> SequentialMultiService:
    """Return the services of a configuration. Exit with one line on stderr for each error.

    The configuration is read again from `command_line` at each signal of `hangup`, and by the API.
    """
    endpoint = _parse_api_endpoint(reactor, config.api_listen)
    hotel_clock = HotelClock(reactor)
    try:
        tokens = TokenRegistry(config.state_dir, reactor)
        if not tokens:
            require_loopback(config.api_listen)
        state_directory.create_state_directory(config.state_dir)
        lock = state_directory.DirectoryLock(config.state_dir)
        store = _open_store(reactor, config, hotel_clock)
    except PmslinkError as problem:
        raise SystemExit(_prefix_lines(str(problem))) from None
    resolver = HostResolver(reactor)
    dial = TcpDial(reactor, resolver)
    links = _build_links(reactor, config, store, hotel_clock, dial, TcpAccepting(reactor, resolver))
    # a resolver of its own: names that are tested cannot delay a dial of a link
    probe = Probe(reactor, hotel_clock.now, HostResolver(reactor), dial, links)
    read_certificate = None
    if isinstance(endpoint, SSL4ServerEndpoint):
        read_certificate = ServerCertificate(reactor, config.api_listen, endpoint).read
    config_reload = ConfigReload(command_line.reread_config, config, links, store, read_certificate)
    site = _build_site(reactor, config, links, store, tokens, hotel_clock, probe, config_reload)
    children = (
        hotel_clock,
        StateLockService(lock),
        store,
        # Before the links: if the port of the API is in use, no link may start.
        ListenerService("pmslink", endpoint, site),
        links,
        _build_webhooks(reactor, links, store, hotel_clock),
        ReloadService(reactor, hangup or HangupSignal(), config_reload),
    )
    service = SequentialMultiService()
    for child in children:
        child.setServiceParent(service)
    return service


def _parse_api_endpoint(reactor: Any, listen: str) -> IStreamServerEndpoint:
    parsed = EndpointString.parse(listen)
    if parsed.kind in ("tcp", "tcp4", "tcp6", "ssl", "unix"):
        parsed = parsed.with_default("backlog", API_BACKLOG)
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, str(parsed))
        return endpoint
    except LookupError:
        reason = "systemd passed no such socket"
    except (ValueError, TypeError) as problem:
        reason = f"{problem}; should look like tcp:8080:interface=127.0.0.1"
    except (OSError, crypto.Error) as problem:
        reason = f"the key or the certificate cannot be read: {problem}"
    raise SystemExit(_prefix_lines(f"api.listen = {listen}: {reason}"))


def _open_store(reactor: Any, config: Config, hotel_clock: HotelClock) -> Store:
    database = SqliteDatabase(config.state_dir)
    high_water_file = HighWaterFile(config.state_dir)
    snapshot = open_store(
        database, hotel_clock.now(), MAX_BUFFERED_EVENTS, _report_progress, high_water_file.read()
    )
    retention = retention_of(config)
    writing, reading, *lists = (PoolThread(reactor, name) for name in _STORE_THREADS)
    store = Store(
        database,
        snapshot,
        reactor,
        hotel_clock.now,
        retention,
        writing,
        reading,
        lists,
        hotel_clock.is_settled,
        high_water_file,
    )
    store.on_unusable.append(reactor.stop)
    return store


def _report_progress(message: str) -> None:
    """Report the upgrade of a store: on stderr, because `twistd` begins to write its log only afterwards."""
    log.info("{message}", message=message)
    sys.stderr.write(f"{_prefix_lines(message)}\n")


def _build_links(
    reactor: Any,
    config: Config,
    store: Store,
    hotel_clock: HotelClock,
    dial: TcpDial,
    accepting: TcpAccepting,
) -> LinkRegistry:
    links = LinkRegistry(reactor, store, hotel_clock.now, dial, hotel_clock.is_settled, accepting)
    for link in config.links:
        links.add(link)
    links.add_stored()
    return links


def _build_site(
    reactor: Any,
    config: Config,
    links: LinkRegistry,
    store: Store,
    tokens: TokenRegistry,
    hotel_clock: HotelClock,
    probe: Probe,
    config_reload: ConfigReload,
) -> ApiSite:
    local_only = is_local_only(config.api_listen)
    if not local_only and not config.api_listen.startswith("ssl:"):
        log.warn("{listen} has no TLS: clients send their tokens unencrypted", listen=config.api_listen)
    return make_site(links, store, reactor, probe.test, config_reload, tokens, local_only, hotel_clock.now)


def _build_webhooks(
    reactor: Any, links: LinkRegistry, store: Store, hotel_clock: HotelClock
) -> WebhookService:
    # Agents use the resolver of the reactor. The links have one of their own.
    reactor.installNameResolver(HostResolver(reactor, endpoint_timeout_s=WEBHOOK_LOOKUP_TIMEOUT_S))
    transport = HttpWebhookTransport(reactor, hotel_clock.now)
    return WebhookService(
        links,
        WebhookContext(
            store, reactor, hotel_clock.now, transport, serialize_webhook_event, links.publish_change
        ),
    )


class TemporaryStateDirectory(TypedService):
    """Deletes the state directory of a demonstration when the service stops."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="pmslink-demo-")
        self.path = Path(self._directory.name)

    def stopService(self) -> None:
        """Delete the directory."""
        super().stopService()
        self._directory.cleanup()


class ReloadService(TypedService):
    """Reloads the configuration at each SIGHUP."""

    def __init__(self, reactor: Any, hangup: HangupSignal, config_reload: ConfigReload) -> None:
        self._reactor = reactor
        self._hangup = hangup
        self._config_reload = config_reload

    def startService(self) -> None:
        """Reload at each signal from now on, and now if one came during the start."""
        super().startService()
        # a signal interrupts any code; `callFromThread` is safe there
        reload_in_reactor = partial(self._reactor.callFromThread, self._config_reload.reload_on_hangup)
        self._hangup.connect(reload_in_reactor)

    def stopService(self) -> None:
        """Ignore further signals."""
        super().stopService()
        self._hangup.disconnect()


class StateLockService(TypedService):
    """Records the process id in the lock of the state directory after twistd has daemonized."""

    def __init__(self, lock: state_directory.DirectoryLock) -> None:
        self._lock = lock

    def startService(self) -> None:
        """Write the id of this process into the lock file."""
        super().startService()
        self._lock.write_pid()

    def stopService(self) -> None:
        """Release the lock."""
        super().stopService()
        self._lock.release()


def _freeze_garbage_collector() -> None:
    """Exclude all modules and links from garbage collection: they live as long as the process.

    With 10 000 links, a complete collection of them would hold up the event loop for 0.7 s. A link that is
    removed later leaves some 30 KiB behind, until the next start.
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _prefix_lines(problem: str) -> str:
    return "\n".join(f"pmslink: {line}" for line in problem.splitlines())
