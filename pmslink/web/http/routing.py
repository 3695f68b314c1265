"""What the calls of every subject have in common: how they are routed, find a link, and outlast a caller."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest

from pmslink.errors import PmslinkError
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.web.http.json_responses import MAX_SAFE_INTEGER, ApiError, int_param

DEFAULT_LIST_LIMIT = 100
"""Entries of a list that are given when no limit is asked for …"""
MAX_LIST_LIMIT = 1000
"""… and however many are."""

Route = tuple[str, str, Callable[..., Any]]
"""Method, path, and what answers it: gets the request, and what is variable in the path by name."""

_Result = TypeVar("_Result")
_log = Logger()


class Resource(Protocol):
    """Some of the calls, those about one thing."""

    def routes(self) -> Iterable[Route]:
        """Its calls."""


def find_link(links: LinkRegistry, name: str) -> Link:
    """The link that a path names. Raises ApiError 404."""
    link = links.get(name)
    if link is None:
        raise ApiError(404, "unknown_link", f"there is no link {name!r}")
    return link


def limit_param(request: IRequest) -> int:
    """How many entries of a list are wanted."""
    return int_param(request, "limit", maximum=MAX_LIST_LIMIT) or DEFAULT_LIST_LIMIT


def before_param(request: IRequest) -> int | None:
    """What all entries of a list have to be older than."""
    return int_param(request, "before", maximum=MAX_SAFE_INTEGER)


def shield(work: Deferred[_Result] | Coroutine[Any, Any, _Result]) -> Deferred[_Result]:
    """Fires as this does, which goes on even when nobody waits for it any more.

    Klein cancels the Deferred of a caller who goes away, and a change must not end half-way.
    """
    awaited: Deferred[_Result] = Deferred()

    def done(outcome: _Result | Failure) -> None:
        if not awaited.called:
            awaited.callback(outcome)  # or its errback, for a Failure
        elif isinstance(outcome, Failure) and not outcome.check(PmslinkError):
            _log.failure("a call failed whose caller had gone away", outcome)

    (work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)).addBoth(done)
    return awaited
