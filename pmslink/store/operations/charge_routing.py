"""Route a posting when it is about to be sent: to the room of its guest, later, or not at all."""

from __future__ import annotations

import json
from typing import Literal

from attrs import frozen

from pmslink.hotel.charge_destination import find_destination, refusal_reason
from pmslink.hotel.hotel_state import HotelState
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.held_charges import (
    LOCAL_GUEST_REASON,
    AwaitConfirmation,
    PmsRoom,
    UnknownStay,
    route_of_local_guest,
)
from pmslink.store.tables.outbox_rows import OutboxRow, RowReason
from pmslink.store.tables.stays import occupants_at, present_guests, rooms_of_guests

LateCharge = Literal["hold", "send"]
"""What happens to a charge whose guest has left, if somebody else is in the room now."""


@frozen
class SendTo:
    """The posting goes to this room now."""

    room: str


@frozen
class WaitForMove:
    """A guest whom the posting concerns is leaving: within the move window it becomes clear whereto."""


@frozen
class Refuse:
    """The posting would be charged to another guest. `text` is for people."""

    reason: RowReason
    text: str


Route = SendTo | WaitForMove | AwaitConfirmation | Refuse


def guests_at_start(
    transaction: Transaction, link: str, room: str, started: int
) -> tuple[str | None, str | None]:
    """Return the reservation number and the guests of a new posting, for the columns of its row.

    `started` is in milliseconds since 1970 in UTC. The number is that of the guest who checked in first.
    """
    occupants = occupants_at(transaction.connection, link, room, started)
    if occupants is None:
        return None, None
    if len(occupants) > 1:  # those who have left may still be moving: the others are there
        departed = transaction.hotels.hotel(transaction.connection, link).departed_before(room, started)
        occupants = [one for one in occupants if one.reservation not in departed] or occupants
    reservation = next((one.reservation for one in occupants if one.reservation is not None), None)
    return reservation, json.dumps([one.guest for one in occupants])


def route_posting(transaction: Transaction, row: OutboxRow, late_charge: LateCharge) -> Route:
    """Decide where a posting goes, from the present rooms of the guests who were in its room."""
    if row.guests is None:
        return SendTo(row.room)
    match route_of_local_guest(transaction, row):
        case AwaitConfirmation():
            return AwaitConfirmation()
        case PmsRoom(room=room):
            return SendTo(room)
        case UnknownStay():
            return Refuse("local_guest", LOCAL_GUEST_REASON)
    guests: list[str] = json.loads(row.guests)
    connection = transaction.connection
    room_by_guest = rooms_of_guests(connection, row.link, guests)
    state = transaction.hotels.hotel(connection, row.link)
    if any(guest in state.leaving_guests(room) for guest, room in room_by_guest.items()):
        return WaitForMove()
    occupants = present_guests(connection, row.link, row.room)
    destination = find_destination(row.room, guests, room_by_guest, occupants)
    if destination is not None:
        return SendTo(destination)
    if state.leaving_guests(row.room):  # the room may be vacant in a moment
        return WaitForMove()
    return SendTo(row.room) if late_charge == "send" else Refuse("guest_left", refusal_reason(guests))


def spelled_room(state: HotelState, room: str) -> str:
    """Return the name of a room as the PMS spells it."""
    stored = state.rooms.get(room)
    return room if stored is None or stored.spelling is None else stored.spelling
