"""Endpoints of work by hand while the PMS cannot be reached, and of its comparison with the PMS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pmslink.errors import NotApplicableError
from pmslink.hotel import manual_acts, manual_decisions
from pmslink.hotel.guest_fields import MAX_GUEST_TEXT_CHARS, clean_text
from pmslink.hotel.guest_names import words_of_name
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.manual_acts import ManualGuest
from pmslink.hotel.manual_changes import ManualChange
from pmslink.hotel.manual_decisions import UnknownManualChangeError
from pmslink.hotel.request_fields import ROOM_FIELD, parse_room_name
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.operations.hotel_updates import ManualWork, do_manual_work
from pmslink.store.store_service import Store
from pmslink.store.tables.hotel_states import manual_changes_of
from pmslink.validation.json_body import BodyField, parse_body, required_field
from pmslink.validation.validators import Validator, integer_validator, require
from pmslink.web.api.audit_trail import audit_entry
from pmslink.web.api.link_lookup import find_link
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.cancellation import shield
from pmslink.web.http.json_requests import parse_json_object, require_no_keys
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.query_parameters import MAX_SAFE_INTEGER
from pmslink.web.http.routing import Route
from pmslink.web.serializers.manual_serializer import serialize_manual_change, serialize_manual_changes

Work = Callable[[HotelState, Context], Sequence[ManualChange]]


class ManualResource:
    """Endpoints of work by hand. Each act is answered once it is stored."""

    def __init__(self, links: LinkRegistry, store: Store) -> None:
        self._links = links
        self._store = store

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "POST", "/api/v1/links/<link>/rooms/<room>/check-in", self.check_in
        yield "POST", "/api/v1/links/<link>/rooms/<room>/check-out", self.check_out
        yield "POST", "/api/v1/links/<link>/rooms/<room>/move", self.move
        yield "GET", "/api/v1/links/<link>/by-hand", self.list_changes
        yield "POST", "/api/v1/links/<link>/by-hand/<id>/take", self.take
        yield "POST", "/api/v1/links/<link>/by-hand/<id>/keep", self.keep

    async def check_in(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Check a guest in by hand, or change the name of one who was checked in by hand."""
        self._require_not_in_sync(link)
        name = parse_room_name(room)
        guest = ManualGuest(**parse_body(_GUEST_FIELDS, parse_json_object(request), "a check-in"))
        by = request.caller.name
        return await self._do(
            request, link, lambda state, context: [manual_acts.check_in(state, name, guest, by, context)]
        )

    async def check_out(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Check the guests of a room out by hand."""
        self._require_not_in_sync(link)
        require_no_keys(request)
        name, by = parse_room_name(room), request.caller.name
        return await self._do(
            request, link, lambda state, context: manual_acts.check_out(state, name, by, context)
        )

    async def move(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Move the guests of a room by hand."""
        self._require_not_in_sync(link)
        name, by = parse_room_name(room), request.caller.name
        to: str = parse_body(_MOVE_FIELDS, parse_json_object(request), "a move")["to"]
        return await self._do(
            request, link, lambda state, context: manual_acts.move(state, name, to, by, context), {"to": to}
        )

    async def list_changes(self, request: ApiRequest, link: str) -> bytes:
        """List what was done by hand, and what the PMS says of it."""
        find_link(self._links, link)
        manual = await self._store.read_live(manual_changes_of, link)
        return make_response(request, serialize_manual_changes(manual, request.caller.sees_guests))

    # the routes name the path parameter `id`

    async def take(self, request: ApiRequest, link: str, id: str) -> bytes:  # noqa: A002
        """Take over what the PMS says instead of a change by hand."""
        change_id = _parse_change_id(id)
        return await self._decide(
            request, link, lambda state, context: [manual_decisions.take(state, change_id, context)]
        )

    async def keep(self, request: ApiRequest, link: str, id: str) -> bytes:  # noqa: A002
        """Keep a change by hand until the PMS is corrected."""
        change_id = _parse_change_id(id)
        return await self._decide(request, link, lambda state, _: [manual_decisions.keep(state, change_id)])

    def _require_not_in_sync(self, name: str) -> None:
        if find_link(self._links, name).session.in_sync:
            raise NotApplicableError(
                "in_sync", f"{name} is in sync: the PMS decides who is in which room; use the PMS"
            )

    async def _do(self, request: ApiRequest, link: str, work: Work, body: object = None) -> bytes:
        """Do work by hand. `body` is what the audit trail tells of the request: no names."""
        requested = ManualWork(link, work, audit_entry(request, after=body))
        changes = await shield(self._store.journal.submit(do_manual_work, requested))
        sees_guests = request.caller.sees_guests
        serialized = [serialize_manual_change(change, sees_guests) for change in changes]
        return make_response(request, {"changes": serialized}, 202)

    async def _decide(self, request: ApiRequest, link: str, work: Work) -> bytes:
        find_link(self._links, link)
        require_no_keys(request)
        requested = ManualWork(link, work, audit_entry(request))
        (change,) = await shield(self._store.journal.submit(do_manual_work, requested))
        return make_response(request, serialize_manual_change(change, request.caller.sees_guests), 202)


def _parse_change_id(text: str) -> int:
    """Return the id in a path. Raises UnknownManualChangeError for a text that cannot be an id."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= MAX_SAFE_INTEGER):
        raise UnknownManualChangeError("the id of a change by hand is a number")
    return int(text)


def _parse_guest_text(raw: Any) -> str:
    text = clean_text(require(isinstance(raw, str), raw))
    require(1 <= len(text) <= MAX_GUEST_TEXT_CHARS and text.isprintable(), raw)
    return text


def _parse_name(raw: Any) -> str:
    """Parse the name by which the PMS's guest is recognized. One of dots would be that of any guest."""
    name = _parse_guest_text(raw)
    require(words_of_name(name), raw)
    return name


def _parse_departure(raw: Any) -> str:
    require(isinstance(raw, str) and len(raw) == len("2026-11-20"), raw)
    return date.fromisoformat(raw).isoformat()


_TEXT = Validator(f"text of 1 to {MAX_GUEST_TEXT_CHARS} characters", _parse_guest_text)
_NAME = Validator(
    f"text of 1 to {MAX_GUEST_TEXT_CHARS} characters, with a letter or digit among them", _parse_name
)
_GUEST_FIELDS: Mapping[str, BodyField] = {
    "name": required_field(_NAME),
    "first_name": BodyField(_TEXT),
    "language": BodyField(_TEXT),
    "departure": BodyField(Validator('a date such as "2026-11-20"', _parse_departure)),
    "class_of_service": BodyField(integer_validator(0, 9)),
}
_MOVE_FIELDS = {"to": ROOM_FIELD}
