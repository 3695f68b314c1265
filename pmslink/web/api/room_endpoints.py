"""Calls about rooms: how they are, and what their phones tell the PMS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from twisted.web.server import Request

from pmslink.errors import FieldError
from pmslink.fias.field_values import encode
from pmslink.hotel import phone_updates
from pmslink.hotel.hotel_policy import Rules
from pmslink.hotel.rooms import Room, WakeUp, guest_json, is_room, wake_up_json
from pmslink.link.link import Link
from pmslink.link.link_registry import Links
from pmslink.store.operations.hotel_updates import Reported, take_results
from pmslink.store.operations.outbox_enqueue import Offer
from pmslink.store.store_service import Store
from pmslink.store.tables.hotel_states import room_of, rooms_of
from pmslink.timestamps import timestamp_of, to_ms
from pmslink.validation.json_body import BodyError
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.json_responses import ApiError, answer, asked, json_object, written
from pmslink.web.http.routing import Route, find_link, shielded
from pmslink.web.serializers.posting_serializer import row_json
from pmslink.web.serializers.redaction import masked_guest


class RoomCalls:
    """Answers from the store; what a phone tells is answered once it is safe on the disk."""

    def __init__(self, links: Links, store: Store, wall: Callable[[], datetime]) -> None:
        self._links = links
        self._store = store
        self._wall = wall

    def routes(self) -> Iterator[Route]:
        yield "GET", "/api/v1/links/<link>/rooms", self.all
        yield "GET", "/api/v1/links/<link>/rooms/<room>", self.one
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/status", self.status
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/dnd", self.dnd
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/make-up-room", self.make_up_room
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/voicemail", self.voicemail
        yield "PUT", "/api/v1/links/<link>/rooms/<room>/wake-up", self.wake_up
        yield "DELETE", "/api/v1/links/<link>/rooms/<room>/wake-up", self.cancel_wake_up
        yield "POST", "/api/v1/links/<link>/rooms/<room>/wake-up/result", self.wake_up_result

    # How rooms are.

    async def all(self, request: BoundedRequest, link: str) -> bytes:
        find_link(self._links, link)
        extension = asked(request, "extension")
        rules, sees_guests = self._store.houses.rules_of(link), request.caller.sees_guests

        def told(rooms: Iterable[Room]) -> bytes:
            return written({"rooms": [room_json(room, rules, sees_guests) for room in rooms]})

        # Put together in the reading thread: a large hotel would hold everybody up here.
        if extension is None:
            body = await self._store.read(lambda connection: told(rooms_of(connection, link)))
        else:
            # one that nobody spoke of yet is told as vacant
            body = await self._store.read(
                lambda connection: told(
                    room_of(connection, link, name) or Room(name) for name in _rooms_with(extension, rules)
                )
            )
        return answer(request, body)

    async def one(self, request: BoundedRequest, link: str, room: str) -> bytes:
        find_link(self._links, link)
        found = await self._store.read(room_of, link, room)
        if found is None:
            raise ApiError(404, "unknown_room", f"the PMS has told nothing of a room {room!r}")
        rules = self._store.houses.rules_of(link)
        return answer(request, room_json(found, rules, request.caller.sees_guests))

    # What phones tell.

    async def status(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        codes = found.settings().status_codes
        return await self._tell(request, found, phone_updates.told_status(room, json_object(request), codes))

    async def dnd(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        return await self._tell(request, found, phone_updates.told_dnd(room, json_object(request)))

    async def make_up_room(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        return await self._tell(request, found, phone_updates.told_make_up_room(room, json_object(request)))

    async def voicemail(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        return await self._tell(request, found, phone_updates.told_voicemail(room, json_object(request)))

    async def wake_up(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        rules = self._store.houses.rules_of(link)
        told = phone_updates.told_wake_up(room, json_object(request), self._wall(), rules)
        return await self._tell(request, found, told)

    async def cancel_wake_up(self, request: Request, link: str, room: str) -> bytes:
        found = find_link(self._links, link)
        rules = self._store.houses.rules_of(link)
        return await self._tell(
            request, found, phone_updates.told_wake_up_cancel(room, asked(request, "at"), rules)
        )

    async def _tell(self, request: Request, link: Link, told: phone_updates.Told) -> bytes:
        try:
            encode(told.record, link.settings().charset)
        except FieldError as problem:
            raise BodyError("room", f"room cannot be sent: {problem}") from None
        offer = Offer(
            link.name,
            told.record.id,
            told.type,
            told.room,
            phone_updates.body_text(told),
            told.record.text,
            to_ms(self._wall()),
            subject=told.subject,
            until=told.until,
            change=told.change,
        )
        accepted = await shielded(link.outbox.offer(offer))
        return answer(request, row_json(accepted.row), 202)

    async def wake_up_result(self, request: Request, link: str, room: str) -> bytes:
        find_link(self._links, link)
        reported = Reported(link, room, *phone_updates.read_result(json_object(request)))
        wake_up = await shielded(self._store.journal.write(take_results, reported))
        return answer(request, _told_json(wake_up), 202)


def _rooms_with(extension: str, rules: Rules) -> list[str]:
    """The names of the rooms that have it, as far as a record could name them."""
    return sorted(name for name in rules.rooms(extension) if is_room(name) and "|" not in name)


def room_json(room: Room, rules: Rules, sees_guests: bool) -> dict[str, Any]:
    guests = map(guest_json, room.guests)
    return {
        "room": room.room,
        "extensions": list(rules.extensions(room.room)),
        "guests": list(guests if sees_guests else map(masked_guest, guests)),
        "class_of_service": room.class_of_service,
        "do_not_disturb": room.do_not_disturb,
        "message_light": room.message_light,
        "status": room.status,
        "wake_ups": [wake_up_json(one) | {"attempts": one.attempts} for one in room.wake_ups],
        "changed": timestamp_of(room.changed) if room.changed else None,
    }


def _told_json(wake_up: WakeUp) -> dict[str, Any]:
    """A wake-up after a result: when it is tried again, if it is."""
    again = None if wake_up.again is None else timestamp_of(wake_up.again)
    return wake_up_json(wake_up) | {
        "attempts": wake_up.attempts,
        "result": wake_up.result,
        "again": again,
    }
