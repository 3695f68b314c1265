"""The endpoint of the audit trail."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from pmslink.store.store_service import Store
from pmslink.store.tables.audit_log import AuditQuery, newest_audit_entries
from pmslink.web.http.long_responses import make_list_response
from pmslink.web.http.query_parameters import before_param, limit_param, query_param
from pmslink.web.http.routing import Route
from pmslink.web.serializers.audit_serializer import serialize_audit_entry


class AuditResource:
    """The endpoint of the audit trail."""

    def __init__(self, store: Store, clock: IReactorTime) -> None:
        self._store = store
        self._clock = clock

    def routes(self) -> Iterator[Route]:
        """Return the route of this endpoint."""
        yield "GET", "/api/v1/audit", self.list_entries

    async def list_entries(self, request: Request) -> bytes:
        """List the newest entries, or those of one link, caller or action."""
        query = AuditQuery(
            limit_param(request),
            before_param(request),
            *(query_param(request, key) for key in ("link", "who", "action")),
        )
        entries = await self._store.read(newest_audit_entries, query)
        return await make_list_response(request, "audit", map(serialize_audit_entry, entries), self._clock)
