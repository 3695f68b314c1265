"""Endpoints of HTTP clients: TCP or TLS connections that an Agent can reuse and that are not logged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.client import URI, Agent, BrowserLikePolicyForHTTPS
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

Wrapper = Callable[..., ProtocolWrapper]
"""Makes a wrapper from its factory and the wrapped protocol."""


def make_agent(
    reactor: Any,
    pool: Any,
    connect_timeout_s: float,
    wrapper: Wrapper = ProtocolWrapper,
) -> Agent:
    """Return an HTTP client with a pool of connections, each with its protocol wrapped by `wrapper`."""
    factory = HttpEndpointFactory(reactor, connect_timeout_s, wrapper)
    agent: Agent = Agent.usingEndpointFactory(reactor, factory, pool)
    return agent


@implementer(IAgentEndpointFactory)
class HttpEndpointFactory:
    """Creates endpoints for http and https URLs; https servers are verified with the system's CAs."""

    def __init__(self, reactor: Any, connect_timeout_s: float, wrapper: Wrapper) -> None:
        self._reactor = reactor
        self._connect_timeout_s = connect_timeout_s
        self._wrapper = wrapper
        self._tls_policy = BrowserLikePolicyForHTTPS()

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return the endpoint that an Agent connects to for this URL."""
        endpoint: IStreamClientEndpoint = HostnameEndpoint(
            self._reactor, uri.host.decode("ascii"), uri.port, timeout=self._connect_timeout_s
        )
        if uri.scheme == b"https":
            endpoint = wrapClientTLS(self._tls_policy.creatorForNetloc(uri.host, uri.port), endpoint)
        return _WrappingEndpoint(endpoint, self._wrapper)


@implementer(IStreamClientEndpoint)
class _WrappingEndpoint:
    def __init__(self, endpoint: IStreamClientEndpoint, wrapper: Wrapper) -> None:
        self._endpoint = endpoint
        self._wrapper = wrapper

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        connected: Deferred[Any] = self._endpoint.connect(_QuietFactory(protocolFactory, self._wrapper))
        return connected.addCallback(lambda wrapper: wrapper.wrappedProtocol)


class _QuietFactory(WrappingFactory[ProtocolWrapper]):
    def __init__(self, factory: IProtocolFactory, wrapper: Wrapper) -> None:
        super().__init__(factory)  # type: ignore[no-untyped-call]
        self.protocol = wrapper

    # The factory of Twisted's pool would log its start and its stop: two lines for each connection.

    def doStart(self) -> None: ...

    def doStop(self) -> None: ...
