"""The keys that the query of each API call may have. A call that is not listed takes none.

The page, its files and the calls for monitoring ignore their query: links and monitoring systems may add
keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from twisted.web.iweb import IRequest

from pmslink.web.api.link_query import LINK_QUERY_KEYS
from pmslink.web.api.posting_query import POSTING_QUERY_KEYS
from pmslink.web.http.query_parameters import require_known_keys

_API_PREFIX = "/api/"
_LIST_KEYS = ("limit", "before")

QUERY_KEYS_BY_ROUTE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("GET", "/api/v1/audit"): (*_LIST_KEYS, "link", "who", "action"),
    ("DELETE", "/api/v1/links/<link>"): ("discard",),
    ("GET", "/api/v1/links"): LINK_QUERY_KEYS,
    ("GET", "/api/v1/stream"): ("snapshot",),
    ("GET", "/api/v1/links/<link>/transitions"): _LIST_KEYS,
    ("GET", "/api/v1/links/<link>/timeline"): ("hours",),
    ("GET", "/api/v1/links/<link>/phases"): ("hours",),
    ("GET", "/api/v1/links/<link>/records"): (*_LIST_KEYS, "type", "direction"),
    ("GET", "/api/v1/links/<link>/events"): ("after", "limit", "wait"),
    ("GET", "/api/v1/links/<link>/postings"): POSTING_QUERY_KEYS,
    ("GET", "/api/v1/links/<link>/rooms"): ("extension",),
    ("DELETE", "/api/v1/links/<link>/rooms/<room>/wake-up"): ("at",),
    ("GET", "/api/v1/notices"): ("limit", "after", "state", "link"),
}


def with_known_query_keys(method: str, path: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a handler that rejects a query with unknown keys, and does nothing then."""
    if not path.startswith(_API_PREFIX):
        return handler
    known = QUERY_KEYS_BY_ROUTE.get((method, path), ())

    @wraps(handler)
    def checking_handler(request: IRequest, **variables: str) -> Any:
        require_known_keys(request, known)
        return handler(request, **variables)

    return checking_handler
