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
    answered,
    answered_problem,
    body,
    number,
    text,
)
from pmslink.simulator.hotel.hotel_model import UnknownGuestError, UnknownRoomError
from pmslink.simulator.pms.fault_switches import FaultError, Faults, meanings
from pmslink.simulator.pms.property import NotLinkedError, Pms

LIMIT, LONGEST_LIST = 100, 1000
_HIGHEST_ID = 10**15 - 1


class Control:
    """The calls, on one or more properties."""

    app = Klein()

    def __init__(self, properties: Sequence[Pms]) -> None:
        self._properties = properties

    @app.route("/", methods=["GET"])
    def status(self, request: BoundedRequest) -> bytes:
        """How each property stands."""
        return answered(
            request, {"properties": [status_serializer.status(pms) for pms in self._asked(request)]}
        )

    # faults

    @app.route("/faults", methods=["GET"])
    def faults(self, request: BoundedRequest) -> bytes:
        """The faults that are on, and all there are."""
        defaults = Faults().to_json()
        available = {
            name: {"default": defaults[name], "meaning": meaning} for name, meaning in meanings().items()
        }
        return answered(request, {**self._faults(request), "available": available})

    @app.route("/faults", methods=["POST"])
    def change_faults(self, request: BoundedRequest) -> bytes:
        """Set the given faults, leave the others."""
        given = body(request)
        changed = [(pms, Faults.from_json(given, pms.faults)) for pms in self._asked(request)]
        for pms, faults in changed:
            pms.set_faults(faults)
        return answered(request, self._faults(request))

    @app.route("/faults", methods=["DELETE"])
    def clear_faults(self, request: BoundedRequest) -> bytes:
        """Switch all faults off."""
        for pms in self._asked(request):
            pms.set_faults(Faults())
        return answered(request, self._faults(request))

    # guests and rooms

    @app.route("/guests", methods=["GET"])
    def guests(self, request: BoundedRequest) -> bytes:
        """Who stays in the hotel."""
        hotel = self._one(request).hotel
        return answered(
            request, {"guests": [guest_serializer.shown(guest, hotel) for guest in hotel.guests.values()]}
        )

    @app.route("/guests", methods=["POST"])
    def check_in(self, request: BoundedRequest) -> bytes:
        """Check a guest in."""
        pms = self._one(request)
        guest = pms.check_in(**guest_serializer.details(body(request), required=("room", "name")))
        return answered(request, guest_serializer.shown(guest, pms.hotel), 201)

    @app.route("/guests/<guest>", methods=["PATCH"])
    def change(self, request: BoundedRequest, guest: str) -> bytes:
        """Change what is known of a guest, or move the guest."""
        pms = self._one(request)
        details = guest_serializer.details(body(request))
        room = details.pop("room", None)
        if room is not None and details:
            raise ApiError(400, "bad_value", "a move is a call of its own", "room")
        changed = pms.change(guest, details) if room is None else pms.move(guest, room)
        return answered(request, guest_serializer.shown(changed, pms.hotel))

    @app.route("/guests/<guest>", methods=["DELETE"])
    def check_out(self, request: BoundedRequest, guest: str) -> bytes:
        """Check a guest out."""
        pms = self._one(request)
        return answered(request, guest_serializer.shown(pms.check_out(guest), pms.hotel))

    @app.route("/rooms", methods=["GET"])
    def rooms(self, request: BoundedRequest) -> bytes:
        """Every room, with its guests, what it is set to and what the PBX told of it."""
        pms = self._one(request)
        rooms = [
            room_serializer.shown(room, guests, pms.equipment(room))
            for room, guests in pms.hotel.by_room().items()
        ]
        return answered(request, {"rooms": rooms})

    @app.route("/rooms/<room>", methods=["PATCH"])
    def equip(self, request: BoundedRequest, room: str) -> bytes:
        """Set a room's class of service and lights."""
        pms = self._one(request)
        pms.equip(room, **room_serializer.settings(body(request)))
        return self._room(request, pms, room)

    @app.route("/rooms/<room>/wake-ups", methods=["POST"])
    def order_wake_up(self, request: BoundedRequest, room: str) -> bytes:
        """Have the guests of a room woken."""
        pms = self._one(request)
        pms.order_wake_up(room, room_serializer.ordered(body(request)))
        return self._room(request, pms, room, 201)

    @app.route("/rooms/<room>/wake-ups", methods=["DELETE"])
    def cancel_wake_up(self, request: BoundedRequest, room: str) -> bytes:
        """Cancel a wake-up, or all of the room."""
        pms = self._one(request)
        pms.cancel_wake_up(room, room_serializer.cancelled(text(request, "at")))
        return self._room(request, pms, room)

    # records and postings

    @app.route("/records", methods=["GET"])
    def records(self, request: BoundedRequest) -> bytes:
        """What was received and sent, oldest first."""
        after = number(request, "after", 0, _HIGHEST_ID)
        limit = number(request, "limit", LIMIT, LONGEST_LIST)
        records = self._one(request).trace.after(after, limit)
        return answered(request, {"records": [status_serializer.entry(each) for each in records]})

    @app.route("/records", methods=["POST"])
    def send(self, request: BoundedRequest) -> bytes:
        """Send a record, or bytes, just as given."""
        pms = self._one(request)
        match body(request):
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
        return answered(request, {"sent": True})

    @app.route("/records", methods=["DELETE"])
    def forget_records(self, request: BoundedRequest) -> bytes:
        """Forget what was received and sent."""
        self._one(request).trace.clear()
        return answered(request, {"records": []})

    @app.route("/postings", methods=["GET"])
    def postings(self, request: BoundedRequest) -> bytes:
        """Each posting number: how often it came, on which connection, what it was answered."""
        postings = self._one(request).postings.by_number.values()
        return answered(request, {"postings": [status_serializer.posting(each) for each in postings]})

    # what the hotel does with the link

    @app.route("/audit/<any(start,end):which>", methods=["POST"])
    def audit(self, request: BoundedRequest, which: str) -> bytes:
        """Begin or end the night audit."""
        pms = self._one(request)
        pms.audit(which == "start")
        return answered(request, status_serializer.status(pms))

    @app.route("/resync", methods=["POST"])
    def resync(self, request: BoundedRequest) -> bytes:
        """Send who is in the house, unasked."""
        pms = self._one(request)
        pms.resync()
        return answered(request, status_serializer.status(pms))

    @app.route("/link/<any(start,end,drop):what>", methods=["POST"])
    def link(self, request: BoundedRequest, what: str) -> bytes:
        """Send LS, send LE, or close the connection without a word."""
        pms = self._one(request)
        {"start": pms.start_link, "end": pms.end_link, "drop": pms.drop_link}[what]()
        return answered(request, status_serializer.status(pms))

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        """The answer to any call that failed."""
        told = _as_api_error(failure.value)
        return answered_problem(request, Failure(told) if told else failure)

    # which property is meant

    def _asked(self, request: BoundedRequest) -> Sequence[Pms]:
        port = number(request, "port", 0, 65535)
        if not port:
            return self._properties
        chosen = [pms for pms in self._properties if pms.port == port]
        if not chosen:
            raise ApiError(404, "unknown_port", f"no property listens on port {port}", "port")
        return chosen

    def _one(self, request: BoundedRequest) -> Pms:
        return self._asked(request)[0]

    def _room(self, request: BoundedRequest, pms: Pms, room: str, status: int = 200) -> bytes:
        guests = pms.hotel.by_room()[room]
        return answered(request, room_serializer.shown(room, guests, pms.equipment(room)), status)

    def _faults(self, request: BoundedRequest) -> dict[str, Any]:
        return {
            "properties": [
                {"port": pms.port, "faults": pms.faults.switched_on()} for pms in self._asked(request)
            ]
        }


def _as_api_error(problem: BaseException | None) -> ApiError | None:
    match problem:
        case UnknownGuestError():
            return ApiError(404, "unknown_guest", str(problem))
        case UnknownRoomError():
            return ApiError(400, "unknown_room", str(problem), "room")
        case NotLinkedError():
            return ApiError(409, "not_linked", str(problem))
        case FieldError(code=code):
            return ApiError(400, "bad_value", str(problem), guest_serializer.named(code))
        case FaultError(name=name):
            return ApiError(400, "bad_fault", str(problem), name)
    return None
