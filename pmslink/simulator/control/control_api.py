"""The endpoints of the control API, which operates the hotel's front desk and switches faults.

``?port=N`` selects a property. Without it a call applies to the first property, and status and faults to
all properties.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.web.iweb import IRequest

from pmslink.endpoint_strings import MAX_PORT
from pmslink.errors import FieldError
from pmslink.simulator.control import guest_serializer, room_serializer, status_serializer
from pmslink.simulator.control.body_parser import INVALID_VALUE_CODE
from pmslink.simulator.hotel.hotel_model import UnknownGuestError, UnknownRoomError
from pmslink.simulator.pms.fault_switches import FaultError, Faults, fault_meanings
from pmslink.simulator.pms.property import NotLinkedError, Pms
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.bounded_request import BoundedRequest
from pmslink.web.http.bounded_site import BoundedSite
from pmslink.web.http.encoded_paths import EncodedPathKlein
from pmslink.web.http.json_requests import parse_body_object
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.origin_check import reject_cross_site
from pmslink.web.http.query_parameters import int_param, query_param

DEFAULT_PAGE_ENTRIES, MAX_PAGE_ENTRIES = 100, 1000
_MAX_RECORD_ID = 10**15 - 1


def make_control_site(properties: Sequence[Pms], local_only: bool) -> BoundedSite:
    """Make the site of the control API for these properties.

    `local_only` says that only this machine reaches it.
    """
    app = ControlApi(properties).app
    return BoundedSite(app, map_error=_map_error, request_factory=ControlRequest, local_only=local_only)


class ControlRequest(BoundedRequest):
    """A request that no page of another site has caused."""

    def require_acceptable(self) -> None:
        """Raise ApiError for a request that must not be routed, such as 403 for its origin."""
        super().require_acceptable()
        reject_cross_site(self.header_values(b"sec-fetch-site"))


class ControlApi:
    """The endpoints of the control API, for one or more properties."""

    app = EncodedPathKlein()

    def __init__(self, properties: Sequence[Pms]) -> None:
        self._properties = properties

    @app.route("/", methods=["GET"])
    def status(self, request: IRequest) -> bytes:
        """Return the status of each property."""
        selected = self._selected_properties(request)
        return make_response(
            request, {"properties": [status_serializer.serialize_status(pms) for pms in selected]}
        )

    # faults

    @app.route("/faults", methods=["GET"])
    def faults(self, request: IRequest) -> bytes:
        """Return the active faults, and all faults with their default and meaning."""
        defaults = Faults().serialize()
        available = {
            name: {"default": defaults[name], "meaning": meaning}
            for name, meaning in fault_meanings().items()
        }
        return make_response(request, {**self._serialize_faults(request), "available": available})

    @app.route("/faults", methods=["POST"])
    def change_faults(self, request: IRequest) -> bytes:
        """Set the given faults; the others are unchanged."""
        body = _parse_body(request)
        # parse for all properties first: an invalid fault changes none of them
        changes = [(pms, Faults.parse(body, pms.faults)) for pms in self._selected_properties(request)]
        for pms, faults in changes:
            pms.set_faults(faults)
        return make_response(request, self._serialize_faults(request))

    @app.route("/faults", methods=["DELETE"])
    def clear_faults(self, request: IRequest) -> bytes:
        """Switch all faults off."""
        for pms in self._selected_properties(request):
            pms.set_faults(Faults())
        return make_response(request, self._serialize_faults(request))

    # guests and rooms

    @app.route("/guests", methods=["GET"])
    def guests(self, request: IRequest) -> bytes:
        """Return all guests."""
        hotel = self._selected_property(request).hotel
        return make_response(
            request,
            {"guests": [guest_serializer.serialize_guest(guest, hotel) for guest in hotel.guests.values()]},
        )

    @app.route("/guests", methods=["POST"])
    def check_in(self, request: IRequest) -> bytes:
        """Check in a guest."""
        pms = self._selected_property(request)
        guest = pms.check_in(**guest_serializer.parse_guest(_parse_body(request), required=("room", "name")))
        return make_response(request, guest_serializer.serialize_guest(guest, pms.hotel), 201)

    @app.route("/guests/<guest>", methods=["PATCH"])
    def change(self, request: IRequest, guest: str) -> bytes:
        """Change attributes of a guest, or move the guest to another room."""
        pms = self._selected_property(request)
        details = guest_serializer.parse_guest(_parse_body(request))
        room = details.pop("room", None)
        if room is not None and details:
            raise ApiError(400, INVALID_VALUE_CODE, "a move must not change other attributes", "room")
        changed = pms.change(guest, details) if room is None else pms.move(guest, room)
        return make_response(request, guest_serializer.serialize_guest(changed, pms.hotel))

    @app.route("/guests/<guest>", methods=["DELETE"])
    def check_out(self, request: IRequest, guest: str) -> bytes:
        """Check out a guest."""
        pms = self._selected_property(request)
        return make_response(request, guest_serializer.serialize_guest(pms.check_out(guest), pms.hotel))

    @app.route("/rooms", methods=["GET"])
    def rooms(self, request: IRequest) -> bytes:
        """Return every room with its guests and its equipment state."""
        pms = self._selected_property(request)
        rooms = [
            room_serializer.serialize_room(room, guests, pms.equipment(room))
            for room, guests in pms.hotel.guests_by_room().items()
        ]
        return make_response(request, {"rooms": rooms})

    @app.route("/rooms/<room>", methods=["PATCH"])
    def change_equipment(self, request: IRequest, room: str) -> bytes:
        """Set a room's class of service, message light or do-not-disturb."""
        pms = self._selected_property(request)
        pms.change_equipment(room, **room_serializer.parse_room_settings(_parse_body(request)))
        return self._room_response(request, pms, room)

    @app.route("/rooms/<room>/wake-ups", methods=["POST"])
    def order_wake_up(self, request: IRequest, room: str) -> bytes:
        """Order a wake-up for a room."""
        pms = self._selected_property(request)
        pms.order_wake_up(room, room_serializer.parse_wake_up_order(_parse_body(request)))
        return self._room_response(request, pms, room, 201)

    @app.route("/rooms/<room>/wake-ups", methods=["DELETE"])
    def cancel_wake_up(self, request: IRequest, room: str) -> bytes:
        """Cancel one wake-up of a room, or all of them."""
        pms = self._selected_property(request)
        at = query_param(request, "at", INVALID_VALUE_CODE)
        pms.cancel_wake_up(room, room_serializer.parse_wake_up_cancellation(at))
        return self._room_response(request, pms, room)

    # records and postings

    @app.route("/records", methods=["GET"])
    def records(self, request: IRequest) -> bytes:
        """Return the records received and sent, oldest first."""
        after = _int_param(request, "after", _MAX_RECORD_ID, default=0)
        limit = _int_param(request, "limit", MAX_PAGE_ENTRIES, default=DEFAULT_PAGE_ENTRIES)
        entries = self._selected_property(request).trace.after(after, limit)
        return make_response(
            request, {"records": [status_serializer.serialize_entry(entry) for entry in entries]}
        )

    @app.route("/records", methods=["POST"])
    def send(self, request: IRequest) -> bytes:
        """Send a record, or bytes, exactly as given."""
        pms = self._selected_property(request)
        match _parse_body(request):
            case {"text": str(text), **others} if not others:
                pms.send_text(text)
            case {"hex": str(digits), **others} if not others:
                try:
                    data = bytes.fromhex(digits)
                except ValueError as problem:
                    raise ApiError(400, INVALID_VALUE_CODE, f"hex is not valid: {problem}", "hex") from None
                pms.send_bytes(data)
            case _:
                message = 'the body must be {"text": …} or {"hex": …}'
                raise ApiError(400, INVALID_VALUE_CODE, message, "text")
        return make_response(request, {"sent": True})

    @app.route("/records", methods=["DELETE"])
    def clear_records(self, request: IRequest) -> bytes:
        """Delete the stored records; ids continue."""
        self._selected_property(request).trace.clear()
        return make_response(request, {"records": []})

    @app.route("/postings", methods=["GET"])
    def postings(self, request: IRequest) -> bytes:
        """Return each posting number with its deliveries and answers."""
        postings = self._selected_property(request).postings.by_number.values()
        return make_response(
            request, {"postings": [status_serializer.serialize_posting(posting) for posting in postings]}
        )

    # night audit, resync and link

    @app.route("/audit/<any(start,end):action>", methods=["POST"])
    def audit(self, request: IRequest, action: str) -> bytes:
        """Begin or end the night audit."""
        pms = self._selected_property(request)
        pms.set_night_audit(action == "start")
        return make_response(request, status_serializer.serialize_status(pms))

    @app.route("/resync", methods=["POST"])
    def resync(self, request: IRequest) -> bytes:
        """Send a resync without a request of the PBX."""
        pms = self._selected_property(request)
        pms.resync()
        return make_response(request, status_serializer.serialize_status(pms))

    @app.route("/link/<any(start,end,drop):action>", methods=["POST"])
    def link(self, request: IRequest, action: str) -> bytes:
        """Send LS, send LE, or close the connection without LE."""
        pms = self._selected_property(request)
        {"start": pms.start_link, "end": pms.end_link, "drop": pms.drop_link}[action]()
        return make_response(request, status_serializer.serialize_status(pms))

    # selection of properties

    def _selected_properties(self, request: IRequest) -> Sequence[Pms]:
        port = _int_param(request, "port", MAX_PORT, default=0)
        if not port:
            return self._properties
        selected = [pms for pms in self._properties if pms.port == port]
        if not selected:
            raise ApiError(404, "unknown_port", f"no property listens on port {port}", "port")
        return selected

    def _selected_property(self, request: IRequest) -> Pms:
        return self._selected_properties(request)[0]

    def _room_response(self, request: IRequest, pms: Pms, room: str, status: int = 200) -> bytes:
        guests = pms.hotel.guests_by_room()[room]
        return make_response(
            request, room_serializer.serialize_room(room, guests, pms.equipment(room)), status
        )

    def _serialize_faults(self, request: IRequest) -> dict[str, Any]:
        return {
            "properties": [
                {"port": pms.port, "faults": pms.faults.non_default()}
                for pms in self._selected_properties(request)
            ]
        }


def _map_error(exception: BaseException) -> ApiError | None:
    match exception:
        case UnknownGuestError():
            return ApiError(404, "unknown_guest", str(exception))
        case UnknownRoomError():
            return ApiError(400, "unknown_room", str(exception), "room")
        case NotLinkedError():
            return ApiError(409, "not_linked", str(exception))
        case FieldError(code=code):
            return ApiError(400, INVALID_VALUE_CODE, str(exception), guest_serializer.json_name(code))
        case FaultError(name=name):
            return ApiError(400, "bad_fault", str(exception), name)
    return None


def _parse_body(request: IRequest) -> dict[str, Any]:
    # without a check of the content type: `curl -d` sends that of a form
    return parse_body_object(request, "bad_json")


def _int_param(request: IRequest, name: str, maximum: int, default: int) -> int:
    value = int_param(request, name, maximum, minimum=0, error_code=INVALID_VALUE_CODE)
    return default if value is None else value
