"""Queries of the list of links: order, filters, search and pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from operator import attrgetter, itemgetter
from typing import Literal, get_args

from attrs import frozen
from twisted.web.iweb import IRequest

from pmslink.link.attention import Attention
from pmslink.link.link import Link
from pmslink.link.link_summary import LinkGroup, LinkSummary
from pmslink.link.machine import Marker
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.query_parameters import (
    MAX_LIST_LIMIT,
    enum_param,
    int_param,
    query_param,
    search_param,
)

LINK_QUERY_KEYS = ("limit", "after", "offset", "order", "attention", "group", "state", "q", "fields")
MAX_OFFSET = 1_000_000
"""Links that a page can skip."""
_MAX_CURSOR_CHARS = 400
_CURSOR_EXPECTATION = "after must be `next` of the response before, to a request with the same order"

Order = Literal["name", "attention", "changed"]
Fields = Literal["all", "brief"]

_first = itemgetter(0)
_SORT_KEYS: dict[Order, Callable[[LinkSummary], str]] = {
    "name": attrgetter("name"),
    "attention": attrgetter("urgency"),
    "changed": attrgetter("recency"),
}


@frozen
class LinkQuery:
    """Which links to list: those that pass all filters, in this order, after this sort key or this many."""

    limit: int
    order: Order
    after: str
    offset: int
    """How many of the links to skip; 0 with `after`."""
    attention: frozenset[int]
    """Values of `attention` to list; all if empty."""
    group: LinkGroup | None
    state: Marker | None
    search: str
    """A part of the text that is searched, in lower case; empty to list all."""
    fields: Fields

    def select(self, links: Iterable[Link]) -> LinkPage:
        """Return the first links that the query lists, how many there are, and where the next page begins."""
        sort_key = _SORT_KEYS[self.order]
        summaries = ((link.summary, link) for link in links)
        found = [(sort_key(summary), link) for summary, link in summaries if self._matches(summary)]
        later = [entry for entry in found if entry[0] > self.after] if self.after else found
        page = nsmallest(self.offset + self.limit + 1, later, key=_first)[self.offset :]
        has_more = len(page) > self.limit
        del page[self.limit :]
        cursor = _encode_cursor(self.order, page[-1][0]) if has_more else None
        return LinkPage([link for _, link in page], len(found), cursor)

    def _matches(self, summary: LinkSummary) -> bool:
        return (
            (not self.attention or summary.attention in self.attention)
            and self.group in (None, summary.group)
            and self.state in (None, summary.marker)
            and self.search in summary.search_text
        )


@frozen
class LinkPage:
    """One page of links; `next` is where the next one begins, None after the last link."""

    links: Sequence[Link]
    total: int
    """How many links all pages have."""
    next: str | None


def parse_link_query(request: IRequest) -> LinkQuery:
    """Read the query of a list of links. Raises ApiError 400."""
    order: Order = enum_param(request, "order", get_args(Order)) or "name"
    after = _cursor_param(request, order)
    offset = int_param(request, "offset", minimum=0, maximum=MAX_OFFSET) or 0
    if after and offset:
        expected = "offset counts from the first link: give either offset or after"
        raise ApiError(400, "invalid", expected, "offset")
    return LinkQuery(
        limit=int_param(request, "limit", maximum=MAX_LIST_LIMIT) or MAX_LIST_LIMIT,
        order=order,
        after=after,
        offset=offset,
        attention=_attention_param(request),
        group=enum_param(request, "group", get_args(LinkGroup)),
        state=enum_param(request, "state", get_args(Marker)),
        search=search_param(request).lower(),
        fields=enum_param(request, "fields", get_args(Fields)) or "all",
    )


def _attention_param(request: IRequest) -> frozenset[int]:
    text = query_param(request, "attention")
    if text is None:
        return frozenset()
    values = {str(value): value for value in get_args(Attention)}
    names = text.split(",")
    if not values.keys() >= set(names):
        expected = f"attention must be numbers from 0 to {max(values)} separated by commas, such as 2,3,4"
        raise ApiError(400, "invalid", expected, "attention")
    return frozenset(values[name] for name in names)


def _cursor_param(request: IRequest, order: Order) -> str:
    """Return the sort key of the last link of the page before; empty for the first page."""
    text = query_param(request, "after")
    if text is None:
        return ""
    try:
        if len(text) > _MAX_CURSOR_CHARS:
            raise ValueError("longer than any cursor")
        cursor_order, _, key = base64.b64decode(text, b"-_", validate=True).decode("ascii").partition(" ")
    except (ValueError, binascii.Error):
        cursor_order = key = ""
    if cursor_order != order or not key:
        raise ApiError(400, "invalid", _CURSOR_EXPECTATION, "after")
    return key


def _encode_cursor(order: Order, key: str) -> str:
    return base64.urlsafe_b64encode(f"{order} {key}".encode("ascii")).decode("ascii")
