"""Endpoints of rooms: read their state, and send the updates of their phones to the PMS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from pmslink.hotel import phone_update_records
from pmslink.hotel.hotel_policy import HotelPolicy
from pmslink.hotel.manual_changes import ManualChange
from pmslink.hotel.phone_update_records import OutboundUpdate
from pmslink.hotel.request_fields import parse_room_name
from pmslink.hotel.rooms import Room, is_room_name
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.operations.hotel_updates import WakeUpReport, store_wake_up_results
from pmslink.store.store_service import Store
from pmslink.store.tables.hotel_states import manual_changes_of, room_of, room_rows
from pmslink.store.tables.outbox_rows import newest_room_updates
from pmslink.web.api.audit_trail import audit_entry, is_audited
from pmslink.web.api.link_lookup import find_link
from pmslink.web.api.outbox_requests import enqueue_row, make_update_row
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.cancellation import shield
from pmslink.web.http.json_requests import parse_json_object, require_no_keys
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.long_responses import make_list_response
from pmslink.web.http.query_parameters import query_param
from pmslink.web.http.routing import Route
from pmslink.web.serializers.room_serializer import serialize_room, serialize_wake_up_result
from pmslink.web.serializers.room_updates_serializer import serialize_room_updates

Result = TypeVar("Result")


class RoomResource:
    """Endpoints of rooms. Each update is answered once it is stored."""

    def __init__(
        self, links: LinkRegistry, store: Store, clock: IReactorTime, wall_clock: Callable[[], datetime]
    ) -> None:
        self._links = links
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "GET", "/api/v1/links/<link>/rooms", self.list_rooms
        yield "GET", "/api/v1/links/<link>/rooms/<room>", self.get_room
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/status", self.set_status
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/dnd", self.set_do_not_disturb
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/make-up-room", self.set_make_up_room
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/voicemail", self.set_voicemail
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/wake-up", self.set_wake_up
        yield "DELETE", "/api/v1/links/<link>/rooms/<room>/wake-up", self.cancel_wake_up
        yield "POST", "/api/v1/links/<link>/rooms/<room>/wake-up/result", self.report_wake_up_result

    # Room state

    async def list_rooms(self, request: ApiRequest, link: str) -> bytes:
        """List all rooms of a link, or the rooms of one extension."""
        find_link(self._links, link)
        extension = query_param(request, "extension")
        policy, sees_guests = self._store.hotels.policy_of(link), request.caller.sees_guests

        rooms: Iterable[Room]
        if extension is None:
            rows, changes = await self._store.read(_with_changes, link, room_rows)
            rooms = (row.parse() for row in rows)
        else:
            read_rooms = partial(_rooms_of_names, names=_room_names_of_extension(extension, policy))
            rooms, changes = await self._store.read(_with_changes, link, read_rooms)
        serialized = (serialize_room(room, policy, sees_guests, changes.get(room.room)) for room in rooms)
        return await make_list_response(request, "rooms", serialized, self._clock)

    async def get_room(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Return the state of one room."""
        find_link(self._links, link)
        room = parse_room_name(room)
        read_room = partial(room_of, room=room)
        stored_room, changes = await self._store.read_live(_with_changes, link, read_room)
        if stored_room is None:
            raise ApiError(404, "unknown_room", f"the PMS has sent nothing about a room {room!r}")
        policy = self._store.hotels.policy_of(link)
        serialized = serialize_room(stored_room, policy, request.caller.sees_guests, changes.get(room))
        updates = await self._store.read_live(newest_room_updates, link, room)
        return make_response(request, serialized | {"set": serialize_room_updates(updates)})

    # Updates from phones

    async def set_status(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Send the PMS the housekeeping status of a room."""
        target = find_link(self._links, link)
        codes = target.settings().status_codes
        update = phone_update_records.status_update(parse_room_name(room), parse_json_object(request), codes)
        return await self._enqueue_update(request, target, update)

    async def set_do_not_disturb(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Send the PMS the do-not-disturb sign of a room."""
        target = find_link(self._links, link)
        update = phone_update_records.dnd_update(parse_room_name(room), parse_json_object(request))
        return await self._enqueue_update(request, target, update)

    async def set_make_up_room(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Send the PMS the make-up-room sign of a room."""
        target = find_link(self._links, link)
        update = phone_update_records.make_up_room_update(parse_room_name(room), parse_json_object(request))
        return await self._enqueue_update(request, target, update)

    async def set_voicemail(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Send the PMS the count of voice messages of a room."""
        target = find_link(self._links, link)
        update = phone_update_records.voicemail_update(parse_room_name(room), parse_json_object(request))
        return await self._enqueue_update(request, target, update)

    async def set_wake_up(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Order a wake-up call, and send it to the PMS."""
        target = find_link(self._links, link)
        policy = self._store.hotels.policy_of(link)
        update = phone_update_records.wake_up_update(
            parse_room_name(room), parse_json_object(request), self._wall_clock(), policy
        )
        return await self._enqueue_update(request, target, update)

    async def cancel_wake_up(self, request: ApiRequest, link: str, room: str) -> bytes:
        """Cancel one wake-up call of a room, or all, and send it to the PMS."""
        target = find_link(self._links, link)
        require_no_keys(request)
        policy = self._store.hotels.policy_of(link)
        at = query_param(request, "at")
        update = phone_update_records.wake_up_cancel_update(parse_room_name(room), at, policy)
        return await self._enqueue_update(request, target, update)

    async def _enqueue_update(self, request: ApiRequest, link: Link, update: OutboundUpdate) -> bytes:
        row = make_update_row(link, update, self._wall_clock(), request.caller.who)
        if is_audited(request):
            row = row._replace(audit=audit_entry(request, after=dict(update.body)))
        return await enqueue_row(request, link, row)

    async def report_wake_up_result(self, request: Request, link: str, room: str) -> bytes:
        """Store the result of an attempt of a wake-up call."""
        find_link(self._links, link)
        report = WakeUpReport(
            link,
            parse_room_name(room),
            *phone_update_records.parse_wake_up_result(parse_json_object(request)),
        )
        wake_up = await shield(self._store.journal.submit(store_wake_up_results, report))
        return make_response(request, serialize_wake_up_result(wake_up), 202)


def _with_changes(
    connection: Connection, link: str, read: Callable[[Connection, str], Result]
) -> tuple[Result, Mapping[str, ManualChange]]:
    """Return what `read` returns, and the change by hand of each room that has an open one."""
    return read(connection, link), manual_changes_of(connection, link).by_room()


def _rooms_of_names(connection: Connection, link: str, names: Sequence[str]) -> list[Room]:
    """Return rooms. A configured room that the PMS has not mentioned yet is vacant."""
    return [room_of(connection, link, name) or Room(name) for name in names]


def _room_names_of_extension(extension: str, policy: HotelPolicy) -> list[str]:
    """Return the rooms of an extension whose names a record can carry."""
    return sorted(
        name for name in policy.rooms_of_extension(extension) if is_room_name(name) and "|" not in name
    )
