"""Endpoints of notices: list them, and acknowledge one for all users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import IRequest

from pmslink.link.link_registry import LinkRegistry
from pmslink.link.notice_tracker import UnknownNoticeError
from pmslink.store.tables.notice_rows import Notice, NoticeState
from pmslink.web.api.audit_trail import audit_entry
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.cancellation import shield
from pmslink.web.http.json_requests import require_no_keys
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.long_responses import make_list_response
from pmslink.web.http.query_parameters import MAX_SAFE_INTEGER, limit_param, query_param
from pmslink.web.http.routing import Route
from pmslink.web.serializers.notice_serializer import serialize_notice

_CURSOR_EXPECTATION = "after must be `next` of the response before"


class NoticeResource:
    """Endpoints of notices."""

    def __init__(self, links: LinkRegistry, clock: IReactorTime) -> None:
        self._links = links
        self._notices = links.notices
        self._clock = clock

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "GET", "/api/v1/notices", self.list_notices
        yield "POST", "/api/v1/notices/acknowledge", self.acknowledge_all
        yield "POST", "/api/v1/notices/<id>/acknowledge", self.acknowledge_notice

    async def list_notices(self, request: ApiRequest) -> bytes:
        """List the newest notices, those of one link, or those in some states."""
        states, limit, before = _states_param(request), limit_param(request), _cursor_param(request)
        link = query_param(request, "link")
        found = await self._notices.list_notices(link, states, before, limit + 1)
        page = found[:limit]
        more = {
            "open": self._notices.count_open(),
            "next": str(page[-1].id) if len(found) > limit else None,
        }
        return await make_list_response(request, "notices", map(self._serialize, page), self._clock, more)

    # the route names the path parameter `id`

    async def acknowledge_all(self, request: ApiRequest) -> bytes:
        """Acknowledge all notices that are open."""
        require_no_keys(request)
        acknowledged = self._notices.acknowledge_all(request.caller.name, audit_entry(request))
        return make_response(request, {"acknowledged": await shield(acknowledged)})

    async def acknowledge_notice(self, request: ApiRequest, id: str) -> bytes:  # noqa: A002
        """Acknowledge a notice. If somebody has done so before, nothing changes."""
        require_no_keys(request)
        notice_id = _parse_notice_id(id)
        acknowledged = self._notices.acknowledge(notice_id, request.caller.name, audit_entry(request))
        return make_response(request, self._serialize(await shield(acknowledged)))

    def _serialize(self, notice: Notice) -> dict[str, Any]:
        return serialize_notice(notice, None if notice.link is None else self._links.get(notice.link))


def _states_param(request: IRequest) -> frozenset[NoticeState]:
    text = query_param(request, "state")
    states: dict[str, NoticeState] = {state: state for state in get_args(NoticeState)}
    if text is None:
        return frozenset(states.values())
    names = text.split(",")
    if not states.keys() >= set(names):
        expected = f"state must be {', '.join(states)}, or some of them separated by commas"
        raise ApiError(400, "invalid", expected, "state")
    return frozenset(states[name] for name in names)


def _cursor_param(request: IRequest) -> int | None:
    """Return the id that all notices must be older than; None for the newest."""
    text = query_param(request, "after")
    if text is None:
        return None
    if not _is_id(text):
        raise ApiError(400, "invalid", _CURSOR_EXPECTATION, "after")
    return int(text)


def _parse_notice_id(text: str) -> int:
    """Return the id in a path. Raises UnknownNoticeError for a text that cannot be an id."""
    if not _is_id(text):
        raise UnknownNoticeError("the id of a notice is a number")
    return int(text)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= MAX_SAFE_INTEGER
