"""The JSON interface by which people and tests act as the hotel, and switch faults on and off.

``?port=N`` chooses a property; without it the first is meant, and for faults all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest

from pmslink.errors import FieldError
from pmslink.simulator.control import guest_serializer, room_serializer, status_serializer
from pmslink.simulator.control.http_site import (
    ApiError,
    BoundedRequest,
    error_response,
    int_param,
    json_response,
    parse_body,
    query_param,
)
from pmslink.simulator.hotel.hotel_model import UnknownGuestError, UnknownRoomError
from pmslink.simulator.pms.fault_switches import FaultError, Faults, fault_meanings
from pmslink.simulator.pms.property import NotLinkedError, Pms

DEFAULT_PAGE_ENTRIES, MAX_PAGE_ENTRIES = 100, 1000
_MAX_RECORD_ID = 10**15 - 1


class ControlApi:
    """The calls, on one or more properties."""

    app = Klein()

    def __init__(self, properties: Sequence[Pms]) -> None:
        self._properties = properties

    @app.route("/", methods=["GET"])
    def status(self, request: BoundedRequest) -> bytes:
        """How each property stands."""
        return json_response(
            request,
            {
                "properties": [
                    status_serializer.serialize_status(pms) for pms in self._selected_properties(request)
                ]
            },
        )

    # faults

    @app.route("/faults", methods=["GET"])
    def faults(self, request: BoundedRequest) -> bytes:
        """The faults that are on, and all there are."""
        defaults = Faults().serialize()
        available = {
            name: {"default": defaults[name], "meaning": meaning}
            for name, meaning in fault_meanings().items()
        }
        return json_response(request, {**self._serialize_faults(request), "available": available})

    @app.route("/faults", methods=["POST"])
    def change_faults(self, request: BoundedRequest) -> bytes:
        """Set the given faults, leave the others."""
        given = parse_body(request)
        changed = [(pms, Faults.parse(given, pms.faults)) for pms in self._selected_properties(request)]
        for pms, faults in changed:
            pms.set_faults(faults)
        return json_response(request, self._serialize_faults(request))

    @app.route("/faults", methods=["DELETE"])
    def clear_faults(self, request: BoundedRequest) -> bytes:
        """Switch all faults off."""
        for pms in self._selected_properties(request):
            pms.set_faults(Faults())
        return json_response(request, self._serialize_faults(request))

    # guests and rooms

    @app.route("/guests", methods=["GET"])
    def guests(self, request: BoundedRequest) -> bytes:
        """Who stays in the hotel."""
        hotel = self._selected_property(request).hotel
        return json_response(
            request,
            {"guests": [guest_serializer.serialize_guest(guest, hotel) for guest in hotel.guests.values()]},
        )

    @app.route("/guests", methods=["POST"])
    def check_in(self, request: BoundedRequest) -> bytes:
        """Check a guest in."""
        pms = self._selected_property(request)
        guest = pms.check_in(**guest_serializer.parse_guest(parse_body(request), required=("room", "name")))
        return json_response(request, guest_serializer.serialize_guest(guest, pms.hotel), 201)

    @app.route("/guests/<guest>", methods=["PATCH"])
    def change(self, request: BoundedRequest, guest: str) -> bytes:
        """Change what is known of a guest, or move the guest."""
        pms = self._selected_property(request)
        details = guest_serializer.parse_guest(parse_body(request))
        room = details.pop("room", None)
        if room is not None and details:
            raise ApiError(400, "bad_value", "a move is a call of its own", "room")
        changed = pms.change(guest, details) if room is None else pms.move(guest, room)
        return json_response(request, guest_serializer.serialize_guest(changed, pms.hotel))

    @app.route("/guests/<guest>", methods=["DELETE"])
    def check_out(self, request: BoundedRequest, guest: str) -> bytes:
        """Check a guest out."""
        pms = self._selected_property(request)
        return json_response(request, guest_serializer.serialize_guest(pms.check_out(guest), pms.hotel))

    @app.route("/rooms", methods=["GET"])
    def rooms(self, request: BoundedRequest) -> bytes:
        """Every room, with its guests, what it is set to and what the PBX told of it."""
        pms = self._selected_property(request)
        rooms = [
            room_serializer.serialize_room(room, guests, pms.equipment(room))
            for room, guests in pms.hotel.guests_by_room().items()
        ]
        return json_response(request, {"rooms": rooms})

    @app.route("/rooms/<room>", methods=["PATCH"])
    def change_equipment(self, request: BoundedRequest, room: str) -> bytes:
        """Set a room's class of service and lights."""
        pms = self._selected_property(request)
        pms.change_equipment(room, **room_serializer.parse_room_settings(parse_body(request)))
        return self._room_response(request, pms, room)

    @app.route("/rooms/<room>/wake-ups", methods=["POST"])
    def order_wake_up(self, request: BoundedRequest, room: str) -> bytes:
        """Have the guests of a room woken."""
        pms = self._selected_property(request)
        pms.order_wake_up(room, room_serializer.parse_wake_up_order(parse_body(request)))
        return self._room_response(request, pms, room, 201)

    @app.route("/rooms/<room>/wake-ups", methods=["DELETE"])
    def cancel_wake_up(self, request: BoundedRequest, room: str) -> bytes:
        """Cancel a wake-up, or all of the room."""
        pms = self._selected_property(request)
        pms.cancel_wake_up(room, room_serializer.parse_wake_up_cancellation(query_param(request, "at")))
        return self._room_response(request, pms, room)

    # records and postings

    @app.route("/records", methods=["GET"])
    def records(self, request: BoundedRequest) -> bytes:
        """What was received and sent, oldest first."""
        after = int_param(request, "after", 0, _MAX_RECORD_ID)
        limit = int_param(request, "limit", DEFAULT_PAGE_ENTRIES, MAX_PAGE_ENTRIES)
        records = self._selected_property(request).trace.after(after, limit)
        return json_response(
            request, {"records": [status_serializer.serialize_entry(each) for each in records]}
        )

    @app.route("/records", methods=["POST"])
    def send(self, request: BoundedRequest) -> bytes:
        """Send a record, or bytes, just as given."""
        pms = self._selected_property(request)
        match parse_body(request):
            case {"text": str(text), **others} if not others:
                pms.send_text(text)
            case {"hex": str(digits), **others} if not others:
                try:
                    data = bytes.fromhex(digits)
                except ValueError as problem:
                    raise ApiError(400, "bad_value", str(problem), "hex") from None
                pms.send_bytes(data)
            case _:
                raise ApiError(400, "bad_value", 'the body should be {"text": …} or {"hex": …}', "text")
        return json_response(request, {"sent": True})

    @app.route("/records", methods=["DELETE"])
    def clear_records(self, request: BoundedRequest) -> bytes:
        """Forget what was received and sent."""
        self._selected_property(request).trace.clear()
        return json_response(request, {"records": []})

    @app.route("/postings", methods=["GET"])
    def postings(self, request: BoundedRequest) -> bytes:
        """Each posting number: how often it came, on which connection, what it was answered."""
        postings = self._selected_property(request).postings.by_number.values()
        return json_response(
            request, {"postings": [status_serializer.serialize_posting(each) for each in postings]}
        )

    # what the hotel does with the link

    @app.route("/audit/<any(start,end):which>", methods=["POST"])
    def audit(self, request: BoundedRequest, which: str) -> bytes:
        """Begin or end the night audit."""
        pms = self._selected_property(request)
        pms.set_night_audit(which == "start")
        return json_response(request, status_serializer.serialize_status(pms))

    @app.route("/resync", methods=["POST"])
    def resync(self, request: BoundedRequest) -> bytes:
        """Send who is in the house, unasked."""
        pms = self._selected_property(request)
        pms.resync()
        return json_response(request, status_serializer.serialize_status(pms))

    @app.route("/link/<any(start,end,drop):what>", methods=["POST"])
    def link(self, request: BoundedRequest, what: str) -> bytes:
        """Send LS, send LE, or close the connection without a word."""
        pms = self._selected_property(request)
        {"start": pms.start_link, "end": pms.end_link, "drop": pms.drop_link}[what]()
        return json_response(request, status_serializer.serialize_status(pms))

    @app.handle_errors(Exception)
    def handle_error(self, request: IRequest, failure: Failure) -> bytes:
        """The answer to any call that failed."""
        told = _map_error(failure.value)
        return error_response(request, Failure(told) if told else failure)

    # which property is meant

    def _selected_properties(self, request: BoundedRequest) -> Sequence[Pms]:
        port = int_param(request, "port", 0, 65535)
        if not port:
            return self._properties
        chosen = [pms for pms in self._properties if pms.port == port]
        if not chosen:
            raise ApiError(404, "unknown_port", f"no property listens on port {port}", "port")
        return chosen

    def _selected_property(self, request: BoundedRequest) -> Pms:
        return self._selected_properties(request)[0]

    def _room_response(self, request: BoundedRequest, pms: Pms, room: str, status: int = 200) -> bytes:
        guests = pms.hotel.guests_by_room()[room]
        return json_response(
            request, room_serializer.serialize_room(room, guests, pms.equipment(room)), status
        )

    def _serialize_faults(self, request: BoundedRequest) -> dict[str, Any]:
        return {
            "properties": [
                {"port": pms.port, "faults": pms.faults.non_default()}
                for pms in self._selected_properties(request)
            ]
        }


def _map_error(problem: BaseException | None) -> ApiError | None:
    match problem:
        case UnknownGuestError():
            return ApiError(404, "unknown_guest", str(problem))
        case UnknownRoomError():
            return ApiError(400, "unknown_room", str(problem), "room")
        case NotLinkedError():
            return ApiError(409, "not_linked", str(problem))
        case FieldError(code=code):
            return ApiError(400, "bad_value", str(problem), guest_serializer.json_name(code))
        case FaultError(name=name):
            return ApiError(400, "bad_fault", str(problem), name)
    return None
