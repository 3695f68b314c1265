"""Calls about rooms: how they are, and what their phones tell the PMS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from twisted.web.server import Request

from pmslink.errors import FieldError
from pmslink.fias.charset import encode
from pmslink.hotel import phone_updates
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.rooms import Room, WakeUp, is_room_name, serialize_guest, serialize_wake_up
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.operations.hotel_updates import WakeUpReport, store_wake_up_results
from pmslink.store.operations.outbox_enqueue import NewRow
from pmslink.store.store_service import Store
from pmslink.store.tables.hotel_states import room_of, rooms_of
from pmslink.timestamps import format_timestamp_ms, to_ms
from pmslink.validation.json_body import BodyError
from pmslink.web.api.link_lookup import find_link
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.cancellation import shield
from pmslink.web.http.json_requests import parse_json_object
from pmslink.web.http.json_responses import make_response, serialize_json
from pmslink.web.http.query_parameters import query_param
from pmslink.web.http.routing import Route
from pmslink.web.serializers.posting_serializer import serialize_row
from pmslink.web.serializers.redaction import redact_guest


class RoomResource:
    """Answers from the store; what a phone tells is answered once it is safe on the disk."""

    def __init__(self, links: LinkRegistry, store: Store, wall: Callable[[], datetime]) -> None:
        self._links = links
        self._store = store
        self._wall = wall

    def routes(self) -> Iterator[Route]:
        yield "GET", "/api/v1/links/<link>/rooms", self.list_rooms
        yield "GET", "/api/v1/links/<link>/rooms/<room>", self.get_room
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/status", self.set_status
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/dnd", self.set_do_not_disturb
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/make-up-room", self.set_make_up_room
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/voicemail", self.set_voicemail
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/wake-up", self.set_wake_up
        yield "DELETE", "/api/v1/links/<link>/rooms/<room>/wake-up", self.cancel_wake_up
        yield "POST", "/api/v1/links/<link>/rooms/<room>/wake-up/result", self.report_wake_up_result

    # How rooms are.

    async def list_rooms(self, request: ApiRequest, link: str) -> bytes:
        find_link(self._links, link)
        extension = query_param(request, "extension")
        rules, sees_guests = self._store.hotels.policy_of(link), request.caller.sees_guests

        def told(rooms: Iterable[Room]) -> bytes:
            return serialize_json({"rooms": [serialize_room(room, rules, sees_guests) for room in rooms]})

        # Put together in the reading thread: a large hotel would hold everybody up here.
        if extension is None:
            body = await self._store.read(lambda connection: told(rooms_of(connection, link)))
        else:
            # one that nobody spoke of yet is told as vacant
            body = await self._store.read(
                lambda connection: told(
                    room_of(connection, link, name) or Room(name)
                    for name in _room_names_of_extension(extension, rules)
                )
            )
        return make_response(request, body)

    async def get_room(self, request: ApiRequest, link: str, room: str) -> bytes:
        find_link(self._links, link)
        found = await self._store.read(room_of, link, room)
        if found is None:
            raise ApiError(404, "unknown_room", f"the PMS has told nothing of a room {room!r}")
        rules = self._store.hotels.policy_of(link)
        return make_response(request, serialize_room(found, rules, request.caller.sees_guests))

    # What phones tell.

    async def set_status(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        codes = found.settings().status_codes
        return await self._enqueue_update(
            request, found, phone_updates.status_update(room, parse_json_object(request), codes)
        )

    async def set_do_not_disturb(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        return await self._enqueue_update(
            request, found, phone_updates.dnd_update(room, parse_json_object(request))
        )

    async def set_make_up_room(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        return await self._enqueue_update(
            request, found, phone_updates.make_up_room_update(room, parse_json_object(request))
        )

    async def set_voicemail(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        return await self._enqueue_update(
            request, found, phone_updates.voicemail_update(room, parse_json_object(request))
        )

    async def set_wake_up(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        rules = self._store.hotels.policy_of(link)
        told = phone_updates.wake_up_update(room, parse_json_object(request), self._wall(), rules)
        return await self._enqueue_update(request, found, told)

    async def cancel_wake_up(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        rules = self._store.hotels.policy_of(link)
        return await self._enqueue_update(
            request, found, phone_updates.wake_up_cancel_update(room, query_param(request, "at"), rules)
        )

    async def _enqueue_update(
        self, request: Request, link: Link, update: phone_updates.OutboundUpdate
    ) -> bytes:
        try:
            encode(update.record, link.settings().charset)
        except FieldError as problem:
            raise BodyError("room", f"room cannot be sent: {problem}") from None
        offer = NewRow(
            link.name,
            update.record.id,
            update.type,
            update.room,
            phone_updates.serialize_update_body(update),
            update.record.text,
            to_ms(self._wall()),
            subject=update.subject,
            until=update.until,
            phone_update=update.phone_update,
        )
        accepted = await shield(link.outbox.enqueue(offer))
        return make_response(request, serialize_row(accepted.row), 202)

    async def report_wake_up_result(self, request: Request, link: str, room: str) -> bytes:
        find_link(self._links, link)
        reported = WakeUpReport(link, room, *phone_updates.parse_wake_up_result(parse_json_object(request)))
        wake_up = await shield(self._store.journal.submit(store_wake_up_results, reported))
        return make_response(request, _serialize_wake_up_result(wake_up), 202)


def _room_names_of_extension(extension: str, rules: HotelPolicy) -> list[str]:
    """The names of the rooms that have it, as far as a record could name them."""
    return sorted(
        name for name in rules.rooms_of_extension(extension) if is_room_name(name) and "|" not in name
    )


def serialize_room(room: Room, rules: HotelPolicy, sees_guests: bool) -> dict[str, Any]:
    guests = map(serialize_guest, room.guests)
    return {
        "room": room.room,
        "extensions": list(rules.extensions_of_room(room.room)),
        "guests": list(guests if sees_guests else map(redact_guest, guests)),
        "class_of_service": room.class_of_service,
        "do_not_disturb": room.do_not_disturb,
        "message_light": room.message_light,
        "status": room.status,
        "wake_ups": [serialize_wake_up(one) | {"attempts": one.attempts} for one in room.wake_ups],
        "changed": format_timestamp_ms(room.changed) if room.changed else None,
    }


def _serialize_wake_up_result(wake_up: WakeUp) -> dict[str, Any]:
    """A wake-up after a result: when it is tried again, if it is."""
    again = None if wake_up.again is None else format_timestamp_ms(wake_up.again)
    return serialize_wake_up(wake_up) | {
        "attempts": wake_up.attempts,
        "result": wake_up.result,
        "again": again,
    }
