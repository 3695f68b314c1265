"""The certificate of an `ssl:` endpoint, which can be read again while the port is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.endpoints import SSL4ServerEndpoint, serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint

from pmslink.config.config_errors import ConfigError


class ServerCertificate:
    """Give each new connection of an endpoint the certificate that was read last."""

    def __init__(self, reactor: Any, listen: str, endpoint: SSL4ServerEndpoint) -> None:
        """`listen` is the string from which the endpoint was made; it names the files."""
        self._reactor = reactor
        self._listen = listen
        self._options = _options_of(endpoint)
        endpoint._sslContextFactory = self

    def getContext(self) -> SSL.Context:
        """Return the context for a new connection (Twisted's interface of a context factory)."""
        context: SSL.Context = self._options.getContext()
        return context

    def read(self) -> Callable[[], None]:
        """Read the files again, and return the function that makes new connections use them.

        Raises ConfigError if they cannot be read, or if key and certificate do not belong together.
        """
        try:
            options = _options_of(serverFromString(self._reactor, self._listen))
            options.getContext()
        except (OSError, ValueError, crypto.Error, SSL.Error) as problem:
            reason = str(problem) or type(problem).__name__
            expected = f"must name a key and its certificate, which can be read: {reason}"
            raise ConfigError("api.listen", self._listen, expected) from None
        return partial(self._use, options)

    def _use(self, options: Any) -> None:
        self._options = options


def _options_of(endpoint: IStreamServerEndpoint) -> Any:
    """Return the context factory of an endpoint; Twisted has no public way to replace it."""
    return endpoint._sslContextFactory  # type: ignore[attr-defined]
