"""Connections to web servers that are used again, and of which the log does not tell."""

from __future__ import annotations

from twisted.web.client import HTTPConnectionPool, _HTTP11ClientFactory


class QuietHttpClientFactory(_HTTP11ClientFactory):
    """Makes the protocol of a connection; each would be two lines of the log."""

    noisy = False


class QuietConnectionPool(HTTPConnectionPool):
    """Keeps them for an Agent."""

    _factory = QuietHttpClientFactory
