"""Query of the list of postings: states, search, times and pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast, get_args

from attrs import frozen
from twisted.web.iweb import IRequest

from pmslink.config.setting_checks import parse_date_time
from pmslink.store.tables.outbox_rows import RowState
from pmslink.store.tables.outbox_search import RowSearch
from pmslink.timestamps import to_ms
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.query_parameters import (
    DEFAULT_LIST_LIMIT,
    MAX_LIST_LIMIT,
    before_param,
    enum_param,
    int_param,
    query_param,
    search_param,
)

POSTING_QUERY_KEYS = ("limit", "before", "state", "q", "from", "to")

_StateGroup = Literal["decide", "waiting", "final"]
_StateFilter = Literal[RowState, _StateGroup]
_STATE_FILTERS: tuple[_StateFilter, ...] = get_args(_StateFilter)
_STATES_BY_GROUP: Mapping[str, tuple[RowState, ...]] = {
    "decide": ("unknown", "refused"),
    "waiting": ("pending", "sent"),
    "final": ("done", "discarded"),
}
"""The states of rows that a person has to decide on, that wait, and that are over."""


@frozen
class PostingQuery:
    """Which postings to list: those that the search finds, below an id, at most so many."""

    search: RowSearch
    before: int | None
    given_limit: int | None

    @property
    def limit(self) -> int:
        """How many postings a list in JSON has at most."""
        return self.given_limit or DEFAULT_LIST_LIMIT


def parse_posting_query(request: IRequest, sees_guests: bool) -> PostingQuery:
    """Read the query of a list of postings. Raises ApiError 400.

    Dialled numbers are searched only if the caller sees them: else a search would tell them digit by digit.
    """
    since_ms, until_ms = _time_param(request, "from"), _time_param(request, "to")
    if since_ms is not None and until_ms is not None and since_ms > until_ms:
        raise ApiError(400, "invalid", "from must not be later than to", "from")
    search = RowSearch(_states_param(request), search_param(request), sees_guests, since_ms, until_ms)
    return PostingQuery(search, before_param(request), int_param(request, "limit", maximum=MAX_LIST_LIMIT))


def _states_param(request: IRequest) -> tuple[RowState, ...]:
    state = enum_param(request, "state", _STATE_FILTERS)
    if state is None:
        return ()
    return _STATES_BY_GROUP.get(state) or (cast(RowState, state),)


def _time_param(request: IRequest, name: str) -> int | None:
    text = query_param(request, name)
    if text is None:
        return None
    try:
        return to_ms(parse_date_time(text))
    except ValueError:
        expected = f'{name} must be a date and time with its offset, such as "2026-11-20T07:00:00Z"'
        raise ApiError(400, "invalid", f'{expected}; "+" is written %2B', name) from None
