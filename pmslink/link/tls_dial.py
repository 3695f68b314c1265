"""Dial a PMS over TCP, or over TLS with its certificate verified."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IConnector
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust, trustRootFromCertificates

from pmslink.config.link_definition import LinkConfig
from pmslink.link.dialer import Dialer, StartLinkDial


def dial_over_tcp_or_tls(reactor: Any) -> StartLinkDial:
    """Return a function that dials a link's address on this reactor.

    With `tls`, it verifies the PMS's certificate against `ca_file`, or the system's authorities without
    one. It raises OSError if `ca_file` cannot be read.
    """

    def dial(dialer: Dialer, config: LinkConfig) -> IConnector:
        settings = config.settings
        # The link's own start timeout ends a dial that hangs. This longer timeout is only a fallback.
        arguments = (config.host, config.port, dialer)
        if not settings.tls:
            return reactor.connectTCP(*arguments, timeout=settings.start_timeout + 1)  # type: ignore[no-any-return]
        trust = platformTrust()
        if settings.ca_file is not None:
            with open(settings.ca_file, "rb") as file:
                trust = trustRootFromCertificates(_parse_certificates(file.read()))
        options = optionsForClientTLS(config.host, trustRoot=trust)
        return reactor.connectSSL(*arguments, options, timeout=settings.start_timeout + 1)  # type: ignore[no-any-return]

    return dial


def _parse_certificates(pem: bytes) -> list[Certificate]:
    end = b"-----END CERTIFICATE-----"
    return [Certificate.loadPEM(part + end) for part in pem.split(end)[:-1]]
