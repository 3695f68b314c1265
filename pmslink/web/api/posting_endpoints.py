"""Calls about what is for the PMS: postings are taken, shown, sent again and given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, get_args

from twisted.web.server import Request

from pmslink.link.link import Link
from pmslink.link.link_registry import Links
from pmslink.store.operations.operator_actions import Decide, NoSuchRow, WrongState, discard, resend
from pmslink.store.store_service import Store
from pmslink.store.tables.log_entries import Transaction
from pmslink.store.tables.outbox_rows import Row, State, newest_rows, row_of
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.json_responses import (
    MOST,
    ApiError,
    answer,
    asked_choice,
    json_object,
    require_json,
)
from pmslink.web.http.routing import Route, asked_before, asked_limit, find_link, shielded
from pmslink.web.serializers.posting_serializer import asked_key, posting_offer, row_json
from pmslink.web.serializers.redaction import masked_row

_Decision = Callable[[Transaction, Sequence[Decide]], Sequence[Row | Exception]]


class OutboxCalls:
    """Answers once what was asked for is safe on the disk."""

    def __init__(self, links: Links, store: Store, wall: Callable[[], datetime]) -> None:
        self._links = links
        self._store = store
        self._wall = wall

    def routes(self) -> Iterator[Route]:
        yield "POST", "/api/v1/links/<link>/postings", self.post
        yield "GET", "/api/v1/links/<link>/postings", self.all
        yield "GET", "/api/v1/links/<link>/postings/<id>", self.one
        yield "POST", "/api/v1/links/<link>/postings/<id>/resend", self.resend
        yield "POST", "/api/v1/links/<link>/postings/<id>/discard", self.discard

    async def post(self, request: Request, link: str) -> bytes:
        found = find_link(self._links, link)
        offer = posting_offer(found, json_object(request), asked_key(request), self._wall())
        accepted = await shielded(found.outbox.offer(offer))
        return answer(request, row_json(accepted.row), 202 if accepted.new else 200)

    async def all(self, request: BoundedRequest, link: str) -> bytes:
        find_link(self._links, link)
        state = asked_choice(request, "state", get_args(State))
        before, limit = asked_before(request), asked_limit(request)
        rows = await self._store.read(newest_rows, link, state, before, limit)
        return answer(request, {"postings": [_shown(request, row) for row in rows]})

    async def one(self, request: BoundedRequest, link: str, id: str) -> bytes:
        find_link(self._links, link)
        row = await self._store.read(row_of, link, _read_id(id))
        if row is None:
            raise NoSuchRow
        return answer(request, _shown(request, row))

    async def resend(self, request: Request, link: str, id: str) -> bytes:
        return await self._decide(request, link, id, resend, "unknown or refused")

    async def discard(self, request: Request, link: str, id: str) -> bytes:
        return await self._decide(request, link, id, discard, "unknown, refused or pending")

    async def _decide(self, request: Request, name: str, id: str, decision: _Decision, fit: str) -> bytes:
        link = find_link(self._links, name)
        require_json(request)
        try:
            row = await shielded(self._decided(link, _read_id(id), decision))
        except WrongState as problem:
            raise ApiError(
                409, "wrong_state", f"the posting is {problem}; this goes only from {fit}"
            ) from None
        return answer(request, row_json(row))

    async def _decided(self, link: Link, id: int, decision: _Decision) -> Row:
        row = await self._store.journal.write(decision, Decide(link.name, id, link.settings().posting_digits))
        link.outbox.flow()
        return row


def _shown(request: BoundedRequest, row: Row) -> dict[str, Any]:
    return row_json(row if request.caller.sees_guests else masked_row(row))


def _read_id(text: str) -> int:
    """The id in a path; what was never one is the id of no posting."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= MOST):
        raise NoSuchRow
    return int(text)
