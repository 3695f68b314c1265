"""Endpoints of postings: create, list, read, resend and discard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.web.server import Request

from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.operator_actions import (
    InvalidRowStateError,
    OperatorAction,
    RowNotFoundError,
    discard,
    resend,
)
from pmslink.store.store_service import Store
from pmslink.store.tables.outbox_rows import OutboxRow, row_of_link
from pmslink.store.tables.outbox_search import find_rows
from pmslink.web.api.audit_trail import audit_entry
from pmslink.web.api.link_lookup import find_link
from pmslink.web.api.outbox_requests import enqueue_row, make_posting_row, parse_idempotency_key
from pmslink.web.api.posting_query import PostingQuery, parse_posting_query
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.accepted_types import accepts_type
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.cancellation import shield
from pmslink.web.http.json_requests import parse_json_object, require_no_keys
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.long_responses import make_list_response, make_response_in_parts
from pmslink.web.http.query_parameters import MAX_SAFE_INTEGER
from pmslink.web.http.routing import Route
from pmslink.web.serializers.posting_csv import serialize_csv_header, serialize_csv_rows
from pmslink.web.serializers.posting_serializer import serialize_row
from pmslink.web.serializers.redaction import redact_row

CSV_TYPE = b"text/csv"
_CSV_ROWS_PER_READ = 1000
_CSV_ROWS_PER_PART = 50
"""Rows that are serialized in one turn of the reactor, some 2 milliseconds."""

_ActionOperation = Callable[[Transaction, Sequence[OperatorAction]], Sequence[OutboxRow | Exception]]


class PostingResource:
    """Endpoints of postings. The response to a change is sent once it is stored."""

    def __init__(
        self, links: LinkRegistry, store: Store, clock: IReactorTime, wall_clock: Callable[[], datetime]
    ) -> None:
        self._links = links
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "POST", "/api/v1/links/<link>/postings", self.create_posting
        yield "GET", "/api/v1/links/<link>/postings", self.list_postings
        yield "GET", "/api/v1/links/<link>/postings/<id>", self.get_posting
        yield "POST", "/api/v1/links/<link>/postings/<id>/resend", self.resend_posting
        yield "POST", "/api/v1/links/<link>/postings/<id>/discard", self.discard_posting

    async def create_posting(self, request: Request, link: str) -> bytes:
        """Add a posting to the outbox."""
        target = find_link(self._links, link)
        body, idempotency_key = parse_json_object(request), parse_idempotency_key(request)
        return await enqueue_row(
            request, target, make_posting_row(target, body, idempotency_key, self._wall_clock())
        )

    async def list_postings(self, request: ApiRequest, link: str) -> bytes:
        """List postings, newest first, in JSON or as CSV."""
        target = find_link(self._links, link)
        query = parse_posting_query(request, request.caller.sees_guests)
        if accepts_type(request, CSV_TYPE):
            parts = self._csv_parts(request, target, query)
            return await make_response_in_parts(request, parts, CSV_TYPE + b"; charset=utf-8; header=present")
        found = await self._store.read(find_rows, link, query.search, query.before, query.limit)
        serialized = (_serialize_visible_row(request, row) for row in found.rows)
        return await make_list_response(
            request, "postings", serialized, self._clock, {"next": found.next_before}
        )

    async def _csv_parts(self, request: ApiRequest, link: Link, query: PostingQuery) -> AsyncIterator[bytes]:
        """Yield lines of CSV: all postings that the query finds, if it has no limit."""
        yield serialize_csv_header()
        before, remaining = query.before, query.given_limit
        while True:
            limit = _CSV_ROWS_PER_READ if remaining is None else min(remaining, _CSV_ROWS_PER_READ)
            found = await self._store.read(find_rows, link.name, query.search, before, limit)
            for start in range(0, len(found.rows), _CSV_ROWS_PER_PART):
                part = found.rows[start : start + _CSV_ROWS_PER_PART]
                postings = (_serialize_visible_row(request, row) for row in part)
                yield serialize_csv_rows(postings, link.settings().currency)
                await deferLater(self._clock, 0)
            before = found.next_before
            remaining = None if remaining is None else remaining - len(found.rows)
            if before is None or remaining == 0:
                return

    # the routes name the path parameter `id`

    async def get_posting(self, request: ApiRequest, link: str, id: str) -> bytes:  # noqa: A002
        """Return one posting."""
        find_link(self._links, link)
        row = await self._store.read_live(row_of_link, link, _parse_row_id(id))
        if row is None:
            raise RowNotFoundError
        return make_response(request, _serialize_visible_row(request, row))

    async def resend_posting(self, request: ApiRequest, link: str, id: str) -> bytes:  # noqa: A002
        """Send a posting again."""
        return await self._apply_action(request, link, id, resend, "unknown or refused")

    async def discard_posting(self, request: ApiRequest, link: str, id: str) -> bytes:  # noqa: A002
        """Discard a posting."""
        return await self._apply_action(request, link, id, discard, "unknown, refused or pending")

    async def _apply_action(
        self,
        request: ApiRequest,
        link_name: str,
        row_id: str,
        operation: _ActionOperation,
        allowed_states: str,
    ) -> bytes:
        link = find_link(self._links, link_name)
        require_no_keys(request)
        try:
            digits = link.settings().posting_digits
            action = OperatorAction(link.name, _parse_row_id(row_id), digits, audit_entry(request))
            row = await shield(self._store_action(link, action, operation))
        except InvalidRowStateError as problem:
            message = f"the posting is {problem}; it must be {allowed_states}"
            raise ApiError(409, "wrong_state", message) from None
        return make_response(request, serialize_row(row))

    async def _store_action(
        self, link: Link, action: OperatorAction, operation: _ActionOperation
    ) -> OutboxRow:
        row = await self._store.journal.submit(operation, action)
        if operation is resend:
            link.outbox.on_resent(row)
        return row


def _serialize_visible_row(request: ApiRequest, row: OutboxRow) -> dict[str, Any]:
    return serialize_row(row if request.caller.sees_guests else redact_row(row))


def _parse_row_id(text: str) -> int:
    """Return the id in a path. Raises RowNotFoundError for a text that cannot be an id."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= MAX_SAFE_INTEGER):
        raise RowNotFoundError
    return int(text)
