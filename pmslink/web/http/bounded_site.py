"""A site for a Klein application: bounded connections and requests, and JSON for all errors."""

from __future__ import annotations

from typing import Any, cast

from klein import Klein
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.web.server import Site

from pmslink.web.http.api_errors import ErrorMapper, make_error_response
from pmslink.web.http.bounded_channel import HEAD_TIMEOUT_S, BoundedChannel
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.connection_limit import ConnectionLimit


class BoundedSite(Site):
    """Serve a Klein application with bounded connections and requests, and with errors in JSON."""

    def __init__(
        self,
        app: Klein,
        reactor: IReactorTime | None = None,
        map_error: ErrorMapper | None = None,
        request_factory: type[BoundedRequest] = BoundedRequest,
        local_only: bool = True,
    ) -> None:
        """Make a site; `map_error` maps the application's own exceptions.

        Without a `reactor` the site uses the global one. `local_only` says that only this machine reaches
        the site; its names are known then, and requests with another Host header are rejected.
        """
        self.local_only = local_only
        install_error_handler(app, map_error)
        super().__init__(  # type: ignore[no-untyped-call]
            app.resource(),
            requestFactory=request_factory,
            # twisted answers a malformed form without JSON, and no endpoint takes forms
            parsePOSTFormSubmission=False,
            reactor=reactor,
            timeout=HEAD_TIMEOUT_S,
        )
        self.connections = ConnectionLimit(self.reactor)

    def protocol(self) -> BoundedChannel:  # type: ignore[override]
        """Return the protocol of a connection."""
        return BoundedChannel()  # type: ignore[no-untyped-call]

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return the protocol of a new connection; beyond the limits, one that closes it."""
        if addr is not None and not self.connections.admit(addr):
            return _RefusedConnection()
        return super().buildProtocol(addr)  # type: ignore[no-untyped-call]

    def acceptableProtocols(self) -> list[bytes]:
        """Offer HTTP/1.1 only: the deadlines of the connections are those of HTTP/1.1."""
        return [b"http/1.1"]


class _RefusedConnection(Protocol):
    """A connection that is closed at once. If it had no protocol, Twisted would leave it open with TLS."""

    def connectionMade(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]


def install_error_handler(app: Klein, map_error: ErrorMapper | None = None) -> None:
    """Answer every exception of the application's handlers with an error in JSON."""

    def respond(*arguments: Any) -> bytes:
        # Klein passes an instance first if the application is an attribute of its class
        request, failure = arguments[-2:]
        return make_error_response(request, failure, map_error)

    app.handle_errors(Exception)(cast(Any, respond))
