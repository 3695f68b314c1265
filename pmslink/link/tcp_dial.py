"""Dial a PMS over TCP, or over TLS with its certificate verified.

Two links with one address would make the PMS drop one for the other, for ever. Their settings cannot have the
same host, but two host names may stand for one address: so a name is looked up first, and an address that
another link uses is not dialled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from twisted.internet.defer import Deferred
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust, trustRootFromCertificates
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig
from pmslink.host_resolver import HostResolver
from pmslink.link.dialer import Dialer
from pmslink.link.host_addresses import parse_ip
from pmslink.link.network_errors import AddressInUseError

Address = tuple[str, int]
"""IP address and port."""


class TcpDial:
    """Dial the addresses of links on one reactor (a dialer.StartLinkDial)."""

    def __init__(self, reactor: Any, resolver: HostResolver) -> None:
        self._reactor = reactor
        self._resolver = resolver
        self._dialers: WeakValueDictionary[Address, Dialer] = WeakValueDictionary()
        """The dialer that was last given each address."""
        self._claims: WeakKeyDictionary[Dialer, tuple[Address, str]] = WeakKeyDictionary()
        """The last address of each dialer, and the name of its link."""

    def __call__(self, dialer: Dialer, config: LinkConfig) -> None:
        """Start a dial.

        With `tls`, it verifies the PMS's certificate against `ca_file`, or the system's authorities without
        one. It raises OSError if `ca_file` cannot be read.
        """
        tls_options = _tls_options(config)
        lookup = _Lookup(dialer)
        dialer.started_resolving(lookup)
        lookup.start(self._resolver.resolve(config.host), self._connect, dialer, config, tls_options)

    def last_address(self, dialer: Dialer) -> Address | None:
        """Return the address that a dialer connected to last, or tried to; None before its first dial."""
        claim = self._claims.get(dialer)
        return None if claim is None else claim[0]

    def _connect(
        self, addresses: Sequence[str], dialer: Dialer, config: LinkConfig, tls_options: Any
    ) -> None:
        host = first_address(addresses)
        self._claim((str(parse_ip(host)), config.port), dialer, config.name)
        # The link's own start timeout ends a dial that hangs. This longer timeout is only a fallback.
        timeout = config.settings.start_timeout + 1
        if tls_options is None:
            self._reactor.connectTCP(host, config.port, dialer, timeout=timeout)
        else:
            self._reactor.connectSSL(host, config.port, dialer, tls_options, timeout=timeout)

    def _claim(self, address: Address, dialer: Dialer, link: str) -> None:
        """Note that a link uses an address. Raises AddressInUseError if another link is connected to it."""
        holder = self._dialers.get(address)
        if holder is not None and holder is not dialer and holder.is_busy:
            claimed, name = self._claims[holder]
            if claimed == address:
                raise AddressInUseError(name)
        self._dialers[address] = dialer
        self._claims[dialer] = (address, link)


class _Lookup:
    """The lookup of a host name, as the first part of a dial."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._lookup: Deferred[None] | None = None

    def start(self, lookup: Deferred[list[str]], *callback: Any) -> None:
        self._lookup = lookup.addCallback(*callback)
        self._lookup.addErrback(self._on_failed)

    def disconnect(self) -> None:
        """End the lookup."""
        if self._lookup is not None:
            self._lookup.cancel()

    def _on_failed(self, failure: Failure) -> None:
        self._dialer.clientConnectionFailed(self, failure)


def first_address(addresses: Sequence[str]) -> str:
    """Return the address of a host to dial: the first IPv4 address, or the first one if it has none."""
    return next((address for address in addresses if ":" not in address), addresses[0])


def _tls_options(config: LinkConfig) -> Any:
    settings = config.settings
    if not settings.tls:
        return None
    trust = platformTrust()
    if settings.ca_file is not None:
        with open(settings.ca_file, "rb") as file:
            trust = trustRootFromCertificates(_parse_certificates(file.read()))
    return optionsForClientTLS(config.host, trustRoot=trust)


def _parse_certificates(pem: bytes) -> list[Certificate]:
    end = b"-----END CERTIFICATE-----"
    return [Certificate.loadPEM(part + end) for part in pem.split(end)[:-1]]
