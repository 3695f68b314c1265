"""Routes: how a resource lists its endpoints for the application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

Route = tuple[str, str, Callable[..., Any]]
"""Method, path and handler. The handler gets the request, and the path's variables by name."""


class Resource(Protocol):
    """The endpoints of one subject."""

    def routes(self) -> Iterable[Route]:
        """Return the routes of these endpoints."""
